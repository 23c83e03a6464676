// The account page in Chromium: what a person changes about themselves, and how they leave.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { field, launch, coded, notice, password, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const { EMAIL: email, WORK: work, NEWER: newer } = process.env

async function signIn(page, secret) {
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(secret)
  await press(page, 'Sign in')
  await page.waitForURL('**/account')
}

const { page, close } = await visit(browser)
try {
  await signIn(page, password)
  const far = await visit(browser)
  await signIn(far.page, password)

  await page.reload()
  const size = (await page.content()).length
  assert.ok(size < 50_000, `the page has ${size} bytes`)
  await page.locator('#profile-edit summary').click()
  await page.locator('#profile-name').fill('Ann Lee')
  await page.locator('#profile-zone').fill('nowhere')
  await page.locator('#profile-save').click()
  await page.locator('#profile-zone-error').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.id), 'profile-zone', 'the page starts at what went wrong')
  await page.locator('#profile-zone').fill('Pacific/Auckland')
  await page.locator('#profile-save').press('Enter')
  await page.getByText('Saved.').waitFor()
  say('changed the profile')

  await page.locator('#add-email summary').click()
  await page.locator('#new-email').fill(work)
  await page.locator('#new-email-add').click()
  const seen = await coded(work)
  await field(page, 'Code').fill(seen.code)
  await page.getByText('on your account now').waitFor()
  await page.locator('#add-email summary').click()
  await page.locator('#add-phone summary').click()
  await pictured(page, 'account')
  await press(page, `Make main: ${work}`)
  await page.getByText('That is the main one now.').waitFor()
  await notice(email, /another main/)
  say('has another main address')

  await page.goto('/account/password')
  await pictured(page, 'account-password')
  await page.locator('#new-password').fill(newer)
  await page.locator('#password-save').click()
  await page.getByText('You have a new password.').waitFor()
  await far.page.goto('/account')
  assert.match(far.page.url(), /sign-in/)
  await signIn(far.page, newer)
  await page.reload()
  await press(page, (await page.locator('[name=session] + button').getAttribute('aria-label')))
  await page.getByText('That device is signed out.').waitFor()
  await far.close()
  say('signed the others out')

  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#account-export').click()])
  const data = JSON.parse(readFileSync(await file.path(), 'utf8'))
  assert.equal(file.suggestedFilename(), 'account.json')
  assert.equal(data.format, 'idp-account-1')
  assert.equal(data.user.profile.zoneinfo, 'Pacific/Auckland')
  say('took the data out')

  await page.locator('#account-delete').click()
  await page.locator('#delete-confirm').waitFor()
  await pictured(page, 'account-delete')
  await page.locator('#delete-confirm').fill(work)
  await page.locator('#delete-confirm').press('Enter')
  await page.getByText('Your account is deleted').waitFor()
  await pictured(page, 'account-deleted')
  await page.goto('/account')
  assert.match(page.url(), /sign-in/)
  say('is gone')
  await close()
} finally {
  await browser.close()
}
