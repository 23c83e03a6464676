// The tab "profile": what somebody says of themselves, where they can be reached, accounts elsewhere.
import type { Identifier } from '../idp.js'
import { h, type Child } from './dom.js'
import { face } from './user-face.js'
import { field, submits, typed } from './user-form.js'
import type Profile from './user-profile.js'
import type { Tab } from './user-profile.js'
import { sure } from './user-sure.js'
import { carry, extended } from './user-proof.js'

const claims = ['name', 'given_name', 'family_name', 'locale', 'zoneinfo'] as const

export const personTab: Tab = {
  words: 'component.profile.tab_profile',
  needs: ['/me/connections', '/me/factors'],
  draw: (p) => [about(p), reached(p, 'email'), reached(p, 'phone'), elsewhere(p)],
}

function about(p: Profile): Child {
  const said = p.me.profile as Record<string, string | undefined>
  const complete = { name: 'name', given_name: 'given-name', family_name: 'family-name', locale: 'language', zoneinfo: 'off' }
  const hints: Partial<Record<(typeof claims)[number], string>> = { name: 'account.name_hint', locale: 'account.locale_hint', zoneinfo: 'account.zoneinfo_hint' }
  const one = (name: (typeof claims)[number]) => field(name, p.say(`account.${name}`),
    { value: said[name], complete: complete[name], hint: hints[name] && p.say(hints[name]), optional: p.say('field.optional') })
  const form = submits((form) => {
    const now = typed(form)
    const change = Object.fromEntries(claims.filter((name) => now[name].trim() !== (said[name] ?? '')).map((name) => [name, now[name]]))
    return p.act('about', () => p.client.updateMe(change), { done: p.say('account.done_profile'), form })
  }, one('name'), h('div', { class: 'pair' }, one('given_name'), one('family_name')), h('div', { class: 'pair' }, one('locale'), one('zoneinfo')),
  h('div', { class: 'acts-row' },
    h('button', { class: 'button primary small', part: 'button', type: 'submit', 'data-act': 'save-profile' }, p.say('button.save')),
    Boolean(said.picture) && [face(p.shown), h('button', {
      class: 'link', part: 'link', type: 'button', 'data-act': 'remove-picture',
      onclick: () => p.act('about', () => p.client.request('DELETE', '/me/picture').then(() => p.client.refresh()), { done: p.say('account.done_picture') }),
    }, p.say('account.picture_remove'))]))
  return p.section('about', p.say('account.profile'), p.say('account.profile_hint'), form)
}

// reached are the addresses, or the numbers, on file; numbers only where they are of use.
function reached(p: Profile, kind: 'email' | 'phone'): Child {
  const all = p.me.identifiers.filter((one) => one.kind === kind)
  const texting = p.get<{ methods: string[]; factors: { method: string }[] }>('/me/factors')
  const open = kind === 'email' || texting.methods.includes('phone_code') || texting.factors.some((f) => f.method === 'phone_code')
  if (!open && all.length === 0) return null
  const id = kind === 'email' ? 'emails' : 'phones'
  return p.section(id, p.say(kind === 'email' ? 'account.addresses' : 'account.phones'), p.say(kind === 'email' ? 'account.addresses_hint' : 'account.phones_hint'),
    all.length > 0 && h('ul', { class: 'rows' }, all.map((one) => holding(p, id, one))),
    open && adding(p, id, kind))
}

function holding(p: Profile, section: string, one: Identifier): HTMLElement {
  const reads = ['/me/connections', '/me/factors']
  const path = `/me/identifiers/${encodeURIComponent(one.id)}`
  const address = one.value
  return h('li', { class: 'row', part: 'row' },
    h('div', { class: 'row-main' }, h('strong', {}, address), ' ',
      one.primary && h('span', { class: 'tag tag-good', part: 'tag' }, p.say('account.primary')),
      !one.verified && h('span', { class: 'tag', part: 'tag' }, p.say('account.unverified')),
      one.sign_in_codes && h('small', {}, p.say('account.receives_codes'))),
    h('div', { class: 'row-acts' },
      !one.verified && p.button(p.say('account.verify'), () => prove(p, section, address), { about: p.say('account.verify_one', { address }) }),
      one.verified && !one.primary && p.button(p.say('account.make_primary'),
        () => p.act(section, () => p.client.request('PATCH', path, { primary: true }).then(() => p.client.refresh()), { done: p.say('account.done_primary'), reads }),
        { about: p.say('account.make_primary_one', { address }) }),
      !stays(p, one) && p.button(p.say('account.remove'), async () => {
        if (!await sure(p, p.say('account.remove_one', { address }), p.say('component.profile.sure_identifier'), p.say('account.remove'))) return
        await p.act(section, () => p.client.request('DELETE', path).then(() => p.client.refresh()), { done: p.say('account.done_removed'), reads })
      }, { about: p.say('account.remove_one', { address }) })))
}

