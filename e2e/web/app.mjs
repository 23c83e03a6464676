// An authenticator app: set up from the security page by the key that is typed, used to sign
// in, stood in for by a backup code, and asked for when the password is lost.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { field, issuer, judged, launch, coded, password, pictured, press, say, visit } from './world.mjs'

const email = process.env.EMAIL
const renewed = `${password} renewed`
const step = () => Math.floor(Date.now() / 30_000)

// code is what an app shows in a time step (RFC 6238), by none of idp's own code.
function code(key, at) {
  const bits = [...key].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const seed = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(at))
  const sum = createHmac('sha1', seed).update(counter).digest()
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

const browser = await launch()
const { page, context, close } = await visit(browser)
await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: issuer })

async function signIn(secret) {
  await context.clearCookies()
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(secret)
  await press(page, 'Sign in')
}

await signIn(password)
await page.waitForURL('**/account')
await page.goto('/account/security')
await pictured(page, 'security-before')
await press(page, 'Set up an authenticator app')
await page.locator('.idp-qr').waitFor()
await pictured(page, 'app-setup')
await page.getByText('Type a key instead').click()
const key = await page.locator('#enroll-key').textContent()
assert.match(key, /^[A-Z2-7]{32}$/)
await pictured(page, 'app-setup-by-hand')
const at = step()
await page.locator('#login-code').pressSequentially(code(key, at)) // six digits need no button
await page.locator('#backup-codes').waitFor()
await pictured(page, 'backup-codes')
const codes = (await page.locator('#backup-codes code').allTextContents())
assert.equal(codes.length, 10)
await press(page, 'Copy')
await page.waitForFunction(async (all) => await navigator.clipboard.readText() === all, codes.join('\n'))
const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')])
assert.equal(file.suggestedFilename(), 'backup-codes.txt')
await page.getByRole('link', { name: 'I have kept them' }).click()
await page.waitForURL('**/account/security')
assert.match(await page.locator('#backup-left').textContent(), /10 codes are left/)
await pictured(page, 'security-after')
say('set up an app from the key on the page, and kept the backup codes')

await signIn(password)
await page.locator('#login-code').waitFor()
await pictured(page, 'app-code')
assert.match(await page.getByRole('heading', { level: 1 }).textContent(), /Two-step verification/)
await page.locator('#login-code').pressSequentially(code(key, at)) // used already
await page.locator('#login-code[aria-invalid]').waitFor()
await judged(page, 'app-code-used')
await page.locator('#login-code').fill('')
await page.locator('#login-code').pressSequentially(code(key, Math.max(at + 1, step()))) // a slow machine is there later
await page.waitForURL('**/account')
say('signed in with the code after it, and not with the same again')

await signIn(password)
await page.getByRole('link', { name: 'Try another way' }).click()
await pictured(page, 'second-ways')
await page.getByRole('link', { name: 'Backup code' }).click()
await field(page, 'Backup code').fill(codes[0].toLowerCase())
await pictured(page, 'backup-code')
await press(page, 'Continue')
await page.waitForURL('**/account')
await page.goto('/account/security')
assert.match(await page.locator('#backup-left').textContent(), /9 codes are left/)
say('signed in with a backup code')

await context.clearCookies()
await page.goto('/sign-in')
await field(page, 'Email address').fill(email)
await press(page, 'Forgot password?')
await page.locator('#login-code').pressSequentially((await coded(email)).code)
await page.waitForFunction(() => document.querySelector('h1')?.textContent.includes('Two-step verification'))
await page.getByRole('link', { name: 'Try another way' }).click()
await page.getByRole('link', { name: 'Backup code' }).click()
await field(page, 'Backup code').fill(codes[1])
await press(page, 'Continue')
await field(page, 'New password').fill(renewed)
await press(page, 'Continue')
await page.waitForURL('**/account')
say('chose a new password only after the second step')

await page.goto('/account/security')
await page.getByRole('button', { name: 'Remove Authenticator app' }).click()
await page.getByText('Removed.').waitFor()
await signIn(renewed)
await page.waitForURL('**/account')
say('removed the app, and nothing is asked for any more')
await close()
await browser.close()
