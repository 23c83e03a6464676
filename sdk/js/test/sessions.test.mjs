// Who is signed in, as tabs hear of it: sign-outs that cross, pages that come back, clocks that are set, and what is
// sent to whom.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { Browser, issuer, later, settle } from './browser.mjs'

let b
beforeEach(() => { b = new Browser() })
afterEach(() => b.close())

test('a session that ended elsewhere is signed out of without an error', async () => {
  b.enter('bob')
  b.enter('ann')
  const { idp } = await b.open()
  b.sessions.pop()
  b.sessions[0].active = true
  await idp.signOut({ returnTo: '/bye' })
  assert.deepEqual(idp.sessions.map((s) => s.id), ['bob'])
  assert.deepEqual(b.went, ['https://app.example.com/bye'])
  await idp.signOut({ session: 'ann' }) // nor is one that was never here
  b.sessions = []
  await assert.rejects(idp.switchTo('bob'), { code: 'session_unknown' })
  assert.equal(idp.user, null) // but it is known now
})

test('an answer that was overtaken does not bring back who left', async () => {
  b.enter('ann')
  const [one, two] = [await b.open(), await b.open()]
  const held = later()
  const old = structuredClone(b.sessions)
  b.instead = async (request, reply) => {
    if (request.method !== 'GET') return
    b.instead = () => undefined
    await held.promise
    return reply(200, { sessions: old })
  }
  const looking = one.idp.refresh()
  await settle()
  await two.idp.signOut()
  await settle()
  assert.equal(one.idp.user, null)
  held.done()
  await looking
  assert.deepEqual([one.idp.user, two.idp.user], [null, null])
})

test('the server\'s time is known again soon after this machine\'s clock was set', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  const off = () => Math.abs(idp.now() - (b.wall - b.ahead))
  assert.ok(off() < 1000)
  b.set(20 * 60_000)
  b.instead = async () => { b.pass(400) } // a slower answer than the first
  await idp.refresh()
  assert.ok(off() < 1500, `${off()} ms wrong`)
  b.wall += 3_600_000 // asleep: only one clock went on
  await idp.refresh()
  assert.ok(off() < 1500, `${off()} ms wrong`)
})

test('a slow answer tells the time worse than a quick one, and is not believed', async () => {
  const { idp } = await b.open()
  const before = idp.now() - b.wall
  b.instead = async () => { b.pass(8_000) }
  await idp.refresh()
  assert.equal(idp.now() - b.wall, before)
})

test('nothing but the issuer hears of anything, and no redirect leads elsewhere', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  await idp.getToken({ template: 'a/../b?c' })
  await assert.rejects(idp.resume('../me?x'))
  for (const { origin, init, path } of b.asked) {
    assert.equal(origin, issuer)
    assert.equal(init.redirect, 'error', path)
    assert.equal(init.credentials, path.startsWith('/environment') ? 'omit' : 'include')
    assert.ok(!('Idp-Browser-Token' in init.headers))
  }
  assert.ok(b.asked.some((r) => r.path === '/sessions/ann/tokens/a%2F..%2Fb%3Fc'))
  assert.ok(b.asked.some((r) => r.path === '/attempts/..%2Fme%3Fx'))
  assert.equal(b.storage.size, 0)
  assert.equal(b.jar.size, 0)
})

test('where no cookie travels, one token stands for the browser and is renewed as the server says', async () => {
  b.environment.browser_tokens = true
  let made = 0
  b.instead = ({ path, headers }, reply) => {
    if (path === '/browsers') return reply(201, { browser_token: `browser-${++made}` })
    if (path === '/sessions') return reply(200, { sessions: [] }, headers['Idp-Browser-Token'] === 'browser-1' ? { 'idp-browser-token': 'browser-1b' } : {})
  }
  const { idp, load } = await b.open()
  await Promise.all([idp.refresh(), idp.refresh(), load({ issuer, locale: 'de' })])
  const sent = b.requests('/sessions').map((r) => r.headers['Idp-Browser-Token'])
  assert.deepEqual(sent, ['browser-1', 'browser-1b', 'browser-1b'])
  assert.deepEqual([...b.storage], [[`idp.browser:${issuer}`, 'browser-1b']])
  assert.ok(b.asked.every((r) => r.init.credentials === 'omit'))
  assert.equal(b.requests('/environment').length, 2)
  b.storage.clear()
  await Promise.allSettled([idp.request('GET', '/me'), idp.request('GET', '/me')]) // find none, and make one
  assert.deepEqual([made, b.requests('/me').map((r) => r.headers['Idp-Browser-Token'])], [2, ['browser-2', 'browser-2']])
  b.storage.set(`idp.browser:${issuer}`, 'browser-1b')
  assert.ok(b.requests('/environment').every((r) => !r.headers['Idp-Browser-Token']))
})

