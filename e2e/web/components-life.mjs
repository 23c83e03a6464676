// How elements live and leave: taken off a page in the middle of something and put back, given addresses by strangers,
// pressed twice, cancelled while an answer is on its way. The issuer is played here, because it has to answer late.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'

const sdk = process.env.SDK_DIST ? new URL(`file://${process.env.SDK_DIST}/`) : new URL('../../sdk/js/dist/', import.meta.url)
const words = JSON.parse(readFileSync(new URL('../../templates/locales/en.json', import.meta.url)))
const say = (what) => console.log(`· ${what}`)

let sessions, asked, answers
const day = 86_400_000
const at = (ms = 0) => new Date(Date.now() + ms).toISOString()
const ann = () => ({ id: 's1', active: true, user: { id: 'u1', name: 'Ann Lee', email: 'ann@example.com' }, methods: ['pwd'], auth_time: at(), last_active_at: at(), expires_at: at(day) })
const bob = () => ({ ...ann(), id: 's2', active: false, user: { id: 'u2', name: 'Bob', email: 'bob@example.com' } })
const view = (more) => ({ id: 'a1', goal: 'sign_in', step: 'needs_identifier', expires_at: at(600_000), ...more })
const environment = {
  issuer: '', name: 'Here', environment: 'production', locale: 'en', locales: ['en'], words, sign_up: 'open', sign_up_fields: [], two_pages: true,
  methods: { password: true, email_code: true, email_link: false, passkey: true }, connections: [], buttons: { layout: 'block', place: 'top' },
  bot_check: false, links: {}, browser_tokens: false, token_cookie: 'idp_token_00000000', sdk: { version: '1.0.0' },
}
const usual = {
  'GET /environment': () => environment,
  'GET /sessions': () => ({ sessions }),
  'DELETE /sessions': () => ({ sessions: sessions = [] }),
  'POST /attempts': () => view(),
  'POST /attempts/a1/identify': () => view({ step: 'needs_first_factor', identifier: 'ann@example.com', methods: [{ method: 'password' }] }),
  'POST /attempts/a1/cancel': () => view({ step: 'abandoned' }),
  'GET /me': () => ({ id: 'u1', name: 'Ann Lee', profile: { name: 'Ann Lee' }, identifiers: [{ id: 'i1', kind: 'email', value: 'ann@example.com', primary: true, verified: true, created_at: at() }], password: true, two_step: false, created_at: at(), session: {} }),
  'GET /me/factors': () => ({ factors: [], backup_codes_left: 0, backup_codes: false, methods: ['totp'], two_step: false, required: false }),
  'GET /me/trusted-browsers': () => ({ trusted_browsers: [] }),
  'GET /me/sessions': () => ({ sessions: [{ id: 's1', this: true, browser: 'Chrome', methods: [], created_at: at(), last_active_at: at() }] }),
  'GET /me/connections': () => ({ connections: [], available: [] }),
}

const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://app')
  if (pathname.startsWith('/sdk/v1/')) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(new URL(pathname.slice(8), sdk)))
  if (!pathname.startsWith('/frontend/v1/')) {
    return response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy })
      .end('<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,"><script type="module" src="/sdk/v1/components.js"></script><button id="home">Home</button>')
  }
  const name = `${request.method} ${pathname.slice(12)}`
  asked.push(name)
  const [status, body, headers] = [await answers[name]?.() ?? await usual[name]?.() ?? [404, { code: 'not_found', detail: 'No.' }]].map((said) => (Array.isArray(said) ? said : [200, said]))[0]
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
})
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const app = `http://localhost:${server.address().port}`
const browser = await chromium.launch({ executablePath: process.env.IDP_TEST_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })

