// Flow drives one attempt at signing in or up: it sends what people do, shows the screen of the step that is owed next,
// and says what went wrong where it went wrong. The step comes from the server; nothing here decides it.
import { webAddress } from '../address.js'
import type { Attempt, IdpError, Idp, View } from '../idp.js'
import { Component } from './base.js'
import { h, unique, type Child } from './dom.js'
import { flowStyle } from './flow-style.js'
import * as parts from './parts.js'
import { backupCodes } from './screens-codes.js'
import { chooseFactor, confirmEnrollment } from './screens-enroll.js'
import { connection, over, welcome } from './screens-end.js'
import { human } from './screens-human.js'
import { newPassword } from './screens-password.js'
import { proof } from './screens-proof.js'
import { register, signIn } from './screens-start.js'

export type Goal = 'sign_in' | 'sign_up'

// Where on a step somebody is, where it has more than one screen: a method that was picked, or the list of all.
export interface Place {
  method?: string
  list?: boolean
  again?: boolean // another number, another thing to set up
}

const gone = new Set(['attempt_over', 'attempt_unknown', 'answers_wrong', 'browser_unknown'])
const moved = new Set(['not_now', 'attempt_moved'])

export abstract class Flow extends Component {
  attempt: Attempt | undefined
  typed = '' // the address, carried from screen to screen
  public = false
  private busy: object | undefined // what is being done for somebody
  private left = false
  private touched = false // somebody is at work in here: the focus may move
  private turn = 0
  private greeted: string | undefined // the session that was there when what is shown was drawn; undefined amid an attempt
  private beginning: Promise<Attempt> | undefined
  private suggesting: AbortController | undefined

  constructor(host: HTMLElement, root: ShadowRoot, public goal: Goal) {
    super(host, root, flowStyle)
    for (const act of ['pointerdown', 'keydown', 'submit']) root.addEventListener(act, () => { this.touched = true })
  }

  get brand(): string { return this.environment.name }
  get client(): Idp { return this.idp }
  get until(): AbortSignal { return this.signal } // leaves the page
  get returnTo(): string { return this.attribute('return-to') && webAddress(this.attribute('return-to'), document.baseURI) }

  // onward is where to go once signed in, "" for nowhere. The server knows which other origins are ours.
  get onward(): string {
    const to = this.returnTo
    return to && (new URL(to).origin === location.origin || to === this.attempt?.next) ? to : ''
  }

  protected begin(): void {
    const { signal } = this
    this.forget()
    this.arrived()
    this.typed ||= this.attribute('login-hint')
    document.addEventListener('visibilitychange', () => this.wake(), { signal })
    const back = this.returned()
    if (this.idp.session) {
      this.greet()
      if (back) this.told()
    } else this.start()
    signal.addEventListener('abort', this.idp.observe(() => this.observed()), { once: true })
  }

  // arrived is ready for people, also where the browser shows the page again as it was left: then much may have happened.
  protected arrived(): void {
    this.busy = undefined
    this.left = false
    window.addEventListener('pageshow', (event) => { if (event.persisted) this.connect() }, { signal: this.signal })
  }

  // greet shows who is signed in.
  private greet(): void {
    this.forget()
    this.draw(welcome(this))
    this.greeted = this.idp.session?.id ?? ''
  }

  // observed follows what happens elsewhere on the page or in another tab: out, in, or another account.
  private observed(): void {
    const now = this.idp.session?.id ?? ''
    if (this.busy || this.left || this.greeted === undefined || this.greeted === now) return
    if (now) this.greet()
    else this.start()
  }

  protected override end(): void { this.quiet() }

  // start shows the first screen, without an attempt: one begins when somebody does something.
  start(goal: Goal = this.goal, trouble?: IdpError): void {
    this.forget()
    this.goal = goal
    this.draw(this.first(), trouble)
    this.greeted = this.idp.session?.id ?? ''
    if (goal === 'sign_up' && this.attribute('invitation') && !trouble) void this.invited()
  }

