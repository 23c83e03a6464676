import { IdpError } from './errors.js'
import type { Departure, Goal, Method, View } from './types.js'
import type { Wire } from './wire.js'

export interface AttemptOptions {
  /** Where to go when complete: a path of the issuer or a URL of a listed origin. It comes back as `view.next`. */
  returnTo?: string
  /** This browser is used by others too: nothing of the session outlives its window. */
  public?: boolean
  /** Of an invitation, as its link has it. */
  invitation?: string
  /** For the goal `connect`: by which to sign in from now on. */
  connection?: string
  /** Of the application that waits for the sign-in. */
  ask?: string
}

/** What a sign-up asks for; send what `view.missing` names. */
export interface SignUpFields {
  email?: string
  name?: string
  password?: string
  locale?: string
}

/**
 * One try at signing in, signing up, or proving something within a session. Each call sends one event and sets `view`,
 * which says what is owed next; an event that is refused throws and leaves `view` as it was.
 */
export class Attempt {
  private constructor(
    private readonly wire: Wire,
    private readonly complete: () => Promise<unknown>,
    /** What a screen may know now. */
    public view: View,
  ) {}

  /** @internal */
  static async start(wire: Wire, complete: () => Promise<unknown>, goal: Goal, o: AttemptOptions): Promise<Attempt> {
    const view = await wire.send<View>('POST', '/attempts', {
      goal, return_to: o.returnTo, public: o.public, invitation: o.invitation, connection: o.connection, ask: o.ask,
    })
    return new Attempt(wire, complete, view)
  }

  /** @internal */
  static async resume(wire: Wire, complete: () => Promise<unknown>, id: string): Promise<Attempt> {
    return new Attempt(wire, complete, await wire.send<View>('GET', `/attempts/${encodeURIComponent(id)}`))
  }

  /** Where to go now that it is complete, as an absolute URL. */
  get next(): string | undefined {
    return this.view.next && new URL(this.view.next, this.wire.issuer).href
  }

  /** Asks again what is owed: something may have happened elsewhere, such as a link that was opened. */
  async look(): Promise<View> {
    return this.seen(await this.wire.send<View>('GET', this.path('')))
  }

  /** Says who somebody is: an address, a number or a user name. */
  identify(identifier: string): Promise<View> { return this.event('identify', { identifier }) }

  /** Has a code or link sent, or a passkey's question made. */
  prepare(method: Method): Promise<View> { return this.event('prepare', { method }) }

  /** Proves one method: a password, a code, or what a passkey answered. `trust` lets this browser skip the second step for a while. */
  prove(method: Method, answer: string, { trust = false } = {}): Promise<View> { return this.event('prove', { method, answer, trust }) }

  /** Sends the fields of a sign-up. */
  submit(fields: SignUpFields): Promise<View> { return this.event('submit', fields) }

  /** Says that the password is lost. */
  forgot(): Promise<View> { return this.event('forgot') }

  /** Sets the new password. */
  password(password: string): Promise<View> { return this.event('password', { password }) }

  /** Chooses what to set up; `detail` is a number or a name. */
  enroll(method: Method, detail?: string): Promise<View> { return this.event('enroll', { method, detail }) }

  /** Shows that what was set up works. */
  confirm(answer: string): Promise<View> { return this.event('confirm', { answer }) }

  /** Gives up. */
  cancel(): Promise<View> { return this.event('cancel') }

  /** Passes the bot check: with a widget's answer, or by solving the puzzle here. */
  async human(answer?: string, more: { progress?: (done: number, of: number) => void; signal?: AbortSignal } = {}): Promise<View> {
    if (answer === undefined) {
      const puzzle = this.view.human?.puzzle
      if (!puzzle) throw new IdpError(0, 'bot_check_foreign', 'This check is made by a widget, whose answer is needed.')
      answer = await (await import('./work.js')).solve(puzzle, more)
    }
    return this.event('human', { answer })
  }

  /** Asks for a passkey or security key and proves it. With `conditional` the browser suggests it in a field. */
  async passkey(method: 'passkey' | 'security_key' = 'passkey', more: { conditional?: boolean; signal?: AbortSignal; trust?: boolean } = {}): Promise<View> {
    const [{ getPasskey }, view] = await Promise.all([import('./passkey.js'), this.prepare(method)])
    return this.prove(method, await getPasskey(view.options!, more), { trust: more.trust ?? false })
  }

  /** Makes a passkey or registers a security key and confirms it. */
  async createPasskey(method: 'passkey' | 'security_key' = 'passkey', name?: string, more: { signal?: AbortSignal } = {}): Promise<View> {
    const [{ createPasskey }, view] = await Promise.all([import('./passkey.js'), this.enroll(method, name)])
    return this.confirm(await createPasskey(view.enrollment!.options!, more))
  }

  /** Leaves this page for a provider; `connection` is that of a method. With `navigate: false` it only says where to. */
  async depart(connection: string, { navigate = true } = {}): Promise<Departure> {
    const { attempt, redirect } = await this.wire.send<{ attempt: View; redirect: Departure }>('POST', this.path('/depart'), { connection })
    this.view = attempt
    if (navigate) leave(redirect)
    return redirect
  }

  private async event(name: string, body: object = {}): Promise<View> {
    return this.seen(await this.wire.send<View>('POST', this.path('/' + name), body))
  }

  private path(end: string): string { return `/attempts/${encodeURIComponent(this.view.id)}${end}` }

  private async seen(view: View): Promise<View> {
    this.view = view
    if (view.step === 'complete') await this.complete()
    return view
  }
}

/** Sends the browser on, by GET or with a form. */
function leave({ url, form }: Departure): void {
  if (!form) {
    location.assign(url)
    return
  }
  const carrier = document.createElement('form')
  carrier.method = 'post'
  carrier.action = url
  carrier.hidden = true
  for (const [name, values] of Object.entries(form)) for (const value of values) {
    const input = document.createElement('input')
    input.type = 'hidden'
    input.name = name
    input.value = value
    carrier.append(input)
  }
  document.body.append(carrier)
  carrier.submit()
}
