// The first screens: who somebody is, or what an account needs.
import { webAddress } from '../address.js'
import type { View } from '../idp.js'
import { h, type Child } from './dom.js'
import type { Flow } from './flow.js'
import { maker } from './icons.js'
import * as parts from './parts.js'
import { chosen } from './screens-password.js'
import { mailed, ways, type Button } from './ways.js'

// only is the one provider that somebody has to sign in at, undefined if there are other ways.
export const only = (view: View) =>
  view.step === 'needs_first_factor' && view.methods?.length === 1 && view.methods[0]?.connection ? view.methods[0] : undefined

// elsewhereOf is an address that the page gives for the other of the two, "" if there is none that is one of the web.
const elsewhereOf = (flow: Flow, name: string): string => flow.attribute(name) && webAddress(flow.attribute(name), document.baseURI)

// signIn asks for the address, and for the password too unless the operator wants a screen for each.
export function signIn(flow: Flow): Child {
  const can = ways(flow.environment)
  const known = flow.attempt?.view
  const typed = flow.typed || known?.identifier || known?.hint || ''
  const form = h('form', { class: 'form', part: 'form', 'aria-label': flow.say('sign_in.title'), onsubmit: (event: Event) => { event.preventDefault(); enter('sign_in') } })

  const enter = (wish: 'sign_in' | 'forgot' | 'code') => {
    const data = new FormData(form)
    flow.typed = String(data.get('identifier') ?? '')
    if (wish !== 'sign_in' && !flow.typed) return flow.draw(forgotten(flow, wish))
    return flow.run(() => named(flow, wish, String(data.get('password') ?? '')))
  }
  parts.fill(form,
    can.place === 'top' && elsewhere(flow, can.buttons, can.typed),
    can.typed && parts.email(flow, 'identifier', typed, can.passkey ? 'username webauthn' : 'username'),
    can.password && parts.secret(flow, 'password', flow.say('field.password'), 'current-password'),
    onPublic(flow),
    can.typed && parts.submit(flow.say(can.password ? 'button.sign_in' : 'button.continue')),
    can.passkey && parts.button(flow.say('sign_in.by_passkey'), () => flow.run(async () => {
      flow.go(await (await flow.begun()).passkey())
    }, flow.find('[data-do=passkey]')), { 'data-do': 'passkey' }),
    can.password && parts.links(
      parts.link(flow.say('sign_in.forgot'), () => enter('forgot')),
      can.mail && parts.link(flow.say('sign_in.by_code'), () => enter('code'))),
    can.place === 'bottom' && elsewhere(flow, can.buttons, can.typed))
  if (can.passkey) flow.later(() => flow.suggest(), 0)

  const other = elsewhereOf(flow, 'sign-up-url')
  return [
    parts.head(flow, flow.say('sign_in.title'), flow.say('sign_in.to_brand', { brand: flow.brand })), form,
    (can.open || flow.attribute('invitation')) && parts.foot(flow.say('sign_in.new_here'),
      other ? parts.away(flow.say('button.sign_up'), other) : parts.link(flow.say('button.sign_up'), () => flow.start('sign_up'))),
  ]
}

// named says who somebody is, and then does what they wanted.
async function named(flow: Flow, wish: 'sign_in' | 'forgot' | 'code', password: string): Promise<void> {
  const can = ways(flow.environment)
  const attempt = await flow.begun()
  const mail = () => flow.humanly(attempt, (a) => a.prepare(mailed(flow.environment)))
  let view = await flow.humanly(attempt, (a) => a.identify(flow.typed))
  const provider = only(view)
  if (provider && !password) return flow.depart(provider.connection!) // somebody who typed a password is told first
  if (!provider && view.step === 'needs_first_factor') {
    if (wish === 'forgot') view = await flow.humanly(attempt, (a) => a.forgot())
    else if (wish === 'code' || !can.passwords) view = await mail()
    else if (can.password || password) view = await flow.humanly(attempt, (a) => a.prove('password', password))
  }
  flow.go(view)
}

