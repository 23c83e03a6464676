import { Moment, sleep } from './clock.js'
import { IdpError, asError } from './errors.js'
import type { Message, Tabs, Trouble } from './tabs.js'
import type { Session } from './types.js'
import type { Wire } from './wire.js'

export interface TokenOptions {
  /** Name of a JWT template; without it a plain session token. */
  template?: string
  /** A token minted from now on, with what changed a moment ago. */
  fresh?: boolean
  /** Keep the token in a cookie of this page's host too, for a server that renders pages. */
  cookie?: boolean
}

/** What the endpoint answers. */
interface Minted {
  jwt: string
  issued_at: string
  expires_at: string
}

interface Kept {
  jwt: string
  life: number // ms in all
  since: Moment // a little before it was made
}

const margin = 1500 // ms before its end at which a token counts as dead: times in it are whole seconds
const used = 5 * 60_000 // ms that a token is kept warm after it was asked for, if nobody observes

/** Milliseconds before its end that a token is renewed: ten seconds of a minute, and in proportion. */
const lead = (life: number): number => Math.min(Math.max(life / 6, 2 * margin), 5 * 60_000)
const left = (k: Kept | undefined): number => (k ? k.life - k.since.ago - margin : 0)
const stale = (k: Kept): boolean => left(k) <= lead(k.life) - margin

/** Session tokens: kept in memory, renewed before their end, made once for all tabs. @internal */
export class Tokens {
  private readonly kept = new Map<string, Kept>()
  private readonly asked = new Map<string, Moment>()
  private readonly running = new Map<string, Promise<string | null>>()
  private pause: { since: Moment; ms: number; fails: number; error: IdpError } | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  /** The template, perhaps "", whose token is in the cookie. */
  private cookie: string | undefined
  /** What another tab tried in vain. */
  private readonly failed = new Set<string>()
  /** How often old tokens were forgotten, and when last. */
  private era = 0
  private forgot: Moment | undefined
  /** When the server last said that the session lives. */
  heard = new Moment()

  constructor(
    private readonly wire: Wire,
    private readonly tabs: Tabs,
    private readonly host: {
      /** The id of the session in use. */
      active(): string | undefined
      sessions(): readonly Session[]
      observed(): boolean
      /** The cookie's name, as the issuer calls it. */
      cookie(): string
      ended(session: string): Promise<void>
      /** Asks whether the sessions still live. */
      check(): Promise<unknown>
    },
  ) {}

  /** Keeps the cookie from when somebody signs in; until then there is none. */
  wish(template = ''): void {
    this.cookie = template
    this.write(undefined)
  }

  async get(session: string, { template = '', fresh = false, cookie = false }: TokenOptions): Promise<string | null> {
    const key = `${session}/${template}`
    this.asked.set(key, new Moment())
    if (cookie && this.cookie !== template) {
      this.cookie = template
      fresh = true // the server says whether it is small enough
    }
    const k = this.kept.get(key)
    if (k && !fresh && left(k) > 0) {
      if (!stale(k)) {
        this.schedule()
        return k.jwt
      }
      if (left(k) > lead(k.life) / 2) { // good for a while: nobody has to wait for the next
        this.renew(key).catch(() => {})
        return k.jwt
      }
    }
    try {
      return await this.renew(key, fresh)
    } catch (e) {
      const still = this.kept.get(key)
      if (still && !fresh && asError(e).passing && left(still) > 0) return still.jwt
      throw e
    }
  }

  /** One renewal at a time in this tab; a fresh one begins after whatever began before. */
  private renew(key: string, fresh = false): Promise<string | null> {
    const name = fresh ? key + '!' : key
    let run = this.running.get(name)
    if (!run) {
      const before = fresh ? this.running.get(key) : undefined
      run = Promise.resolve(before?.catch(() => null)).then(() => this.once(key, fresh)).finally(() => {
        this.running.delete(name)
        this.schedule()
      })
      this.running.set(name, run)
    }
    return run
  }

