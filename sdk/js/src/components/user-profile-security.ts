// The tab "security": what somebody proves themselves with, and where they are signed in.
import type { Method } from '../idp.js'
import { h, type Child } from './dom.js'
import { field, submits, ticked, typed } from './user-form.js'
import { codes } from './user-codes.js'
import { dialog } from './user-dialog.js'
import type Profile from './user-profile.js'
import type { Tab } from './user-profile.js'
import { setUp } from './user-proof.js'
import { sure } from './user-sure.js'

interface Factor { id: string; method: Method; name?: string; number?: string; created_at: string; last_used_at?: string }
interface Security { factors: Factor[]; backup_codes_left: number; backup_codes: boolean; methods: Method[]; two_step: boolean; required: boolean }
interface Device { id: string; this: boolean; browser?: string; place?: string; network?: string; public?: boolean; methods: string[]; created_at: string; last_active_at: string }
interface Trusted { id: string; this: boolean; browser?: string; created_at: string; last_used_at: string; expires_at: string }

const keys = (method: string) => method === 'passkey' || method === 'security_key'
const reads = ['/me/factors', '/me/trusted-browsers', '/me/sessions']

export const securityTab: Tab = {
  words: 'component.profile.tab_security',
  needs: reads,
  draw(p) {
    const s = p.get<Security>('/me/factors')
    return [password(p), factors(p, s, true), factors(p, s, false), backup(p, s), devices(p), trusted(p)]
  },
}

function password(p: Profile): Child {
  const has = p.me.password
  if (!has && !p.passwords) return null
  const id = 'password'
  const form = submits((form) => p.act(id, () => p.client.request('POST', '/me/password', { password: typed(form).password, end_others: ticked(form, 'others') }),
    { done: p.say('account.done_password'), form, reads }),
  h('input', { class: 'hush', type: 'text', name: 'username', value: p.mainAddress ?? '', autocomplete: 'username', 'aria-label': p.say('field.email'), tabindex: '-1', readonly: true }),
  field('password', p.say('field.new_password'), { type: 'password', complete: 'new-password', longest: 1024, required: true }),
  h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'others', checked: true }),
    h('span', {}, p.say('account.password_others'), h('small', {}, p.say('account.password_others_hint')))),
  h('div', { class: 'acts-row' }, h('button', { class: 'button primary small', part: 'button', type: 'submit', 'data-act': 'save-password' }, p.say('button.save'))))
  return p.section(id, p.say('method.password'), has ? false : p.say('security.no_password'),
    h('details', { class: 'fold alone', part: 'fold' }, h('summary', { 'data-act': 'open-password' }, p.say(has ? 'account.password_change' : 'account.password_set')), form),
    has && h('div', { class: 'acts-row' }, h('button', {
      class: 'link', part: 'link', type: 'button', 'data-act': 'remove-password', onclick: async () => {
        if (!await sure(p, p.say('account.password_remove'), p.say('component.profile.sure_password'), p.say('security.remove'))) return
        await p.act(id, () => p.client.request('DELETE', '/me/password'), { done: p.say('account.done_password_removed'), reads })
      },
    }, p.say('account.password_remove'))))
}

// factors are the keys, which sign in by themselves, or the second steps.
function factors(p: Profile, s: Security, areKeys: boolean): Child {
  const id = areKeys ? 'keys' : 'steps'
  const mine = s.factors.filter((f) => keys(f.method) === areKeys)
  const add = s.methods.filter((m) => keys(m) === areKeys)
  if (mine.length + add.length === 0) return null
  const title = areKeys ? p.say('security.keys')
    : [p.say('methods.title_second'), ' ', h('span', { class: s.two_step ? 'tag tag-good' : 'tag', part: 'tag' }, p.say(s.two_step ? 'security.on' : 'security.off'))]
  const hint = areKeys ? 'security.keys_hint' : s.required ? 'security.steps_must' : 'security.steps_hint'
  return p.section(id, title, p.say(hint),
    mine.length > 0 && h('ul', { class: 'rows' }, mine.map((f) => factor(p, id, f))),
    add.length > 0 && h('div', { class: 'acts-row' }, add.map((m) => {
      const there = mine.some((f) => f.method === m)
      const words = there && m === 'totp' ? 'security.replace_totp' : there && m === 'phone_code' ? 'security.more_phone_code' : `security.add_${m}`
      return p.button(p.say(words), () => p.act(id, () => setUp(p, m), { done: p.say(areKeys ? 'component.profile.done_key' : 'component.profile.done_factor'), reads }), { id: `add-${m}` })
    })))
}

function factor(p: Profile, section: string, f: Factor): HTMLElement {
  const kind = p.say(`method.${f.method}`)
  const name = f.name || f.number || kind
  const path = `/me/factors/${encodeURIComponent(f.id)}`
  return h('li', { class: 'row', part: 'row' },
    h('div', { class: 'row-main' }, h('strong', {}, name), ' ', name !== kind && h('span', { class: 'tag', part: 'tag' }, kind),
      h('small', {}, p.say('security.since', { day: p.day(f.created_at) }), f.last_used_at && ` · ${p.say('security.used', { ago: p.ago(f.last_used_at) })}`)),
    h('div', { class: 'row-acts' },
      p.button(p.say('security.rename'), () => rename(p, section, path, f.name ?? '', name), { about: p.say('component.profile.rename_one', { what: name }) }),
      p.button(p.say('security.remove'), async () => {
        if (!await sure(p, p.say('security.remove_one', { what: name }), p.say('component.profile.sure_factor'), p.say('security.remove'))) return
        await p.act(section, () => p.client.request('DELETE', path), { done: p.say('security.done_removed'), reads })
      }, { about: p.say('security.remove_one', { what: name }) })))
}

