// The elements for signing in and up on a page of an app whose policy allows no style and no script but the issuer's:
// every way in that needs nobody else, what goes wrong and how that is said, by mouse and by keyboard.
import assert from 'node:assert/strict'
import { app, field, focused, heading, issuer, judged, launch, mailed, open, page as address, pictured, portrait, press } from './embedding.mjs'
import { letters, password, say } from './world.mjs'

const ann = 'ann@example.com'
const bob = process.env.EMAIL
const renewed = `${password} renewed`
const browser = await launch()

async function whoIsHere(page) {
  const { sessions } = await page.evaluate(async (from) => (await fetch(`${from}/frontend/v1/sessions`, { credentials: 'include' })).json(), issuer)
  return sessions.map((s) => s.user.email)
}

async function signUp() {
  const { page, told, close } = await open(browser, 'idp-sign-up')
  await heading(page, 'Create your account').waitFor()
  await pictured(page, 'component-sign-up')
  await portrait(page, 'sign-up')
  await field(page, 'Email address').fill(ann)
  await field(page, 'Password').fill('short')
  await press(page, 'Sign up')
  await page.locator('[name=password][aria-invalid]').waitFor()
  await focused(page, 'password')
  await field(page, 'Password').fill(password)
  await page.getByText('Very good').waitFor()
  await pictured(page, 'component-sign-up-strength')
  await press(page, 'Sign up')
  await heading(page, 'Check your email').waitFor()
  await focused(page, 'answer')
  await page.getByRole('button', { name: /^Send again \(\d+\)$/, disabled: true }).waitFor()
  await pictured(page, 'component-code')
  await portrait(page, 'sign-up-code')
  const code = await mailed(ann)
  await field(page, 'Code').fill(code === '000000' ? '000001' : '000000')
  await page.getByText('That code is not right.').first().waitFor()
  await focused(page, 'answer')
  await pictured(page, 'component-code-wrong')
  await field(page, 'Code').pressSequentially(code) // six digits need no button
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual(await told(), [{ name: 'idp-signed-in', email: ann, composed: true }])
  assert.deepEqual(await whoIsHere(page), [ann])
  await pictured(page, 'component-signed-in')
  await page.reload()
  await heading(page, 'You are signed in').waitFor()
  assert.equal((await told()).length, 1) // to be signed in already is no news
  await close()
  say('signed up with a password and a mailed code')
}

async function byPassword() {
  const { page, told, close } = await open(browser, `idp-sign-in return-to="/?show=idp-sign-up"`)
  await heading(page, 'Sign in').waitFor()
  await pictured(page, 'component-sign-in')
  await portrait(page, 'sign-in')
  await press(page, 'Show password')
  assert.equal(await page.locator('[name=password]').getAttribute('type'), 'text')
  await press(page, 'Show password')
  await field(page, 'Email address').fill(bob)
  for (const who of [bob, 'nobody@example.com']) { // who is here is not told
    await field(page, 'Email address').fill(who)
    await field(page, 'Password').fill('not the password')
    await press(page, 'Sign in')
    await page.locator('.error').getByText('The email address and the password do not match.').waitFor()
    await focused(page, 'password')
    assert.equal(await page.locator('.error').count(), 1)
    await page.getByRole('status').getByText('The email address and the password do not match.').waitFor({ state: 'attached' })
  }
  await pictured(page, 'component-sign-in-wrong')
  await field(page, 'Email address').fill(bob)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.waitForURL(address('idp-sign-up'))
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [bob])
  await close()
  say('signed in with a password after wrong ones, and went where the page wanted')
}

