// The pieces that the screens of signing in are put together from.
import { append, h, initials, unique, type Child } from './dom.js'
import type { MethodOption } from '../idp.js'
import type { Flow } from './flow.js'

// head says where one is. The title takes the focus where there is nothing to type.
export function head(flow: Flow, title: string, lead?: Child, mark?: Child): HTMLElement {
  return h('header', { class: 'head', part: 'header' },
    h('span', { class: mark ? 'mark' : 'mark mark-brand', part: 'logo', 'aria-hidden': 'true' }, mark ?? initials(flow.brand)),
    h('h2', { class: 'title', part: 'title', tabindex: '-1' }, title),
    lead ? h('p', { class: 'lead', part: 'lead' }, lead) : null)
}

export interface FieldOptions {
  name: string
  label: Child
  type?: string
  value?: string
  complete: string
  hint?: string
  class?: string
  optional?: boolean
  more?: Record<string, unknown>
}

// field is an input with its label, and room for what is wrong with it.
export function field(o: FieldOptions): HTMLElement {
  const id = unique(o.name)
  const hint = o.hint ? h('p', { class: 'hint', part: 'hint', id: `${id}-hint` }, o.hint) : null
  return h('div', { class: 'field', part: 'field' },
    h('label', { class: 'label', part: 'label', for: id }, o.label),
    input(id, o, hint ? `${id}-hint` : ''), hint)
}

function input(id: string, o: FieldOptions, described: string): HTMLInputElement {
  return h('input', {
    class: o.class ? `input ${o.class}` : 'input', part: 'input', id, name: o.name, type: o.type ?? 'text', autocomplete: o.complete,
    required: !o.optional, 'aria-describedby': described || null, autocapitalize: 'none', spellcheck: 'false', ...o.more, value: o.value ?? '',
  })
}

// email asks for an address.
export function email(flow: Flow, name: string, value: string, complete: string): HTMLElement {
  return field({ name, label: flow.say('field.email'), type: 'email', value, complete, more: { maxlength: 254 } })
}

// secret is a password, which can be shown.
export function secret(flow: Flow, name: string, label: string, complete: string, described = ''): HTMLElement {
  const id = unique(name)
  const typed = input(id, { name, label, type: 'password', complete, more: { maxlength: 1024 } }, described)
  const button = h('button', {
    type: 'button', part: 'reveal', 'aria-controls': id, 'aria-label': flow.say('field.show_password'), 'aria-pressed': 'false',
    onclick: () => {
      const hidden = typed.type === 'password'
      typed.type = hidden ? 'text' : 'password'
      button.setAttribute('aria-pressed', String(hidden))
      button.textContent = flow.say(hidden ? 'field.hide' : 'field.show')
      typed.focus()
    },
  }, flow.say('field.show'))
  return h('div', { class: 'field', part: 'field' },
    h('label', { class: 'label', part: 'label', for: id }, label), h('div', { class: 'reveal' }, typed, button))
}

// account tells a password manager whose password it is.
export function account(flow: Flow, value: string): HTMLElement {
  return h('input', {
    class: 'hush', type: 'text', name: 'username', value, autocomplete: 'username', 'aria-label': flow.say('field.email'), tabindex: '-1', readonly: true,
  })
}

// digits is a code of six, which needs no button once it is whole.
export function digits(label: string): HTMLElement {
  let sent = ''
  return field({
    name: 'answer', label, complete: 'one-time-code', class: 'input-code',
    more: {
      inputmode: 'numeric', maxlength: 24,
      oninput: (event: Event) => {
        const typed = event.target as HTMLInputElement
        const code = typed.value.replace(/\D/g, '')
        if (code.length !== 6 || code === sent) return
        sent = typed.value = code
        typed.form?.requestSubmit()
      },
    },
  })
}

// check is a box to tick.
export function check(name: string, words: string, hint: string): HTMLElement {
  return h('label', { class: 'check', part: 'checkbox' }, h('input', { type: 'checkbox', name, value: 'yes' }), h('span', null, words, h('small', null, hint)))
}

// trust offers to skip the second step here from now on.
export const trust = (flow: Flow, days = 0): Child =>
  days > 0 && check('trust', flow.count('field.trust', days), flow.say('field.trust_hint'))

// submit is the button that Enter presses.
export const submit = (words: string): HTMLButtonElement =>
  h('button', { class: 'button primary', part: 'button button-primary', type: 'submit' }, words)

