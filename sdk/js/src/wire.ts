import { Moment, ServerClock } from './clock.js'
import { IdpError, problemOf } from './errors.js'

const patience = 15_000 // ms that an answer may take
const header = 'Idp-Browser-Token'

export interface RequestOptions {
  signal?: AbortSignal
}

/** How the SDK speaks to the issuer. @internal */
export class Wire {
  readonly clock = new ServerClock()
  /** In development, on a page of another site: no cookie travels, a token stands for this browser. */
  explicit = false
  private introducing: Promise<void> | undefined

  constructor(readonly issuer: string) {}

  async send<T>(method: string, path: string, body?: unknown, options: RequestOptions & { anonymous?: boolean } = {}): Promise<T> {
    if (!this.explicit || options.anonymous) return this.once<T>(method, path, body, options)
    if (!this.token) await this.introduce()
    return this.once<T>(method, path, body, options)
  }

  private async once<T>(method: string, path: string, body: unknown, options: RequestOptions & { anonymous?: boolean }): Promise<T> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), patience)
    const leave = () => stop.abort()
    options.signal?.addEventListener('abort', leave)
    const sent = new Moment()
    const explicit = this.explicit && !options.anonymous
    const headers: Record<string, string> = {}
    if (explicit && this.token) headers[header] = this.token
    const said = body === undefined && method === 'POST' ? {} : body
    if (said !== undefined) headers['Content-Type'] = 'application/json'
    try {
      options.signal?.throwIfAborted()
      const answer = await fetch(this.issuer + '/frontend/v1' + path, {
        method, headers, signal: stop.signal, cache: options.anonymous ? 'default' : 'no-store', redirect: 'error', credentials: this.explicit || options.anonymous ? 'omit' : 'include',
        ...(said === undefined ? {} : { body: JSON.stringify(said) }),
      })
      if (!options.anonymous) this.clock.learn(Date.parse(answer.headers.get('Date') ?? ''), sent) // others may be kept copies
      const renewed = answer.headers.get(header)
      if (explicit && renewed) this.token = renewed
      const text = await answer.text()
      let read: unknown
      try { read = text ? JSON.parse(text) : undefined } catch (e) {
        if (answer.ok) throw e // not ours: a page of somebody in between
      }
      if (!answer.ok) throw problemOf(answer, read)
      return read as T
    } catch (e) {
      if (e instanceof IdpError || options.signal?.aborted) throw e
      throw new IdpError(0, 'network', 'The server cannot be reached.')
    } finally {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', leave)
    }
  }

  // Two calls that find no token make one browser, not two.
  private introduce(): Promise<void> {
    return this.introducing ??= this.once<{ browser_token: string }>('POST', '/browsers', {}, {})
      .then((made) => { this.token ??= made.browser_token })
      .finally(() => { this.introducing = undefined })
  }

  private memory: string | null = null

  private get token(): string | null {
    try { return localStorage.getItem(this.place) } catch { return this.memory }
  }

  private set token(value: string | null) {
    this.memory = value
    try {
      if (value) localStorage.setItem(this.place, value)
      else localStorage.removeItem(this.place)
    } catch { /* storage is blocked: it lasts as long as the page */ }
  }

  private get place(): string { return `idp.browser:${this.issuer}` }
}
