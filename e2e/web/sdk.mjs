// Session tokens in the browser, as an app on another port gets them from the SDK: kept, renewed, shared by tabs, right
// whatever the clock says, and over when the session is.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { issuer, launch, say } from './world.mjs'
import { app, claims, enter, far, minted, near, refused, told, token } from './app-page.mjs'

const browser = await launch()
const ann = 'ann@example.com', bob = 'bob@example.com'
const offline = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|asked a stranger/

async function oneTokenUntilItIsNearlyOver() {
  const a = await app(browser, { clock: 0 })
  assert.equal(await token(a.page), null)
  assert.deepEqual(await a.page.evaluate(() => seen), [null])
  assert.ok(await a.page.evaluate(async () => (await Promise.all([sdk.load(), sdk.load({ issuer: `${idp.issuer}/` })])).every((i) => i === idp)))
  await enter(a.page, ann)
  assert.deepEqual(await a.page.evaluate(() => seen), [null, 'ann@example.com'])
  assert.deepEqual(await a.page.evaluate(() => [idp.user.email, idp.session.active, idp.sessions.length]), [ann, true, 1])

  await a.page.clock.pauseAt(Date.now() + 60_000) // what follows is about single seconds, and machines are slow
  const many = await a.page.evaluate(() => Promise.all(Array.from({ length: 10 }, () => idp.getToken())))
  assert.equal(new Set(many).size, 1)
  assert.equal(a.mints.length, 1)
  const said = await claims(many[0])
  assert.equal(said.exp - said.iat, 60)
  assert.equal(said.sid, await a.page.evaluate(() => idp.session.id))

  await a.page.clock.fastForward(40_000)
  assert.equal(await token(a.page), many[0])
  assert.equal(a.mints.length, 1)
  await a.page.clock.fastForward(11_000) // nobody asks: somebody looks
  await minted(a, 2)
  await a.page.waitForFunction(async (old) => await idp.getToken() !== old, many[0])
  const second = await token(a.page)
  assert.equal(a.mints.length, 2)
  const fresh = await token(a.page, { fresh: true })
  assert.notEqual(fresh, second)
  await minted(a, 3)

  await a.page.clock.fastForward(3_600_000) // the machine slept
  const later = await token(a.page)
  assert.notEqual(later, fresh)
  await claims(later)
  await a.close()
  say('a token is kept, renewed before its end, and never handed out dead')
}

async function whateverTheClockSays() {
  for (const off of [20_000, -20_000, 20 * 60_000, -20 * 60_000]) {
    const a = await app(browser, { clock: off })
    await enter(a.page, ann)
    await a.page.clock.pauseAt(Date.now() + off + 60_000) // still wrong, and stands still
    const before = Date.now(), first = await token(a.page), after = Date.now()
    await claims(first)
    const now = await a.page.evaluate(() => idp.now())
    assert.ok(now > before - 2_000 && now < after + 2_000, `the server's time is ${now - before} ms wrong`)
    await a.page.clock.fastForward(40_000)
    assert.equal(await token(a.page), first)
    await a.page.clock.fastForward(11_000)
    await minted(a, 2)
    await a.close()
  }
  // Set right, or wrong, while the page is open.
  for (const jump of [20 * 60_000, -20 * 60_000]) {
    const a = await app(browser, { clock: 0 })
    await enter(a.page, ann)
    const first = await token(a.page)
    await a.page.clock.setSystemTime(Date.now() + jump)
    await a.page.clock.fastForward(61_000)
    const second = await token(a.page)
    assert.notEqual(second, first)
    await claims(second)
    await a.close()
  }
  say('twenty seconds or minutes off, either way')
}

