// What operators do with JWT templates, in Chromium without script, and then every page of theirs with axe and by keyboard.
import assert from 'node:assert/strict'
import { field, judged, launch, press, say, visit } from './world.mjs'

const { EMAIL: email, PASSWORD: password, CLIENT_ID: app, OPERATOR_LINK: link } = process.env
const browser = await launch()
const mistaken = '{\n  "role": "{{user.rolls}}"\n}'
const right = '{\n  "mail": "{{user.primary_email_address}}"\n}'
const own = '5f3b8c1e9a7d42064fbb0c6d1e8a93572c4d6e8f0a1b3c5d7e9f204a6c8e0b1d'

// The forms need no script: plain is a browser that runs none.
const plain = await visit(browser, { javaScriptEnabled: false, viewport: { width: 390, height: 780 } })
const save = (page) => page.locator('#template-save').click()

async function becomeOperator(page) {
  await page.goto('/sign-in')
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await press(page, 'Sign in')
  await page.waitForURL('**/account')
  await page.goto(link)
  await page.locator('#operator-claim').click()
  await page.waitForURL('**/operator')
}

async function makeTemplate(page) {
  await page.getByRole('link', { name: 'Templates', exact: true }).click()
  await page.locator('#template-add').click()
  await page.locator('#choose-hasura').click()
  assert.equal(await page.locator('#template-name').inputValue(), 'hasura')
  assert.equal(await page.locator('#who').inputValue(), email, 'a preview begins with the operator')

  await page.locator('#claims').fill(mistaken)
  await save(page)
  const at = page.locator('#claims-at')
  await at.waitFor()
  assert.deepEqual([await at.getAttribute('data-line'), await at.getAttribute('data-column')], ['2', '14'])
  assert.match(await page.locator('#claims-error').innerText(), /^Line 2, column 14: .*user\.roles/)
  assert.ok(await page.locator('#trouble').isVisible(), 'without script the top of a long page says that something is wrong')
  assert.equal(await page.locator('#claims').inputValue(), mistaken)
  say('a mistake shows its line and column')

  await page.locator('#claims').fill(right)
  await page.locator('#who').fill('bob@example.com')
  await page.locator('#template-preview').click()
  await page.locator('#previewed').waitFor()
  assert.equal(JSON.parse(await page.locator('#preview-claims').innerText()).mail, 'bob@example.com')
  const bytes = Number((await page.locator('#preview-size').innerText()).match(/^(\d+) bytes$/)[1])
  assert.equal(Number(await page.locator('#previewed meter').getAttribute('value')), bytes)
  assert.ok(bytes > 100 && bytes < 2048, `${bytes} bytes`)
  say(`previewed with a person, ${bytes} bytes`)

  await page.locator('#key-new').check()
  await page.locator('#signing-key').fill(own)
  await page.locator('#algorithm').selectOption('HS256')
  await save(page)
  await page.waitForURL('**/operator/templates/hasura?made=1')
  assert.ok(await page.locator('#key-keep').isChecked())
  assert.equal(await page.locator('#signing-key').inputValue(), '')
  assert.ok(!(await page.content()).includes(own), 'the key is shown again')
  await save(page)
  await page.waitForURL('**/operator/templates/hasura?saved=1')
  assert.ok(await page.locator('#key-keep').isChecked(), 'saving lost the key')
  say('its own key is kept, and not shown again')

  await page.locator('#key-issuer').check()
  await page.locator('#algorithm').selectOption('')
  await save(page)
  await page.locator('#key-keep').waitFor({ state: 'detached' })
  assert.ok(await page.locator('#key-issuer').isChecked())
}

async function attach(page, name) {
  await page.goto(`/operator/apps/${app}`)
  await page.locator('#app-id-template').selectOption(name)
  await press(page, 'Save')
  await page.waitForURL(`**/operator/apps/${app}?**`)
  assert.equal(await page.locator('#app-id-template').inputValue(), name)
}

async function deleteTemplate(page) {
  await page.goto('/operator/templates/hasura')
  await page.locator('#template-gone summary').click()
  await page.locator('#template-delete').click()
}

async function useAndDelete(page) {
  await attach(page, 'hasura')
  await page.goto('/operator/templates/hasura')
  await page.getByRole('link', { name: 'Acme', exact: true }).waitFor()
  await deleteTemplate(page)
  await page.locator('#trouble').waitFor()
  assert.match(await page.locator('#trouble').innerText(), /Acme/)
  say('what an app uses is not deleted')
}

const looks = [[390, 'dark'], [1280, 'light']]

// seen reads a page, narrow in the dark and wide in the light, or in one of the two. Nothing scrolls sideways, the
// navigation included.
async function seen(page, name, which = looks) {
  for (const [width, colorScheme] of which) {
    await page.setViewportSize({ width, height: 780 })
    await page.emulateMedia({ colorScheme })
    const sideways = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('nav')]
      .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.tagName))
    assert.deepEqual(sideways, [], `${name} scrolls sideways at ${width} px`)
    await judged(page, `${name}, ${width} px, ${colorScheme}`)
  }
}

