// Tokens in the races that tabs, people and networks make, and what the server is spared.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { Browser, issuer, later, settle } from './browser.mjs'

let b
beforeEach(() => { b = new Browser() })
afterEach(() => b.close())

const tooMany = (_, reply) => reply(429, { code: 'too_many', detail: 'Slow down.' }, { 'retry-after': '30' })
const mints = (answer) => (request, reply) => (/\/tokens/.test(request.path) ? answer(request, reply) : undefined)

test('a token is whose who is in use when it arrives', async () => {
  b.enter('bob')
  b.enter('ann')
  const { idp } = await b.open()
  const held = later()
  b.instead = mints(({ path }) => (path.includes('ann') ? held.promise : undefined))
  const token = idp.getToken()
  await settle()
  await idp.switchTo('bob')
  held.done()
  assert.match(await token, /^bob\./)
})

test('a token that arrives after the sign-out goes to nobody, now or later', async () => {
  b.enter('ann')
  const { idp } = await b.open({ cookie: true })
  const other = await b.open()
  assert.equal(b.jar.get('__Host-idp_token_3d38e146').value, 'ann.1')
  const held = later()
  b.instead = mints(async (_, reply) => {
    await held.promise
    return reply(201, { jwt: 'ann.late', issued_at: b.at(), expires_at: b.at(60_000) })
  })
  const token = idp.getToken({ fresh: true })
  await settle()
  await idp.signOut()
  assert.equal(b.jar.size, 0)
  held.done()
  assert.equal(await token, null)
  await settle()
  assert.deepEqual([await idp.getToken(), await other.idp.getToken(), b.jar.size], [null, null, 0])
})

test('what another tab tells of a time before more was proved is not believed', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  assert.equal(await idp.getToken(), 'ann.1')
  const channel = new BroadcastChannel(`idp:${idp.issuer}`)
  const tell = (spent, more) => channel.postMessage({ kind: 'token', key: 'ann/', jwt: 'old', life: 60_000, spent, at: b.wall, ...more })
  channel.postMessage({ kind: 'forget' })
  await b.advance(10)
  tell(500)
  await settle()
  assert.equal(await idp.getToken(), 'ann.2')
  channel.postMessage({ kind: 'forget' })
  await b.advance(1000)
  tell(500, { jwt: 'new' })
  await settle()
  assert.equal(await idp.getToken(), 'new')
  channel.close()
})

test('a token is not older than what its session proved on a page of the issuer', async () => {
  b.enter('ann')
  const before = await b.open()
  assert.equal(await before.idp.getToken({ template: 'long' }), 'ann.1')
  await b.advance(5_000)
  Object.assign(b.sessions[0], { methods: ['pwd', 'otp'], auth_time: b.at() }) // without any page of the app hearing of it
  await b.advance(1_000)
  const after = await b.open()
  assert.equal(await after.idp.getToken({ template: 'long' }), 'ann.2')
  assert.equal(await before.idp.getToken({ template: 'long' }), 'ann.2')
})

test('what is no token is not taken for one', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  const channel = new BroadcastChannel(`idp:${idp.issuer}`)
  channel.postMessage({ kind: 'token', key: 'ann/', jwt: 'nonsense' })
  channel.postMessage({ kind: 'from a later version' })
  await settle()
  assert.equal(await idp.getToken(), 'ann.1')
  channel.postMessage({ kind: 'token', key: 'ann/', jwt: 'dead', life: 60_000, spent: 59_000, at: b.wall })
  channel.postMessage({ kind: 'token', key: 'ann/', jwt: 'dead', life: 60_000, spent: 0, at: b.wall - 61_000 })
  await settle()
  assert.equal(await idp.getToken(), 'ann.1')
  channel.close()
})

test('a change that was proved while a token was on its way has it made again', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  const held = later()
  b.instead = mints(async (_, reply) => {
    b.instead = () => undefined
    await held.promise
    return reply(201, { jwt: 'before', issued_at: b.at(), expires_at: b.at(60_000) })
  })
  const token = idp.getToken()
  await settle()
  const channel = new BroadcastChannel(`idp:${idp.issuer}`)
  channel.postMessage({ kind: 'forget' })
  channel.close()
  await settle()
  held.done()
  assert.equal(await token, 'ann.1')
  assert.equal(await idp.getToken(), 'ann.1')
})