// Where people go afterwards may be taken from the address bar, by an app that trusts it: it is no script, and of other
// origins only what is listed.
async function onlyToKnownPlaces() {
  const other = app.replace('localhost', '127.0.0.1')
  const { page, close } = await open(browser, `idp-sign-in return-to="${other}/?show=idp-sign-up"`, { origins: [app, other] })
  await field(page, 'Email address').fill(bob)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.waitForURL(`${other}/?show=idp-sign-up`)
  const onward = page.getByRole('link', { name: 'Continue' })
  await page.goto(address('idp-sign-in return-to="/x"'))
  await onward.waitFor()
  for (const to of ['javascript:alert(1)', 'data:text/html,x', 'https://evil.example/', `blob:${app}/x`, 'https://']) {
    await page.goto(address(`idp-sign-in return-to="${to}"`))
    await heading(page, 'You are signed in').waitFor()
    assert.equal(await onward.count(), 0, to)
  }
  await press(page, 'Use another account')
  await field(page, 'Email address').fill(bob)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('went to a listed origin, and to no script and no stranger')
}

async function byCode() {
  const { page, close } = await open(browser, 'idp-sign-in')
  await press(page, 'Email me a code')
  await heading(page, 'Sign in with a code').waitFor()
  await press(page, 'Back to sign in')
  await field(page, 'Email address').fill(bob)
  await press(page, 'Email me a code')
  await heading(page, 'Check your email').waitFor()
  await press(page, 'Try another way')
  await heading(page, 'Choose how to sign in').waitFor()
  await pictured(page, 'component-ways')
  await page.locator('[data-method=password]').click()
  await heading(page, 'Enter your password').waitFor()
  await pictured(page, 'component-password')
  await press(page, 'Try another way')
  await page.locator('[data-method=email_code]').click()
  await field(page, 'Code').pressSequentially(await mailed(bob))
  await heading(page, 'You are signed in').waitFor()
  await press(page, 'Use another account')
  await heading(page, 'Sign in').waitFor()
  await page.reload()
  await heading(page, 'You are signed in').waitFor()
  await page.evaluate(async (from) => (await (await import(`${from}/sdk/v1/idp.js`)).load()).signOut(), issuer)
  await heading(page, 'Sign in').waitFor() // what else is on the page may sign people out
  await close()
  say('signed in with a mailed code, after looking at the other ways, and was signed out by the page')
}

async function byLink() {
  const { page, context, told, close } = await open(browser, 'idp-sign-in')
  await field(page, 'Email address').fill(ann)
  const seen = await used(ann)
  await press(page, 'Email me a code')
  await heading(page, 'Check your email').waitFor()
  const code = await mailed(ann, seen)
  const { link } = (await letters(ann)).find((l) => l.code === code)
  assert.ok(link, 'the letter has no link')
  const other = await context.newPage()
  await other.goto(link)
  await other.getByRole('button', { name: 'Continue' }).click()
  await other.waitForURL(`${app}/**`) // back on the page that asked
  await other.close()
  await page.bringToFront()
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await heading(page, 'You are signed in').waitFor()
  assert.deepEqual((await told()).map((t) => t.email), [ann])
  await close()
  say('opened the link of the mail in another tab, and the first one noticed')
}

async function reset() {
  const { page, close } = await open(browser, 'idp-sign-in')
  await press(page, 'Forgot password?')
  await heading(page, 'Reset your password').waitFor()
  await pictured(page, 'component-forgot')
  await field(page, 'Email address').fill(ann)
  const seen = await used(ann)
  await press(page, 'Continue')
  await field(page, 'Code').waitFor()
  await field(page, 'Code').pressSequentially(await mailed(ann, seen))
  await heading(page, 'Choose a new password').waitFor()
  await field(page, 'New password').fill('12345678')
  await press(page, 'Continue')
  await page.locator('[name=password][aria-invalid]').waitFor()
  await pictured(page, 'component-new-password')
  await field(page, 'New password').fill(renewed)
  await press(page, 'Continue')
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('chose a new password, and not an easy one')
}

const used = async (to) => (await letters(to)).map((l) => l.code).filter(Boolean)