test('a page that is put away and comes back looks again, and leaves no channel open meanwhile', async () => {
  b.enter('ann')
  const tab = await b.open()
  assert.equal(b.channels, 1)
  tab.fire('pagehide')
  assert.equal(b.channels, 0)
  b.sessions = []
  tab.fire('pageshow', { persisted: true })
  await settle()
  assert.equal(b.channels, 1)
  assert.equal(tab.idp.user, null)
  const asked = b.asked.length
  for (let i = 0; i < 5; i++) tab.fire('visibilitychange') // somebody who looks here and there
  await settle()
  assert.equal(b.asked.length, asked)
  await b.advance(11_000)
  tab.fire('visibilitychange')
  await settle()
  assert.equal(b.asked.length, asked + 1)
})

test('an observer that fails keeps nobody else from hearing', async () => {
  const { idp } = await b.open()
  const heard = []
  let stopped = 0
  idp.observe(({ user }) => { if (user) throw new Error('mine') })
  const stop = idp.observe(() => { stopped++ })
  idp.observe(({ user }) => heard.push(user?.name ?? null))
  stop()
  b.enter('ann')
  await idp.refresh()
  await idp.refresh() // the same as before is no news
  assert.deepEqual([heard, stopped, b.errors.map((e) => e.message)], [[null, 'ann'], 1, ['mine']])
})

test('an issuer that cannot be reached is tried again by the next load, and leaves nothing behind', async () => {
  b.instead = () => { throw new TypeError('Failed to fetch') }
  await assert.rejects(b.open(), { code: 'network' })
  assert.equal(b.channels, 0)
  b.instead = () => undefined
  assert.equal((await b.open()).idp.user, null)
})

test('who waits may give up, and nobody waits for ever', async () => {
  const { idp } = await b.open()
  b.instead = ({ path }) => (path === '/me' ? new Promise(() => {}) : undefined)
  const stop = new AbortController()
  const left = idp.request('GET', '/me', undefined, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(left)
  await assert.rejects(idp.request('GET', '/me', undefined, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
  assert.equal(b.requests('/me').length, 1)
  const long = idp.request('GET', '/me')
  long.catch(() => {})
  await b.advance(15_000)
  await assert.rejects(long, { code: 'network' })
})

test('what is no issuer is said, and no language or slash makes a second connection', async () => {
  const tab = await b.open()
  assert.equal(await tab.load({ issuer: `${issuer}/` }), tab.idp)
  const german = await tab.load({ issuer, locale: 'de' })
  assert.equal(german.session, tab.idp.session)
  assert.equal(b.requests('/sessions').length, 1)
  assert.equal(b.requests('/environment?locale=de').length, 1)
  assert.equal(await tab.load({ issuer, locale: 'de' }), german)
  await assert.rejects(tab.load(), { code: 'issuer_missing' })
  await assert.rejects(tab.load({ issuer: 'id.example.com' }))
})

test('links carry where to come back to, and nothing of it is code', async () => {
  const { idp } = await b.open()
  assert.equal(idp.url('sign-in'), `${issuer}/sign-in?return_to=https%3A%2F%2Fapp.example.com%2Fhere%3Fa%3Db%23c`)
  assert.equal(idp.url('account', { returnTo: '/x?y=z&a#b' }), `${issuer}/account?return_to=https%3A%2F%2Fapp.example.com%2Fx%3Fy%3Dz%26a%23b`)
  for (const returnTo of ['javascript:alert(1)', 'data:text/html,x', 'blob:https://app.example.com/x', 'java\nscript:x', ' javascript:x', 'https://']) {
    await idp.signOut({ session: 'all', returnTo })
  }
  assert.deepEqual(b.went, [])
})
