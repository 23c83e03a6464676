// What every walk through the pages needs: a browser that reports everything that goes
// wrong, the inbox, a relying party built on openid-client, axe, screenshots.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import * as oidc from 'openid-client'

const require = createRequire(import.meta.url)
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const issuer = process.env.ISSUER
export const password = 'correct horse battery staple 7'
/** How long walks wait for what is sure to come, on a machine that is busy with other things: milliseconds. */
export const patience = 120_000
export const say = (words) => console.log(`· ${words}`)

// The application that people come back to: a page on a port of its own, or on the one that is registered.
const application = createServer((_, answer) => {
  answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>the application</title>')
})
await new Promise((ready) => application.listen(Number(process.env.APPLICATION_PORT ?? 0), '127.0.0.1', ready))
application.unref()
const home = `http://127.0.0.1:${application.address().port}`
export const callback = `${home}/callback`
export const farewell = `${home}/bye`

export async function launch(options = {}) {
  return chromium.launch({
    timeout: patience,
    ...options,
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-quic'],
  })
}

// visit opens a fresh browser profile. Errors in pages, blocked resources and requests to
// anybody but the issuer and the given origins are collected in `wrong`; close() fails if
// there are any but those that are `expected`.
export async function visit(browser, { origins = [], expected, ...options } = {}) {
  const context = await browser.newContext({ baseURL: issuer, reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(patience)
  const wrong = []
  await context.route((url) => url.origin !== issuer && !origins.includes(url.origin), (route) => {
    const url = route.request().url()
    if (url.startsWith(`${home}/`)) return route.continue()
    wrong.push(`asked a stranger: ${url}`)
    return route.abort()
  })
  context.on('weberror', (e) => wrong.push(`script failed: ${e.error().message}`))
  context.on('console', (m) => { if (m.type() === 'error' && !/status of 4\d\d/.test(m.text())) wrong.push(`console: ${m.text()}`) })
  context.on('response', (r) => { if (r.status() >= 500) wrong.push(`${r.status()} ${r.url()}`) })
  const page = await context.newPage()
  return {
    context, page, wrong,
    async close() {
      await context.close()
      assert.deepEqual(wrong.filter((w) => !expected?.test(w)), [])
    },
  }
}

// eventually waits until something that no page can be asked to wait for gives more than nothing, and returns that.
export async function eventually(holds, what = holds) {
  for (const late = Date.now() + patience; Date.now() < late; await sleep(50)) {
    const found = await holds()
    if (found) return found
  }
  throw new Error(`not within ${patience / 1000} s: ${what}`)
}

// Mail leaves as a job: notices come when they come, so walks ask for a letter by what it is.
const among = (to, fits, seen = 0) => eventually(async () => {
  const found = (await letters(to)).filter(fits)
  return found.length > seen && found[0]
}, `mail for ${to} like ${fits}, beyond ${seen}`)

// letter is the newest mail to an address, beyond so many: only for addresses that get no notices.
export const letter = (to, seen = 0) => among(to, () => true, seen)

// coded is the newest mail with a code to an address, beyond so many of those.
export const coded = (to, seen = 0) => among(to, (l) => l.code, seen)

// notice is the newest mail to an address with such a subject.
export const notice = (to, subject) => among(to, (l) => subject.test(l.subject))

// codes is how many letters with a code came to an address.
export const codes = async (to) => (await letters(to)).filter((l) => l.code).length

export async function letters(to) {
  const answer = await (await fetch(`${issuer}/dev/inbox.json?to=${encodeURIComponent(to)}`)).json()
  return Array.isArray(answer) ? answer : answer.letters
}

// RelyingParty is an application built on openid-client, certified and not ours.
export class RelyingParty {
  static async discover(id, secret) {
    const rp = new RelyingParty()
    rp.config = await oidc.discovery(new URL(issuer), id, secret, undefined, { execute: [oidc.allowInsecureRequests] })
    return rp
  }

  async begin(more = {}) {
    this.verifier = oidc.randomPKCECodeVerifier()
    this.state = oidc.randomState()
    this.nonce = oidc.randomNonce()
    return oidc.buildAuthorizationUrl(this.config, {
      redirect_uri: callback, scope: 'openid email profile offline_access', state: this.state, nonce: this.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(this.verifier), code_challenge_method: 'S256', ...more,
    }).href
  }

  // finish exchanges what the browser came back with; openid-client verifies state, issuer,
  // nonce, signature and hashes.
  async finish(url) {
    const tokens = await oidc.authorizationCodeGrant(this.config, new URL(url),
      { pkceCodeVerifier: this.verifier, expectedState: this.state, expectedNonce: this.nonce, idTokenExpected: true })
    return tokens
  }

  refresh(token) { return oidc.refreshTokenGrant(this.config, token) }
  userInfo(tokens) { return oidc.fetchUserInfo(this.config, tokens.access_token, tokens.claims().sub) }
  introspect(token) { return oidc.tokenIntrospection(this.config, token) }
  revoke(token) { return oidc.tokenRevocation(this.config, token) }
  goodbye(hint) {
    return oidc.buildEndSessionUrl(this.config, { id_token_hint: hint, post_logout_redirect_uri: farewell, state: 'bye' }).href
  }
}

// judged runs axe on the page as it is; any violation fails.
export async function judged(page, name) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  assert.deepEqual(violations.map((v) => `${name}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), [])
}

// pictured keeps how the page looks, narrow and wide, light and dark, and fails if it has to
// be scrolled sideways.
export async function pictured(page, name) {
  if (!process.env.ARTIFACTS) return // how pages look does not depend on the database
  await page.waitForLoadState('load')
  const folder = process.env.ARTIFACTS
  mkdirSync(folder, { recursive: true })
  const before = page.viewportSize()
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: width === 1280 ? 800 : 780 })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      const wide = await page.evaluate(() => {
        const most = document.documentElement.clientWidth
        if (document.documentElement.scrollWidth <= most) return []
        return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > most).map((e) => e.outerHTML.slice(0, 120))
      })
      assert.deepEqual(wide, [], `${name} is too wide at ${width} px`)
      await judged(page, `${name}, ${width} px, ${colorScheme}`)
      if (width !== 320) await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })
    }
  }
  await page.setViewportSize(before)
  await page.emulateMedia({ colorScheme: null })
}

export const field = (page, label) => page.getByLabel(label, { exact: true })
export const press = (page, name) => page.getByRole('button', { name, exact: true }).click()
