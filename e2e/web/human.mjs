// The bot check, as people meet it: with script it solves by itself and nobody sees it; without, a mailed code does
// instead. And what the page says of a password while it is typed.
import assert from 'node:assert/strict'
import { codes, field, issuer, judged, launch, coded, letters, password, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const account = '**/account**'

// The first operator asks for checks at every sign-up and reset.
async function always() {
  const { page, close } = await visit(browser)
  await page.goto(process.env.OPERATOR_LINK)
  await page.getByRole('link', { name: 'Sign up', exact: true }).click()
  await field(page, 'Email address').fill('operator@example.com')
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await field(page, 'Code').fill((await coded('operator@example.com')).code)
  await page.locator('#operator-claim').click()
  await page.waitForURL((url) => url.pathname.startsWith('/operator') && url.pathname !== '/operator/claim')
  await page.goto('/operator/settings')
  await page.getByRole('radio', { name: 'Always' }).check({ force: true })
  await pictured(page, 'operator-settings-bots')
  await press(page, 'Save')
  await page.getByText('Saved.').waitFor()
  assert.ok(await page.getByRole('radio', { name: 'Always' }).isChecked())
  await close()
  say('checks are made always')
}

async function hints(page) {
  const rule = (name) => page.locator(`.idp-rules [data-rule=${name}]`)
  const met = (name) => rule(name).evaluate((e) => e.classList.contains('idp-met'))
  const input = field(page, 'Password'), strength = page.locator('.idp-strength')
  await input.pressSequentially('abc')
  assert.equal(await met('length'), false)
  await input.fill('password1')
  assert.equal(await met('length'), true)
  await page.locator('.idp-strength[data-score="0"], .idp-strength[data-score="1"]').waitFor()
  assert.match(await strength.innerText(), /easy to guess/i)
  assert.equal(await met('guess'), false)
  await pictured(page, 'hints-weak')
  await input.fill(password)
  await page.locator('.idp-strength[data-score="4"], .idp-strength[data-score="3"]').waitFor()
  assert.match(await strength.innerText(), /good/i)
  assert.equal(await met('guess'), true)
  await pictured(page, 'hints-good')
  await page.getByRole('button', { name: 'Show password' }).click()
  assert.equal(await input.getAttribute('type'), 'text')

  // Asked too often, the server says later; the page says nothing.
  await page.route('**/password-strength', (r) => r.fulfill({ status: 429, headers: { 'retry-after': '60' }, body: '{}' }))
  await Promise.all([page.waitForResponse('**/password-strength'), input.fill(`${password}!`)])
  await page.locator('.idp-strength:not([data-score])').waitFor({ state: 'attached' })
  assert.equal((await strength.innerText()).trim(), '')
  await page.unroute('**/password-strength')
  await input.fill(password)
  say('hints while typing')
}

async function signUpSolvesItself() {
  const { page, close } = await visit(browser)
  const seen = []
  page.on('framenavigated', (f) => seen.push(new URL(f.url()).pathname))
  await page.goto('/sign-up')
  await field(page, 'Email address').fill('ann@example.com')
  await hints(page)
  await press(page, 'Sign up')
  await field(page, 'Code').waitFor()
  assert.equal(await page.locator('#human').count(), 0)
  await field(page, 'Code').fill((await coded('ann@example.com')).code)
  await page.waitForURL(account)
  say(`signed up past ${seen.join(' ')}`)
  await close()
}

// Before anything was typed long enough for the script to ask: the form waits for it.
async function resetSolvesItself() {
  const { page, close } = await visit(browser)
  await page.goto('/sign-in')
  await field(page, 'Email address').fill('ann@example.com')
  const before = await codes('ann@example.com')
  // Where the page's script is slow, the code is typed before it comes.
  let typed
  const late = new Promise((done) => { typed = done })
  await page.route(/\/idp[^/]*\.js$/, async (route) => {
    await late
    await route.continue()
  })
  await press(page, 'Forgot password?')
  await field(page, 'Code').waitFor()
  const mail = await coded('ann@example.com', before)
  await field(page, 'Code').fill(mail.code)
  typed()
  await field(page, 'New password').waitFor()
  await judged(page, 'new password')
  say('asked for a reset')
  await close()
}

// A page of its own, where the solution did not come along: it solves and goes on.
async function pageSolvesItself() {
  const { page, close } = await visit(browser)
  await page.route('**/frontend/v1/bot-check', (r) => r.fulfill({ status: 200, contentType: 'application/json', body: '{"check":null}' }))
  await page.addInitScript(() => { // held at the last moment, so that the page can be looked at
    const send = HTMLFormElement.prototype.submit
    HTMLFormElement.prototype.submit = function () {
      if (this.id === 'human') window.goOn = () => send.call(this)
      else send.call(this)
    }
  })
  await page.goto('/sign-up')
  await field(page, 'Email address').fill('cid@example.com')
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await page.waitForURL('**/sign-in/**')
  await page.waitForFunction(() => window.goOn)
  assert.equal(await page.locator('h1').innerText(), 'One moment')
  await pictured(page, 'human')
  await page.evaluate(() => window.goOn())
  await page.locator('#sign-up-password').waitFor()
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await field(page, 'Code').fill((await coded('cid@example.com')).code)
  await page.waitForURL(account)
  say('the page solved by itself')
  await close()
}

async function withoutScript() {
  const { page, close } = await visit(browser, { javaScriptEnabled: false })
  await page.goto('/sign-up')
  await field(page, 'Email address').fill('bob@example.com')
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await page.getByText('Your browser does not run scripts here').waitFor()
  assert.equal(await page.locator('#human').isVisible(), false)
  await press(page, 'Email me a code instead')
  await field(page, 'Code').fill((await coded('bob@example.com')).code)
  await press(page, 'Continue')
  await page.getByText('Confirmed:').waitFor()
  await field(page, 'Password').fill(password)
  await press(page, 'Sign up')
  await page.waitForURL(account)
  assert.equal((await letters('bob@example.com')).length, 1)
  await press(page, 'Sign out')
  await page.waitForURL('**/sign-in**')
  await page.goto('/sign-in')
  await field(page, 'Email address').fill('bob@example.com')
  await press(page, 'Forgot password?')
  await press(page, 'Email me the code to reset')
  await field(page, 'Code').fill((await coded('bob@example.com', 1)).code)
  await press(page, 'Continue')
  await field(page, 'New password').waitFor()
  say(`without script a code did instead, at ${issuer}`)
  await close()
}

try {
  await always()
  await signUpSolvesItself()
  await resetSolvesItself()
  await pageSolvesItself()
  await withoutScript()
} finally {
  await browser.close()
}
