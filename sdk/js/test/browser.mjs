// A browser as far as the SDK looks at one, and an issuer that answers as a test wants: time passes when a test says so,
// every tab has bundles of its own, and what goes over the wire is there to be looked at. Node's test runner needs no more.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.SDK_DIST ?? fileURLToPath(new URL('../dist/', import.meta.url))
export const issuer = 'https://id.example.com'
const real = { setImmediate, setTimeout }

/** Lets all that is ready happen. */
export const settle = async () => { for (let i = 0; i < 12; i++) await new Promise((done) => real.setImmediate(done)) }

export class Browser {
  wall = Date.UTC(2026, 10, 22, 12)
  steady = 1000
  ahead = 0 // ms that this machine's clock is ahead of the server's
  timers = new Map()
  asked = [] // {method, path, body, headers, init}, in order
  sessions = []
  minted = 0
  life = 60 // seconds of a token
  storage = new Map()
  jar = new Map() // cookies of the page
  errors = [] // that observers threw
  went = [] // where pages were sent
  visibility = 'visible'
  environment = { issuer, name: 'Here', locale: 'en', words: {}, methods: {}, browser_tokens: false, token_cookie: 'idp_token_3d38e146' }
  /** Answers in the issuer's place if it returns something; may be a promise. */
  instead = () => undefined
  #listeners = []
  #channels = new Set()
  #locks = new Map()
  #opening
  #places = []
  #count = 0

