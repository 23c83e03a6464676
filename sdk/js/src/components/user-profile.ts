// <idp-user-profile>: the whole account of who is signed in, in three tabs. What it does asks the Frontend API alone;
// where that wants a fresh proof first, the proof is given here, in a dialog, and the act goes on.
//
//   tab   profile (the default), security or apps: which of them is open; it follows what the person opens
//
// Events: idp-changed {what} after each change, idp-account-deleted, and idp-sign-in, which can be prevented, where
// nobody is signed in.
import { IdpError, type Idp, type Me } from '../idp.js'
import { Component } from './base.js'
import { h, unique, type Child } from './dom.js'
import { face, type Shown } from './user-face.js'
import { blame, unblame } from './user-form.js'
import { styles } from './user-profile.css.js'
import { appsTab } from './user-profile-apps.js'
import { personTab } from './user-profile-person.js'
import { securityTab } from './user-profile-security.js'
import { freshly } from './user-proof.js'

/** A tab: what it needs to know, and how it looks once that is known. */
export interface Tab {
  words: string
  needs: readonly string[]
  draw(profile: UserProfile): Child
}

const tabs: Record<string, Tab> = { profile: personTab, security: securityTab, apps: appsTab }

export default class UserProfile extends Component {
  me!: Me
  private known = new Map<string, unknown>() // answers by path
  private open = 'profile'
  private whose = ''
  private working = false
  private readonly name = unique('profile')

  constructor(host: HTMLElement, root: ShadowRoot) { super(host, root, styles) }

  /** The client of the issuer, for what a tab does. */
  get client(): Idp { return this.idp }
  /** Ends when the element leaves the page. */
  get alive(): AbortSignal { return this.signal }
  /** People sign in with passwords here. */
  get passwords(): boolean { return (this.environment.methods as { password?: boolean } | undefined)?.password !== false }
  /** There are words for a key. */
  has(key: string): boolean { return this.words.has(key) }

  protected override begin(): Promise<void> {
    this.whose = this.current
    this.signal.addEventListener('abort', this.idp.observe(() => { if (this.whose !== this.current) void this.start() }), { once: true })
    window.addEventListener('pageshow', (event) => { if (event.persisted && this.whose && !this.working) void this.turn(this.open) }, { signal: this.signal })
    return this.start()
  }

  private get current(): string { return this.idp.session?.id ?? '' }

  override changed(name: string): void {
    super.changed(name)
    if (name === 'tab' && this.whose && this.wanted !== this.open) void this.turn(this.wanted)
  }

  private get wanted(): string { return Object.hasOwn(tabs, this.attribute('tab')) ? this.attribute('tab') : 'profile' }

  override wait(): void {
    this.show(h('div', { class: 'profile blank', role: 'status', 'aria-label': this.say('component.profile.loading') }, h('span', { class: 'spinner', 'aria-hidden': 'true' })))
  }

  // start shows the account of who is signed in now.
  private async start(): Promise<void> {
    this.whose = this.current
    this.known.clear()
    if (!this.whose) return this.nobody()
    this.wait()
    await this.turn(this.wanted)
  }

  private nobody(): void {
    this.show(h('div', { class: 'profile nobody' }, h('p', { class: 'subtle' }, this.say('component.profile.signed_out')),
      h('button', { class: 'button primary', part: 'button', type: 'button', onclick: () => { if (this.emit('idp-sign-in')) this.idp.signIn() } }, this.say('button.sign_in'))))
  }

  // turn opens a tab once all it needs is known, as it is now: much may have happened elsewhere.
  private async turn(tab: string, focus = false): Promise<void> {
    const whose = this.whose
    this.open = tab
    try {
      await this.learn(tabs[tab].needs)
    } catch (error) {
      if (whose !== this.whose || tab !== this.open || this.signal.aborted) return
      return this.unreachable(error)
    }
    if (whose !== this.whose || tab !== this.open || this.signal.aborted) return
    this.draw()
    if (focus) this.find(`[role=tab][data-tab=${tab}]`)?.focus()
    if (this.attribute('tab') !== tab && (tab !== 'profile' || this.host.hasAttribute('tab'))) this.host.setAttribute('tab', tab)
  }

  private async learn(paths: readonly string[]): Promise<void> {
    await Promise.all(['/me', ...paths].map(async (path) => { this.known.set(path, await this.idp.request('GET', path)) }))
    this.me = this.known.get('/me') as Me
  }

  /** What the server said last about a path that the open tab needs. */
  get<T>(path: string): T { return this.known.get(path) as T }

  get shown(): Shown {
    const { name } = this.me.profile as Shown
    // What the profile says of a picture may be somebody else's address, which would hear who looks.
    return { name: name || this.me.name, picture: this.idp.user?.picture, email: this.mainAddress }
  }

  get mainAddress(): string | undefined { return this.me.identifiers.find((one) => one.kind === 'email' && one.primary)?.value }