// button does something else.
export const button = (words: Child, onclick: () => void, more: Record<string, unknown> = {}): HTMLButtonElement =>
  h('button', { class: 'button', part: 'button', type: 'button', onclick, ...more }, words)

export const link = (words: string, onclick: () => void, more: Record<string, unknown> = {}): HTMLButtonElement =>
  h('button', { class: 'link', part: 'link', type: 'button', onclick, ...more }, words)

export const away = (words: string, href: string): HTMLAnchorElement => h('a', { class: 'link', part: 'link', href }, words)

export const links = (...all: Child[]): Child => {
  const some = all.flat().filter(Boolean)
  return some.length > 0 && h('div', { class: some.length > 1 ? 'links' : 'links links-middle' }, some)
}

export const foot = (...all: Child[]): HTMLElement => h('div', { class: 'foot', part: 'footer' }, all)

// alert is a sentence in a box. kind: "", "error" or "good".
export const alert = (words: Child, kind = ''): HTMLElement =>
  h('p', { class: `alert alert-${kind || 'note'}`, part: 'alert', role: kind === 'error' ? 'alert' : null }, words)

// choice is a line of a list to choose from.
export function choice(mark: Child, title: string, hint: string, onclick: () => void, name: string): HTMLElement {
  return h('li', null, h('button', { class: 'choice', part: 'choice', type: 'button', onclick, 'data-method': name }, mark,
    h('span', null, h('strong', null, title), hint ? h('small', null, hint) : null)))
}

// copy puts text on the clipboard, where there is one.
export function copy(flow: Flow, text: () => string): HTMLElement | null {
  if (!navigator.clipboard) return null
  const button = h('button', {
    class: 'button copy', part: 'button', type: 'button',
    onclick: () => {
      navigator.clipboard.writeText(text()).then(() => {
        button.textContent = flow.say('copy.done')
        flow.announce(flow.say('copy.done'))
        flow.later(() => { button.textContent = flow.say('copy.do') }, 1600)
      }, () => {})
    },
  }, flow.say('copy.do'))
  return button
}

// fill puts children into an element that was made before they were.
export function fill(element: HTMLElement, ...children: Child[]): void { append(element, children) }

// form sends what was typed, by Enter or its button.
export function form(flow: Flow, send: (data: FormData) => Promise<unknown>, ...children: Child[]): HTMLFormElement {
  const made = h('form', {
    class: 'form', part: 'form',
    onsubmit: (event: SubmitEvent) => {
      event.preventDefault()
      const data = new FormData(made)
      void flow.run(() => send(data), made.querySelector<HTMLElement>('.primary'))
    },
  }, children)
  return made
}

// cancel goes back to the beginning.
export const cancel = (flow: Flow): HTMLElement => h('div', { class: 'foot foot-middle', part: 'footer' },
  link(flow.say('button.cancel'), () => {
    void flow.attempt?.cancel().catch(() => {}) // it ends by itself otherwise
    flow.start()
  }))

// resend has another message sent, once enough time has passed since the last.
export function resend(flow: Flow, way: MethodOption, again: () => Promise<void>): HTMLElement {
  const words = flow.say('code.again')
  const made = link(words, () => flow.run(again, made))
  const wait = way.resend_at ? (Date.parse(way.resend_at) - flow.client.now()) / 1000 : 0
  if (wait > 0) {
    made.disabled = true
    flow.countdown(wait, (left) => { made.textContent = `${words} (${left})` }, () => {
      made.disabled = false
      made.textContent = words
    })
  }
  return made
}

// working shows that a button is at work and returns what ends that.
export function working(button: HTMLElement | null): () => void {
  if (!button) return () => {}
  const wheel = h('span', { class: 'spinner', 'aria-hidden': 'true' })
  button.classList.add('busy')
  button.setAttribute('aria-disabled', 'true')
  button.append(wheel)
  return () => {
    button.classList.remove('busy')
    button.removeAttribute('aria-disabled')
    wheel.remove()
  }
}

// development says that this is no place for real people, and where their mail is.
export function development(flow: Flow): Child {
  if (flow.environment.environment !== 'development') return null
  return h('p', { class: 'development', part: 'development' }, h('strong', null, flow.say('layout.development')),
    h('a', { href: `${flow.client.issuer}/dev/inbox`, target: '_blank', rel: 'noopener' }, flow.say('layout.inbox')))
}