/** A page in which listeners on what outlives an element, and timers, are counted. */
async function open({ signedIn = true, clock, before } = {}) {
  ;[sessions, asked, answers] = [signedIn ? [ann()] : [], [], {}]
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  context.setDefaultTimeout(20_000)
  const wrong = []
  context.on('weberror', (e) => wrong.push(e.error().message))
  if (clock !== undefined) await context.clock.install({ time: Date.now() + clock })
  await context.addInitScript(() => {
    globalThis.held = new Set()
    const add = EventTarget.prototype.addEventListener, remove = EventTarget.prototype.removeEventListener
    EventTarget.prototype.addEventListener = function (type, fn, o) {
      if (this === window || this === document || this instanceof AbortSignal) {
        const one = { on: this, type, fn }
        held.add(one)
        if (o?.signal) add.call(o.signal, 'abort', () => held.delete(one))
      }
      return add.call(this, type, fn, o)
    }
    EventTarget.prototype.removeEventListener = function (type, fn, o) {
      for (const one of held) if (one.on === this && one.type === type && one.fn === fn) held.delete(one)
      return remove.call(this, type, fn, o)
    }
    globalThis.listening = () => [...held].filter((one) => !(one.on instanceof AbortSignal && one.on.aborted)).map((one) => `${one.on.constructor.name} ${one.type}`)
  })
  if (before) await context.addInitScript(before)
  const page = await context.newPage()
  await page.goto(`${app}/`)
  await page.evaluate(async () => { globalThis.idp = await (await import('/sdk/v1/idp.js')).load() })
  const put = (name, attributes = {}) => page.evaluate(async ([name, attributes]) => {
    const made = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
    document.body.append(made)
  }, [name, attributes])
  const take = (name) => page.evaluate(async (name) => {
    globalThis.taken = document.querySelector(name)
    taken.remove()
    await new Promise((done) => setTimeout(done))
  }, name)
  const back = () => page.evaluate(() => document.body.append(taken))
  const many = (name) => asked.filter((a) => a === name).length
  const heard = async (name, least = 1) => { for (let i = 0; many(name) < least; i++) { assert.ok(i < 800, `nobody asked ${name}`); await new Promise((r) => setTimeout(r, 25)) } }
  return { page, put, take, back, many, heard, async close() { await context.close(); assert.deepEqual(wrong, []) } }
}

const title = (page, name) => page.getByRole('heading', { name, exact: true })
const enter = async (page) => {
  await page.getByLabel('Email address').fill('ann@example.com')
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await title(page, 'Enter your password').waitFor()
}
const hold = () => {
  let done
  const promise = new Promise((d) => { done = d })
  return { promise, done }
}

async function nothingStays() {
  const { page, put, take, back, close } = await open()
  const before = (await page.evaluate(() => listening())).length
  for (const [name, seen] of [['idp-user-button', '.opener'], ['idp-user-profile', '[role=tab]'], ['idp-sign-in', '.title'], ['idp-sign-up', '.title']]) {
    await put(name)
    for (let times = 0; times < 2; times++) {
      await page.locator(`${name} ${seen}`).first().waitFor()
      if (name === 'idp-user-button') {
        await page.locator('.opener').click()
        await page.getByRole('menu').waitFor()
      }
      await take(name)
      assert.equal((await page.evaluate(() => listening())).length, before, `${name} left ${await page.evaluate(() => listening())}`)
      await back()
    }
    await page.locator(`${name} ${seen}`).first().waitFor()
    await take(name)
  }
  await close()
  say('an element that is taken off the page leaves no listener behind')
}

async function takenAwayAmidst() {
  const { page, put, take, back, heard, close } = await open()
  await put('idp-user-profile', { tab: 'security' })
  const act = page.locator('[data-act=add-totp]')
  await act.waitFor()
  const late = hold()
  answers['POST /attempts'] = () => late.promise
  await act.click()
  await heard('POST /attempts')
  await take('idp-user-profile')
  late.done(view({ goal: 'enroll', step: 'needs_human', human: { provider: 'work' } }))
  await heard('POST /attempts/a1/cancel') // what nobody goes on with is given up
  assert.equal(await page.evaluate(() => taken.shadowRoot.querySelectorAll('dialog').length), 0)
  await back()
  answers['POST /attempts'] = () => view({ goal: 'enroll', step: 'needs_human', human: { provider: 'work' } })
  await act.click()
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await act.click() // Escape was an end like any other
  await page.getByRole('dialog').waitFor()
  await page.locator('.dialog-close').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await close()
  say('taken off the page amid an act, it acts again when it is back')
}

