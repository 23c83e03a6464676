// The elements where more than a password or a mailed code is asked for: an authenticator app, backup codes, passkeys by
// button and by the browser's suggestion, a provider, text messages, and the bot check that nobody sees.
import assert from 'node:assert/strict'
import { app, appCode, field, focused, heading, launch, mailed, open, page as address, pictured, portrait, press, step } from './embedding.mjs'
import { password, say } from './world.mjs'

const [ann, bob, eve, kim, upstream, phone] = ['ANN', 'BOB', 'EVE', 'KIM', 'UPSTREAM', 'PHONE'].map((name) => process.env[name])
const browser = await launch()
const platform = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }

async function byPassword(page, email) {
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
}

// Here everybody needs a second factor: who has none sets one up on the way in.
async function enroll() {
  const { page, context, told, close } = await open(browser, 'idp-sign-in')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: app })
  await byPassword(page, ann)
  await heading(page, 'Set up two-step verification').waitFor()
  await pictured(page, 'component-enroll')
  await page.locator('[data-method=totp]').click()
  await page.locator('.qr').waitFor()
  await pictured(page, 'component-enroll-app')
  await portrait(page, 'sign-in-enroll')
  await press(page, 'Choose something else')
  await page.locator('[data-method=phone_code]').click()
  await heading(page, 'Use your phone').waitFor()
  await field(page, 'Phone number').fill('12')
  await press(page, 'Send code')
  await page.locator('[name=phone][aria-invalid]').waitFor()
  await pictured(page, 'component-enroll-phone')
  await press(page, 'Choose something else')
  await page.locator('[data-method=totp]').click()
  await page.getByText('Type a key instead').click()
  const key = (await page.locator('.key code').textContent()).replace(/\s/g, '')
  assert.match(key, /^[A-Z2-7]{32}$/)
  const at = step()
  await field(page, 'Then type the code that the app shows').pressSequentially(appCode(key, at))
  await heading(page, 'Keep your backup codes').waitFor()
  assert.deepEqual(await told(), []) // not before they are kept
  await pictured(page, 'component-backup-codes')
  const codes = await page.locator('.codes code').allTextContents()
  assert.equal(codes.length, 10)
  await press(page, 'Copy')
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), codes.join('\n'))
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')])
  assert.equal(file.suggestedFilename(), 'backup-codes.txt')
  await press(page, 'I have kept them')
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [ann])
  await close()
  say('set up an authenticator app on the way in, and kept the backup codes')
  return { key, at, codes }
}

async function secondFactor({ key, at, codes }) {
  const { page, context, close } = await open(browser, 'idp-sign-in')
  await byPassword(page, ann)
  await heading(page, 'Two-step verification').waitFor()
  await focused(page, 'answer')
  await pictured(page, 'component-second-factor')
  await portrait(page, 'sign-in-second-factor')
  await field(page, 'Code').pressSequentially(appCode(key, at)) // used already
  await page.locator('[name=answer][aria-invalid]').waitFor()
  await press(page, 'Try another way')
  await pictured(page, 'component-second-ways')
  await page.locator('[data-method=backup_code]').click()
  await field(page, 'Backup code').fill(codes[0].toLowerCase())
  await page.getByRole('checkbox', { name: /ask again here/ }).check()
  await press(page, 'Continue')
  await heading(page, 'You are signed in').waitFor()
  await press(page, 'Use another account')
  await byPassword(page, ann)
  await heading(page, 'You are signed in').waitFor() // this browser is trusted now
  await context.clearCookies()
  await page.reload()
  await byPassword(page, ann)
  await field(page, 'Code').pressSequentially(appCode(key, Math.max(at + 1, step()))) // a slow machine is there later
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('signed in with a backup code, then without one on a trusted browser, then with the app')
}