// byKeyboard goes through the page with the tabulator: the skip link comes first, then everything that can be used, from
// top to bottom, each with a focus that can be seen.
async function byKeyboard(page, name) {
  const all = await page.evaluate(() => {
    const radios = new Set()
    return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((e) => {
      if (e.type === 'hidden' || e.disabled || e.tabIndex < 0 || !e.checkVisibility()) return false
      if (e.type !== 'radio') return true
      const first = !radios.has(e.name) // a group is one stop
      radios.add(e.name)
      return first
    }).length
  })
  const stops = []
  for (let n = 0; n < all; n++) {
    await page.keyboard.press('Tab')
    stops.push(await page.evaluate(() => {
      const e = document.activeElement, s = getComputedStyle(e)
      const order = [...document.querySelectorAll('*')].indexOf(e)
      return { what: e.outerHTML.slice(0, 80), order, seen: e !== document.body && (s.outlineStyle !== 'none' || s.boxShadow !== 'none') }
    }))
  }
  assert.match(stops[0].what, /idp-skip/, `${name}: the skip link comes first`)
  assert.deepEqual(stops.filter((s) => !s.seen), [], `${name}: a focus cannot be seen`)
  for (let n = 1; n < all; n++) assert.ok(stops[n].order > stops[n - 1].order, `${name}: ${stops[n].what} comes after ${stops[n - 1].what}`)
  say(`${name}: ${all} stops by keyboard`)
}

async function lookAround(page) {
  const pages = {
    apps: '/operator', 'an app': `/operator/apps/${app}`, people: '/operator/users', settings: '/operator/settings', keys: '/operator/keys',
    connections: '/operator/connections', 'a connection to choose': '/operator/connections/new', 'a connection': '/operator/connections/google',
    'a known provider': '/operator/connections/new?preset=apple', 'a SAML provider': '/operator/connections/new?type=saml&name=corp',
    'a name to ask for': '/operator/connections/new?type=oauth2', 'an OAuth provider': '/operator/connections/new?type=oauth2&name=odd',
    templates: '/operator/templates', 'a template to choose': '/operator/templates/new', 'what a preset needs': '/operator/templates/new?from=firebase',
    'a new template': '/operator/templates/new?from=supabase-legacy', 'the session template': '/operator/templates/new?from=session',
  }
  for (const [n, [name, path]] of Object.entries(pages).entries()) {
    await page.goto(path)
    await seen(page, name, [looks[n % 2]])
  }
  await page.goto('/operator/users')
  await page.getByRole('link', { name: 'bob@example.com', exact: true }).click()
  await page.waitForURL('**/operator/users/user_*')
  await seen(page, 'a person')
  say(`axe finds nothing on ${Object.keys(pages).length + 1} pages`)
}

async function mistakesAndKeys(page) {
  await page.goto('/operator/connections/new?preset=google')
  await page.locator('#client-id').fill('x')
  await page.locator('#client-secret').fill('y')
  await page.locator('[name="trust.email"][value=domains]').check()
  await page.locator('#connection-create').click()
  await page.locator('#trouble').waitFor()
  await page.waitForFunction(() => document.activeElement.name === 'trust.email' && document.activeElement.value === 'domains')
  await seen(page, 'a connection with a mistake')

  await page.goto('/operator/templates/hasura')
  await byKeyboard(page, 'a template')
  await page.locator('#shortcodes summary').click()
  await page.locator('#template-gone summary').click()
  await page.locator('#key-new').check()
  await seen(page, 'a template, all open')
  await page.locator('#key-issuer').check()
  await page.locator('#who').press('Enter')
  await page.locator('#previewed').waitFor()
  await seen(page, 'a preview')
  await page.locator('#claims').fill(mistaken)
  await page.locator('#template-save').click()
  await page.locator('#claims-at').waitFor()
  await page.waitForFunction(() => document.activeElement.id === 'claims')
  await seen(page, 'a template with a mistake')
  await page.goto('/operator/connections/google')
  await byKeyboard(page, 'a connection')
}

try {
  const { page } = plain
  await becomeOperator(page)
  await makeTemplate(page)
  await useAndDelete(page)
  if (process.env.ARTIFACTS) { // what pages look like does not depend on the database
    const look = await visit(browser, { storageState: await plain.context.storageState() })
    await lookAround(look.page)
    await mistakesAndKeys(look.page)
    await look.close()
  }
  await attach(page, '')
  await deleteTemplate(page)
  await page.waitForURL('**/operator/templates?deleted=1')
  await page.getByText('No templates yet', { exact: true }).waitFor()
  say('not used any more, it is deleted')
  await plain.close()
} finally {
  await browser.close()
}
