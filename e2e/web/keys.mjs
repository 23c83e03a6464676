// Passkeys and security keys, as a person meets them in Chromium with authenticators that
// DevTools plays: set up, signed in with by button and from the browser's suggestions, as
// second step, refused and cancelled, and what a relying party is told of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { RelyingParty, callback, field, judged, launch, password, patience, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const ann = process.env.EMAIL
const bob = process.env.OTHER

const platform = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }
const stick = { protocol: 'ctap2', transport: 'usb', hasResidentKey: false, hasUserVerification: false, automaticPresenceSimulation: true }

// devices are the authenticators that a page's browser has.
async function devices(context, page) {
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  return {
    plug: async (options) => (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId,
    unplug: (authenticatorId) => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    credentials: async (authenticatorId) => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    give: (authenticatorId, credential) => cdp.send('WebAuthn.addCredential', { authenticatorId, credential }),
    verify: (authenticatorId, isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  }
}

async function byPassword(page, email) {
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
}

// enroll opens the page that sets a factor up.
async function enroll(page, method) {
  await page.goto('/account/security')
  await page.locator(`#add-${method}`).click()
  await page.locator('#enroll, #key').first().waitFor()
  if (await page.locator('#enroll').count()) await page.locator(`#enroll-${method}`).click()
  await page.locator('#key').waitFor()
}

// quiet keeps the browser from suggesting passkeys, so that a button is needed.
const quiet = (context) => context.addInitScript(() => {
  PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)
})

async function signOut(page) {
  await page.goto('/account')
  await press(page, 'Sign out')
  await page.waitForURL('**/sign-in**')
}

async function atHome(page) {
  await page.waitForURL('**/account**')
  await page.goto('/account')
  await page.getByText('This device').first().waitFor()
}

async function passkeys() {
  const { context, page, close } = await visit(browser)
  const has = await devices(context, page)
  await byPassword(page, ann)
  await atHome(page)

  await enroll(page, 'passkey')
  await page.locator('#key-start').waitFor()
  await pictured(page, 'enroll-passkey')
  const phone = await has.plug(platform)
  await press(page, 'Set up passkey')
  await page.getByText('Keep your backup codes').first().waitFor()
  const [made] = await has.credentials(phone)
  assert.equal(made.isResidentCredential, true)
  assert.equal(Buffer.from(made.userHandle, 'base64').length, 64)
  await page.goto('/account/security')
  assert.equal(await page.locator('#passkeys').getAttribute('data-ids'), Buffer.from(made.credentialId, 'base64').toString('base64url'))
  say('set up a passkey')

  await enroll(page, 'passkey')
  await press(page, 'Set up passkey')
  await page.getByText('That device is set up already.', { exact: false }).waitFor()
  say('was told that the device has one')

  // The browser suggests the passkey, and the authenticator takes it without being asked twice.
  await signOut(page)
  await page.goto('/sign-in')
  await atHome(page)
  say('signed in from what the browser suggests')

  const rp = await RelyingParty.discover(process.env.CLIENT_ID, process.env.CLIENT_SECRET)
  await signOut(page)
  await page.goto(await rp.begin({ scope: 'openid' }))
  await page.locator('#consent-allow').click()
  await page.waitForURL(`${callback}?**`)
  const claims = (await rp.finish(page.url())).claims()
  assert.equal(claims.acr, 'phr')
  assert.deepEqual(claims.amr, ['hwk', 'mfa', 'user'])
  say('a relying party was told acr phr, amr hwk mfa user')

  // Without suggestions there is the button, and its mishaps.
  const tab = await visit(browser)
  await quiet(tab.context)
  const its = await devices(tab.context, tab.page)
  const copy = await its.plug(platform)
  await its.give(copy, (await has.credentials(phone))[0])
  await its.verify(copy, false)
  await tab.page.goto('/sign-in')
  await pictured(tab.page, 'sign-in-passkey')
  await press(tab.page, 'Sign in with a passkey')
  await tab.page.getByText('That was cancelled, or it took too long.', { exact: false }).waitFor()
  await judged(tab.page, 'cancelled')
  await pictured(tab.page, 'sign-in-passkey-cancelled')
  await its.verify(copy, true)
  await press(tab.page, 'Sign in with a passkey')
  await atHome(tab.page)
  say('signed in by button, after having been cancelled')
  await signOut(tab.page)

  // As the second step, after a password.
  await byPassword(tab.page, ann)
  await tab.page.locator('#key-start').waitFor()
  await pictured(tab.page, 'passkey-second')
  await press(tab.page, 'Use passkey')
  await atHome(tab.page)
  say('used it as the second step')

  // An authenticator whose counter stays behind is taken for a copy.
  await signOut(tab.page)
  await its.unplug(copy)
  const clone = await its.plug(platform)
  await its.give(clone, { ...(await has.credentials(phone))[0], signCount: 0 })
  await tab.page.goto('/sign-in')
  await press(tab.page, 'Sign in with a passkey')
  await tab.page.getByText('there seems to be a copy of it', { exact: false }).waitFor()
  say('a copy was refused')
  await tab.close()
  await close()
}

// within fails where nothing comes although it had the time.
async function within(what) {
  const late = AbortSignal.timeout(patience)
  return Promise.race([what, once(late, 'abort').then(() => { throw new Error('the page did not ask again') })])
}

// A suggestion has to outlive its challenge, and begins nothing that the form does not go on with.
async function outlived() {
  const { context, page, close } = await visit(browser)
  await page.clock.install()
  const has = await devices(context, page)
  await has.plug(platform) // with nothing on it: the browser goes on waiting
  const begun = []
  page.on('request', (r) => { if (r.method() === 'POST' && r.url().includes('/frontend/v1/attempts')) begun.push(new URL(r.url()).pathname) })
  // An answer alone is too early to turn the clock: the page sets its timer right before it asks the browser.
  let suggested
  const asked = () => new Promise((done) => { suggested = done })
  await page.exposeFunction('suggested', () => suggested())
  await page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials)
    navigator.credentials.get = (options) => { window.suggested(); return get(options) }
  })
  await Promise.all([within(asked()), page.goto('/sign-in')])
  for (let n = 0; n < 2; n++) await Promise.all([within(asked()), page.clock.fastForward('04:01')])
  const attempt = await page.locator('input[name=attempt]').inputValue()
  assert.deepEqual(begun, ['/frontend/v1/attempts', ...Array(3).fill(`/frontend/v1/attempts/${attempt}/prepare`)])
  await field(page, 'Email address').fill(process.env.THIRD)
  await field(page, 'Password').fill(password)
  const [sent] = await Promise.all([page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/sign-in')), press(page, 'Sign in')])
  assert.equal(new URLSearchParams(sent.postData()).get('attempt'), attempt)
  await atHome(page)
  say('a suggestion was renewed twice, and the form went on with its attempt')
  await close()
}

async function securityKey() {
  const { context, page, close } = await visit(browser)
  const has = await devices(context, page)
  const key = await has.plug(stick)
  await byPassword(page, bob)
  await atHome(page)
  await enroll(page, 'security_key')
  await pictured(page, 'enroll-security-key')
  await press(page, 'Set up security key')
  await page.getByText('Keep your backup codes').first().waitFor()
  await signOut(page)
  await byPassword(page, bob)
  await page.locator('#key-start').waitFor()
  await pictured(page, 'security-key-second')
  await press(page, 'Use security key')
  await atHome(page)
  const [credential] = await has.credentials(key)
  assert.ok(credential.signCount > 0)
  say('a security key without verification is a second step')
  await close()
}

async function withoutScript() {
  const { page, close } = await visit(browser, { javaScriptEnabled: false })
  await page.goto('/sign-in')
  await press(page, 'Sign in with a passkey')
  await page.getByText('need JavaScript', { exact: false }).waitFor()
  await page.locator('#key-other').click()
  await field(page, 'Email address').waitFor()
  await byPassword(page, bob)
  await page.getByText('need JavaScript', { exact: false }).waitFor()
  await page.locator('#key-other').click()
  await page.getByText('Backup code').first().waitFor()
  say('without script the pages say so and offer other ways')
  await close()
}

try {
  await passkeys()
  await outlived()
  await securityKey()
  await withoutScript()
} finally {
  await browser.close()
}
