// Somebody signs in elsewhere and changes the password; the owner takes both back by the
// links in the mails, in Chromium.
import assert from 'node:assert/strict'
import { field, launch, coded, notice, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const email = process.env.EMAIL
const good = process.env.GOOD
const stolen = 'the thief has a long phrase 9'

async function byPassword(page, password) {
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
}

// mailed keeps how a letter looks, where pictures are wanted. A mail is no page: axe has no say.
async function mailed(l, name) {
  assert.ok(l.html.includes('</html>'))
  const folder = process.env.ARTIFACTS
  if (!folder) return
  const { page, close } = await visit(browser)
  await page.setContent(l.html)
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 780 })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} is too wide`)
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })
    }
  }
  await close()
}

try {
  const owner = await visit(browser)
  await byPassword(owner.page, good)
  await owner.page.waitForURL('**/account')
  const thief = await visit(browser)
  await byPassword(thief.page, good)
  await thief.page.waitForURL('**/account')
  const told = await notice(email, /new browser/)
  assert.match(told.text, /Chrome/)
  assert.match(told.text, /\d+ \w+ \d{4}, \d\d:\d\d UTC/)
  await mailed(told, 'mail-new-browser')

  await thief.page.context().clearCookies()
  await thief.page.goto('/sign-in')
  await field(thief.page, 'Email address').fill(email)
  await press(thief.page, 'Forgot password?')
  await field(thief.page, 'Code').fill((await coded(email)).code)
  await field(thief.page, 'New password').fill(stolen)
  await press(thief.page, 'Continue')
  await thief.page.waitForURL('**/account')
  const changed = await notice(email, /password was changed/)
  await mailed(changed, 'mail-password-changed')
  say('somebody signed in elsewhere and changed the password; both were told by mail')

  const { page, close } = await visit(browser)
  await page.goto(changed.link)
  await pictured(page, 'undo-password')
  await page.goto(told.link)
  await page.getByText('signed in to your').first().waitFor()
  await pictured(page, 'undo-new-browser')
  await press(page, 'Take it back')
  await page.locator('#undone').waitFor()
  await pictured(page, 'undone')
  say('taken back')

  await thief.page.goto('/account')
  assert.match(thief.page.url(), /\/sign-in/)
  const late = await visit(browser)
  await late.page.goto(changed.link) // a later change died with the earlier one
  await late.page.locator('#undo-used').waitFor()
  await pictured(late.page, 'undo-used')
  for (const old of [good, stolen]) {
    await byPassword(late.page, old)
    await late.page.getByText('do not match').first().waitFor()
  }
  await late.close()

  await page.locator('#undone-next').click()
  await field(page, 'Code').fill((await coded(email, 1)).code)
  await field(page, 'New password').fill('a new and quiet phrase 11')
  await press(page, 'Continue')
  await page.waitForURL('**/account')
  say('the owner is back, with another password')
  await close()
  await thief.close()
  await owner.close()
} finally {
  await browser.close()
}