// stays tells whether it could not be removed now: the last address, or a number that codes go to.
const stays = (p: Profile, one: Identifier): boolean => one.kind === 'phone' ? one.sign_in_codes === true
  : !p.me.identifiers.some((other) => other.id !== one.id && other.kind === 'email' && other.verified)

function adding(p: Profile, section: string, kind: 'email' | 'phone'): HTMLElement {
  const label = kind === 'email' ? p.say('field.email') : p.say('account.phone')
  const input = kind === 'email'
    ? field('address', label, { type: 'email', complete: 'email', longest: 254, required: true })
    : field('address', label, { type: 'tel', complete: 'tel', longest: 40, required: true, hint: p.say('account.phone_hint') })
  const form = submits((form) => prove(p, section, typed(form).address, form), input,
    h('div', { class: 'acts-row' }, h('button', { class: 'button small', part: 'button', type: 'submit', 'data-act': `add-${kind}` }, p.say('account.send_code'))))
  const fold = h('details', { class: 'fold', part: 'fold' }, h('summary', { 'data-act': `open-${kind}` }, p.say(kind === 'email' ? 'account.add_email' : 'account.add_phone')), form)
  return fold
}

// prove puts an address or number on file once the code that is sent there comes back.
function prove(p: Profile, section: string, address: string, form?: HTMLElement): Promise<boolean> {
  return p.act(section, () => carry(p, () => extended(p, address), p.say('component.profile.verify_title')),
    { done: p.say('account.done_added'), form, reads: ['/me/connections', '/me/factors'] })
}

interface Connected { id: string; connection: string; title: string; label?: string; created_at: string; last_used_at?: string; disabled?: boolean; confirms?: string[] }
interface Connections { connections: Connected[]; available: { connection: string; title: string }[] }

function elsewhere(p: Profile): Child {
  const { connections, available } = p.get<Connections>('/me/connections')
  if (connections.length + available.length === 0) return null
  const section = 'connections'
  return p.section(section, p.say('linked.title'), p.say('linked.hint'),
    connections.length > 0 && h('ul', { class: 'rows' }, connections.map((one) => h('li', { class: 'row', part: 'row' },
      h('div', { class: 'row-main' }, h('strong', {}, one.title), ' ', one.disabled && h('span', { class: 'tag', part: 'tag' }, p.say('linked.closed')),
        one.label && h('small', {}, one.label),
        h('small', {}, p.say('linked.since', { day: p.day(one.created_at) }), one.last_used_at && ` · ${p.say('security.used', { ago: p.ago(one.last_used_at) })}`),
        one.confirms?.map((address) => [h('small', {}, p.say('linked.confirms', { address })),
          h('button', { class: 'link', part: 'link', type: 'button', onclick: () => prove(p, section, address) }, p.say('linked.confirm_by_code', { address }))])),
      h('div', { class: 'row-acts' }, p.button(p.say('linked.disconnect'), async () => {
        if (!await sure(p, p.say('linked.disconnect_one', { upstream: one.title }), p.say('component.profile.sure_disconnect', { upstream: one.title }), p.say('linked.disconnect'))) return
        await p.act(section, () => p.client.request('DELETE', `/me/connections/${encodeURIComponent(one.id)}`), { done: p.say('linked.done_disconnected'), reads: ['/me/connections', '/me/factors'] })
      }, { about: p.say('linked.disconnect_one', { upstream: one.title }) }))))),
    available.length > 0 && h('div', { class: 'acts-row' }, available.map((one) => p.button(p.say('linked.connect', { upstream: one.title }),
      () => p.act(section, () => carry(p, () => p.client.attempt('connect', { connection: one.connection, returnTo: location.href }), p.say('upstream.connect_title', { upstream: one.title })),
        { done: p.say('linked.done_connected'), reads: ['/me/connections', '/me/factors'] })))))
}
