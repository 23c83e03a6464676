// Over TLS, on a page of a listed origin: the cookie that pages rendered by a server read is one that no other host can
// have set. A page that is not listed has no cookie of ours, whoever is signed in.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { issuer, launch, say } from './world.mjs'
import { app, claims, enter, far, near, token } from './app-page.mjs'

const browser = await launch()
const ann = 'ann@example.com'

try {
  const a = await app(browser, { ignoreHTTPSErrors: true })
  assert.equal(await a.page.evaluate(() => idp.environment.browser_tokens), false)
  // Asked for before anybody is there, the cookie comes with who signs in; until then none is left of who was.
  const name = `__Host-idp_token_${createHash('sha256').update(issuer).digest('hex').slice(0, 8)}`
  await a.page.evaluate((name) => { document.cookie = `${name}=old; Path=/; Secure` }, name)
  assert.equal(await token(a.page, { cookie: true }), null)
  const cookies = async () => (await a.context.cookies()).filter((c) => c.name === name)
  assert.deepEqual(await cookies(), [])
  await enter(a.page, ann)
  await a.page.waitForFunction((name) => document.cookie.includes(`${name}=ey`), name)
  const jwt = await token(a.page, { cookie: true })
  await claims(jwt, near)
  const [kept] = (await a.context.cookies()).filter((c) => c.value === jwt)
  assert.deepEqual([kept.name, kept.domain, kept.path, kept.secure, kept.httpOnly, kept.sameSite], [name, 'localhost', '/', true, false, 'Lax'])
  assert.ok(kept.expires * 1000 < Date.now() + 61_000)
  const stranger = await a.context.newPage()
  await stranger.goto(`${far}/`)
  await stranger.waitForFunction(() => globalThis.sdk)
  assert.deepEqual(await stranger.evaluate(async () => {
    const idp = await sdk.load()
    return [idp.environment.browser_tokens, idp.user]
  }), [true, null])
  await a.page.evaluate(() => idp.signOut())
  assert.deepEqual((await a.context.cookies()).filter((c) => c.name === name), [])
  await a.close()
  say('over TLS')
} finally {
  await browser.close()
}