  private async once(key: string, fresh: boolean): Promise<string | null> {
    await this.patience(key)
    const before = this.kept.get(key)
    this.failed.delete(key)
    return this.tabs.alone('token:' + key, async (waited) => {
      if (!fresh) {
        const found = () => { const k = this.kept.get(key); return k && k !== before && !stale(k) ? k.jwt : undefined }
        for (const since = new Moment(); waited && !found() && !this.failed.has(key) && since.ago < 2000;) await sleep(20)
        const theirs = found()
        if (theirs) return theirs
        if (waited) await this.patience(key)
      }
      return this.mint(key)
    })
  }

  /** Leaves a server in trouble alone. */
  private async patience(key: string): Promise<void> {
    const { pause } = this, still = pause ? pause.ms - pause.since.ago : 0
    if (!pause || still <= 0) return
    if (still > 3000 || left(this.kept.get(key)) > 0) throw this.waiting(pause)
    await sleep(still) // a hitch is nobody's concern
  }

  private async mint(key: string): Promise<string | null> {
    const cut = key.indexOf('/'), session = key.slice(0, cut), template = key.slice(cut + 1)
    const since = new Moment(), { era } = this
    try {
      const path = `/sessions/${encodeURIComponent(session)}/tokens` + (template && '/' + encodeURIComponent(template))
      const minted = await this.wire.send<Minted>('POST', path, this.cookie === template ? { cookie: true } : {})
      const issued = Date.parse(minted.issued_at)
      this.wire.clock.learn(issued, since)
      this.pause = undefined
      this.heard = new Moment()
      const k: Kept = { jwt: minted.jwt, life: Date.parse(minted.expires_at) - issued, since }
      if (era !== this.era) return this.mint(key) // what it says was outdated on the way
      this.keep(key, k)
      this.tabs.tell({ kind: 'token', key, jwt: k.jwt, life: k.life, spent: since.ago, at: Date.now() })
      return k.jwt
    } catch (e) {
      const error = asError(e)
      if (error.passing) this.rest(error)
      const { pause } = this, { status, code, detail } = error
      this.tabs.tell({ kind: 'failed', key, ...(pause && error.passing && { pause: { ms: pause.ms, fails: pause.fails, status, code, detail } }) })
      if (error.status === 401 || error.code === 'session_unknown') {
        await this.host.ended(session)
        return null
      }
      if (!error.passing) this.asked.delete(key) // it will not work in the background either
      throw error
    }
  }

  // Waits longer each time, by chance a little more or less, so that not all browsers come back at once.
  private rest(error: IdpError): void {
    const fails = (this.pause?.fails ?? 0) + 1
    const ms = Math.max(Math.min(error.retryAfter ?? 0, 300) * 1000, Math.min(30_000, 500 * 2 ** fails)) * (1 + Math.random() / 4)
    this.pause = { since: new Moment(), ms, fails, error }
  }

  /** Another tab tried in vain: what it was told holds for this one too. */
  fail(key: string, pause?: Trouble): void {
    this.failed.add(key)
    if (!pause || !(pause.ms <= 400_000)) return
    this.pause = { since: new Moment(), ms: pause.ms, fails: pause.fails, error: new IdpError(pause.status, pause.code, pause.detail) }
    this.schedule()
  }

  private waiting({ error, ms, since }: { error: IdpError; ms: number; since: Moment }): IdpError {
    return new IdpError(error.status, error.code, error.detail, error.field, error.goal, Math.ceil(Math.max(0, ms - since.ago) / 1000))
  }

  private keep(key: string, k: Kept): void {
    this.failed.delete(key)
    const have = this.kept.get(key)
    if (have && left(have) > left(k)) return
    this.kept.set(key, k)
    if (this.cookie !== undefined && key === `${this.host.active()}/${this.cookie}`) this.write(k)
    this.schedule()
  }