  private draw(): void {
    const who = this.shown
    const title = h('div', { class: 'top' }, face(who, 'big'), h('div', { class: 'top-words' },
      h('h2', { class: 'title' }, who.name), who.email && who.email !== who.name && h('p', { class: 'lead' }, who.email)))
    const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': this.say('account.title'), onkeydown: (event: KeyboardEvent) => this.move(event) },
      Object.entries(tabs).map(([name, tab]) => h('button', {
        class: 'tab', part: 'tab', role: 'tab', type: 'button', id: `${this.name}-${name}`, 'data-tab': name, 'aria-selected': String(name === this.open),
        'aria-controls': name === this.open && `${this.name}-panel`, tabindex: name === this.open ? '0' : '-1', onclick: () => void this.turn(name, true),
      }, this.say(tab.words))))
    this.show(h('div', { class: 'profile', part: 'profile' }, title, list,
      h('div', { class: 'tab-panel', role: 'tabpanel', id: `${this.name}-panel`, 'aria-labelledby': `${this.name}-${this.open}` }, tabs[this.open].draw(this))))
  }

  private move(event: KeyboardEvent): void {
    const names = Object.keys(tabs)
    const at = names.indexOf(this.open)
    const forward = getComputedStyle(this.host).direction === 'rtl' ? -1 : 1
    const to: Record<string, number> = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: -1 }
    if (!(event.key in to)) return
    event.preventDefault()
    void this.turn(names[(to[event.key] + names.length) % names.length], true)
  }

  /** A part of a tab: its title, what it is about, and room to say how an act in it went. */
  section(id: string, title: Child, hint: string | false, ...content: Child[]): HTMLElement {
    return h('section', { class: 'section', part: 'section', 'data-section': id, 'aria-labelledby': `${this.name}-${id}` },
      h('div', { class: 'section-head' }, h('h3', { id: `${this.name}-${id}`, tabindex: '-1' }, title), hint && h('p', { class: 'subtle' }, hint)),
      h('div', { class: 'section-body' }, h('div', { class: 'notice', 'data-notice': id }), content))
  }

  /** A button that acts. About says to screen readers what it acts on, where the words alone do not. */
  button(words: string, what: (event: Event) => unknown, options: { about?: string; kind?: string; id?: string } = {}): HTMLButtonElement {
    return h('button', { class: `button small ${options.kind ?? ''}`, part: 'button', type: 'button', 'aria-label': options.about, 'data-act': options.id, onclick: what }, words)
  }

  /**
   * Does work for a section, gives a fresh proof where one is asked for, reads anew what changed and says done. False:
   * it did not happen, and the section says why, at the field it is about if there is one in form.
   */
  async act(section: string, work: () => Promise<unknown>, { done, form, reads = [] }: { done?: string | undefined; form?: HTMLElement | undefined; reads?: string[] } = {}): Promise<boolean> {
    if (this.working) return false // pressed twice
    const { signal, whose } = this
    this.working = true
    this.busy(section, true)
    if (form) unblame(form)
    this.note(section)
    try {
      if (!await freshly(this, work)) return false
      if (signal.aborted || whose !== this.current) return true // they signed themselves out
      await this.learn(reads)
      if (signal.aborted) return true
      this.draw()
      if (done) this.note(section, done)
      this.focus(this.find(`[data-section=${section}] h3`), true)
      this.emit('idp-changed', { what: section })
      return true
    } catch (error) {
      if (!signal.aborted) this.failed(section, error, form)
      return false
    } finally {
      this.working = false
      this.busy(section, false)
    }
  }

  private failed(section: string, error: unknown, form?: HTMLElement): void {
    const known = error instanceof IdpError
    const detail = known && error.status > 0 ? error.detail : this.say(known && error.code === 'network' ? 'key.offline' : 'key.failed')
    if (!known) this.emit('idp-error', { error })
    if (form?.isConnected && blame(form, known ? error.field : undefined, detail)) return
    this.note(section, detail, true)
  }

  private busy(section: string, on: boolean): void {
    const there = this.find(`[data-section=${section}]`)
    if (on) there?.setAttribute('aria-busy', 'true')
    else there?.removeAttribute('aria-busy')
  }

  /** Says something at the top of a section, or nothing. */
  note(section: string, words = '', wrong = false): void {
    const slot = this.find(`[data-notice=${section}]`)
    slot?.replaceChildren(...(words ? [h('p', { class: `alert ${wrong ? 'alert-error' : 'alert-good'}`, part: 'alert', role: wrong ? 'alert' : 'status' }, words)] : []))
  }

  /** A day, as people write it here. */
  day(time: string): string { return new Intl.DateTimeFormat(this.words.locale, { dateStyle: 'medium' }).format(new Date(time)) }

  /** How long ago something was, roughly. */
  ago(time: string): string {
    const seconds = Math.max(0, (this.idp.now() - Date.parse(time)) / 1000)
    const [size, unit] = ([[86_400, 'day'], [3600, 'hour'], [60, 'minute']] as const).find(([size]) => seconds >= size) ?? [0, 'minute' as const]
    return size ? new Intl.RelativeTimeFormat(this.words.locale, { numeric: 'always' }).format(-Math.floor(seconds / size), unit) : this.say('ago.now')
  }
}
