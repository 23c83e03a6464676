// Signing in and up without leaving an app's own page: every event of an attempt through the SDK, with a second step, a
// passkey, the bot check, a lost password; and the way to idp's own pages and back.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { codes, field, issuer, launch, coded, password, press, say } from './world.mjs'
import { app, claims, enter, near, oneTime, refused, told, token } from './app-page.mjs'

const browser = await launch()
const newcomer = 'newcomer@example.com', ann = 'ann@example.com', bob = 'bob@example.com', eve = 'eve@example.com', fay = 'fay@example.com'

const begin = (tab, goal, options) => tab.evaluate(async ([goal, options]) => {
  globalThis.attempt = await idp.attempt(goal, options)
  globalThis.event = ([name, ...args]) => attempt[name](...args)
  return attempt.view
}, [goal, options])

/** Sends one event of the attempt on the page and returns its view. */
const event = (tab, name, ...args) => tab.evaluate(([name, args]) => attempt[name](...args).then(() => attempt.view), [name, args])

async function signUp() {
  const a = await app(browser)
  assert.equal((await begin(a.page, 'sign_up', { returnTo: `${near}/welcome` })).step, 'missing_requirements')
  const short = await refused(a.page, 'event', ['submit', { email: newcomer, password: 'short' }])
  assert.deepEqual([short.idp, short.status, short.field], [true, 422, 'password'])
  const before = await codes(newcomer)
  assert.equal((await event(a.page, 'submit', { email: newcomer, name: 'New Comer', password })).step, 'needs_email_verification')
  const { code } = await coded(newcomer, before)
  const wrong = await refused(a.page, 'event', ['prove', 'email_code', code === '111111' ? '222222' : '111111'])
  assert.equal(wrong.status, 422)
  assert.equal((await event(a.page, 'prove', 'email_code', code)).step, 'complete')
  await told(a.page, newcomer)
  assert.equal(await a.page.evaluate(() => attempt.next), `${near}/welcome`)
  const me = await a.page.evaluate(() => idp.me())
  assert.deepEqual([me.name, me.identifiers[0].value, me.password, me.two_step], ['New Comer', newcomer, true, false])
  await a.page.evaluate(() => idp.updateMe({ name: 'Nina' }))
  assert.equal(await a.page.evaluate(() => idp.user.name), 'Nina')
  await a.close()
  say('signed up')
}

async function secondStep() {
  const a = await app(browser)
  await enter(a.page, ann)
  assert.equal((await claims(await token(a.page))).acr, 'aal1')
  await begin(a.page, 'enroll')
  const { enrollment } = await event(a.page, 'enroll', 'totp')
  const step = Math.floor(Date.now() / 30_000)
  const done = await event(a.page, 'confirm', oneTime(enrollment.key, step))
  assert.equal(done.step, 'complete')
  assert.ok(done.backup_codes.length >= 8)
  assert.equal((await claims(await token(a.page))).acr, 'aal2') // not the one from before
  await a.page.evaluate(() => idp.signOut())

  await begin(a.page, 'sign_in')
  assert.ok((await event(a.page, 'identify', ann)).methods.some((m) => m.method === 'password'))
  assert.equal((await event(a.page, 'prove', 'password', password)).step, 'needs_second_factor')
  assert.equal(await token(a.page), null)
  const again = await refused(a.page, 'event', ['prove', 'totp', oneTime(enrollment.key, step)]) // was used
  assert.deepEqual([again.idp, again.status >= 400, await a.page.evaluate(() => attempt.view.step)], [true, true, 'needs_second_factor'])
  // Another page of the app goes on with the same attempt.
  const other = await a.another()
  await other.evaluate(async (id) => { globalThis.attempt = await idp.resume(id) }, await a.page.evaluate(() => attempt.view.id))
  assert.equal((await event(other, 'prove', 'totp', oneTime(enrollment.key, Math.max(step + 1, Math.floor(Date.now() / 30_000))))).step, 'complete')
  await told(a.page, ann)
  const said = await claims(await token(a.page))
  assert.equal(said.acr, 'aal2')
  assert.ok(said.amr.includes('otp') && said.amr.includes('pwd'))
  await a.close()
  say('two steps')
}