async function strangersAddresses() {
  const { page, put, take, many, close } = await open({ signedIn: false })
  for (const [name, attribute] of [['idp-sign-in', 'sign-up-url'], ['idp-sign-up', 'sign-in-url']]) {
    for (const [address, href] of [['javascript:alert(1)', null], ['data:text/html,x', null], ['/there', `${app}/there`]]) {
      await put(name, { [attribute]: address })
      await page.locator(`${name} .foot .link`).first().waitFor()
      assert.deepEqual(await page.locator(`${name} a`).evaluateAll((all) => all.map((a) => a.href)), href ? [href] : [], `${attribute}="${address}"`)
      await take(name)
    }
  }
  sessions = [ann()]
  await page.evaluate(() => idp.refresh())
  for (const tab of ['constructor', '__proto__', 'nonsense', 'security']) {
    await put('idp-user-profile', { tab })
    const chosen = page.locator('[role=tab][aria-selected=true]')
    await chosen.waitFor()
    assert.equal(await chosen.getAttribute('data-tab'), tab === 'security' ? tab : 'profile')
    await take('idp-user-profile')
  }
  await page.evaluate(() => { addEventListener('securitypolicyviolation', () => { globalThis.tried = true }) })
  await put('idp-user-button', { 'after-sign-out': 'javascript:globalThis.tried=true', 'account-url': 'javascript:globalThis.tried=true', 'sign-in-url': 'javascript:globalThis.tried=true' })
  await page.locator('.opener').click()
  await page.getByRole('menuitem', { name: 'Manage account' }).click()
  await page.locator('.opener').click()
  answers['DELETE /sessions/s1'] = () => ({ sessions: sessions = [] })
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click()
  await page.locator('idp-user-button').getByRole('button', { name: 'Sign in' }).click()
  assert.equal(many('DELETE /sessions/s1'), 1)
  assert.deepEqual(await page.evaluate(() => [globalThis.tried, location.pathname]), [undefined, '/'])
  await close()
  say('an address that is a script leads nowhere')
}

async function cancelledMeanwhile() {
  const { page, put, many, heard, close } = await open({ signedIn: false, before: () => {
    if (globalThis.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false) // another attempt would have the same name here
  } })
  await put('idp-sign-in')
  for (const late of [[200, view({ step: 'needs_second_factor', methods: [{ method: 'totp' }] })], [409, { code: 'attempt_over', detail: 'That is over.' }], [422, { code: 'password_wrong', detail: 'Wrong.', field: 'password' }]]) {
    const held = hold()
    answers['POST /attempts/a1/prove'] = () => held.promise
    await enter(page)
    const before = many('POST /attempts/a1/prove')
    await page.getByLabel('Password', { exact: true }).fill('long enough')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click({ force: true })
    await heard('POST /attempts/a1/prove', before + 1)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await title(page, 'Sign in').waitFor()
    const answered = page.waitForResponse((r) => r.url().endsWith('/prove'))
    held.done(late)
    await (await answered).finished()
    await page.evaluate(() => new Promise((done) => setTimeout(done, 50)))
    assert.deepEqual(await page.locator('.title').allTextContents(), ['Sign in'], `after ${late[0]}`)
    assert.equal(await page.getByRole('alert').count(), 0)
    assert.equal(many('POST /attempts/a1/prove'), before + 1) // pressed three times
  }
  // Nor does it wait for an answer that does not come.
  answers['POST /attempts/a1/prove'] = () => new Promise(() => {})
  await enter(page)
  await page.getByLabel('Password', { exact: true }).fill('long enough')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await enter(page)
  // Who is signed in all the same is told so.
  const held = hold()
  answers['POST /attempts/a1/prove'] = () => held.promise
  await page.getByLabel('Password', { exact: true }).fill('long enough')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Cancel' }).click()
  sessions = [ann()]
  held.done(view({ step: 'complete' }))
  await title(page, 'You are signed in').waitFor()
  await close()
  say('what was cancelled stays so, and nothing is sent twice')
}

async function byTheServersClock() {
  const { page, put, close } = await open({ clock: 2 * 3_600_000 })
  await put('idp-user-profile', { tab: 'security' })
  await page.getByText(words['ago.now'], { exact: false }).first().waitFor()
  await close()
  const waiting = await open({ signedIn: false, clock: 0 })
  waiting.page.on('pageerror', (e) => { throw e })
  await waiting.put('idp-sign-in')
  answers['POST /attempts/a1/identify'] = () => [429, { code: 'too_many', detail: 'Slow down.' }, { 'retry-after': '120' }]
  await waiting.page.getByLabel('Email address').fill('ann@example.com')
  await waiting.page.getByRole('button', { name: 'Continue', exact: true }).click()
  await waiting.page.locator('.hold').waitFor()
  const before = (await waiting.page.evaluate(() => listening())).length
  await waiting.page.clock.runFor(60_000)
  assert.ok((await waiting.page.evaluate(() => listening())).length <= before + 1, 'each second leaves something behind')
  assert.equal(await waiting.page.locator('.primary').isDisabled(), true)
  await waiting.page.clock.runFor(61_000)
  assert.equal(await waiting.page.locator('.primary').isDisabled(), false)
  await waiting.close()
  say('counts by the clock of the server, and leaves nothing behind')
}