async function oneTokenForTwoTabs(how, before) {
  const a = await app(browser, { clock: 0, before })
  const other = await a.another()
  await enter(a.page, ann)
  await told(other, ann)
  // The other tab asks while the answer to the first is on its way.
  let arrived
  const here = new Promise((r) => { arrived = r })
  await a.page.route('**/tokens', async (route) => {
    await here
    await route.continue()
  })
  const first = token(a.page)
  await minted(a, 1)
  const second = token(other)
  await other.evaluate(() => new Promise((r) => setTimeout(r, 100)))
  arrived()
  const [x, y] = await Promise.all([first, second])
  assert.equal(x, y)
  assert.equal(a.mints.length, 1)
  await a.page.unroute('**/tokens')
  await a.context.clock.fastForward(58_000)
  const [u, v] = await Promise.all([token(a.page), token(other)])
  assert.equal(u, v)
  assert.notEqual(u, x)
  assert.equal(a.mints.length, 2)
  // Nobody but this origin's tabs ever sees a token.
  for (const tab of [a.page, other]) {
    assert.ok(await tab.evaluate((jwt) => ![localStorage, sessionStorage].some((s) => JSON.stringify({ ...s }).includes(jwt)) && !document.cookie.includes(jwt), u))
  }
  await a.close()
  say(`two tabs, one request, ${how}`)
}

async function withoutTheNetwork() {
  const a = await app(browser, { clock: 0, expected: offline })
  await enter(a.page, ann)
  await a.page.clock.pauseAt(Date.now() + 60_000)
  const first = await token(a.page)
  await a.context.setOffline(true)
  await a.page.clock.fastForward(52_000)
  assert.equal(await token(a.page), first) // it lives for a moment yet
  await a.page.clock.fastForward(10_000)
  await a.page.clock.resume() // it may wait a little before it tries again
  const error = await refused(a.page, 'ask')
  assert.deepEqual([error.idp, error.status, error.code], [true, 0, 'network'])
  assert.equal(await a.page.evaluate(() => idp.user.email), ann) // no answer is not "signed out"
  await a.context.setOffline(false)
  await a.page.waitForFunction(async () => { try { return await idp.getToken() } catch { return false } })
  await claims(await token(a.page))
  await a.close()
  say('offline and back')
}

async function askedTooOften() {
  const a = await app(browser, { clock: 0 })
  await enter(a.page, ann)
  await a.page.clock.pauseAt(Date.now() + 60_000)
  const first = await token(a.page)
  let answered = 0
  await a.page.route('**/tokens', (route) => {
    answered++
    return route.fulfill({
      status: 429, contentType: 'application/problem+json', body: JSON.stringify({ code: 'too_many', detail: 'Slow down.' }),
      headers: { 'retry-after': '30', 'access-control-allow-origin': near, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'Retry-After' },
    })
  })
  await a.page.clock.fastForward(54_500)
  assert.equal(await token(a.page), first)
  assert.equal(answered, 1)
  await a.page.clock.fastForward(6_000) // now it is over
  const error = await refused(a.page, 'ask')
  assert.deepEqual([error.idp, error.status, error.code, error.detail], [true, 429, 'too_many', 'Slow down.'])
  assert.ok(error.retryAfter > 10 && error.retryAfter <= 38, `wait ${error.retryAfter} s`)
  await refused(a.page, 'ask')
  assert.equal(answered, 1) // it was asked to wait, and does
  await a.page.unroute('**/tokens')
  await a.page.clock.fastForward(40_000)
  await a.page.clock.resume()
  await a.page.waitForFunction(async () => { try { return await idp.getToken() } catch { return false } })
  await claims(await token(a.page))
  await a.close()
  say('waits as long as it is told to')
}

async function signedOutFromElsewhere() {
  const a = await app(browser, { clock: 0 }), b = await app(browser)
  const other = await a.another()
  await enter(a.page, ann)
  await told(other, ann)
  await token(a.page)
  await enter(b.page, ann)
  await b.page.evaluate(() => idp.request('POST', '/me/sessions/end-others'))
  assert.equal(await a.page.evaluate(() => idp.user.email), ann) // knows nothing of it yet
  await a.page.clock.fastForward(51_000) // within the minute that a token lives
  await told(a.page, null)
  await told(other, null)
  for (const tab of [a.page, other]) assert.equal(await token(tab), null)
  assert.equal(await b.page.evaluate(() => idp.user.email), ann)
  await b.page.evaluate(() => idp.signOut())
  assert.equal(await token(b.page), null)
  await a.close()
  await b.close()
  say('signed out from elsewhere')
}