// forgotten asks for the address alone.
function forgotten(flow: Flow, wish: 'forgot' | 'code'): Child {
  const code = wish === 'code' ? '_code' : ''
  return [
    parts.head(flow, flow.say(`forgot.title${code}`), flow.say(`forgot.lead${code}`)),
    parts.form(flow, async (data) => {
      flow.typed = String(data.get('identifier') ?? '')
      await named(flow, wish, '')
    }, parts.email(flow, 'identifier', flow.typed, 'username'), parts.submit(flow.say('button.continue'))),
    parts.foot(parts.link(flow.say('forgot.back'), () => flow.start('sign_in'))),
  ]
}

// register asks for what an account needs; from a view, for what is still missing.
export function register(flow: Flow, view?: View): Child {
  const can = ways(flow.environment)
  const other = elsewhereOf(flow, 'sign-in-url')
  const back = parts.foot(flow.say('sign_up.known'),
    other ? parts.away(flow.say('button.sign_in'), other) : parts.link(flow.say('button.sign_in'), () => flow.start('sign_in')))
  if (!view && !can.open && !flow.attribute('invitation')) {
    return [parts.head(flow, flow.say('sign_up.title')), parts.alert(flow.say(can.invited ? 'component.invited' : 'component.closed')), back]
  }
  const stranger = view?.upstream // comes from a provider that gave no address
  const password = can.passwords && !stranger
  const typed = view?.identifier ?? flow.typed
  const form = parts.form(flow, async (data) => {
    const address = String(data.get('email') ?? typed)
    const name = String(data.get('name') ?? '').trim()
    flow.typed = address
    const attempt = await flow.begun()
    flow.go(await flow.humanly(attempt, (a) => a.submit({
      email: address, locale: flow.environment.locale,
      ...(name ? { name } : {}), ...(password ? { password: String(data.get('password') ?? '') } : {}),
    })))
  },
  can.place === 'top' && !view?.confirmed && !stranger && elsewhere(flow, can.buttons, can.typed),
  can.typed && (view?.confirmed
    ? [parts.alert([flow.say('sign_up.confirmed'), ' ', h('strong', null, typed)], 'good'), parts.account(flow, typed)]
    : parts.email(flow, 'email', typed, 'email')),
  can.typed && !stranger && parts.field({
    name: 'name', label: [flow.say('field.name'), ' ', h('small', null, flow.say('field.optional'))], complete: 'name', optional: true,
    more: { maxlength: 200, autocapitalize: 'words' },
  }),
  can.typed && password && chosen(flow, flow.say('field.password'), view?.password_rules ?? can.rules),
  onPublic(flow),
  can.typed && parts.submit(flow.say('button.sign_up')),
  can.place === 'bottom' && !view?.confirmed && !stranger && elsewhere(flow, can.buttons, can.typed))
  return [
    parts.head(flow, flow.say('sign_up.title'), flow.say('sign_up.lead')),
    stranger && parts.alert(flow.say('upstream.no_address', { upstream: stranger })), form, back,
  ]
}

// onPublic lets people say that the browser is not theirs. An attempt knows it from its beginning.
function onPublic(flow: Flow): Child {
  const box = parts.check('public', flow.say('field.public'), flow.say('field.public_hint'))
  const input = box.querySelector('input')!
  input.checked = flow.public
  input.addEventListener('change', () => {
    flow.public = input.checked
    flow.forget()
  })
  return box
}

// elsewhere are the buttons that lead to providers.
function elsewhere(flow: Flow, buttons: Button[], typed: boolean): Child {
  if (buttons.length === 0) return null
  const icons = ways(flow.environment).icons
  const many = buttons.length > 3 && !icons
  const or = typed && h('p', { class: 'or' }, h('span', null, flow.say('upstream.or')))
  const row = h('div', { class: `ways${icons ? ' ways-icons' : many ? ' ways-many' : ''}`, role: 'group', 'aria-label': flow.say('upstream.group') },
    buttons.map(({ connection, title, preset }) => {
      const words = flow.say('upstream.continue', { upstream: title })
      const button: HTMLElement = parts.button([maker(title, preset), !icons && h('span', null, many ? title : words)],
        () => flow.run(() => flow.depart(connection), button),
        { part: 'button provider', 'data-connection': connection, ...(icons && { title: words, 'aria-label': words }), ...(many && { title: words }) })
      return button
    }))
  return ways(flow.environment).place === 'top' ? [row, or] : [or, row]
}