// rename asks for the name in a dialog, which stays while the name does not do.
async function rename(p: Profile, section: string, path: string, was: string, shown: string): Promise<void> {
  const close = new AbortController()
  const title = p.say('component.profile.rename_one', { what: shown })
  const form = submits(async (form) => {
    if (await p.act(section, () => p.client.request('PATCH', path, { name: typed(form).name }), { done: p.say('security.done_renamed'), form, reads })) close.abort()
    else if (!form.querySelector('.error')) close.abort() // the section says why
  }, h('h2', { class: 'title' }, title), field('name', p.say('security.name'), { value: was, longest: 60, required: true }),
  h('div', { class: 'acts-row end' },
    h('button', { class: 'button', part: 'button', type: 'button', onclick: () => close.abort() }, p.say('button.cancel')),
    h('button', { class: 'button primary', part: 'button', type: 'submit' }, p.say('button.save'))))
  await dialog(p, { label: title, content: form, signal: AbortSignal.any([p.alive, close.signal]) })
}

function backup(p: Profile, s: Security): Child {
  if (!s.backup_codes) return null
  const id = 'backup'
  return p.section(id, p.say('security.backup'), p.say('security.backup_hint'),
    h('ul', { class: 'rows' }, h('li', { class: 'row', part: 'row' }, h('div', { class: 'row-main' }, p.count('security.backup_left', s.backup_codes_left)),
      h('div', { class: 'row-acts' }, p.button(p.say('security.backup_renew'), async () => {
        if (s.backup_codes_left > 0 && !await sure(p, p.say('security.backup_renew'), p.say('component.profile.sure_backup'), p.say('security.backup_renew'))) return
        let fresh: string[] = []
        await p.act(id, async () => { fresh = (await p.client.request<{ backup_codes: string[] }>('POST', '/me/backup-codes')).backup_codes }, { reads })
        if (fresh.length > 0) await codes(p, fresh)
      }, { id: 'renew-backup' })))))
}

function devices(p: Profile): Child {
  const all = p.get<{ sessions: Device[] }>('/me/sessions').sessions
  const id = 'devices'
  const read = ['/me/sessions', '/me/trusted-browsers']
  return p.section(id, p.say('account.devices'), p.say('account.devices_hint'),
    h('ul', { class: 'rows' }, all.map((d) => {
      const name = d.browser || p.say('account.device_unknown')
      return h('li', { class: 'row', part: 'row' },
        h('div', { class: 'row-main' }, h('strong', {}, name), ' ',
          d.this && h('span', { class: 'tag tag-good', part: 'tag' }, p.say('account.this_device')), d.public && h('span', { class: 'tag', part: 'tag' }, p.say('account.public_device')),
          h('small', {}, [p.say('account.seen', { ago: p.ago(d.last_active_at) }), d.place, d.network].filter(Boolean).join(' · ')),
          h('small', {}, [p.say('account.since', { day: p.day(d.created_at) }), d.methods.map((m) => (p.has(`account.by.${m}`) ? p.say(`account.by.${m}`) : m)).join(', ')].filter(Boolean).join(' · '))),
        !d.this && h('div', { class: 'row-acts' }, p.button(p.say('account.end'), () => p.act(id, () => p.client.request('DELETE', `/me/sessions/${encodeURIComponent(d.id)}`),
          { done: p.say('account.done_ended'), reads: read }), { about: p.say('account.end_one', { device: name }) })))
    })),
    all.length > 1 && h('div', { class: 'acts-row' }, h('button', {
      class: 'link', part: 'link', type: 'button', 'data-act': 'end-others',
      onclick: () => p.act(id, () => p.client.request('POST', '/me/sessions/end-others'), { done: p.say('account.done_ended_others'), reads: read }),
    }, p.say('account.end_others'))))
}

function trusted(p: Profile): Child {
  const all = p.get<{ trusted_browsers: Trusted[] }>('/me/trusted-browsers').trusted_browsers
  const id = 'trusted'
  return all.length > 0 && p.section(id, p.say('trusted.title'), p.say('trusted.hint'), h('ul', { class: 'rows' }, all.map((t) => {
    const name = t.browser || p.say('account.device_unknown')
    return h('li', { class: 'row', part: 'row' },
      h('div', { class: 'row-main' }, h('strong', {}, name), ' ', t.this && h('span', { class: 'tag tag-good', part: 'tag' }, p.say('trusted.this')),
        h('small', {}, `${p.say('account.seen', { ago: p.ago(t.last_used_at) })} · ${p.say('trusted.until', { day: p.day(t.expires_at) })}`)),
      h('div', { class: 'row-acts' }, p.button(p.say('trusted.drop'), () => p.act(id, () => p.client.request('DELETE', `/me/trusted-browsers/${encodeURIComponent(t.id)}`),
        { done: p.say('account.done_distrusted'), reads: ['/me/trusted-browsers'] }), { about: p.say('trusted.drop_one', { device: name }) })))
  })))
}
