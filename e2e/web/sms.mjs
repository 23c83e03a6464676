// Codes by SMS, as a person meets them in Chromium: a number is turned on, asked for at the
// next sign-in, and put on file without becoming a factor.
import assert from 'node:assert/strict'
import { field, launch, coded, letters, password, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const email = process.env.EMAIL
const phone = process.env.PHONE

async function byPassword(page) {
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
}

// begin starts an attempt within the session, as the account page does.
async function begin(page, body) {
  await page.goto('/account')
  const attempt = await page.evaluate(async (body) => {
    const answer = await fetch('/frontend/v1/attempts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    return (await answer.json()).id
  }, body)
  assert.ok(attempt, 'an attempt begins')
  await page.goto(`/sign-in/${attempt}`)
}

async function turnOn() {
  const { page, close } = await visit(browser)
  await byPassword(page)
  await page.waitForURL('**/account')
  await begin(page, { goal: 'enroll' })
  await page.locator('#enroll-phone_code').click()
  await pictured(page, 'enroll-phone')
  await field(page, 'Phone number').fill('07400 123456')
  await press(page, 'Send code')
  await page.getByText('country code, like').first().waitFor()
  await field(page, 'Phone number').fill(phone)
  await press(page, 'Send code')
  await page.getByText('•••56').waitFor()
  const again = page.locator('#enroll-again')
  await again.and(page.getByRole('button', { name: /\(\d+\)$/, disabled: true })).waitFor() // another message has to wait
  await pictured(page, 'enroll-phone-code')
  const sms = await coded(phone)
  assert.equal(sms.sms, true)
  assert.ok(sms.text.endsWith(`@localhost #${sms.code}`), sms.text)
  await field(page, 'Code').fill(sms.code === '000000' ? '000001' : '000000') // sends itself
  await page.getByText('That code is not right.').first().waitFor()
  await field(page, 'Code').fill(sms.code)
  await page.locator('#login-continue').click() // the backup codes
  await page.locator('#login-continue').waitFor({ state: 'detached' })
  await page.waitForLoadState()
  await page.goto('/account')
  await page.getByText('This device').first().waitFor()
  say('turned a number on')
  await close()
}

async function secondStep() {
  const { page, close } = await visit(browser)
  await byPassword(page)
  await page.getByText('•••56').waitFor()
  assert.equal((await letters(phone)).length, 1, 'looking at a page sends nothing')
  await pictured(page, 'sms-second-step')
  await press(page, 'Send message')
  const sms = await coded(phone, 1)
  assert.equal(await field(page, 'Code').getAttribute('autocomplete'), 'one-time-code')
  await pictured(page, 'sms-second-step-code')
  await field(page, 'Code').fill(sms.code)
  await page.waitForURL('**/account')
  say('signed in with a code by SMS')

  const other = '+447400123457'
  await page.locator('#add-phone summary').click()
  await field(page, 'Phone number').fill(other)
  await press(page, 'Send code')
  await page.getByText('•••57').waitFor()
  const proof = await coded(other)
  await field(page, 'Code').fill(proof.code)
  await page.waitForURL((url) => url.pathname === '/account')
  say('put another number on file')
  await close()

  const again = await visit(browser)
  await byPassword(again.page)
  await again.page.getByText('•••56').waitFor()
  assert.equal(await again.page.getByText('•••57').count(), 0, 'a number on file is no factor')
  await again.close()

  const inbox = await visit(browser)
  await inbox.page.goto('/dev/inbox')
  assert.ok(await inbox.page.getByText('Text message').count() > 0)
  await pictured(inbox.page, 'inbox-sms')
  await inbox.close()
}

try {
  await turnOn()
  await secondStep()
} finally {
  await browser.close()
}
