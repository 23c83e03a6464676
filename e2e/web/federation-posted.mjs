// A provider whose page posts its answer from another site, where our cookie does not come along; and somebody whose
// account there signs in to another account here, who brings both together.
import assert from 'node:assert/strict'
import { field, judged, launch, password, press, say, visit } from './world.mjs'

const { EMAIL: email, POSTED: posted } = process.env // the provider gives no other than posted
const upstream = process.env.UPSTREAM
const browser = await launch()
const { page, close } = await visit(browser, { origins: [upstream] })

try {
  await page.goto('/sign-in')
  const post = page.waitForRequest((r) => r.method() === 'POST' && new URL(r.url()).pathname === '/federation/poster/callback')
  await press(page, 'Continue with Poster')
  const { cookie } = await (await post).allHeaders()
  assert.doesNotMatch(cookie ?? '', /idp/, 'the browser sent our cookie along, so the walk shows nothing')
  await page.waitForURL('**/account')
  await page.getByText(posted).first().waitFor()
  assert.doesNotMatch(page.url(), /code|arrival|state/)
  await press(page, 'Sign out')
  await page.waitForURL('**/sign-in**')
  say('signed in by an answer that was posted')

  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.waitForURL('**/account**')
  await page.goto('/account/security')
  await press(page, 'Connect Poster')
  await page.waitForURL('**/account/merge?**')
  await page.getByRole('heading', { name: 'Poster signs in to another account' }).waitFor()
  assert.equal(await page.getByText(posted).count(), 0, 'says whose account it is')
  await judged(page, 'another account')
  await press(page, 'Bring it here: sign in to that account')
  await page.locator('#merge-accounts').getByText(posted).first().waitFor()
  await judged(page, 'two accounts')
  await page.getByRole('radio', { name: 'Join both into this account' }).check()
  await press(page, 'Continue')
  await page.getByText('Both accounts are one now. The other one is deleted.').waitFor()
  await page.getByRole('button', { name: 'Disconnect Poster', exact: true }).waitFor()
  await page.goto('/account')
  for (const address of [email, posted]) await page.getByText(address).first().waitFor()
  say('brought two accounts together')
  await close()

  const other = await visit(browser, { origins: [upstream] })
  await other.page.goto('/sign-in')
  await press(other.page, 'Continue with Poster')
  await other.page.waitForURL('**/account')
  await other.page.getByText(email).first().waitFor()
  await other.close()
  say('signs in to the one that is left')
} finally {
  await browser.close()
}