test('a fresh token is minted after what was asked before it', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  const held = later()
  b.instead = mints(() => held.promise)
  const [first, fresh, again] = [idp.getToken(), idp.getToken({ fresh: true }), idp.getToken({ fresh: true })]
  await settle()
  assert.equal(b.mints.length, 1)
  held.done()
  assert.deepEqual(await Promise.all([first, fresh, again]), ['ann.1', 'ann.2', 'ann.2'])
})

test('the server that is in trouble is asked less and less, and the token at hand lasts', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  idp.observe(() => {})
  assert.equal(await idp.getToken(), 'ann.1')
  b.instead = mints((_, reply) => reply(503, '<h1>Sorry</h1>'))
  await b.advance(51_000)
  assert.ok(b.mints.length > 1)
  assert.equal(await idp.getToken(), 'ann.1')
  await b.advance(10 * 60_000)
  assert.ok(b.mints.length > 12 && b.mints.length < 30, `${b.mints.length} requests in ten minutes`)
  await assert.rejects(b.soon(idp.getToken()), (e) => e.status === 503 && e.passing && e.code === 'unexpected')
  b.instead = () => undefined
  await b.advance(40_000)
  assert.match(await idp.getToken(), /^ann\./)
  const spread = new Set()
  for (let i = 0; i < 5; i++) { // not all browsers come back in the same moment
    b.instead = mints((_, reply) => reply(500, ''))
    const before = b.wall
    await assert.rejects(idp.getToken({ template: `t${i}` }), { status: 500 })
    b.instead = () => undefined
    const many = b.mints.length
    while (b.mints.length === many) await b.advance(5)
    spread.add(b.wall - before)
  }
  assert.ok(spread.size > 1 && Math.min(...spread) >= 1000 && Math.max(...spread) <= 1260, `waited ${[...spread]} ms`)
})

test('every tab waits as long as one was told to', async () => {
  b.enter('ann')
  const [one, two] = [await b.open(), await b.open()]
  const held = later()
  b.instead = mints(async (request, reply) => {
    await held.promise
    return tooMany(request, reply)
  })
  const both = [one, two].map((tab) => tab.idp.getToken())
  both.forEach((p) => p.catch(() => {}))
  await b.advance(10)
  held.done()
  await b.advance(5_000)
  for (const token of both) await assert.rejects(token, (e) => e.status === 429 && e.code === 'too_many' && e.detail === 'Slow down.')
  await assert.rejects(two.idp.getToken(), (e) => e.retryAfter >= 24 && e.retryAfter <= 38)
  assert.equal(b.mints.length, 1)
  two.fire('online') // the network was not what was wrong
  await settle()
  await assert.rejects(two.idp.getToken(), { status: 429 })
  assert.equal(b.mints.length, 1)
  b.instead = () => undefined
  await b.advance(34_000)
  assert.match(await two.idp.getToken(), /^ann\./)
})

test('once the network is back nobody waits', async () => {
  b.enter('ann')
  const tab = await b.open()
  b.instead = () => { throw new TypeError('Failed to fetch') }
  for (let i = 0; i < 5; i++) {
    tab.idp.getToken().catch(() => {})
    await b.advance(3_000)
  }
  await assert.rejects(b.soon(tab.idp.getToken()), { code: 'network', status: 0 })
  b.instead = () => undefined
  tab.fire('online')
  assert.equal(await b.soon(tab.idp.getToken(), 100), 'ann.1')
})

test('a page of somebody in between is no answer', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  assert.equal(await idp.getToken(), 'ann.1')
  await b.advance(49_000)
  b.instead = (_, reply) => reply(200, '<h1>Welcome to our hotel</h1>')
  await b.advance(4_000)
  assert.equal(await idp.getToken(), 'ann.1')
  await b.advance(8_000)
  await assert.rejects(b.soon(idp.getToken()), { code: 'network', passing: true })
  await assert.rejects(idp.refresh(), { code: 'network' })
  assert.equal(idp.user.name, 'ann')
})