// Nothing but keys: the way from field to field, the button by Enter, the message by the focus.
async function byKeyboard() {
  const { page, close } = await open(browser, 'idp-sign-in')
  await heading(page, 'Sign in').waitFor()
  await page.getByRole('button', { name: 'Home' }).focus()
  await page.keyboard.press('Tab')
  await focused(page, 'identifier')
  await page.keyboard.type(bob)
  await page.keyboard.press('Tab')
  await focused(page, 'password')
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await page.locator('[name=password][aria-invalid]').waitFor()
  await focused(page, 'password')
  await page.keyboard.type(password) // the wrong one is selected
  await page.keyboard.press('Tab')
  await focused(page, 'Show')
  await page.keyboard.press('Tab')
  await focused(page, 'public')
  await page.keyboard.press('Space')
  await page.keyboard.press('Tab')
  await focused(page, 'Sign in')
  await page.keyboard.press('Enter')
  await heading(page, 'You are signed in').waitFor()
  await focused(page, 'You are signed in')
  const kept = (await page.context().cookies(issuer)).filter((c) => c.expires > 0 && c.httpOnly)
  assert.deepEqual(kept.map((c) => c.name), []) // it was a public computer
  await close()
  say('signed in by keyboard alone, on a public computer')
}

// What ends meanwhile, and a network that is gone.
async function mishaps() {
  const { page, context, close } = await open(browser, 'idp-sign-in', { expected: /ERR_INTERNET_DISCONNECTED/ })
  await field(page, 'Email address').fill(bob)
  const begun = page.waitForResponse((r) => r.url().endsWith('/identify') && r.status() === 200)
  await press(page, 'Email me a code')
  const { id } = await (await begun).json()
  await heading(page, 'Check your email').waitFor()
  await page.evaluate(async ([from, attempt]) => {
    await fetch(`${from}/frontend/v1/attempts/${attempt}/cancel`, { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{}' })
  }, [issuer, id])
  await field(page, 'Code').fill('123456')
  await heading(page, 'Please start again').waitFor()
  await pictured(page, 'component-over')
  await press(page, 'Start again')
  await heading(page, 'Sign in').waitFor()
  assert.equal(await field(page, 'Email address').inputValue(), bob) // nothing is typed twice
  await context.setOffline(true)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.getByRole('alert').getByText('The service could not be reached.').waitFor()
  await judged(page, 'offline')
  await context.setOffline(false)
  await press(page, 'Sign in')
  await heading(page, 'You are signed in').waitFor()
  await close()
  say('started again after the end, and went on after the network was gone')
}

// How it looks follows the page, the attribute and the variables, and nothing of the page's style leaks in or out.
async function themes() {
  const { page, close } = await open(browser, 'idp-sign-in theme="dark"', { colorScheme: 'light' })
  await heading(page, 'Sign in').waitFor()
  const card = () => page.locator('.card').evaluate((e) => getComputedStyle(e).backgroundColor)
  const dark = await card()
  const set = (theme) => page.locator('idp-sign-in').evaluate((e, value) => e.setAttribute('theme', value), theme)
  await set('light')
  const light = await card()
  assert.notEqual(light, dark)
  await set('auto')
  assert.equal(await card(), light)
  await page.emulateMedia({ colorScheme: 'dark' })
  assert.equal(await card(), dark)
  await page.emulateMedia({ forcedColors: 'active' })
  await judged(page, 'forced colours')
  await page.emulateMedia({ forcedColors: 'none' })
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(':root { --idp-surface: rgb(1, 2, 3); } * { color: red } idp-sign-in::part(title) { color: rgb(4, 5, 6); }')
    document.adoptedStyleSheets = [sheet]
  })
  assert.equal(await card(), 'rgb(1, 2, 3)')
  assert.equal(await heading(page, 'Sign in').evaluate((e) => getComputedStyle(e).color), 'rgb(4, 5, 6)')
  await close()
  say('looks as its page, its attribute and its variables say')
}

try {
  await signUp()
  await byPassword()
  await onlyToKnownPlaces()
  await byCode()
  await byLink()
  await reset()
  await byKeyboard()
  await mishaps()
  await themes()
} finally {
  await browser.close()
}