async function byPhone() {
  const { page, close } = await open(browser, 'idp-sign-in')
  await byPassword(page, eve)
  await heading(page, 'Set up two-step verification').waitFor()
  await page.locator('[data-method=phone_code]').click()
  await field(page, 'Phone number').fill(phone)
  await press(page, 'Send code')
  // A slow machine may be so late that the next message is due: then it tries once more, at once after that.
  const again = page.getByRole('button', { name: /^Send again/ }), soon = page.getByRole('alert').getByText('A message was just sent.')
  while (!await soon.isVisible()) {
    await again.waitFor()
    await press(page, 'Use another number')
    await field(page, 'Phone number').fill(phone)
    await press(page, 'Send code')
    await again.or(soon).first().waitFor()
  }
  await page.getByText(/^You can try again in \d+ seconds?\.$/).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Send code' }).isDisabled(), true)
  await pictured(page, 'component-throttled')
  await press(page, 'Choose something else')
  await page.locator('[data-method=phone_code]').click() // the code that was sent is still good
  await field(page, 'Code').pressSequentially(await mailed(phone))
  await press(page, 'I have kept them')
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('set up a phone on the way in, and was told to wait before another message')
}

async function passkeys() {
  let has
  const { page, context, told, close } = await open(browser, 'idp-sign-in')
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  has = (await cdp.send('WebAuthn.addVirtualAuthenticator', { options: platform })).authenticatorId
  await byPassword(page, bob)
  await heading(page, 'Set up two-step verification').waitFor()
  await page.locator('[data-method=passkey]').click()
  await heading(page, 'Set up a passkey').waitFor()
  await pictured(page, 'component-enroll-passkey')
  await press(page, 'Set up passkey')
  await press(page, 'I have kept them')
  await heading(page, 'You are signed in').waitFor()
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: has })
  assert.equal(credentials.length, 1)
  say('set up a passkey on a page of another origin')

  // The browser suggests it in the field, and the authenticator takes it without being asked twice.
  await context.clearCookies()
  await page.goto(address('idp-sign-in login-hint=""'))
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [bob, bob])
  say('signed in from what the browser suggests')

  await context.addInitScript(() => { PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false) })
  await context.clearCookies()
  await page.goto(address('idp-sign-in'))
  await press(page, 'Sign in with a passkey')
  await heading(page, 'You are signed in').waitFor()
  await context.clearCookies()
  await page.goto(address('idp-sign-in'))
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: has, isUserVerified: false })
  await press(page, 'Sign in with a passkey')
  await page.getByRole('alert').getByText('That was cancelled, or it took too long.').waitFor()
  await pictured(page, 'component-passkey-cancelled')
  await close()
  say('signed in by the button, and was told when it was cancelled')
}

async function byProvider() {
  const { page, told, close } = await open(browser, 'idp-sign-in', { origins: [app, upstream] })
  await page.getByRole('button', { name: 'Continue with The other service' }).waitFor()
  await pictured(page, 'component-providers')
  await press(page, 'Continue with The other service')
  await page.waitForURL(`${upstream}/**`)
  await field(page, 'Name there').fill('dan')
  await press(page, 'Enter in two steps')
  await page.waitForURL(address('idp-sign-in')) // by the pages of the service, which asked for nothing
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), ['dan@example.com'])
  await close()
  say('signed in at a provider and came back to the page, which was told')
}

// Whoever signs up shows that they are no robot, without seeing any of it.
async function unseen() {
  const { page, close } = await open(browser, 'idp-sign-up')
  await field(page, 'Email address').fill(kim)
  await field(page, 'Password').fill(password)
  const passed = page.waitForResponse((r) => r.url().endsWith('/human') && r.status() === 200)
  await press(page, 'Sign up')
  await passed
  await heading(page, 'Check your email').waitFor()
  await close()
  say('passed the bot check in passing')
}

try {
  await secondFactor(await enroll())
  await byPhone()
  await passkeys()
  await byProvider()
  await unseen()
} finally {
  await browser.close()
}