  /** Takes a token that another tab has. */
  take(m: Message & { kind: 'token' }): void {
    const k = { jwt: m.jwt, life: m.life, since: new Moment(m.spent + Math.max(0, Date.now() - m.at)) }
    if (!(left(k) > 0) || this.outdated(m.key, k)) return
    this.heard = new Moment()
    this.keep(m.key, k)
  }

  /** Tells a tab that just opened what is there. */
  offer(): void {
    for (const [key, k] of this.kept) {
      if (left(k) > 0) this.tabs.tell({ kind: 'token', key, jwt: k.jwt, life: k.life, spent: k.since.ago, at: Date.now() })
    }
  }

  private sessionOf(key: string): Session | undefined {
    return this.host.sessions().find((s) => key.startsWith(s.id + '/'))
  }

  /** Whether its session proved more since: here or in a tab, or on a page of the issuer. */
  private outdated(key: string, k: Kept): boolean {
    const proved = Date.parse(this.sessionOf(key)?.auth_time ?? '')
    return this.forgot !== undefined && k.since.ago >= this.forgot.ago || proved > this.wire.clock.now() - k.since.ago + 1000 // what clocks may be off
  }

  /** Forgets the tokens of sessions that are over, and those that say too little. */
  prune(): void {
    for (const [key, k] of this.kept) if (!this.sessionOf(key) || this.outdated(key, k)) this.kept.delete(key)
    for (const key of this.asked.keys()) if (!this.sessionOf(key)) this.asked.delete(key)
    if (this.cookie !== undefined) {
      const active = this.host.active()
      if (!active) this.write(undefined)
      else if (!this.write(this.kept.get(`${active}/${this.cookie}`))) this.asked.set(`${active}/${this.cookie}`, new Moment())
    }
    this.schedule()
  }

  /** What a session proved has changed: its tokens say too little. */
  forget(): void {
    this.era++
    this.forgot = new Moment()
    this.kept.clear()
    this.schedule()
  }

  /** Tries again at once, for the network is back. */
  resume(): void {
    if (this.pause?.error.status === 0) this.pause = undefined
    this.schedule()
  }

  // The background: while somebody looks at the page, what is in use is renewed before it ends, and a page that
  // observes hears within a minute that its session ended elsewhere.
  schedule(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const active = this.host.active()
    if (!active || document.visibilityState === 'hidden') return
    let due = Infinity
    const next: Array<() => Promise<unknown>> = []
    for (const [key, when] of this.asked) {
      if (!key.startsWith(active + '/') || this.running.has(key)) continue
      const warm = this.host.observed() || when.ago < used || key === `${active}/${this.cookie}`
      if (!warm) continue
      const k = this.kept.get(key)
      due = Math.min(due, k ? Math.max(0, left(k) - lead(k.life) + margin) : 0)
      next.push(() => { const now = this.kept.get(key); return now && !stale(now) ? Promise.resolve() : this.renew(key) })
    }
    if (this.host.observed()) {
      due = Math.min(due, Math.max(0, 60_000 - this.heard.ago))
      next.push(async () => {
        if (this.heard.ago < 60_000) return
        this.heard = new Moment()
        await this.host.check()
      })
    }
    if (due === Infinity) return
    if (this.pause) due = Math.max(due, this.pause.ms - this.pause.since.ago)
    // Timers stand still while the machine sleeps: none is set for long.
    this.timer = setTimeout(() => {
      this.timer = undefined
      void Promise.allSettled(next.map((go) => go())).then(() => { this.timer ?? this.schedule() })
    }, Math.min(Math.max(due, 50), 20_000))
  }

  /** Writes the cookie, or removes it. Returns whether there was something to write. */
  private write(k: Kept | undefined): boolean {
    const safe = location.protocol === 'https:'
    const seconds = Math.max(0, Math.floor(left(k) / 1000))
    document.cookie = `${safe ? '__Host-' : ''}${this.host.cookie()}=${seconds ? k?.jwt : ''}; Path=/; SameSite=Lax; Max-Age=${seconds}${safe ? '; Secure' : ''}`
    return seconds > 0
  }
}
