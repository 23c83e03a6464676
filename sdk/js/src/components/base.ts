// Component is what every element does alike: its shadow root, its look, its words, the one client of its issuer, what
// screen readers hear and where the focus goes. The custom element itself is a small shell in ../components.ts; a
// Component is loaded when the first element of its kind is on a page.
import { webAddress } from '../address.js'
import type { Environment, Idp } from '../idp.js'
import { load } from '../idp.js'
import { append, h, type Child } from './dom.js'
import { dress } from './theme.js'
import { Words, type Fill } from './words.js'

export abstract class Component {
  protected idp!: Idp
  protected words = new Words({}, 'en')
  private readonly stage: HTMLElement
  private readonly voice: HTMLElement
  private life = new AbortController()

  // styles are added to the common look.
  constructor(readonly host: HTMLElement, readonly root: ShadowRoot, styles = '') {
    dress(root, ...(styles ? [styles] : []))
    this.stage = h('div', { class: 'stage', part: 'stage' })
    this.voice = h('div', { class: 'hush', role: 'status', 'aria-live': 'polite' })
    root.replaceChildren(this.stage, this.voice)
  }

  // begin shows something: the client is there and the element is on the page.
  protected abstract begin(): void | Promise<void>

  // end lets go of what begin took hold of beyond the life of signal.
  protected end(): void {}

  // changed is told of an attribute that became another while the element is on the page.
  changed(name: string): void {
    if (name === 'issuer' || name === 'locale') this.connect()
  }

  // signal is aborted when the element leaves the page.
  protected get signal(): AbortSignal { return this.life.signal }
  get environment(): Environment { return this.idp.environment }

  connect(): void {
    this.disconnect()
    this.life = new AbortController()
    const { signal } = this.life
    this.wait()
    const issuer = this.attribute('issuer').replace(/\/+$/, '')
    const locale = this.attribute('locale')
    load({ ...(issuer && { issuer }), ...(locale && { locale }) }).then(async (idp) => {
      if (signal.aborted) return
      this.idp = idp
      this.words = new Words(idp.environment.words, idp.environment.locale)
      this.stage.lang = idp.environment.locale
      await this.begin()
    }).catch((error: unknown) => {
      if (!signal.aborted) this.unreachable(error)
    })
  }

  disconnect(): void {
    if (this.life.signal.aborted) return
    this.life.abort()
    if (this.idp) this.end()
  }

  // attribute is its value without blanks, "" for none.
  attribute(name: string): string { return this.host.getAttribute(name)?.trim() ?? '' }

  say(key: string, fill?: Fill): string { return this.words.say(key, fill) }
  count(key: string, n: number, fill?: Fill): string { return this.words.count(key, n, fill) }

  // show replaces all that is seen.
  show(...children: Child[]): void {
    const fragment = document.createDocumentFragment()
    append(fragment, children)
    this.stage.replaceChildren(fragment)
    this.stage.removeAttribute('aria-busy')
  }

  // wait shows that something is on its way.
  wait(): void {
    this.stage.setAttribute('aria-busy', 'true')
    this.stage.replaceChildren(h('div', { class: 'card wait', part: 'card' }, h('span', { class: 'spinner', 'aria-hidden': 'true' })))
  }

  // announce has a screen reader say words that are not where the focus is.
  announce(words: string): void {
    this.voice.textContent = ''
    this.later(() => { this.voice.textContent = words }, 60) // one at a time: what does not change is not read out
  }

  // focus moves there, and only if the person is in this element already: a page that opens keeps its own focus.
  focus(target: HTMLElement | null | undefined, always = false): void {
    if (!target || !always && !this.root.activeElement && document.activeElement !== this.host) return
    target.focus({ preventScroll: false })
  }

  // find is the first element in here that a selector names.
  find<E extends HTMLElement = HTMLElement>(selector: string): E | null { return this.root.querySelector<E>(selector) }

  // emit tells the page. It is false if somebody prevented what usually follows.
  emit(name: string, detail?: unknown): boolean {
    return this.host.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }))
  }

  // later calls once, unless the element has left the page by then. It returns how to call it off.
  later(what: () => void, milliseconds: number): () => void {
    const { signal } = this
    const off = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', off)
    }
    const timer = setTimeout(() => { off(); what() }, milliseconds)
    if (signal.aborted) off()
    else signal.addEventListener('abort', off)
    return off
  }

  // leave goes to another address, if that is one of the web.
  leave(address: string): void {
    const url = webAddress(address, document.baseURI)
    if (url) window.location.assign(url)
  }

  protected unreachable(error: unknown): void {
    this.emit('idp-error', { error })
    const again = h('button', { class: 'button', part: 'button', type: 'button', onclick: () => this.connect() }, this.say('human.again'))
    this.show(h('div', { class: 'card', part: 'card' }, h('div', { class: 'form' },
      h('p', { class: 'alert alert-error', part: 'alert', role: 'alert' }, this.say('key.offline')), again)))
  }
}
