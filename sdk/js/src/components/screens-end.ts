// Where there is nothing to prove here: off to a provider, too late, or signed in.
import type { IdpError, MethodOption, View } from '../idp.js'
import { h, initials, type Child } from './dom.js'
import type { Flow } from './flow.js'
import { face, maker } from './icons.js'
import * as parts from './parts.js'
import { who } from './screens-proof.js'
import { only } from './screens-start.js'

// connection sends somebody to the provider that they come from or have to come from.
export function connection(flow: Flow, view: View, way?: MethodOption): Child {
  if (!way?.connection) return [parts.head(flow, flow.say('error.title')), parts.cancel(flow)]
  const upstream = way.title ?? ''
  return [
    parts.head(flow, flow.say('upstream.title', { upstream }), flow.say(only(view) ? 'upstream.lead_only' : 'upstream.lead', { upstream }), maker(upstream, way.preset)),
    who(flow, view),
    parts.form(flow, () => flow.depart(way.connection!), parts.submit(flow.say('upstream.continue_to', { upstream }))),
    (view.methods?.length ?? 0) > 1 && h('div', { class: 'after' }, parts.links(parts.link(flow.say('code.other'), () => flow.go(view, { list: true })))),
    parts.cancel(flow),
  ]
}

// over is said when an attempt ended: it took too long, was wrong too often, or was cancelled elsewhere.
export function over(flow: Flow, why?: IdpError): Child {
  return [
    parts.head(flow, flow.say('component.over'), why?.detail || flow.say('component.over_lead')),
    parts.form(flow, async () => flow.start(), parts.submit(flow.say('component.start_again'))),
  ]
}

// welcome says who is signed in.
export function welcome(flow: Flow): Child {
  const user = flow.client.user
  if (!user) return flow.first()
  const name = user.name || user.email || ''
  return [
    parts.head(flow, flow.say('component.signed_in')),
    h('div', { class: 'who', part: 'account' },
      face([initials(name), user.picture && h('img', { src: new URL(user.picture, flow.client.issuer).href, alt: '' })]),
      h('span', null, name, user.email && user.email !== name && h('small', null, user.email))),
    h('div', { class: 'form' },
      flow.onward && h('a', { class: 'button primary', part: 'button button-primary', href: flow.onward }, flow.say('button.continue')),
      parts.button(flow.say('choose.add'), () => flow.start())),
  ]
}
