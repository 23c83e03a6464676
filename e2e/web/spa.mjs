// The example app in Chromium: its page signs people up, in and out with components, its API believes session tokens,
// and everybody hears within a minute that somebody was signed out from afar.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { field, issuer, launch, letter, password, pictured, press, say, visit } from './world.mjs'

const app = process.env.APP
const email = 'ann@example.com'
const browser = await launch()

// oneTime is the code of an authenticator app, so many steps of 30 seconds from now (RFC 6238).
function oneTime(key, steps = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...key].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('')
  const seed = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const mac = createHmac('sha1', seed).update(count).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

// api asks the app's API with a token, as a script would.
const api = (token, path = '/api/me') => fetch(app + path, { headers: { authorization: `Bearer ${token}` } })

// token is the one that the page would use now.
const token = (page, options = {}) => page.evaluate(async ([from, options]) => {
  const { load } = await import(`${from}/sdk/v1/idp.js`)
  return (await load({ issuer: from })).getToken(options)
}, [issuer, options])

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
const signedIn = (page) => page.locator('#signed-in').waitFor()
const signedOut = (page) => page.locator('#signed-out').waitFor()
const opener = (page) => page.getByRole('button', { name: /^Account of / })

// open opens the user menu and returns one of its acts.
async function menu(page, act) {
  await opener(page).click()
  return page.getByRole('menuitem', { name: act, exact: true })
}

async function signIn(page, second) {
  await page.goto(app)
  await field(page, 'Email address').fill(email)
  await field(page, 'Password').fill(password)
  await page.locator('idp-sign-in').getByRole('button', { name: 'Sign in', exact: true }).click()
  await second()
  await signedIn(page)
}

const ann = await visit(browser, { origins: [app] })
const { page, context } = ann
let mints = 0
context.on('request', (r) => { if (r.method() === 'POST' && /\/frontend\/v1\/sessions\/[^/]+\/tokens$/.test(r.url())) mints++ })

let backup
try {
  await page.goto(app)
  await field(page, 'Email address').waitFor()
  await pictured(page, 'spa-signed-out')
  await page.locator('idp-sign-in').getByRole('button', { name: 'Sign up', exact: true }).click()
  await page.getByRole('heading', { name: 'Create your account' }).waitFor()
} catch (error) {
  console.log(await page.locator('body').innerText())
  throw error
} finally {
  await browser.close()
}
