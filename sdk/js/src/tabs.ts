import { sleep } from './clock.js'

/** What tabs of one origin tell each other. */
export type Message =
  | { kind: 'hello' }
  | { kind: 'token'; key: string; jwt: string; life: number; spent: number; at: number }
  | { kind: 'failed'; key: string; pause?: Trouble }
  | { kind: 'sessions'; sessions: unknown }
  | { kind: 'forget' }

/** What the server is in, and for how many milliseconds to leave it alone. */
export interface Trouble { ms: number; fails: number; status: number; code: string; detail: string }

const leaseTime = 16_000 // ms, a little longer than a request may take

/** The tabs of this origin that speak with one issuer. @internal */
export class Tabs {
  private channel: BroadcastChannel | undefined
  private readonly name: string

  constructor(issuer: string, private readonly hear: (message: Message) => void) {
    this.name = `idp:${issuer}`
    this.open()
  }

  /** An open channel would keep a page out of the back-forward cache. */
  open(): void {
    if (this.channel || typeof BroadcastChannel === 'undefined') return
    try { this.channel = new BroadcastChannel(this.name) } catch { return } // storage is blocked: each tab for itself
    this.channel.onmessage = (e) => this.hear(e.data as Message)
  }

  close(): void {
    this.channel?.close()
    this.channel = undefined
  }

  tell(message: Message): void {
    this.channel?.postMessage(message)
  }

  /**
   * Runs work while no other tab does the same. `waited` says that another one did before: what it found is told over
   * the channel and may arrive a moment later than the lock.
   */
  async alone<T>(what: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const name = `${this.name}:${what}`
    const locks = navigator.locks as LockManager | undefined // secure contexts only
    if (!locks || self.origin === 'null') return this.leased(name, work)
    try {
      const first = await locks.request(name, { ifAvailable: true }, async (lock) => lock && { done: await work(false) })
      if (first) return first.done
    } catch (e) {
      if ((e as Error).name === 'SecurityError') return this.leased(name, work) // storage is blocked
      throw e
    }
    // A holder that the browser froze does not hold up the others for ever.
    const enough = new AbortController(), timer = setTimeout(() => enough.abort(), leaseTime)
    try {
      return await (locks.request(name, { signal: enough.signal }, () => { clearTimeout(timer); return work(true) }) as Promise<T>)
    } catch (e) {
      if (!enough.signal.aborted) throw e
      return work(true)
    } finally {
      clearTimeout(timer)
    }
  }

  // Without locks: a note in localStorage that expires. Two tabs that write at once see who came last.
  private async leased<T>(name: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const mine = Math.random().toString(36).slice(2)
    let waited = false
    const read = () => { try { return localStorage.getItem(name) ?? '' } catch { return '' } }
    const write = (value: string) => { try { localStorage.setItem(name, value) } catch { /* alone, then */ } }
    for (let tries = 0; tries < 400; tries++) {
      const [holder, until] = read().split(' ')
      if (holder === mine) break
      const taken = Number(until) - Date.now()
      if (taken > 0 && taken <= leaseTime) {
        waited = true
        await sleep(40 + Math.random() * 40)
        continue
      }
      write(`${mine} ${Date.now() + leaseTime}`)
      if (!read()) break // storage is blocked
      await sleep(80 + Math.random() * 40)
    }
    try {
      return await work(waited)
    } finally {
      if (read().startsWith(mine + ' ')) try { localStorage.removeItem(name) } catch { /* it expires */ }
    }
  }
}