test('what a server says to wait is a number of seconds or nothing', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  for (const [said, understood] of [['7', 7], ['0', 0], ['Infinity', undefined], ['1e9', undefined], ['-1', undefined], ['Sun, 22 Nov 2026 12:00:00 GMT', undefined]]) {
    b.instead = (_, reply) => reply(429, { code: 'too_many' }, { 'retry-after': said })
    await assert.rejects(idp.request('GET', '/me'), (e) => e.retryAfter === understood, said)
  }
})

test('a tab that the browser froze does not hold up the others for ever', async () => {
  b.enter('ann')
  const [one, two] = [await b.open(), await b.open()]
  const frozen = new Promise(() => {})
  navigator.locks.request(`idp:${one.idp.issuer}:token:ann/`, {}, () => frozen)
  const token = two.idp.getToken()
  await b.advance(15_000)
  assert.equal(b.mints.length, 0)
  await b.advance(3_100)
  assert.equal(await token, 'ann.1')
})

for (const denied of ['deniesLocks', 'deniesChannels']) {
  test(`a browser that ${denied.replace('denies', 'denies ').toLowerCase()} has tokens all the same`, async () => {
    b.enter('ann')
    b[denied] = true
    const { idp } = await b.open()
    const token = idp.getToken()
    await b.advance(2_000)
    assert.equal(await token, 'ann.1')
  })
}

test('no timer is set for so long that a browser takes it for none', async () => {
  b.enter('ann')
  b.life = 86_400 * 40
  const { idp } = await b.open()
  await idp.getToken()
  await b.advance(60_000)
  assert.equal(b.mints.length, 1)
  for (const { at } of b.timers.values()) assert.ok(at - b.steady <= 20_000)
})

test('what nobody asks for any more is not renewed, and what fails for good is not tried again', async () => {
  b.enter('ann')
  const { idp } = await b.open()
  await idp.getToken()
  await b.advance(30 * 60_000)
  const kept = b.mints.length
  assert.ok(kept >= 6 && kept <= 8, `${kept} in half an hour`)
  b.instead = mints((_, reply) => reply(404, { code: 'template_unknown', detail: 'No.' }))
  idp.observe(() => {})
  await assert.rejects(idp.getToken({ template: 'none' }), { code: 'template_unknown' })
  b.instead = () => undefined
  await b.advance(5 * 60_000)
  assert.equal(b.mints.filter((r) => r.path.endsWith('/none')).length, 1)
})

test('two issuers on one host keep their tokens, browsers and turns apart', async () => {
  b.enter('ann')
  b.environment.browser_tokens = true
  const elsewhere = 'https://other.example.com'
  b.instead = ({ origin, path }, reply) => {
    if (path === '/browsers') return reply(201, { browser_token: `of ${origin}` })
    if (path === '/environment' && origin === elsewhere) return reply(200, { ...b.environment, issuer: elsewhere, token_cookie: 'idp_token_0badcafe' })
  }
  const { idp } = await b.open({ cookie: true })
  const other = await b.open({ issuer: elsewhere, cookie: true })
  const jar = () => Object.fromEntries([...b.jar].map(([name, { value }]) => [name, value]))
  const mine = '__Host-idp_token_3d38e146', theirs = '__Host-idp_token_0badcafe'
  assert.deepEqual(jar(), { [mine]: 'ann.1', [theirs]: 'ann.2' })
  assert.deepEqual([await idp.getToken(), await other.idp.getToken()], ['ann.1', 'ann.2']) // though session and template have one name
  assert.deepEqual([...b.storage], [issuer, elsewhere].map((i) => [`idp.browser:${i}`, `of ${i}`]))

  const held = later() // a slow answer of one is nothing the other waits for
  b.instead = mints(({ origin }) => (origin === issuer ? held.promise : undefined))
  const slow = idp.getToken({ fresh: true })
  await settle()
  assert.equal(await other.idp.getToken({ fresh: true }), 'ann.3')
  held.done()
  assert.equal(await slow, 'ann.4')
  assert.deepEqual(jar(), { [mine]: 'ann.4', [theirs]: 'ann.3' })

  const { sessions } = b
  await idp.signOut()
  assert.deepEqual(jar(), { [theirs]: 'ann.3' })
  assert.deepEqual([idp.user, other.idp.user.id], [null, 'user-ann'])
  b.sessions = sessions
  assert.equal(await other.idp.getToken(), 'ann.3')
})
