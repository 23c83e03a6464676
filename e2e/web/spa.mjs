// The example app in Chromium: its page signs people up, in and out with components, its API believes session tokens,
// and everybody hears within a minute that somebody was signed out from afar.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { api, answered, app, appSetUp, focused, menu, oneTime, opener, signedIn, signedOut, signIn, spent, token } from './spa-steps.mjs'
import { eventually, field, issuer, launch, coded, password, pictured, say, visit } from './world.mjs'

const email = 'ann@example.com'
const browser = await launch()
const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

// minting is a request for a token.
const minting = (request) => request.method() === 'POST' && /\/frontend\/v1\/sessions\/[^/]+\/tokens$/.test(request.url())

const ann = await visit(browser, { origins: [app] })
const { page, context } = ann

try {
  // Signing up, in the page.
  await page.goto(app)
  await field(page.locator('idp-sign-in'), 'Email address').waitFor()
  await pictured(page, 'spa-signed-out')
  await page.locator('idp-sign-in').getByRole('link', { name: 'Sign up', exact: true }).click()
  const form = page.locator('idp-sign-up')
  await field(form, 'Email address').fill(email)
  await form.getByLabel(/^Name/).fill('Ann Lee')
  await field(form, 'Password').fill(password)
  await form.getByRole('button', { name: 'Sign up', exact: true }).click()
  const called = answered(page, '/api/me', 200)
  await field(form, 'Code').fill((await coded(email)).code)
  await signedIn(page)
  const claims = await (await called).json()
  assert.equal(claims.azp, app)
  assert.equal(claims.iss, issuer)
  assert.equal(claims.exp - claims.iat, 60)
  await page.locator('dd', { hasText: claims.sub }).waitFor()
  say('signed up, and the API knows by a token who asks')

  await page.locator('#text').fill('<b>Water</b> the plants')
  await page.locator('#write button').click()
  await page.locator('#notes li', { hasText: '<b>Water</b> the plants' }).waitFor()
  await pictured(page, 'spa-notes')

  // The user button, by keyboard alone.
  await opener(page).focus()
  await page.keyboard.press('ArrowDown')
  await page.getByRole('menu').waitFor()
  await focused(page, 'Add another account')
  await page.keyboard.press('End')
  await focused(page, 'Sign out')
  await page.keyboard.press('m')
  await focused(page, 'Manage account')
  await pictured(page, 'user-button-open')
  await page.keyboard.press('Escape')
  await page.getByRole('menu').waitFor({ state: 'hidden' })
  await focused(page, 'Account of Ann Lee')
  await pictured(page, 'user-button')
  await (await menu(page, 'Manage account')).click()
  await page.getByRole('tab', { name: 'Security', exact: true }).waitFor()
  await pictured(page, 'user-profile')

  // An authenticator app, in the profile.
  await page.getByRole('tab', { name: 'Security', exact: true }).click()
  const { key, backup } = await appSetUp(page, () => pictured(page, 'user-profile-totp'))
  await pictured(page, 'user-profile-security')
  await page.getByRole('tab', { name: 'Apps and data' }).click()
  await page.getByText('You have not allowed any app yet.').waitFor()
  await pictured(page, 'user-profile-apps')
  say('set up an authenticator app in the profile')

  // Out, and in again with both steps.
  await (await menu(page, 'Sign out')).click()
  await signedOut(page)
  assert.equal(await token(page), null)
  await signIn(page, email, (form) => field(form, 'Code').fill(oneTime(key, 1)))
  assert.deepEqual(claimsOf(await token(page)).amr.toSorted(), ['mfa', 'otp', 'pwd'])
  await opener(page).waitFor()
  say('signed in with the second factor')

  // A page whose clock is wrong, and the token that it gets by itself before the old one ends.
  for (const wrong of [20_000, -20_000]) {
    const off = await visit(browser, { origins: [app], storageState: await context.storageState() })
    await off.context.clock.install({ time: Date.now() + wrong })
    const first = answered(off.page, '/api/me', 200)
    await off.page.goto(app)
    await first
    await signedIn(off.page)
    const before = await token(off.page)
    const [again] = await Promise.all([
      off.page.waitForResponse((r) => minting(r.request())), // nobody asks for it
      off.page.clock.fastForward(52_000),
    ])
    const { jwt } = await again.json()
    assert.notEqual(jwt, before)
    assert.equal((await api(jwt)).status, 200)
    assert.equal(await token(off.page), jwt)
    const called = answered(off.page, '/api/me', 200)
    await off.page.locator('#again').click()
    await called
    await off.close()
  }
  say('works with a clock that is 20 seconds off, and has a new token before the old one ends')

  // Two tabs are one: who signs out in one is signed out in the other.
  const other = await context.newPage()
  await other.goto(app)
  await signedIn(other)
  await (await menu(other, 'Sign out')).click()
  await signedOut(other)
  await signedOut(page)
  await other.close()
  say('signed out in one tab, and so in the other')

  // From another browser.
  await signIn(page, email, spent(backup))
  const far = await visit(browser, { origins: [app] })
  let mints = []
  far.context.on('request', (r) => { if (minting(r)) mints.push(Date.now()) })
  await signIn(far.page, email, spent(backup))
  const second = await far.context.newPage()
  await second.goto(app)
  await signedIn(second)
  const used = await token(far.page)
  await eventually(async () => await token(second) === used) // what one tab has the others get
  await far.page.goto(`${app}/#account`)
  await far.page.getByRole('tab', { name: 'Security', exact: true }).click()
  const end = far.page.getByRole('button', { name: 'Sign out everywhere else', exact: true })
  await end.waitFor()

  const last = await token(page, { fresh: true }) // the worst case: the longest that a token can still live
  assert.equal((await api(last)).status, 200)
  mints = []
  await Promise.all([answered(far.page, '/frontend/v1/me/sessions/end-others', 204), end.click()])
  const start = Date.now()
  if (process.env.MEASURE) await measured()
  else {
    await page.reload()
    await signedOut(page)
  }

  async function measured() {
    let gone
    const away = page.locator('#signed-out').waitFor({ timeout: 90_000 }).then(() => { gone = Date.now() - start })
    let accepted = 0
    for (;;) {
      const asked = Date.now() - start
      const { status } = await api(last)
      if (status === 401) break
      assert.equal(status, 200)
      accepted = asked
      assert.ok(asked < 60_000, `accepted ${asked} ms after signing out`)
      await sleep(200)
    }
    const refused = Date.now() - start
    await away
    say(`signed out from afar: the API accepted the last token for ${seconds(accepted)} and refused it after ${seconds(refused)}; the page knew after ${seconds(gone)}`)
    await eventually(async () => mints.length > 0)
    const [one, two] = [await token(far.page), await token(second)]
    assert.equal(one, two)
    assert.notEqual(one, used)
    assert.equal((await api(one)).status, 200)
    const gaps = mints.slice(1).map((at, i) => at - mints[i])
    assert.ok(gaps.every((gap) => gap > 20_000), `two tabs asked for one token: ${gaps} ms apart`)
    say('two tabs got their next token by one request')
  }
  await far.close()
  await ann.close()
} catch (error) {
  console.log(page.url(), await page.locator('body').innerText().catch(() => ''))
  throw error
} finally {
  await browser.close()
}