  // invited fills in the address that an invitation is for, or says at once that it is of no use.
  private async invited(): Promise<void> {
    const { turn } = this
    const fits = () => turn === this.turn && !this.signal.aborted && !this.busy && !this.left
    try {
      const { view } = await this.begun()
      const input = this.find<HTMLInputElement>('[name=email]')
      if (fits() && input && !input.value) input.value = view.identifier ?? ''
    } catch (error) {
      if (fits()) this.trouble(error as IdpError)
    }
  }

  // first is the screen that an attempt begins with.
  first(): Child { return this.goal === 'sign_up' ? register(this) : signIn(this) }

  // begun returns the attempt that is under way, or a new one.
  async begun(): Promise<Attempt> {
    if (this.attempt && this.attempt.view.step !== 'abandoned' && this.attempt.view.step !== 'complete') return this.attempt
    const invitation = this.goal === 'sign_up' ? this.attribute('invitation') : ''
    const turn = this.turn
    const begun = this.beginning ??= this.idp.attempt(this.goal, {
      returnTo: this.returnTo || location.href, public: this.public, ...(invitation ? { invitation } : {}),
    })
    try {
      const attempt = await begun
      if (turn !== this.turn) return this.begun()
      return this.attempt = attempt
    } finally {
      if (this.beginning === begun) this.beginning = undefined
    }
  }

  // forget lets the next act begin another attempt.
  forget(): void {
    this.quiet()
    this.busy = undefined // an answer that is still to come is nobody's any more
    this.turn++
    this.attempt = this.beginning = undefined
  }

  // draw replaces the screen, moves the focus into it and tells screen readers where they are.
  draw(screen: Child, trouble?: IdpError): void {
    this.greeted = undefined
    const before = this.find('.card')
    const at = document.activeElement
    const inside = this.touched && (!at || at === document.body || at === this.host || this.root.activeElement !== null)
    this.show(h('div', { class: 'card', part: 'card' }, screen), parts.development(this))
    const title = this.find('.title')
    if (before && title) this.announce(title.textContent ?? '')
    if (trouble) this.trouble(trouble)
    else if (inside && before) this.focus(this.find('[data-first], .input:not([readonly])') ?? title, true)
    else if (!before && this.host.hasAttribute('autofocus')) this.focus(this.find('.input'), true)
  }

  // go shows what the view says is owed.
  go(view: View, place: Place = {}, trouble?: IdpError): void {
    if (view.id !== this.attempt?.view.id && view.step !== 'complete') return // cancelled meanwhile
    this.quiet()
    const screen = this.screen(view, place)
    if (screen) this.draw(screen, trouble)
  }

  private screen(view: View, place: Place): Child {
    switch (view.step) {
      case 'needs_identifier': return signIn(this)
      case 'missing_requirements': return register(this, view)
      case 'needs_first_factor':
      case 'needs_second_factor':
      case 'needs_email_verification':
      case 'needs_phone_verification': return proof(this, view, place)
      case 'needs_new_password': return newPassword(this, view)
      case 'needs_enrollment': return view.enrollment && !place.list ? confirmEnrollment(this, view, place) : chooseFactor(this, view, place)
      case 'needs_human': return human(this, view)
      case 'needs_connection': return connection(this, view, view.methods?.[0])
      case 'complete': this.complete(view); return null
      case 'abandoned': return over(this)
    }
  }

  // run does what somebody asked for, once at a time; what goes wrong is said where it belongs.
  async run(act: () => Promise<unknown>, by?: HTMLElement | null): Promise<void> {
    if (this.busy || this.left) return
    const { signal } = this
    const mine = this.busy = {}
    this.quiet()
    this.calm()
    const still = parts.working(by ?? this.find('.primary'))
    try {
      await act().catch((error: IdpError) => { // what browsers suggest may cross what people do: nothing was saved
        if (error.code !== 'attempt_moved' || this.busy !== mine) throw error
        return act()
      })
    } catch (error) {
      if (!signal.aborted && this.busy === mine) await this.failed(error as IdpError)
    } finally {
      if (this.busy === mine) this.busy = undefined
      if (this.left) this.later(() => { this.left = false; still() }, 10_000) // somebody stopped the browser on its way
      else still()
    }
  }

