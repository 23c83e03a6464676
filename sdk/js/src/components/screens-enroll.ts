// To set up a second factor where one is demanded: the list, and a screen for each.
import type { View } from '../idp.js'
import { h, svg, type Child } from './dom.js'
import type { Flow, Place } from './flow.js'
import { face, icon } from './icons.js'
import * as parts from './parts.js'

type Key = 'passkey' | 'security_key'
const isKey = (method?: string): method is Key => method === 'passkey' || method === 'security_key'

// chooseFactor is the list of what may be set up; for a phone, the number is asked for next.
export function chooseFactor(flow: Flow, view: View, place: Place): Child {
  if (place.method === 'phone_code') return phone(flow, view)
  if (isKey(place.method)) return key(flow, view, place.method)
  const pick = (method: string) => method === view.enrollment?.method ? flow.go(view) : method === 'phone_code' || isKey(method)
    ? flow.draw(chooseFactor(flow, view, { method, list: true }))
    : flow.run(flow.move((a) => a.enroll(method)))
  return [
    parts.head(flow, flow.say('enroll.title'), flow.say('enroll.lead_required')),
    h('ul', { class: 'choices' }, (view.methods ?? []).map(({ method }) =>
      parts.choice(face(icon(method)), flow.say(`method.${method}`), flow.say(`enroll.about_${method}`), () => pick(method), method))),
    parts.cancel(flow),
  ]
}

// confirmEnrollment shows that what was chosen works.
export function confirmEnrollment(flow: Flow, view: View, place: Place): Child {
  const { method } = view.enrollment!
  if (isKey(method)) return key(flow, view, method)
  return method === 'phone_code' ? (place.again ? phone(flow, view) : phoneCode(flow, view)) : totp(flow, view)
}

const others = (flow: Flow, view: View): Child => (view.methods?.length ?? 0) > 1 &&
  h('div', { class: 'after' }, parts.links(parts.link(flow.say('enroll.other'), () => flow.go(view, { list: true }))))

const confirm = (flow: Flow, words: string): HTMLFormElement =>
  parts.form(flow, (data) => flow.move((a) => a.confirm(String(data.get('answer') ?? '')))(),
    parts.digits(words), parts.submit(flow.say('button.continue')))

function totp(flow: Flow, view: View): Child {
  const { key = '', uri = '', qr } = view.enrollment!
  const code = h('code', null, (key.match(/.{1,4}/g) ?? []).map((part) => h('span', null, part)))
  return [
    parts.head(flow, flow.say('enroll_totp.title'), flow.say('enroll_totp.lead')),
    qr && svg('svg', { class: 'qr', part: 'qr', viewBox: `0 0 ${qr.side} ${qr.side}`, role: 'img', 'aria-label': flow.say('enroll_totp.picture') }, svg('path', { d: qr.path })),
    parts.links(parts.away(flow.say('enroll_totp.open'), uri)),
    h('details', { class: 'more', open: !qr }, h('summary', null, flow.say('enroll_totp.by_hand')),
      h('p', { class: 'subtle' }, flow.say('enroll_totp.key')), h('div', { class: 'key' }, code, parts.copy(flow, () => key))),
    confirm(flow, flow.say('enroll_totp.confirm')), others(flow, view), parts.cancel(flow),
  ]
}

function phone(flow: Flow, view: View): Child {
  return [
    parts.head(flow, flow.say('enroll_phone.title'), flow.say('enroll_phone.lead')),
    parts.form(flow, (data) => flow.move((a) => a.enroll('phone_code', String(data.get('phone') ?? '')))(),
      parts.field({
        name: 'phone', type: 'tel', label: flow.say('field.phone'), complete: 'tel', hint: flow.say('enroll_phone.hint'),
        more: { maxlength: 64, placeholder: '+44 20 7946 0018' },
      }), parts.submit(flow.say('enroll_phone.send'))),
    others(flow, view), parts.cancel(flow),
  ]
}

function phoneCode(flow: Flow, view: View): Child {
  const target = view.enrollment!.target ?? ''
  const way = view.methods?.find((o) => o.method === 'phone_code') ?? { method: 'phone_code' }
  return [
    parts.head(flow, flow.say('enroll_phone.title'), [flow.say('code.lead'), ' ', h('strong', null, target)]),
    confirm(flow, flow.say('field.code')),
    h('div', { class: 'after' }, parts.links(parts.resend(flow, way, flow.move((a) => a.enroll('phone_code'))),
      parts.link(flow.say('enroll_phone.change'), () => flow.go(view, { again: true })))),
    h('p', { class: 'subtle note', part: 'hint' }, flow.say('code.spam_phone')),
    others(flow, view), parts.cancel(flow),
  ]
}

function key(flow: Flow, view: View, method: Key): Child {
  return [
    parts.head(flow, flow.say(`enroll_key.title_${method}`), flow.say(`enroll_key.lead_${method}`)),
    parts.form(flow, async () => {
      flow.announce(flow.say('key.wait'))
      flow.go(await flow.attempt!.createPasskey(method, undefined, { signal: flow.until }))
    }, parts.submit(flow.say(`enroll_key.do_${method}`))),
    others(flow, view), parts.cancel(flow),
  ]
}
