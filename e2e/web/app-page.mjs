// A page of somebody else that uses the browser SDK: on a port of its own, with a policy as strict as they come.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createTLS } from 'node:https'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { eventually, issuer, password, visit } from './world.mjs'

const page = '<!doctype html><html lang="en"><title>app</title><script type="module" src="/app.js"></script><h1>app</h1>'
const script = `import { load, IdpError } from '${issuer}/sdk/v1/idp.js'
globalThis.sdk = { load, IdpError }`

function answer(request, response) {
  if (new URL(request.url, 'http://app').pathname === '/app.js') {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    return
  }
  response.writeHead(200, {
    'content-type': 'text/html',
    'content-security-policy': `default-src 'none'; script-src 'self' ${issuer}; connect-src ${issuer}; base-uri 'none'; require-trusted-types-for 'script'`,
  }).end(page)
}

const server = issuer.startsWith('https:')
  ? createTLS({ cert: readFileSync(process.env.TLS_CERTIFICATE), key: readFileSync(process.env.TLS_KEY) }, answer)
  : createServer(answer)
await new Promise((ready) => server.listen(Number(process.env.APP_PORT ?? 0), '127.0.0.1', ready))
server.unref()
const { protocol } = new URL(issuer)
export const port = server.address().port
/** The page on the issuer's host: cookies travel. */
export const near = `${protocol}//localhost:${port}`
/** The same page on another host, which is another site. */
export const far = `${protocol}//127.0.0.1:${port}`

const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))

/** What a token says, for who believes it now, by this machine's clock. */
export async function claims(token, origin = near) {
  const { payload } = await jwtVerify(token, keys, { issuer, clockTolerance: 2 })
  assert.equal(payload.azp, origin)
  return payload
}

/** A browser with the app open in it; `mints` are the requests for tokens, as they are sent. */
export async function app(browser, { at = near, clock, before, ...options } = {}) {
  const visitor = await visit(browser, { origins: [near, far], ...options })
  const mints = []
  visitor.context.on('request', (r) => { if (r.method() === 'POST' && /\/tokens(\/[^/]+)?$/.test(r.url())) mints.push(r) })
  if (clock !== undefined) await visitor.context.clock.install({ time: Date.now() + clock })
  await before?.(visitor.context)
  const open = async (tab) => {
    await tab.goto(`${at}/`)
    await tab.waitForFunction(() => globalThis.sdk)
    await tab.evaluate(async () => {
      globalThis.idp = await sdk.load()
      globalThis.seen = []
      idp.observe(({ user }) => seen.push(user?.email ?? null))
      globalThis.ask = () => idp.getToken()
    })
    return tab
  }
  await open(visitor.page)
  return { ...visitor, mints, open, another: async () => open(await visitor.context.newPage()) }
}

/** Signs in on the page, without leaving it. */
export const enter = (tab, email, secret = password) => tab.evaluate(async ([email, secret]) => {
  const attempt = await idp.attempt('sign_in')
  await attempt.identify(email)
  return attempt.prove('password', secret)
}, [email, secret])

export const token = (tab, options) => tab.evaluate((o) => idp.getToken(o), options)

/** What a call on the page failed with. */
export const refused = (tab, call, argument) => tab.evaluate(async ([call, argument]) => {
  try {
    await (0, globalThis[call])(argument)
    return null
  } catch (e) {
    return { idp: e instanceof sdk.IdpError, status: e.status, code: e.code, detail: e.detail, retryAfter: e.retryAfter, goal: e.goal, field: e.field }
  }
}, [call, argument])

/** Waits until the page's observers were told that this address, or nobody, is signed in. */
export const told = (tab, email) => tab.waitForFunction((email) => seen.at(-1) === email, email)

/** Waits until so many tokens were asked for. */
export async function minted(visitor, many) {
  await eventually(() => visitor.mints.length >= many)
  assert.equal(visitor.mints.length, many)
}

/** The code of an authenticator app now (RFC 6238). */
export function oneTime(seed, step = Math.floor(Date.now() / 30_000)) {
  let bits = ''
  for (const c of seed.replace(/[\s=]/g, '').toUpperCase()) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const sum = createHmac('sha1', key).update(counter).digest()
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}