async function whileNobodyLooks() {
  const a = await app(browser, { clock: 0 })
  await enter(a.page, ann)
  const first = await token(a.page)
  const look = (state) => a.page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
  await look('hidden')
  for (let minute = 0; minute < 3; minute++) await a.page.clock.fastForward(60_000)
  await a.page.evaluate(() => new Promise((r) => setTimeout(r, 200)))
  assert.equal(a.mints.length, 1)
  await look('visible')
  await minted(a, 2)
  await a.page.waitForFunction(async (old) => ![old, null].includes(await idp.getToken()), first)
  assert.equal(a.mints.length, 2)
  await a.close()
  say('asks for nothing while nobody looks')
}

async function twoAccounts() {
  const a = await app(browser)
  const other = await a.another()
  await enter(a.page, ann)
  await enter(a.page, bob)
  await told(other, bob)
  const both = await other.evaluate(() => idp.sessions.map((s) => [s.user.email, s.active]))
  assert.deepEqual(both, [[bob, true], [ann, false]])
  const bobs = await claims(await token(other))
  await other.evaluate((email) => idp.switchTo(idp.sessions.find((s) => s.user.email === email).id), ann)
  await told(a.page, ann)
  const anns = await claims(await token(a.page))
  assert.notEqual(anns.sub, bobs.sub)
  assert.equal(anns.sid, await other.evaluate(() => idp.session.id))
  await a.page.evaluate(() => idp.signOut()) // Ann; Bob is left
  await told(other, bob)
  assert.equal((await claims(await token(other))).sub, bobs.sub)
  await other.evaluate(() => idp.signOut({ session: 'all' }))
  await told(a.page, null)
  assert.equal(await token(a.page), null)
  await a.page.reload()
  await a.open(a.page)
  assert.deepEqual(await a.page.evaluate(() => seen), [null])
  await a.close()
  say('two accounts in two tabs')
}

async function onAnotherSiteInDevelopment() {
  const a = await app(browser, { at: far })
  await enter(a.page, ann)
  const first = await token(a.page)
  await claims(first, far)
  assert.ok(a.mints[0].headers()['idp-browser-token'])
  assert.deepEqual(await a.context.cookies(), [])
  const other = await a.another() // the same browser for every tab of the origin, and after a reload
  assert.deepEqual(await other.evaluate(() => seen), [ann])
  await a.page.reload()
  await a.open(a.page)
  assert.equal(await a.page.evaluate(() => idp.user.email), ann)
  await other.evaluate(() => idp.signOut())
  await told(a.page, null)
  assert.equal(await token(other), null)
  await a.close()
  say('on another site, by a token in place of cookies')
}

async function forPagesThatAServerRenders() {
  const a = await app(browser, { clock: 0 })
  await enter(a.page, ann)
  const kept = () => a.page.evaluate(() => document.cookie)
  assert.equal(await kept(), '')
  const theirs = 'idp_token_00000000=theirs' // of another issuer that somebody uses on this host
  await a.page.evaluate((line) => { document.cookie = `${line}; Path=/; Max-Age=3600` }, theirs)
  const name = await a.page.evaluate(() => idp.environment.token_cookie)
  assert.equal(name, `idp_token_${createHash('sha256').update(issuer).digest('hex').slice(0, 8)}`)
  const jwt = await token(a.page, { cookie: true })
  assert.deepEqual((await kept()).split('; ').sort(), [theirs, `${name}=${jwt}`].sort())
  await a.page.clock.fastForward(51_000)
  await a.page.waitForFunction(([name, old]) => document.cookie.includes(`${name}=ey`) && !document.cookie.includes(old), [name, jwt])
  await a.page.evaluate(() => idp.signOut())
  assert.equal(await kept(), theirs)
  await a.close()
  say('in a cookie of the page')
}

try {
  await oneTokenUntilItIsNearlyOver()
  await whateverTheClockSays()
  await oneTokenForTwoTabs('by locks')
  await oneTokenForTwoTabs('by a lease where there are no locks', (context) => context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
  }))
  await withoutTheNetwork()
  await askedTooOften()
  await signedOutFromElsewhere()
  await whileNobodyLooks()
  await twoAccounts()
  await onAnotherSiteInDevelopment()
  await forPagesThatAServerRenders()
} finally {
  await browser.close()
}