async function passkey(email, before) {
  const a = await app(browser, { before })
  const cdp = await a.context.newCDPSession(a.page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
  assert.equal(await a.page.evaluate(() => idp.environment.methods.passkey), true)
  await enter(a.page, email)
  await begin(a.page, 'enroll')
  assert.equal((await event(a.page, 'createPasskey', 'passkey', 'laptop')).step, 'complete')
  await begin(a.page, 'enroll')
  const twice = await refused(a.page, 'event', ['createPasskey', 'passkey', 'again'])
  assert.deepEqual([twice.idp, twice.code], [true, 'passkey_there'])
  await a.page.evaluate(() => idp.signOut())
  await begin(a.page, 'sign_in')
  assert.equal((await event(a.page, 'passkey')).step, 'complete') // nobody typed who they are
  await told(a.page, email)
  assert.equal((await claims(await token(a.page))).acr, 'phr')
  await a.page.evaluate(() => idp.signOut())
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await begin(a.page, 'sign_in')
  const refusedKey = await refused(a.page, 'event', ['passkey'])
  assert.deepEqual([refusedKey.idp, refusedKey.code], [true, 'passkey_cancelled'])
  await a.close()
  say(`a passkey${before ? ', in a browser that turns nothing into JSON' : ''}`)
}

async function solver() {
  const dist = new URL('../../sdk/js/dist/', import.meta.url)
  const { solve } = await import(new URL(readdirSync(dist).find((f) => f.startsWith('work-')), dist))
  const puzzle = { challenge: 'c', salt: 'w_0123456789abcdefABCDEF', rounds: 3, bits: 12 }
  const rounds = []
  const [challenge, numbers] = (await solve(puzzle, { progress: (done, of) => rounds.push(`${done}/${of}`) })).split(':')
  assert.equal(challenge, 'c')
  assert.deepEqual(rounds, ['1/3', '2/3', '3/3'])
  for (const [round, n] of numbers.split(',').entries()) {
    assert.equal(createHash('sha256').update(`${puzzle.salt}.${round}.${n}`).digest().readUInt16BE() >> 4, 0)
  }
  await assert.rejects(solve({ ...puzzle, bits: 32 }, { signal: AbortSignal.timeout(50) }))
}

// Whoever guessed too often has to let the browser work first.
async function botCheck() {
  await solver()
  const a = await app(browser)
  await begin(a.page, 'sign_in')
  await event(a.page, 'identify', fay)
  let due
  for (let guess = 0; guess < 8 && !due; guess++) {
    const error = await refused(a.page, 'event', ['prove', 'password', `wrong ${guess}`])
    due = error === null
  }
  assert.equal(await a.page.evaluate(() => attempt.view.step), 'needs_human')
  const robot = await refused(a.page, 'event', ['human', 'nonsense'])
  assert.deepEqual([robot.status, robot.field], [422, 'human'])
  assert.equal((await event(a.page, 'human')).step, 'needs_first_factor')
  assert.equal((await event(a.page, 'prove', 'password', password)).step, 'complete')
  await told(a.page, fay)
  await a.close()
  say('the bot check')
}

async function lostPassword() {
  const a = await app(browser)
  await begin(a.page, 'sign_in')
  await event(a.page, 'identify', newcomer)
  const before = await codes(newcomer)
  const view = await event(a.page, 'forgot')
  const { method } = view.methods.find((m) => m.method.startsWith('reset_password'))
  const { code } = await coded(newcomer, before)
  assert.equal((await event(a.page, 'prove', method, code)).step, 'needs_new_password')
  assert.equal((await event(a.page, 'password', `${password} new`)).step, 'complete')
  await told(a.page, newcomer)
  assert.equal((await begin(a.page, 'step_up')).goal, 'step_up')
  assert.equal((await event(a.page, 'cancel')).step, 'abandoned')
  await a.close()
  say('a lost password')
}

async function overTheirPagesAndBack() {
  const a = await app(browser)
  assert.equal(await a.page.evaluate(() => idp.url('account', { returnTo: '/x' })), `${issuer}/account?return_to=${encodeURIComponent(`${near}/x`)}`)
  await a.page.evaluate(() => idp.signIn({ returnTo: '/inside?a=b#c' }))
  await field(a.page, 'Email address').fill(newcomer)
  await field(a.page, 'Password').fill(`${password} new`)
  await press(a.page, 'Sign in')
  await a.page.waitForURL(`${near}/inside?a=b#c`)
  await a.open(a.page)
  await told(a.page, newcomer)
  const sensitive = await a.page.evaluate(() => { globalThis.wipe = () => idp.request('DELETE', '/me', { confirm: 'no' }) })
  assert.equal(sensitive, undefined)
  const no = await refused(a.page, 'wipe')
  assert.deepEqual([no.idp, no.status >= 400, no.status < 500], [true, true, true])
  await Promise.all([a.page.waitForURL(`${near}/bye`), a.page.evaluate(() => idp.signOut({ returnTo: '/bye', everywhere: true }))])
  await a.open(a.page)
  assert.deepEqual(await a.page.evaluate(() => seen), [null])
  assert.equal(await a.page.evaluate(async () => {
    addEventListener('securitypolicyviolation', () => { globalThis.tried = true }) // of a script that was to run
    await idp.signOut({ returnTo: 'javascript:globalThis.tried=true' })
    await new Promise((done) => setTimeout(done))
    return globalThis.tried
  }), undefined)
  await a.close()
  say('over the pages of idp and back')
}

try {
  await signUp()
  await secondStep()
  await passkey(bob)
  await passkey(eve, (context) => context.addInitScript(() => {
    for (const name of ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON']) delete PublicKeyCredential[name]
    delete PublicKeyCredential.prototype.toJSON
  }))
  await botCheck()
  await lostPassword()
  await overTheirPagesAndBack()
} finally {
  await browser.close()
}
