// The profile element with everything that one can prove oneself with: a passkey by keyboard alone, a security key, an
// authenticator app, a phone; a fresh proof by passkey in another browser, which then signs this one out.
import assert from 'node:assert/strict'
import { app, appCode, field, focused, heading, launch, mailed, open, page as address, pictured, press, step } from './embedding.mjs'
import { password, say } from './world.mjs'

const [ann, phone] = ['ANN', 'PHONE'].map((name) => process.env[name])
const platform = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }
const stick = { protocol: 'ctap2', transport: 'usb', hasResidentKey: false, hasUserVerification: false, automaticPresenceSimulation: true }
const browser = await launch()
const dialogOf = (page) => page.getByRole('dialog')
const done = (page, words) => page.getByRole('status').getByText(words, { exact: true }).waitFor()
const account = (tab) => address(`idp-user-profile tab="${tab}"`)

// somebody is signed in by password in a browser with authenticators, and looks at their account.
async function somebody(email, tab) {
  const visited = await open(browser, 'idp-sign-in', { origins: [app] })
  const { context, page } = visited
  await context.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)
    const sheet = new CSSStyleSheet() // what browsers paint anyway, for axe to see
    sheet.replaceSync('html { background: Canvas }')
    document.adoptedStyleSheets = [sheet]
  })
  await page.reload()
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const keys = {
    plug: async (options) => (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId,
    unplug: (authenticatorId) => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    credentials: async (authenticatorId) => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    give: (authenticatorId, credential) => cdp.send('WebAuthn.addCredential', { authenticatorId, credential }),
    verify: (authenticatorId, isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  }
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await heading(page, 'You are signed in').waitFor()
  await page.goto(account(tab))
  await page.getByRole('tabpanel').waitFor()
  return { ...visited, keys, dialog: dialogOf(page) }
}

async function setUp({ page, dialog, keys }) {
  const mine = await keys.plug(platform)
  await keys.verify(mine, false)
  await page.locator('[data-act=add-passkey]').focus()
  await page.keyboard.press('Enter')
  await heading(dialog, 'Set up a passkey').waitFor()
  await pictured(page, 'user-profile-passkey')
  await dialog.getByRole('button', { name: 'Set up passkey' }).focus()
  await page.keyboard.press('Enter')
  await dialog.getByRole('alert').getByText('That was cancelled, or it took too long.').waitFor()
  await keys.verify(mine, true)
  await dialog.getByRole('button', { name: 'Set up passkey' }).focus()
  await page.keyboard.press('Enter')
  await heading(dialog, 'Keep your backup codes').waitFor()
  await press(page, 'I have kept them')
  await dialog.waitFor({ state: 'hidden' })
  await done(page, 'Set up. You can use it from now on.')
  await focused(page, 'Passkeys and security keys')
  await page.getByText('10 codes are left').waitFor()
  const [credential] = await keys.credentials(mine)
  say('set up a passkey by keyboard, after having been cancelled')

  await press(page, 'Add a passkey')
  await press(page, 'Set up passkey')
  await dialog.getByRole('alert').getByText('That device is set up already.').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await focused(page, 'Add a passkey')
  assert.equal(await page.getByRole('button', { name: 'Remove Passkey', exact: true }).count(), 1)
  say('was told that the device has one, and left it at that')

  await keys.unplug(mine)
  await keys.plug(stick)
  await press(page, 'Add a security key')
  await press(page, 'Set up security key')
  await dialog.waitFor({ state: 'hidden' })
  await done(page, 'Set up. You can use it from now on.')
  await page.getByRole('button', { name: 'Remove Security key', exact: true }).waitFor()
  say('set up a security key')

  await press(page, 'Set up an authenticator app')
  await dialog.getByText('Type a key instead').click()
  const key = (await dialog.locator('.key code').textContent()).replace(/\s/g, '')
  await field(dialog, 'Then type the code that the app shows').fill('000')
  await page.keyboard.press('Enter')
  await dialog.locator('[name=answer][aria-invalid]').waitFor()
  await field(dialog, 'Then type the code that the app shows').fill('')
  await field(dialog, 'Then type the code that the app shows').pressSequentially(appCode(key, step()))
  await dialog.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Remove Authenticator app', exact: true }).waitFor()
  say('set up an authenticator app')

  await press(page, 'Use codes by text message')
  await field(dialog, 'Phone number').fill('12')
  await press(page, 'Send code')
  await dialog.locator('[name=phone][aria-invalid]').waitFor()
  await field(dialog, 'Phone number').fill(phone)
  await press(page, 'Send code')
  await field(dialog, 'Code').pressSequentially(await mailed(phone))
  await dialog.waitFor({ state: 'hidden' })
  await done(page, 'Set up. It is asked for from now on.')
  await pictured(page, 'user-profile-all-ways')
  say('set up a phone')
  return credential
}

// In the other browser the account wants to be proven anew by now: the passkey does, and the act goes on.
async function freshProof({ page, dialog, keys }, credential) {
  const mine = await keys.plug(platform)
  await keys.give(mine, credential)
  await press(page, 'Remove the password')
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await press(page, 'Try another way')
  await dialog.locator('[data-method=passkey]').click()
  await press(page, 'Use passkey')
  await done(page, 'Your password is gone. Sign in the other way from now on.')
  await page.getByRole('button', { name: 'Remove Authenticator app', exact: true }).waitFor() // as it is by now
  say('proved it anew with the passkey, and has no password')

  await press(page, 'Rename Security key')
  await field(dialog, 'Name').fill('The green one')
  await page.keyboard.press('Enter')
  await done(page, 'The name is changed.')
  for (const name of ['The green one', 'Authenticator app', phone]) {
    await press(page, `Remove ${name}`)
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
    await done(page, 'Removed.')
    await page.getByRole('button', { name: `Remove ${name}`, exact: true }).waitFor({ state: 'detached' })
  }
  say('removed what is not needed')
}

async function devices(near, far) {
  await far.page.getByText('This device').waitFor()
  await press(far.page, 'Sign out everywhere else')
  await done(far.page, 'You are signed out everywhere else.')
  assert.equal(await far.page.getByRole('button', { name: /^Sign out Headless/ }).count(), 0)
  await near.page.locator('[data-act=add-passkey]').click() // and finds out
  await near.page.getByText('Sign in to see your account.').waitFor()
  say('signed the other browser out, which noticed as it was used')
}

try {
  const near = await somebody(ann, 'security')
  const far = await somebody(ann, 'security')
  const credential = await setUp(near)
  await freshProof(far, credential)
  await devices(near, far)
  await near.close()
  await far.close()
} finally {
  await browser.close()
}
