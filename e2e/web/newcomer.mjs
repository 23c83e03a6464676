// The whole newcomer's story, as a person with Chromium and a developer with openid-client
// live it: become operator, add an app, sign up, verify, consent, tokens, account, sign out.
import assert from 'node:assert/strict'
import { RelyingParty, callback, codes, farewell, field, issuer, launch, coded, password, pictured, press, say, visit } from './world.mjs'

const browser = await launch()
const operator = `operator@example.com`

async function signUp(page, email, { look, script = true } = {}) {
  const seen = await codes(email)
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  if (look) await pictured(page, 'sign-up')
  await press(page, 'Sign up')
  await field(page, 'Code').waitFor()
  if (look) await pictured(page, 'verify')
  await field(page, 'Code').fill((await coded(email, seen)).code)
  if (!script) await press(page, 'Continue') // otherwise the sixth digit sends it
}

// The first operator: the link that idp printed at its start.
async function becomeOperator() {
  const { page, close } = await visit(browser)
  await page.goto(process.env.OPERATOR_LINK)
  await pictured(page, 'operator-link')
  await page.getByRole('link', { name: 'Sign up', exact: true }).click()
  await signUp(page, operator)
  await page.locator('#operator-claim').click()
  await page.waitForURL((url) => url.pathname.startsWith('/operator') && url.pathname !== '/operator/claim')
  await pictured(page, 'operator')
  say('became operator')

  await page.getByRole('link', { name: 'Add an app', exact: true }).click()
  await field(page, 'Name').fill('Acme')
  await field(page, 'Redirect URIs').fill(callback)
  await page.getByLabel(/^Post-logout redirect URIs/).fill(farewell)
  await pictured(page, 'operator-add')
  await press(page, 'Add app')
  await page.locator('#client-secret').waitFor()
  await pictured(page, 'operator-added')
  const id = await page.locator('#client-id').innerText()
  const secret = await page.locator('#client-secret').innerText()
  assert.match(await page.content(), /openid-client|go-oidc/, 'there is configuration to copy')
  say(`added an app: ${id}`)
  await close()
  return { id, secret }
}

async function live(app, script) {
  const { page, close } = await visit(browser, { javaScriptEnabled: script })
  const name = script ? 'ann' : 'bob'
  const look = script // axe and the screenshots need script; the pages do not
  const email = `${name}@example.com`
  const rp = await RelyingParty.discover(app.id, app.secret)

  await page.goto(await rp.begin({ prompt: 'consent' }))
  await assert.doesNotReject(page.getByText('Acme').first().waitFor())
  if (look) await pictured(page, 'sign-in')
  await page.getByRole('link', { name: 'Sign up', exact: true }).click()
  await signUp(page, email, { look, script })
  await page.locator('#consent-allow').waitFor()
  if (look) await pictured(page, 'consent')
  await press(page, 'Allow')
  await page.waitForURL(`${callback}?**`)
  const tokens = await rp.finish(page.url())
  const claims = tokens.claims()
  assert.equal(claims.iss, issuer)
  say(`${name} has tokens, script ${script ? 'on' : 'off'}`)

  const info = await rp.userInfo(tokens)
  assert.equal(info.email, email)
  assert.equal(info.email_verified, true)
  const fresh = await rp.refresh(tokens.refresh_token)
  assert.notEqual(fresh.refresh_token, tokens.refresh_token)
  assert.equal((await rp.introspect(fresh.access_token)).active, true)
  await rp.revoke(fresh.refresh_token)
  assert.equal((await rp.introspect(fresh.access_token)).active, false)
  say('refreshed, introspected, revoked')

  await page.goto('/account')
  await page.getByText(email).first().waitFor()
  await page.getByText('This device').first().waitFor()
  await page.getByText('Acme').first().waitFor()
  if (look) await pictured(page, 'account')

  await page.goto(rp.goodbye(tokens.id_token))
  const confirm = page.locator('#logout-confirm')
  if (await confirm.count()) {
    if (look) await pictured(page, 'logout')
    await confirm.click()
  }
  await page.waitForURL(`${farewell}?state=bye`)
  await page.goto(await rp.begin({ prompt: 'none' }))
  assert.equal(new URL(page.url()).searchParams.get('error'), 'login_required')
  say('signed out, here and at the application')

  // Back again: the password is asked, consent is not.
  await page.goto(await rp.begin())
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill('not the password')
  await press(page, 'Sign in')
  await page.getByRole('alert').first().waitFor()
  if (look) await pictured(page, 'sign-in-wrong')
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.waitForURL(`${callback}?**`)
  await rp.finish(page.url())
  await page.goto('/account')
  await press(page, 'Sign out')
  await page.waitForURL((url) => url.pathname !== '/account')
  await page.goto('/account')
  assert.match(page.url(), /\/sign-in/, 'after signing out the account is closed')
  say('came back and left again')
  await close()
}

// Tab, type, Enter: nothing else, and always a visible focus.
async function byKeyboard(app) {
  const { page, close } = await visit(browser)
  const rp = await RelyingParty.discover(app.id, app.secret)
  await page.goto(await rp.begin())
  const reach = async (id) => {
    for (let n = 0; n < 30; n++) {
      if (await page.evaluate((i) => document.activeElement?.id === i, id)) return
      await page.keyboard.press('Tab')
    }
    assert.fail(`Tab does not reach #${id}`)
  }
  await reach('login-identifier')
  await page.keyboard.type('ann@example.com')
  await reach('login-password')
  const ring = await page.evaluate(() => {
    const s = getComputedStyle(document.activeElement)
    return s.outlineStyle !== 'none' && s.outlineWidth !== '0px' || s.boxShadow !== 'none'
  })
  assert.ok(ring, 'the focus cannot be seen')
  await page.keyboard.type(password)
  await reach('login-submit')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${callback}?**`)
  await rp.finish(page.url())
  say('signed in by keyboard alone')
  await close()
}

// Other pages that a person may come to see.
async function lookAround() {
  const { page, close } = await visit(browser)
  await page.goto('/sign-in')
  await field(page, 'Email address').fill('ann@example.com')
  await press(page, 'Forgot password?')
  await page.waitForURL('**/sign-in/attempt_*') // script may have something to find out before it sends the form
  await pictured(page, 'forgot')
  await coded('ann@example.com', 1)
  await page.goto('/dev/inbox')
  await pictured(page, 'inbox')
  await page.locator('.idp-panel a').first().click()
  await page.waitForURL((url) => url.pathname !== '/dev/inbox')
  await pictured(page, 'letter')
  await page.goto('/nowhere')
  await page.locator('#error-page').waitFor()
  await pictured(page, 'not-found')
  await page.goto(`/oauth2/authorize?client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example&response_type=code`)
  await page.locator('#error-page').waitFor()
  assert.equal(new URL(page.url()).origin, issuer, 'nothing is sent to an unknown redirect URI')
  await pictured(page, 'unknown-app')
  say('looked around')
  await close()
}

try {
  const app = process.env.CLIENT_ID ? { id: process.env.CLIENT_ID, secret: process.env.CLIENT_SECRET } : await becomeOperator()
  await live(app, true)
  await live(app, false)
  await byKeyboard(app)
  await lookAround()
} finally {
  await browser.close()
}