  constructor() {
    const b = this
    const listen = (type, fn) => b.#listeners.push({ tab: b.#opening, type, fn })
    class Clock extends Date { static now() { return b.wall } }
    class Channel {
      constructor(name) {
        if (b.deniesChannels) throw new DOMException('denied', 'SecurityError')
        this.name = name
        b.#channels.add(this)
      }
      postMessage(said) {
        const copy = structuredClone(said)
        for (const other of b.#channels) if (other !== this && other.name === this.name) queueMicrotask(() => b.#channels.has(other) && other.onmessage?.({ data: copy }))
      }
      close() { b.#channels.delete(this) }
    }
    const known = {
      Date: Clock, performance: { now: () => b.steady }, BroadcastChannel: Channel, fetch: (url, init) => b.#fetch(url, init),
      setTimeout: (fn, ms = 0, ...more) => b.#later(fn, ms, more), clearTimeout: (id) => b.timers.delete(id),
      document: { get visibilityState() { return b.visibility }, addEventListener: listen, get cookie() { return '' }, set cookie(line) { b.#bake(line) } },
      location: { href: 'https://app.example.com/here?a=b#c', protocol: 'https:', origin: 'https://app.example.com', assign: (to) => b.went.push(to) },
      addEventListener: listen, reportError: (e) => b.errors.push(e), self: { origin: 'https://app.example.com' },
      navigator: { locks: { request: (name, o, work) => b.#lock(name, o, work) } },
      localStorage: { getItem: (k) => b.storage.get(k) ?? null, setItem: (k, v) => b.storage.set(k, String(v)), removeItem: (k) => b.storage.delete(k) },
    }
    for (const [name, value] of Object.entries(known)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }

  /** Opens a page with the SDK in it. `tab.fire` tells it what the browser would. */
  async open(options = {}) {
    const place = mkdtempSync(join(tmpdir(), 'tab-'))
    this.#places.push(place)
    cpSync(dist, place, { recursive: true })
    const tab = this.#opening = { fire: (type, event = {}) => { for (const l of this.#listeners) if (l.tab === tab && l.type === type) l.fn(event) } }
    Object.assign(tab, await import(pathToFileURL(join(place, 'idp.js'))))
    const opening = tab.load({ issuer, ...options })
    opening.catch(() => {})
    await settle()
    tab.idp = await opening
    return tab
  }

  close() { for (const place of this.#places) rmSync(place, { recursive: true, force: true }) }

  /** Signs somebody in, as the server sees it. */
  enter(id, more = {}) {
    for (const s of this.sessions) s.active = false
    this.sessions.push({ id, active: true, user: { id: `user-${id}`, name: id }, methods: ['pwd'], auth_time: this.at(), last_active_at: this.at(), expires_at: this.at(86_400_000), ...more })
  }

  at(later = 0) { return new Date(this.wall - this.ahead + later).toISOString() }

  async advance(ms) {
    const end = this.wall + ms
    await settle()
    for (;;) {
      const [id, next] = [...this.timers].sort((a, b) => a[1].at - b[1].at)[0] ?? []
      if (!next || next.at > this.steady + end - this.wall) break
      this.pass(Math.max(0, next.at - this.steady))
      this.timers.delete(id)
      next.fn(...next.more)
      await settle()
    }
    this.pass(end - this.wall)
    await settle()
  }

  /** What a promise comes to, in a while. */
  async soon(promise, most = 5_000) {
    let over = false
    promise.then(() => { over = true }, () => { over = true })
    for (let waited = 0; !over && waited <= most; waited += 50) await this.advance(50)
    if (!over) throw new Error(`nothing within ${most} ms`)
    return promise
  }

  /** Time goes by and no timer with it. */
  pass(ms) { this.wall += ms; this.steady += ms }

  /** Somebody sets this machine's clock. */
  set(ms) { this.wall += ms; this.ahead += ms }

  requests(path) { return this.asked.filter((r) => r.path.startsWith(path)) }
  get mints() { return this.asked.filter((r) => /\/tokens(\/|$)/.test(r.path)) }
  get channels() { return this.#channels.size }

  #later(fn, ms, more) {
    const id = ++this.#count
    const wait = ms > 2 ** 31 - 1 || !(ms > 0) ? 1 : ms // as browsers do with what is too much for them
    this.timers.set(id, { at: this.steady + wait, fn, more })
    return id
  }

  #bake(line) {
    const [pair, ...attributes] = line.split('; ')
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    if (attributes.includes('Max-Age=0')) this.jar.delete(name)
    else this.jar.set(name, { value, attributes })
  }

  async #fetch(url, init) {
    const { origin, pathname, search } = new URL(url)
    const request = { origin, method: init.method, path: pathname.replace('/frontend/v1', '') + search, body: init.body && JSON.parse(init.body), headers: init.headers, init }
    this.asked.push(request)
    const date = { date: new Date(this.wall - this.ahead).toUTCString() }
    const reply = (status, body, headers = {}) => new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers: { ...date, ...headers } })
    let abort
    const aborted = new Promise((_, no) => {
      abort = () => no(new DOMException('aborted', 'AbortError'))
      if (init.signal?.aborted) abort()
      init.signal?.addEventListener('abort', abort)
    })
    aborted.catch(() => {})
    const said = await Promise.race([aborted, Promise.resolve(this.instead(request, reply))])
    return said ?? this.#answer(request, reply)
  }

  #answer({ method, path }, reply) {
    const gone = () => reply(404, { code: 'session_unknown', detail: 'That session has ended.' })
    const [, id, act] = /^\/sessions\/([^/]+)(?:\/(\w+))?/.exec(path) ?? []
    const here = this.sessions.find((s) => s.id === id)
    if (path.startsWith('/environment')) return reply(200, this.environment)
    if (id && !here) return gone()
    if (act === 'tokens') {
      const jwt = `${id}.${++this.minted}`
      return reply(201, { jwt, issued_at: this.at(), expires_at: this.at(this.life * 1000) })
    }
    if (act === 'activate') for (const s of this.sessions) s.active = s.id === id
    if (method === 'DELETE') this.sessions = id ? this.sessions.filter((s) => s.id !== id) : []
    if (this.sessions.length && !this.sessions.some((s) => s.active)) this.sessions[0].active = true
    if (path.startsWith('/sessions')) return reply(200, { sessions: structuredClone(this.sessions) })
    return reply(404, { code: 'not_found' })
  }

  // Web Locks, as far as needed: one holder of a name, the others in order.
  async #lock(name, { ifAvailable, signal }, work) {
    if (this.deniesLocks) throw new DOMException('denied', 'SecurityError')
    const queue = this.#locks.get(name) ?? []
    if (ifAvailable && queue.length) return work(null)
    this.#locks.set(name, queue)
    let go
    const turn = new Promise((done, no) => {
      go = done
      signal?.addEventListener('abort', () => { queue.splice(queue.indexOf(go), 1); no(signal.reason) })
    })
    queue.push(go)
    if (queue[0] === go) go()
    await turn
    try {
      return await work({ name })
    } finally {
      queue.shift()
      if (queue.length) queue[0]()
      else this.#locks.delete(name)
    }
  }
}

/** A promise that a test resolves. */
export function later() {
  let done
  const promise = new Promise((d) => { done = d })
  return { promise, done }
}
