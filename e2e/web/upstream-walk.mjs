// An OpenID provider in a real browser, with script and without: who comes with a proven address is straight in,
// who comes with another proves it by our code.
import assert from 'node:assert/strict'
import { field, launch, coded, press, say, visit } from './world.mjs'

const upstream = process.env.UPSTREAM
const browser = await launch()

async function there(page, name) {
  await page.goto('/sign-in')
  await page.getByRole('button', { name: 'Continue with The other service' }).click()
  await page.waitForURL(`${upstream}/**`)
  await field(page, 'Name there').fill(name)
  await press(page, 'Enter')
}

try {
  for (const javaScriptEnabled of [true, false]) {
    const script = javaScriptEnabled ? 'on' : 'off'
    const { page, close } = await visit(browser, { origins: [upstream], javaScriptEnabled })
    await there(page, `proven-${script}`)
    await page.waitForURL('**/account')
    await page.getByText(`proven-${script}@example.com`).first().waitFor()
    await close()

    const other = await visit(browser, { origins: [upstream], javaScriptEnabled })
    await there(other.page, `said-${script}`)
    await field(other.page, 'Code').waitFor()
    await field(other.page, 'Code').fill((await coded(`said-${script}@example.com`)).code)
    if (!javaScriptEnabled) await press(other.page, 'Continue')
    await other.page.waitForURL('**/account')
    await other.page.getByText(`said-${script}@example.com`).first().waitFor()
    await press(other.page, 'Sign out')
    await other.page.waitForURL((url) => url.pathname !== '/account')
    await other.page.goto('/account')
    assert.match(other.page.url(), /\/sign-in/)
    await other.close()
    say(`in by a provider, script ${script}`)
  }
} finally {
  await browser.close()
}
