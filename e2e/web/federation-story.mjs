// A person's story with providers, in Chromium: an app asks them to sign in, they continue with a provider, sign up by it
// and are back at the app; later they connect a second provider on the account page, and disconnect it. Once with script,
// once without, once by keyboard alone.
import assert from 'node:assert/strict'
import { RelyingParty, callback, field, judged, launch, coded, say, visit } from './world.mjs'

const { UPSTREAM: upstream, CLIENT_ID: id, CLIENT_SECRET: secret } = process.env
const browser = await launch()
const party = await RelyingParty.discover(id, secret)

// onto moves the focus by the tabulator to what has the name or id, and fails if it cannot be seen there.
async function onto(page, there) {
  for (let steps = 0; steps < 60; steps++) {
    await page.keyboard.press('Tab')
    if (await there.evaluate((e) => e === document.activeElement)) {
      const seen = await there.evaluate((e) => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' })
      assert.ok(seen, `the focus on ${there} cannot be seen`)
      return
    }
  }
  assert.fail(`${there} is not reached by keyboard`)
}

async function story(how, { keys = false, ...options } = {}) {
  const { page, context, close } = await visit(browser, { origins: [upstream], ...options })
  const script = options.javaScriptEnabled !== false
  const look = (name) => script && !keys ? judged(page, name) : undefined // axe is a script, and twice says no more
  const press = async (there) => {
    if (!keys) return there.click()
    await onto(page, there)
    await page.keyboard.press('Enter')
  }
  // there is the page of the provider, which is not ours to judge. Both connections lead to one, which forgets people.
  const there = async () => {
    await page.waitForURL(`${upstream}/**`)
    await field(page, 'Name there').fill(how)
    await field(page, 'Name there').press('Enter')
  }

  await page.goto(await party.begin())
  await page.getByText('Acme').first().waitFor()
  await look('sign-in with providers')
  await press(page.getByRole('button', { name: 'Continue with First', exact: true }))
  await there()
  await field(page, 'Code').waitFor()
  await page.getByText('This is the address that First gave us').waitFor()
  await look('an address to be shown')
  await field(page, 'Code').fill((await coded(`${how}@example.com`)).code)
  if (!script) await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('#consent-allow').waitFor()
  await press(page.locator('#consent-allow'))
  await page.waitForURL(`${callback}?**`)
  const tokens = await party.finish(page.url())
  assert.equal(tokens.claims().acr, 'aal1')
  assert.equal((await party.userInfo(tokens)).email, `${how}@example.com`)
  say(`${how}: signed up by a provider and is back at the app`)

  await context.clearCookies({ domain: new URL(upstream).hostname })
  await page.goto('/account/security')
  await look('account with a provider')
  await press(page.getByRole('button', { name: 'Connect Second', exact: true }))
  await there()
  await page.getByText('Connected.').waitFor()
  await look('account with two providers')
  await press(page.getByRole('button', { name: 'Disconnect Second', exact: true }))
  await page.getByText('Disconnected.').waitFor()
  await page.getByRole('button', { name: 'Connect Second', exact: true }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Disconnect Second' }).count(), 0)
  say(`${how}: connected a second provider, and disconnected it`)
  await close()
}

try {
  await story('script')
  await story('plain', { javaScriptEnabled: false })
  await story('keys', { keys: true })
} finally {
  await browser.close()
}
