// The elements where something stands between people and the way in: an invitation, a password that others know, an
// attempt that took too long, and a page that the browser shows again as it was left.
import assert from 'node:assert/strict'
import { app, field, focused, heading, issuer, judged, keeping, launch, mailed, open, page as address, press } from './embedding.mjs'
import { letter, letters, password, say } from './world.mjs'

const [kim, bob, cat, upstream, known, late] = ['KIM', 'BOB', 'CAT', 'UPSTREAM', 'KNOWN', 'LATE'].map((name) => process.env[name])
const browser = await launch(keeping)
const home = 'idp-sign-in return-to="/?show=idp-user-profile"'

async function invited() {
  const { page, close } = await open(browser, 'idp-sign-up')
  await page.getByText('Signing up needs an invitation.').waitFor()
  await judged(page, 'uninvited')
  await page.goto(address('idp-sign-up invitation="nonsense"'))
  await page.getByRole('alert').getByText('This invitation was used or is too old.').waitFor()
  const token = new URL((await letter(kim)).link).searchParams.get('invitation')
  await page.goto(address(`idp-sign-up invitation="${token}"`))
  await page.waitForFunction(([name, value]) => document.querySelector('idp-sign-up').shadowRoot?.querySelector(`[name=${name}]`)?.value === value, ['email', kim])
  await field(page, 'Email address').fill('somebody@example.com')
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await page.getByText('This invitation is for another address.').first().waitFor()
  await focused(page, 'email')
  await field(page, 'Email address').fill(kim)
  const seen = (await letters(kim)).map((l) => l.code).filter(Boolean)
  await press(page, 'Sign up')
  await heading(page, 'Check your email').waitFor()
  await field(page, 'Code').pressSequentially(await mailed(kim, seen))
  await heading(page, 'You are signed in').waitFor()
  await close()
  const again = await open(browser, `idp-sign-up invitation="${token}"`)
  await again.page.getByRole('alert').getByText('This invitation was used or is too old.').waitFor()
  await again.close()
  say('signed up with an invitation, for nobody else and only once')
}

// Who signs in with a password that others know chooses another one, and not that one.
async function breached() {
  const { page, told, close } = await open(browser, home)
  await field(page, 'Email address').fill(bob)
  await field(page, 'Password').fill(known)
  await press(page, 'Sign in')
  await heading(page, 'Choose a new password').waitFor()
  await focused(page, 'password')
  assert.deepEqual(await told(), [])
  await judged(page, 'breached')
  await field(page, 'New password').fill(known)
  await page.keyboard.press('Enter')
  await page.locator('[name=password][aria-invalid]').waitFor()
  await field(page, 'New password').fill(`${password} anew`)
  await page.keyboard.press('Enter')
  await page.waitForURL(address('idp-user-profile'))
  await page.getByRole('tab', { name: 'Profile' }).waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [bob])
  await close()
  say('signed in with a password that others know, and has another one')
}

// Back from the provider by the browser's own button, the page is as it was left, and works.
async function back() {
  const { page, told, close } = await open(browser, 'idp-sign-in', { origins: [app, upstream] })
  await page.evaluate(() => { window.kept = true })
  await page.route(`${upstream}/**`, (route) => route.fulfill({ status: 204 })) // as if somebody stopped it
  await press(page, 'Continue with The other service')
  await page.locator('button.busy').waitFor()
  await page.locator('button.busy').waitFor({ state: 'detached' })
  await page.unroute(`${upstream}/**`)
  await press(page, 'Continue with The other service')
  await page.waitForURL(`${upstream}/**`)
  await page.evaluate(() => { setTimeout(() => history.back()) })
  await page.waitForURL(address('idp-sign-in'), { waitUntil: 'commit' }) // it is loaded as it is
  await page.waitForFunction(() => document.querySelector('idp-sign-in')?.shadowRoot?.querySelector('.primary'))
  await page.waitForFunction(() => window.kept) // by a browser that kept the page
  await field(page, 'Email address').fill(cat)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [cat])

  // The same where an account elsewhere is to be connected, which a dialog asks for.
  await page.goto(address('idp-user-profile'))
  await page.evaluate(() => { window.kept = true })
  const dialog = page.getByRole('dialog')
  await press(page, 'Connect The other service')
  await press(page, 'Continue to The other service')
  await page.waitForURL(`${upstream}/**`)
  await page.evaluate(() => { setTimeout(() => history.back()) })
  await page.waitForURL(address('idp-user-profile'), { waitUntil: 'commit' }) // it is loaded as it is
  await page.waitForFunction(() => window.kept) // by a browser that kept the page
  await press(page, 'Continue to The other service')
  await page.waitForURL(`${upstream}/**`)
  await field(page, 'Name there').fill('cat')
  await press(page, 'Enter')
  await page.waitForURL(address('idp-user-profile'))
  await page.getByRole('button', { name: 'Disconnect The other service' }).waitFor()
  await press(page, 'Disconnect The other service')
  await dialog.getByRole('button', { name: 'Disconnect', exact: true }).click()
  await page.getByRole('status').getByText('Disconnected. It does not sign in here any more.').waitFor()
  await press(page, 'Connect The other service')
  await dialog.getByRole('button', { name: 'Continue to The other service' }).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await focused(page, 'Connect The other service')
  await close()
  say('went back from the provider to pages that the browser had kept, and on')
}

// What took too long begins anew, and the address is there already.
async function expired() {
  const { page, close } = await open(browser, 'idp-sign-in')
  await field(page, 'Email address').fill(cat)
  await press(page, 'Email me a code')
  await heading(page, 'Check your email').waitFor()
  assert.equal((await fetch(late)).status, 200)
  await field(page, 'Code').fill('123456')
  await heading(page, 'Please start again').waitFor()
  await press(page, 'Start again')
  assert.equal(await field(page, 'Email address').inputValue(), cat)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('was too late, and began anew')
}

try {
  for (const walk of [invited, breached, back, expired]) await walk()
} finally {
  await browser.close()
}
