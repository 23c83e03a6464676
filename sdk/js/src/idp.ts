// Signs people in on pages of yours and gives them tokens that your servers verify.

import { webAddress } from './address.js'
import { Attempt, type AttemptOptions } from './attempt.js'
import { IdpError, asError } from './errors.js'
import { Tabs, type Message } from './tabs.js'
import { Tokens, type TokenOptions } from './tokens.js'
import type { Environment, Goal, Me, Session, User } from './types.js'
import { Moment } from './clock.js'
import { Wire, type RequestOptions } from './wire.js'

export { Attempt, IdpError }
export type { AttemptOptions, SignUpFields } from './attempt.js'
export type { TokenOptions } from './tokens.js'
export type { RequestOptions } from './wire.js'
export type * from './types.js'

export interface LoadOptions {
  /** The issuer, such as `https://id.example.com`. Not needed where the script itself comes from there. */
  issuer?: string
  /** Keep the session token in a cookie of this page's host, for a server that renders pages. */
  cookie?: boolean
  /** The language of the environment's words, as `de` or `pt-BR`; what the browser asks for if it is not said. */
  locale?: string
}

/** Who is signed in on this browser. */
export interface State {
  /** The session in use, or null: nobody is signed in. */
  readonly session: Session | null
  readonly user: User | null
  /** All accounts that are signed in here. */
  readonly sessions: readonly Session[]
}

export interface RedirectOptions {
  /** Where to come back to: a URL of a listed origin; this page if it is not said. */
  returnTo?: string
}

export interface SignOutOptions {
  /** Which session ends: the one in use if it is not said, or `all` of this browser. */
  session?: string
  /** The person's sessions on other devices end too. */
  everywhere?: boolean
  /** Where to go then: an http or https address; nowhere, if it is another. */
  returnTo?: string
}

const loaded = new Map<string, Promise<Idp>>()

/** Connects with the issuer. Call it as often as you like: there is one connection for each issuer. */
export async function load(options: LoadOptions = {}): Promise<Idp> {
  const issuer = issuerOf(options)
  const base = once(issuer, () => Idp.connect(issuer, options.locale))
  const { locale } = options
  const idp = await (locale ? once(`${issuer} ${locale}`, async () => (await base).speaking(locale)) : base)
  if (options.cookie) await idp.getToken({ cookie: true })
  return idp
}

function once(key: string, make: () => Promise<Idp>): Promise<Idp> {
  let idp = loaded.get(key)
  if (!idp) {
    idp = make()
    loaded.set(key, idp)
    idp.catch(() => loaded.delete(key)) // the next call tries again
  }
  return idp
}

function issuerOf({ issuer }: LoadOptions): string {
  if (typeof document === 'undefined') throw new IdpError(0, 'browser_needed', 'load works in browsers only.')
  const found = issuer ?? /^(.+)\/sdk\/v1\/[^/]+$/.exec(import.meta.url)?.[1]
  if (!found) throw new IdpError(0, 'issuer_missing', 'Say which issuer to use: load({ issuer: "https://…" }).')
  return new URL(found).href.replace(/\/+$/, '')
}

/** What of sessions is worth telling: that one was used a moment ago is not. */
const telling = (sessions: readonly Session[]): string =>
  JSON.stringify(sessions.map((s) => ({ ...s, last_active_at: '', expires_at: '' })))

/** One issuer, as this page sees it. */
export class Idp {
  /** What is known before anybody signs in: name, words, methods. */
  environment!: Environment
  private readonly known = {
    state: { session: null, user: null, sessions: [] } as State,
    told: 0, // how often another source than our own question said who is signed in
    turn: Promise.resolve() as Promise<unknown>, // questions wait for each other: an old answer must not undo a new one
  }
  private readonly observers = new Set<(state: State) => void>()
  private readonly wire: Wire
  private readonly tabs: Tabs
  private readonly tokens: Tokens

