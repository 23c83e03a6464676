// What the walks through the example app share.
import { createHmac } from 'node:crypto'
import { field, issuer, password } from './world.mjs'

export const app = process.env.APP

// oneTime is the code of an authenticator app, so many steps of 30 seconds from now (RFC 6238).
export function oneTime(key, steps = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...key].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('')
  const seed = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const mac = createHmac('sha1', seed).update(count).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

// api asks the app's API with a token, as a script would.
export const api = (token, path = '/api/me') => fetch(app + path, { headers: { authorization: `Bearer ${token}` } })

// token is the one that the page would use now.
export const token = (page, options = {}) => page.evaluate(async ([from, options]) => {
  const { load } = await import(`${from}/sdk/v1/idp.js`)
  return (await load({ issuer: from })).getToken(options)
}, [issuer, options])

export const signedIn = (page) => page.locator('#signed-in').waitFor()
export const signedOut = (page) => page.locator('#signed-out').waitFor()
export const opener = (page) => page.getByRole('button', { name: /^Account of / })

// menu opens the user menu and returns one of its acts.
export async function menu(page, act) {
  await opener(page).click()
  return page.getByRole('menuitem', { name: act, exact: true })
}

// signIn signs in on the app's page; second is what comes after the password.
export async function signIn(page, email, second = async () => {}) {
  await page.goto(app)
  const form = page.locator('idp-sign-in')
  await field(form, 'Email address').fill(email)
  await field(form, 'Password').fill(password)
  await form.getByRole('button', { name: 'Sign in', exact: true }).click()
  await second(form)
  await signedIn(page)
}

// spent proves the second step with one of the backup codes, in an element or a dialog.
export const spent = (codes) => async (form) => {
  await form.getByRole('button', { name: 'Try another way' }).click()
  await form.getByRole('button', { name: 'Backup code' }).click()
  await field(form, 'Backup code').fill(codes.pop())
  await form.getByRole('button', { name: 'Continue', exact: true }).click()
}

// focused waits until what screen readers call so has the focus.
export const focused = (page, name) => page.waitForFunction((name) => {
  let on = document.activeElement
  while (on?.shadowRoot?.activeElement) on = on.shadowRoot.activeElement
  return (on?.getAttribute('aria-label') ?? on?.textContent.trim()) === name
}, name)

// answered waits for an answer of a path with that status.
export const answered = (page, path, status) => page.waitForResponse((r) => new URL(r.url()).pathname === path && r.status() === status)

// appSetUp sets up an authenticator app in the profile and returns its key and the backup codes. Look is called while the square is shown.
export async function appSetUp(page, look = async () => {}) {
  await page.getByRole('button', { name: 'Set up an authenticator app', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Type a key instead').click()
  const key = (await dialog.locator('.key code').innerText()).replace(/\s/g, '')
  await look()
  await dialog.getByLabel('Then type the code that the app shows').fill(oneTime(key))
  const codes = dialog.getByRole('list', { name: 'Your backup codes' }).locator('code')
  await codes.nth(9).waitFor()
  const backup = await codes.allInnerTexts()
  await dialog.getByRole('button', { name: 'I have kept them' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('10 codes are left').waitFor()
  return { key, backup }
}