// What browsers suggest belongs to the first screen: it is not asked for where somebody is signed in meanwhile.
async function suggestedInItsPlace() {
  const { page, put, many, close } = await open({ signedIn: false, clock: 0, before: () => {
    if (!globalThis.PublicKeyCredential) return // the page before the first
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(true)
    PublicKeyCredential.parseRequestOptionsFromJSON = (o) => o
    globalThis.suggested = 0
    navigator.credentials.get = ({ signal }) => new Promise((_, no) => { suggested++; signal?.addEventListener('abort', () => no(signal.reason)) })
  } })
  answers['POST /attempts/a1/prepare'] = () => view({ options: { publicKey: { challenge: 'AA' } } })
  const look = (state) => page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
  await put('idp-sign-in')
  await page.waitForFunction(() => suggested === 1) // a clock that runs ahead of an answer ends the waiting for it
  await page.clock.runFor(4 * 60_000 + 100)
  await page.waitForFunction(() => suggested === 2) // the question would have grown old
  await look('hidden')
  await page.clock.runFor(4 * 60_000 + 100)
  sessions = [ann()]
  await page.evaluate(() => idp.refresh())
  await title(page, 'You are signed in').waitFor({ state: 'attached' })
  await look('visible')
  await page.clock.runFor(1_000)
  await page.evaluate(() => idp.request('GET', '/me'))
  assert.equal(many('POST /attempts/a1/prepare'), 2)
  await close()
  say('passkeys are suggested on the first screen alone')
}

async function theMenuByKeys() {
  const { page, put, close } = await open()
  sessions = [ann(), bob()]
  await put('idp-user-button')
  await page.evaluate(() => idp.refresh())
  const opener = page.locator('.opener'), menu = page.getByRole('menu')
  const focused = (words) => page.waitForFunction((words) => (document.activeElement.shadowRoot?.activeElement ?? document.activeElement).textContent.includes(words), words)
  await page.locator('.opener').focus()
  await page.keyboard.press('ArrowUp')
  await focused('Sign out of all accounts')
  await page.keyboard.press('ArrowDown')
  await focused('Bob') // round the end
  await page.keyboard.press('m')
  await focused('Manage account')
  await page.keyboard.press('End')
  await focused('Sign out of all accounts')
  await page.keyboard.press('Home')
  await focused('Bob')
  await page.evaluate(() => document.addEventListener('keydown', (e) => { if (e.key === 'Escape') globalThis.escaped = true }))
  await page.keyboard.press('Escape')
  await menu.waitFor({ state: 'hidden' })
  assert.deepEqual(await page.evaluate(() => [document.querySelector('idp-user-button').shadowRoot.activeElement?.className, globalThis.escaped]), ['opener', undefined])
  assert.equal(await opener.getAttribute('aria-expanded'), 'false')
  await page.keyboard.press('Enter')
  await menu.waitFor()
  await page.keyboard.press('Shift+Tab')
  await menu.waitFor({ state: 'hidden' })
  assert.equal(await page.evaluate(() => document.activeElement.id), 'home')
  await opener.click()
  await menu.waitFor()
  await page.locator('#home').click() // elsewhere: the focus goes where the person went
  await menu.waitFor({ state: 'hidden' })
  assert.equal(await page.evaluate(() => document.activeElement.id), 'home')
  await close()
  say('the menu by keys')
}

const walks = { nothingStays, takenAwayAmidst, strangersAddresses, cancelledMeanwhile, byTheServersClock, suggestedInItsPlace, theMenuByKeys }
let failed = 0
try {
  for (const [name, walk] of Object.entries(walks)) if (!process.argv[2] || process.argv[2] === name) {
    await walk().catch((e) => { failed++; console.log(`${name}: ${e.stack}`) })
  }
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
}
process.exitCode = failed ? 1 : 0
