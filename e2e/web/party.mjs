// What every walk through a foreign relying party shares: its origin and keys from the
// test, and the person's steps at idp between leaving the party and coming back.
import assert from 'node:assert/strict'
import { createServer as plain } from 'node:http'
import { createServer as secure } from 'node:https'
import { readFileSync } from 'node:fs'
import { field, issuer, launch, password, press, visit } from './world.mjs'

export const origin = process.env.ORIGIN // of the relying party
export const client = { id: process.env.CLIENT_ID, secret: process.env.CLIENT_SECRET }
export const email = process.env.EMAIL

// discovered is what any library could know of the issuer.
export const discovered = async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).json()

// serve answers at an origin, with the test's certificate where that is https.
export async function serve(handler, at = origin) {
  const { protocol, hostname, port } = new URL(at)
  const server = protocol === 'https:'
    ? secure({ cert: readFileSync(process.env.TLS_CERTIFICATE), key: readFileSync(process.env.TLS_KEY) }, handler)
    : plain(handler)
  await new Promise((ready, failed) => server.once('error', failed).listen(Number(port), hostname, ready))
  server.unref()
  return server
}

// person opens a fresh browser profile that may meet idp and the relying party only, runs
// the story, and fails if anything in the browser went wrong.
export async function person(story, options = {}) {
  const browser = await launch()
  try {
    const visitor = await visit(browser, { origins: [origin], ignoreHTTPSErrors: issuer.startsWith('https:'), ...options })
    await story(visitor.page, visitor.context)
    await visitor.close()
  } finally {
    await browser.close()
  }
}

// signIn fills the sign-in page that the browser is on, and consent where it is asked.
export async function signIn(page, { consent = true, party = 'Acme' } = {}) {
  await page.getByText(party).first().waitFor()
  assert.equal(new URL(page.url()).origin, issuer)
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  // The last of these presses may close a pop-up under its own hand.
  const pressed = (act) => act.catch((error) => { if (!page.isClosed()) throw error })
  await pressed(press(page, 'Sign in'))
  if (consent) await pressed(page.locator('#consent-allow').click())
}

// signedOut proves that idp knows nobody in this browser any more.
export async function signedOut(page) {
  await page.goto(`${issuer}/account`)
  assert.match(page.url(), /\/sign-in/, 'after signing out at the relying party, idp still has a session')
}

// text is what a page of the relying party says.
export const text = (page) => page.locator('body').innerText()
