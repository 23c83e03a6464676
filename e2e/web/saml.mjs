// SAML in a real browser, with SimpleSAMLphp as the provider: Ann signs in; what she brings back is then altered
// on its way, posted a second time, and brought by another browser.
import assert from 'node:assert/strict'
import { issuer, launch, say, visit } from './world.mjs'

const { UPSTREAM: upstream, ALTERER: alterer, CONNECTION: connection } = process.env
const alterations = JSON.parse(process.env.ALTERATIONS)
const acs = `${issuer}/federation/${connection}/acs`
const browser = await launch()

// person is a fresh browser profile that may go to the provider.
const person = () => visit(browser, { origins: [upstream, 'null'] })

// there signs in at the provider as Ann, unless it knows her already.
async function there(page, known) {
  await page.goto('/sign-in')
  await page.locator(`#connection-${connection}`).click()
  if (known) return
  await page.waitForURL(`${upstream}/**`)
  await page.locator('input[name=username]').fill('ann')
  await page.locator('input[name=password]').fill('ann there')
  await page.locator('input[name=password]').press('Enter')
}

// altering changes the response that a page posts to us; what it posted is kept.
async function altering(context, name) {
  const posted = {}
  await context.unroute(acs)
  await context.route(acs, async (route) => {
    const form = new URLSearchParams(route.request().postData())
    posted.headers = await route.request().allHeaders()
    if (name) {
      const altered = await fetch(`${alterer}/${encodeURIComponent(name)}`, { method: 'POST', body: form.get('SAMLResponse') })
      assert.equal(altered.status, 200)
      form.set('SAMLResponse', await altered.text())
    }
    posted.form = form
    await route.continue({ postData: form.toString() })
  })
  return posted
}

const signedIn = async (page) => (await page.goto('/account'), new URL(page.url()).pathname === '/account')

// refused fails unless the page says so, and has a way on.
async function refused(page, name) {
  await page.waitForURL((url) => url.origin === issuer && url.pathname !== '/sign-in')
  await page.getByRole('alert').or(page.locator('#error-page')).first().waitFor()
  await page.waitForLoadState()
  const on = page.locator('#login-submit:visible, #connection-go:visible').or(page.getByRole('link', { name: 'Go back' }))
  assert.ok(await on.count(), `${name}: no way on from ${page.url()}: ${await page.locator('main').innerText()}`)
  assert.equal(await signedIn(page), false, `${name} let somebody in`)
}

// resent posts a form from another site's page.
async function resent(page, form) {
  const fields = [...form].map(([name, value]) => `<input type="hidden" name="${name}" value="${value.replaceAll('"', '&quot;')}">`).join('')
  await page.route(`${upstream}/elsewhere`, (route) => route.fulfill({ contentType: 'text/html', body: `<form method="post" action="${acs}">${fields}<button>Go</button></form>` }))
  await page.goto(`${upstream}/elsewhere`)
  await page.getByRole('button', { name: 'Go' }).click()
}

try {
  const { context, page, close } = await person()
  let known = false
  for (const name of alterations) {
    await altering(context, name)
    await there(page, known)
    known = true
    await refused(page, name)
    say(`refused: ${name}`)
  }

  const posted = await altering(context)
  await there(page, known)
  await page.waitForURL(`${issuer}/account`)
  await page.getByText('ann@corp.example').first().waitFor()
  assert.ok(!/idp_/.test(posted.headers.cookie ?? ''), 'our cookies came along with a post from another site')
  say('signed in, untouched')

  await resent(page, posted.form)
  await page.waitForURL(`${issuer}/**`)
  assert.ok(await signedIn(page), 'a used response signed its owner out')
  await close()

  const thief = await person()
  await resent(thief.page, posted.form)
  await refused(thief.page, 'a used response in another browser')
  await thief.close()
  say('refused: a second time')
} finally {
  await browser.close()
}