  // move sends one event of the attempt and shows what comes next.
  move(event: (attempt: Attempt) => Promise<View>, place?: Place): () => Promise<void> {
    return async () => {
      const attempt = await this.begun()
      const before = attempt.view.step
      const view = await this.humanly(attempt, event)
      this.go(view, view.step === before ? place : {})
    }
  }

  // humanly passes the bot check if one turns out to be due, and then does again what it was due for.
  async humanly(attempt: Attempt, event: (attempt: Attempt) => Promise<View>): Promise<View> {
    const view = await event(attempt)
    if (view.step !== 'needs_human' || !view.human?.puzzle) return view
    this.announce(this.say('human.busy'))
    const passed = await attempt.human(undefined, { signal: this.signal })
    return view.reset ? passed : event(attempt) // the message of a reset is on its way
  }

  private async failed(error: IdpError): Promise<void> {
    if (gone.has(error.code)) {
      this.forget()
      this.draw(over(this, error))
      return
    }
    if (moved.has(error.code) && this.attempt) {
      try {
        this.go(await this.attempt.look(), {}, error)
        return
      } catch { /* then it is said here */ }
    }
    this.trouble(error)
  }

  // trouble says what went wrong: beside the input it is about, or above everything.
  trouble(error: IdpError): void {
    this.calm()
    const words = this.why(error)
    const input = error.field ? this.find<HTMLInputElement>(`[name="${CSS.escape(error.field)}"]:not(.hush)`) : null
    if (input) {
      const id = unique('error')
      const about = input.getAttribute('aria-describedby')
      input.setAttribute('aria-invalid', 'true')
      input.setAttribute('aria-describedby', about ? `${id} ${about}` : id)
      input.closest('.field')?.append(h('p', { class: 'error', part: 'error', id }, words))
      input.focus()
      input.select()
    } else {
      const box = parts.alert(words, 'error')
      box.tabIndex = -1
      box.dataset.code = error.code
      const card = this.find('.card')
      const top = card?.querySelector('header')
      if (top) top.after(box)
      else card?.prepend(box)
      box.focus()
    }
    this.announce(words)
    if (error.retryAfter && (error.status === 429 || error.status === 503)) this.hold(error.retryAfter)
  }

  private why(error: IdpError): string {
    if (error.code === 'network') return this.say('key.offline')
    if (error.code === 'passkey_unavailable') return this.say('key.none')
    const key = error.code?.startsWith('passkey_') ? error.code.replace('passkey_', 'key.') : ''
    return key && this.words.has(key) ? this.say(key) : error.detail || this.say('error.title_ours')
  }

  // calm takes away what was said about the last try.
  private calm(): void {
    for (const box of this.root.querySelectorAll('.card > .alert-error, .error, .hold')) {
      if (box.id) {
        const input = this.find(`[aria-describedby~="${box.id}"]`)
        const rest = input?.getAttribute('aria-describedby')?.split(' ').filter((id) => id !== box.id).join(' ')
        input?.removeAttribute('aria-invalid')
        if (rest) input?.setAttribute('aria-describedby', rest)
        else input?.removeAttribute('aria-describedby')
      }
      box.remove()
    }
  }

  // hold keeps the button from being pressed until that is of use, and counts down beside it.
  private hold(seconds: number): void {
    const button = this.find<HTMLButtonElement>('.primary')
    if (!button) return
    const line = h('p', { class: 'hint hold', part: 'hint' })
    button.before(line)
    button.disabled = true
    this.countdown(Math.ceil(seconds), (left) => { line.textContent = this.count('component.retry_in', left) }, () => {
      button.disabled = false
      line.remove()
      this.announce(this.say('component.retry_now'))
    })
  }

