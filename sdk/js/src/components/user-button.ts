// <idp-user-button>: who is signed in, top right. Closed it is a face; open it is a menu: other accounts of this
// browser, the account itself, signing out. Nobody signed in: a button that signs in.
//
//   after-sign-out   where the page goes then; it stays where it is otherwise
//   account-url      where the account is kept; otherwise it opens here, in a dialog
//   sign-in-url      where to sign in; otherwise at the issuer, and back to this page
//   show-name        the name stands beside the face
//   shimmer          a light passes over the face under the pointer
//
// Each act is announced by an event that can be prevented: idp-sign-in, idp-add-account, idp-manage-account,
// idp-switch-account {session}, idp-sign-out {session, or nothing for all}. Afterwards: idp-signed-out.
import type { Session } from '../idp.js'
import { Component } from './base.js'
import { h, unique, type Child } from './dom.js'
import { dialog } from './user-dialog.js'
import { called, face } from './user-face.js'
import { drawing } from './user-icons.js'
import { Menu } from './user-menu.js'
import { styles } from './user-button.css.js'

export default class UserButton extends Component {
  private drawn = ''
  private shownFor = new AbortController() // ends with the menu that is shown

  constructor(host: HTMLElement, root: ShadowRoot) { super(host, root, styles) }

  protected override begin(): void {
    this.drawn = ''
    this.signal.addEventListener('abort', this.idp.observe(() => this.draw()), { once: true })
    this.draw()
  }

  protected override end(): void { this.shownFor.abort() }

  override changed(name: string): void {
    super.changed(name)
    if (this.idp && name !== 'issuer' && name !== 'locale') this.draw(true)
  }

  override wait(): void { this.show(h('span', { class: 'face blank', 'aria-hidden': 'true' })) }

  protected override unreachable(error: unknown): void {
    this.emit('idp-error', { error })
    this.show(h('button', { class: 'button small', part: 'button', type: 'button', title: this.say('key.offline'), onclick: () => this.connect() },
      this.say('human.again')))
  }

  // draw shows who is there, unless that is what is seen already: an open menu stays open while tokens come and go.
  private draw(anew = false): void {
    const seen = JSON.stringify([this.idp.session?.id, this.idp.sessions.map((s) => [s.id, s.user])])
    if (seen === this.drawn && !anew) return
    const held = this.root.activeElement !== null
    this.drawn = seen
    this.shownFor.abort()
    this.shownFor = new AbortController()
    const session = this.idp.session
    if (session) this.showMenu(session)
    else this.showSignIn()
    if (held) this.find('button')?.focus()
  }

  private showSignIn(): void {
    this.show(h('button', { class: 'button primary small', part: 'button sign-in', type: 'button', onclick: () => this.signIn() }, this.say('button.sign_in')))
  }

  private signIn(): void {
    if (!this.emit('idp-sign-in')) return
    const elsewhere = this.attribute('sign-in-url')
    if (elsewhere) this.leave(elsewhere)
    else this.idp.signIn()
  }

  private showMenu(session: Session): void {
    const { user } = session
    const id = unique('menu')
    const button = h('button', {
      class: 'opener', part: 'opener', type: 'button', id: `${id}-button`, 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id,
      'aria-label': this.say('component.user.open', { name: called(user) }),
    }, face(user, 'large'), this.host.hasAttribute('show-name') && h('span', { class: 'beside', part: 'name' }, called(user)))
    const others = this.idp.sessions.filter((one) => one.id !== session.id)
    const list = h('div', { role: 'menu', id, class: 'acts', 'aria-labelledby': `${id}-button` },
      others.length > 0 && h('div', { role: 'group', 'aria-label': this.say('component.user.switch') }, others.map((one) => this.account(one))),
      this.act('plus', 'component.user.add', 'add-account', () => this.add()),
      this.act('person', 'component.user.manage', 'manage-account', () => this.manage(button)),
      this.act('out', 'button.sign_out', 'sign-out', () => this.signOut(session.id)),
      others.length > 0 && this.act('all', 'component.user.sign_out_all', 'sign-out-all', () => this.signOut()),
    )
    const panel = h('div', { class: 'panel', part: 'menu', hidden: true },
      h('div', { class: 'who', part: 'who' }, face(user, 'large'), whose(user.name, user.email)), list)
    this.show(button, panel)
    new Menu(button, panel, this.shownFor.signal)
  }

  private account(one: Session): HTMLElement {
    return h('button', {
      class: 'act', part: 'item account', role: 'menuitem', type: 'button',
      onclick: () => { if (this.emit('idp-switch-account', { session: one.id })) this.work(this.idp.switchTo(one.id)) },
    }, face(one.user), whose(one.user.name, one.user.email))
  }

  private act(icon: Parameters<typeof drawing>[0], words: string, part: string, what: () => void): Child {
    return h('button', { class: 'act', part: `item ${part}`, role: 'menuitem', type: 'button', onclick: what }, drawing(icon), h('span', {}, this.say(words)))
  }

  private add(): void {
    if (this.emit('idp-add-account')) this.leave(`${this.idp.url('sign-in')}&add=1`)
  }

  // manage opens the account: at the page's own place for it, or here.
  private manage(back: HTMLElement): void {
    if (!this.emit('idp-manage-account')) return
    const place = this.attribute('account-url')
    if (place) return this.leave(place)
    if (!customElements.get('idp-user-profile')) return this.idp.account()
    const profile = h('idp-user-profile' as 'div')
    for (const name of ['issuer', 'locale', 'theme']) if (this.host.hasAttribute(name)) profile.setAttribute(name, this.attribute(name))
    dialog(this, { label: this.say('account.title'), className: 'account', content: profile, signal: this.signal }).then(() => back.isConnected && back.focus())
  }

  private signOut(session?: string): void {
    if (!this.emit('idp-sign-out', { session })) return
    this.work(this.idp.signOut({ session: session ?? 'all' }).then(() => {
      this.emit('idp-signed-out', { session })
      const next = this.attribute('after-sign-out')
      if (next && !this.idp.session) this.leave(next)
    }))
  }

  // work waits for something that changes who is there; what goes wrong is said.
  private work(doing: Promise<unknown>): void {
    const opener = this.find('.opener')
    opener?.setAttribute('aria-busy', 'true')
    doing.catch((error: unknown) => {
      this.emit('idp-error', { error })
      this.announce(this.say('key.offline'))
    }).finally(() => opener?.removeAttribute('aria-busy'))
  }
}

// whose are name and address, one under the other, or whichever there is.
function whose(name?: string, email?: string): HTMLElement {
  return h('span', { class: 'whose' }, h('strong', {}, name || email || ''), name && email && name !== email && h('small', {}, email))
}