  private constructor(readonly issuer: string) {
    this.wire = new Wire(issuer)
    this.tabs = new Tabs(issuer, (m) => this.hear(m))
    this.tokens = new Tokens(this.wire, this.tabs, {
      active: () => this.state.session?.id,
      sessions: () => this.state.sessions,
      observed: () => this.observers.size > 0,
      cookie: () => this.environment.token_cookie,
      ended: (id) => this.ended(id),
      check: () => this.refresh(),
    })
  }

  /** @internal */
  static async connect(issuer: string, locale?: string): Promise<Idp> {
    const idp = new Idp(issuer)
    try {
      idp.tabs.tell({ kind: 'hello' })
      idp.environment = await idp.describe(locale)
      idp.wire.explicit = idp.environment.browser_tokens
      await idp.refresh()
    } catch (e) {
      idp.tabs.close()
      throw e
    }
    idp.listen()
    return idp
  }

  private get state(): State { return this.known.state }

  /** The same connection with the environment in another language. @internal */
  async speaking(locale: string): Promise<Idp> {
    const environment = this.environment.locale === locale ? this.environment : await this.describe(locale)
    return Object.create(this, { environment: { value: environment, enumerable: true } }) as Idp
  }

  private describe(locale = ''): Promise<Environment> {
    return this.wire.send('GET', '/environment' + (locale && `?locale=${encodeURIComponent(locale)}`), undefined, { anonymous: true })
  }

  /** The session in use, or null. */
  get session(): Session | null { return this.state.session }
  /** Who is signed in, or null. */
  get user(): User | null { return this.state.user }
  /** All accounts that are signed in on this browser. */
  get sessions(): readonly Session[] { return this.state.sessions }

  /** The server's time in milliseconds since 1970, whatever this machine's clock says. */
  now(): number { return this.wire.clock.now() }

  /** Calls fn now and whenever who is signed in changes, in whatever tab. Returns what stops it. */
  observe(fn: (state: State) => void): () => void {
    this.observers.add(fn)
    this.tokens.schedule()
    fn(this.state)
    return () => {
      this.observers.delete(fn)
      this.tokens.schedule()
    }
  }

  /** A token for your servers, or null: nobody is signed in. It lives for a little while yet; ask anew for each request. */
  async getToken(options: TokenOptions = {}): Promise<string | null> {
    const { session } = this.state
    if (!session && options.cookie) this.tokens.wish(options.template)
    const token = session && await this.tokens.get(session.id, options)
    return this.state.session?.id === session?.id ? token : this.getToken(options) // signed out or another one meanwhile
  }

  /** Asks the server who is signed in. */
  async refresh(): Promise<State> { return this.listed('GET', '/sessions') }

  /** Uses another account of this browser from now on. */
  async switchTo(session: string): Promise<State> { return this.one('POST', session, '/activate') }

  /** Ends a session. */
  async signOut({ session = this.state.session?.id, everywhere, returnTo }: SignOutOptions = {}): Promise<void> {
    if (everywhere && this.state.session) await this.request('POST', '/me/sessions/end-others')
    if (session === 'all') await this.listed('DELETE', '/sessions')
    else if (session) await this.one('DELETE', session)
    const next = returnTo && webAddress(returnTo, location.href)
    if (next) location.assign(next)
  }

  /** Where a page of the issuer is, and how it leads back here. */
  url(page: 'sign-in' | 'sign-up' | 'account', { returnTo = location.href }: RedirectOptions = {}): string {
    return `${this.issuer}/${page}?return_to=${encodeURIComponent(new URL(returnTo, location.href).href)}`
  }

  /** Leaves for the sign-in page. */
  signIn(options?: RedirectOptions): void { location.assign(this.url('sign-in', options)) }
  /** Leaves for the sign-up page. */
  signUp(options?: RedirectOptions): void { location.assign(this.url('sign-up', options)) }
  /** Leaves for the account's pages. */
  account(options?: RedirectOptions): void { location.assign(this.url('account', options)) }

  /** Begins to sign in, sign up or prove something, on a page of your own. */
  attempt(goal: Goal, options: AttemptOptions = {}): Promise<Attempt> {
    return this.heeding(Attempt.start(this.wire, this.changed, goal, options))
  }