  // countdown tells the seconds that are left, then that none is.
  countdown(seconds: number, tick: (left: number) => void, done: () => void): void {
    const until = performance.now() + seconds * 1000
    const turn = () => {
      const left = Math.ceil((until - performance.now()) / 1000)
      if (left <= 0) return done()
      tick(left)
      this.later(turn, Math.max(50, until - performance.now() - (left - 1) * 1000))
    }
    turn()
  }

  // depart leaves the page for a provider. The way back leads to return-to, or here.
  async depart(connection: string): Promise<void> {
    const attempt = await this.begun()
    try { sessionStorage.setItem(this.mark, '1') } catch { /* then nobody is told on return */ }
    await attempt.depart(connection)
    this.left = true
  }

  // hosted goes on with this attempt on the page of the service, for what cannot be done here.
  hosted(): void {
    if (this.attempt) this.leave(`${this.idp.issuer}/sign-in/${encodeURIComponent(this.attempt.view.id)}`)
  }

  private get mark(): string { return `idp.departed ${this.idp.issuer}` }
  private returned(): boolean {
    try {
      const was = sessionStorage.getItem(this.mark) !== null
      sessionStorage.removeItem(this.mark)
      return was
    } catch { return false }
  }

  private complete(view: View): void {
    if (view.backup_codes?.length) {
      this.draw(backupCodes(this, view.backup_codes, () => this.finish()))
      return
    }
    this.finish()
  }

  protected finish(): void {
    this.draw(welcome(this))
    this.told()
  }

  // told says that somebody is signed in and goes where they wanted to, unless the page does something else.
  private told(): void {
    const detail = { session: this.idp.session, user: this.idp.user }
    const to = this.onward
    if (this.emit('idp-signed-in', detail) && to && to !== location.href) this.leave(to)
  }

  // wake looks whether something happened elsewhere, such as a link that was opened from a mail.
  private async wake(): Promise<void> {
    const { attempt, signal } = this
    if (document.visibilityState !== 'visible' || !attempt || this.busy || this.left) return
    const before = attempt.view.step
    if (!['needs_first_factor', 'needs_email_verification'].includes(before)) return
    const view = await attempt.look().catch(() => null)
    if (view && !signal.aborted && !this.busy && view.step !== before) this.go(view)
  }

  // suggest has the browser offer passkeys in the field for the address, for as long as that screen is there.
  async suggest(): Promise<void> {
    const can = typeof PublicKeyCredential !== 'undefined' && PublicKeyCredential.isConditionalMediationAvailable
    if (!can || !(await PublicKeyCredential.isConditionalMediationAvailable().catch(() => false))) return
    if (this.busy || this.left || this.signal.aborted || this.suggesting || !this.find('[autocomplete~=webauthn]')) return
    const mine = this.suggesting = new AbortController()
    const off = this.later(() => { // a question lives for five minutes
      this.quiet()
      if (document.visibilityState === 'visible') this.suggest()
      else document.addEventListener('visibilitychange', () => this.suggest(), { once: true, signal: this.signal })
    }, 4 * 60_000)
    mine.signal.addEventListener('abort', off)
    try {
      const attempt = await this.begun()
      const view = await attempt.passkey('passkey', { conditional: true, signal: mine.signal })
      if (mine.signal.aborted && view.step !== 'complete') return // of two answers, the one that signed in counts
      this.attempt = attempt
      this.go(view)
    } catch (error) {
      if (mine.signal.aborted || (error as IdpError).code?.startsWith('passkey_')) return // nothing was asked for
      this.forget()
      if ((error as IdpError).field || (error as IdpError).code === 'key_unknown') this.trouble(error as IdpError)
    }
  }

  // quiet takes the offer back.
  quiet(): void {
    this.suggesting?.abort()
    this.suggesting = undefined
  }
}
