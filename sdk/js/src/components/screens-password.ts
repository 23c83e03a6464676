// A new password: what it must be, how hard it is to guess while it is typed, and the screen that sets it. The server
// decides by the same rules.
import type { IdpError, PasswordRules, View } from '../idp.js'
import { h, unique, type Child } from './dom.js'
import type { Flow } from './flow.js'
import * as parts from './parts.js'

const tests = {
  length: (typed: string, least: number) => Array.from(typed).length >= least,
  case: (typed: string) => /\p{Lu}/u.test(typed) && /\p{Ll}/u.test(typed),
  digit: (typed: string) => /\p{Nd}/u.test(typed),
  special: (typed: string) => /[^\p{L}\p{Nd}]/u.test(typed),
}

// chosen is a password that is being chosen, with the rules under it that tick themselves off.
export function chosen(flow: Flow, label: string, o?: PasswordRules): HTMLElement {
  if (!o) return parts.secret(flow, 'password', label, 'new-password')
  const id = unique('rules')
  const secret = parts.secret(flow, 'password', label, 'new-password', id)
  const input = secret.querySelector('input')!
  const items: Partial<Record<keyof typeof tests | 'guess', HTMLElement>> = { length: h('li', null, flow.count('rule.length', o.min_length)) }
  if (o.mixed_case) items.case = h('li', null, flow.say('rule.case'))
  if (o.digit) items.digit = h('li', null, flow.say('rule.digit'))
  if (o.special) items.special = h('li', null, flow.say('rule.special'))
  if (o.min_score > 0) items.guess = h('li', null, flow.say('rule.guess'))
  const word = h('span', { role: 'status' })
  const meter = h('div', { class: 'strength', part: 'strength' }, h('span', { class: 'bar', 'aria-hidden': 'true' }, [1, 2, 3, 4].map(() => h('i'))), word)
  const mark = (name: keyof typeof items, met: boolean) => items[name]?.classList.toggle('met', met)
  const show = (score?: number) => {
    if (score === undefined) delete meter.dataset.score
    else meter.dataset.score = String(score)
    word.textContent = score === undefined ? '' : flow.say(`strength.${score}`)
  }
  let off = () => {}
  let quiet = 0
  const ask = async () => {
    const typed = input.value
    if (!typed || performance.now() < quiet) return
    const address = input.form?.querySelector<HTMLInputElement>('[name=email], [name=username]')?.value ?? ''
    try {
      const said = await flow.client.request<{ score: number; problem?: string }>('POST', '/password-strength', { password: typed, address })
      if (input.value !== typed) return // they went on
      show(said.score)
      mark('guess', said.problem !== 'password_too_weak' && said.score >= o.min_score)
    } catch (error) {
      quiet = performance.now() + 1000 * ((error as IdpError).retryAfter ?? 5)
      show()
    }
  }
  input.addEventListener('input', () => {
    const typed = input.value.normalize('NFC')
    for (const [name, test] of Object.entries(tests)) mark(name as keyof typeof tests, test(typed, o.min_length))
    off()
    mark('guess', false)
    show()
    if (tests.length(typed, o.min_length)) off = flow.later(ask, 500)
  })
  return h('div', null, secret, h('ul', { class: 'rules', part: 'rules', id }, Object.values(items)), meter)
}

// newPassword is the end of a reset, or what follows a password that is known from a breach.
export function newPassword(flow: Flow, view: View): Child {
  return [
    parts.head(flow, flow.say('new_password.title'), flow.say(view.breached ? 'new_password.lead_breached' : 'new_password.lead')),
    parts.form(flow, (data) => flow.move((a) => a.password(String(data.get('password') ?? '')))(),
      parts.account(flow, view.identifier ?? flow.typed),
      chosen(flow, flow.say('field.new_password'), view.password_rules),
      parts.submit(flow.say('button.continue'))),
    parts.cancel(flow),
  ]
}
