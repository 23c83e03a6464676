// To show who one is: a password, a code, a passkey or security key, or the list to choose from.
import type { MethodOption, View } from '../idp.js'
import { h, initials, type Child } from './dom.js'
import type { Flow, Place } from './flow.js'
import { face, icon, maker } from './icons.js'
import * as parts from './parts.js'
import { connection } from './screens-end.js'
import { only } from './screens-start.js'
import { ways } from './ways.js'

const mailed = new Set(['email_code', 'email_link', 'reset_password_email_code', 'phone_code'])

// proof shows the way that was picked, or the list if that is asked for.
export function proof(flow: Flow, view: View, place: Place): Child {
  const way = picked(view, place.method)
  if (!way) return [parts.head(flow, flow.say('error.title')), parts.cancel(flow)]
  if (place.list && !only(view)) return list(flow, view)
  if (way.method === 'passkey' || way.method === 'security_key') return key(flow, view, way)
  if (way.connection) return connection(flow, view, way)
  if (way.method === 'password') return password(flow, view)
  return code(flow, view, way)
}

// picked is the method that was picked, else the one a message is out for, else the first.
function picked(view: View, wanted?: string): MethodOption | undefined {
  const all = view.methods ?? []
  return all.find((o) => o.method === wanted) ?? all.find((o) => o.sent) ?? all[0]
}

const others = (flow: Flow, view: View): Child =>
  (view.methods?.length ?? 0) > 1 && parts.link(flow.say('code.other'), () => flow.go(view, { list: true }))

// who says whose account this is about, and lets one say another.
export const who = (flow: Flow, view: View): Child => view.identifier && h('div', { class: 'who', part: 'account' },
  face(initials(view.identifier)), h('span', null, view.identifier), view.goal === 'sign_in' && parts.link(flow.say('whoami.change'), () => {
    flow.typed = view.identifier ?? ''
    flow.draw(flow.first())
  }))

function password(flow: Flow, view: View): Child {
  return [
    parts.head(flow, flow.say('password.title')), who(flow, view),
    parts.form(flow, (data) => flow.move((a) => a.prove('password', String(data.get('password') ?? '')), { method: 'password' })(),
      parts.account(flow, view.identifier ?? ''),
      parts.secret(flow, 'password', flow.say('field.password'), 'current-password'),
      parts.submit(flow.say(view.goal === 'sign_in' ? 'button.sign_in' : 'button.continue'))),
    h('div', { class: 'after' }, parts.links(
      view.goal === 'sign_in' && view.step === 'needs_first_factor' && parts.link(flow.say('sign_in.forgot'), () => flow.run(flow.move((a) => a.forgot()))),
      others(flow, view))),
    parts.cancel(flow),
  ]
}

// code asks for what a message says, an app shows or a paper has; and before that whether to send a message.
function code(flow: Flow, view: View, way: MethodOption): Child {
  const { method, target = '', sent } = way
  const message = mailed.has(method)
  const phone = method === 'phone_code'
  const backup = method === 'backup_code'
  const can = ways(flow.environment)
  const byCode = !message || phone || can.emailCode || !can.emailLink
  const byLink = message && !phone && can.emailLink
  const title = method === 'reset_password_email_code' ? 'code.title_reset'
    : view.step === 'needs_second_factor' ? 'methods.title_second'
    : phone ? 'code.title_phone' : message ? 'code.title' : 'code.title_other'
  const lead = backup ? 'code.lead_backup' : !message ? 'code.lead_other'
    : !sent ? (phone ? 'code.lead_unsent_phone' : 'code.lead_unsent')
    : !byCode ? 'code.lead_link' : byLink ? 'code.lead_both' : 'code.lead'
  const prepare = flow.move((a) => a.prepare(method), { method })
  const start = [
    parts.head(flow, flow.say(title), [flow.say(lead), target && [' ', h('strong', null, target)]]),
    view.upstream && parts.alert(flow.say('upstream.address', { upstream: view.upstream })),
  ]
  if (message && !sent) {
    return [...start, parts.form(flow, prepare, parts.submit(flow.say('code.send'))),
      h('div', { class: 'after' }, parts.links(others(flow, view))), parts.cancel(flow)]
  }
  return [
    ...start,
    byCode && parts.form(flow, (data) => flow.move((a) => a.prove(method, String(data.get('answer') ?? ''), { trust: data.has('trust') }), { method })(),
      backup ? parts.field({
        name: 'answer', label: flow.say('field.backup_code'), complete: 'one-time-code', class: 'input-backup', more: { autocapitalize: 'characters', maxlength: 40 },
      }) : parts.digits(flow.say('field.code')),
      parts.trust(flow, view.trust_days), parts.submit(flow.say('button.continue'))),
    h('div', { class: 'after' }, parts.links(message && parts.resend(flow, way, prepare), others(flow, view))),
    message && h('p', { class: 'subtle note', part: 'hint' }, flow.say(phone ? 'code.spam_phone' : 'code.spam')),
    parts.cancel(flow),
  ]
}

function key(flow: Flow, view: View, way: MethodOption): Child {
  const method = way.method as 'passkey' | 'security_key'
  return [
    parts.head(flow, flow.say(`key.title_${method}`), flow.say(`key.lead_${method}`)),
    parts.form(flow, async (data) => {
      flow.announce(flow.say('key.wait'))
      flow.go(await flow.attempt!.passkey(method, { trust: data.has('trust'), signal: flow.until }), { method })
    }, parts.trust(flow, view.trust_days), parts.submit(flow.say(`key.use_${method}`))),
    h('div', { class: 'after' }, parts.links(others(flow, view))),
    parts.cancel(flow),
  ]
}

function list(flow: Flow, view: View): Child {
  const second = view.step === 'needs_second_factor'
  return [
    parts.head(flow, flow.say(second ? 'methods.title_second' : 'methods.title'), second ? flow.say('methods.lead_second') : view.identifier),
    h('ul', { class: 'choices' }, (view.methods ?? []).map((way) => way.connection
      ? parts.choice(maker(way.title, way.preset), flow.say('upstream.continue', { upstream: way.title ?? '' }), '',
        () => flow.run(() => flow.depart(way.connection!)), way.connection)
      : parts.choice(face(icon(way.method)), flow.say(`method.${way.method}`), way.target ?? '', () => mailed.has(way.method) && !way.sent
        ? flow.run(flow.move((a) => a.prepare(way.method), { method: way.method }))
        : flow.go(view, { method: way.method }), way.method))),
    parts.cancel(flow),
  ]
}