  /** Goes on with an attempt of this browser. */
  resume(attempt: string): Promise<Attempt> { return Attempt.resume(this.wire, this.changed, attempt) }

  /** The signed-in person, as they see themselves. */
  me(): Promise<Me> { return this.request('GET', '/me') }

  /** Changes the profile: what is named changes. */
  async updateMe(change: Record<string, unknown>): Promise<Me> {
    const me = await this.request<Me>('PATCH', '/me', change)
    await this.refresh()
    return me
  }

  /** Calls the Frontend API: `path` is what follows /frontend/v1. */
  request<T = unknown>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.heeding(this.wire.send<T>(method, path, body, options))
  }

  // What is refused because nobody is signed in tells that a session ended elsewhere.
  private async heeding<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (e) {
      if (asError(e).status === 401 && this.state.session) await this.refresh().catch(() => {})
      throw e
    }
  }

  // Somebody signed in, or proved more than before: old tokens say too little.
  private readonly changed = async (): Promise<void> => {
    this.tokens.forget()
    this.tabs.tell({ kind: 'forget' })
    await this.refresh()
  }

  /** Changes one session. That it ended elsewhere is learned, and to end it then is no failure. */
  private async one(method: string, session: string, end = ''): Promise<State> {
    try {
      return await this.listed(method, `/sessions/${encodeURIComponent(session)}${end}`)
    } catch (e) {
      const { status, code } = asError(e)
      if (status !== 401 && code !== 'session_unknown') throw e
      const state = await this.refresh()
      if (method === 'DELETE' && !state.sessions.some((s) => s.id === session)) return state
      throw e
    }
  }

  private listed(method: string, path: string): Promise<State> {
    const { known } = this
    const answer = known.turn.then(async () => {
      const ask = () => this.wire.send<{ sessions: Session[] }>(method, path)
      const { told } = known
      let { sessions } = await ask()
      if (method === 'GET' && told !== known.told) ({ sessions } = await ask()) // what was heard meanwhile may be newer
      this.tokens.heard = new Moment()
      if (this.set(sessions)) this.tabs.tell({ kind: 'sessions', sessions })
      return this.state
    })
    known.turn = answer.catch(() => {})
    return answer
  }

  /** The server says that a session is over. */
  private async ended(id: string): Promise<void> {
    const sessions = this.state.sessions.filter((s) => s.id !== id)
    this.known.told++
    if (this.set(sessions)) this.tabs.tell({ kind: 'sessions', sessions })
    if (sessions.length) await this.refresh().catch(() => {}) // another account may take its place
  }

  /** Takes a list, tells those who observe and returns whether anything changed. */
  private set(sessions: readonly Session[]): boolean {
    const same = telling(sessions) === telling(this.state.sessions)
    const session = sessions.find((s) => s.active) ?? null
    this.known.state = { session, user: session?.user ?? null, sessions }
    if (same) return false
    this.tokens.prune()
    for (const fn of [...this.observers]) {
      try { fn(this.state) } catch (e) { reportError(e) }
    }
    return true
  }

  private hear(message: Message): void {
    switch (message.kind) {
      case 'hello': return this.tokens.offer()
      case 'token': return this.tokens.take(message)
      case 'failed': return this.tokens.fail(message.key, message.pause)
      case 'forget': return this.tokens.forget()
      case 'sessions':
        this.known.told++
        this.set(message.sessions as Session[])
    }
  }

  private listen(): void {
    const wake = (): void => {
      if (document.visibilityState === 'hidden') return
      this.tokens.resume()
      if (this.tokens.heard.ago > 10_000) this.refresh().catch(() => {})
    }
    document.addEventListener('visibilitychange', () => { this.tokens.schedule(); wake() })
    addEventListener('online', wake)
    addEventListener('pagehide', () => this.tabs.close())
    addEventListener('pageshow', (e) => {
      this.tabs.open()
      if (e.persisted) this.refresh().catch(() => {})
      wake()
    })
  }
}
