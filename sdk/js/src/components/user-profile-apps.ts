// The tab "apps": what was let in, what is on file, and the way out.
import { h, type Child } from './dom.js'
import { save } from './user-codes.js'
import { dialog } from './user-dialog.js'
import { face } from './user-face.js'
import { blame, field, submits, typed, unblame } from './user-form.js'
import type Profile from './user-profile.js'
import type { Tab } from './user-profile.js'
import { freshly } from './user-proof.js'
import { sure } from './user-sure.js'
import { IdpError } from '../idp.js'

interface Grant { client_id: string; name: string; scopes: string[]; granted_at: string; last_used_at?: string }

export const appsTab: Tab = { words: 'component.profile.tab_apps', needs: ['/me/grants'], draw: (p) => [apps(p), data(p)] }

function apps(p: Profile): Child {
  const all = p.get<{ grants: Grant[] }>('/me/grants').grants
  return p.section('apps', p.say('account.apps'), p.say('account.apps_hint'),
    all.length === 0 ? h('p', { class: 'empty' }, p.say('account.no_apps')) : h('ul', { class: 'rows' }, all.map((app) => h('li', { class: 'row', part: 'row' },
      face({ name: app.name }),
      h('div', { class: 'row-main' }, h('strong', {}, app.name), h('small', {}, app.scopes.map((s) => (p.has(`scope.${s}`) ? p.say(`scope.${s}`) : s)).join(' · ')),
        h('small', {}, p.say('account.granted', { day: p.day(app.granted_at) }), app.last_used_at && ` · ${p.say('account.used', { ago: p.ago(app.last_used_at) })}`)),
      h('div', { class: 'row-acts' }, p.button(p.say('account.revoke'), async () => {
        const party = app.name
        if (!await sure(p, p.say('account.revoke_one', { party }), p.say('component.profile.sure_app', { party }), p.say('account.revoke'))) return
        await p.act('apps', () => p.client.request('DELETE', `/me/grants/${encodeURIComponent(app.client_id)}`), { done: p.say('account.done_revoked'), reads: ['/me/grants'] })
      }, { about: p.say('account.revoke_one', { party: app.name }) }))))))
}

function data(p: Profile): Child {
  return p.section('data', p.say('account.data'), false, h('ul', { class: 'rows' },
    h('li', { class: 'row', part: 'row' }, h('div', { class: 'row-main' }, h('strong', {}, p.say('account.export')), h('small', {}, p.say('account.export_hint'))),
      h('div', { class: 'row-acts' }, p.button(p.say('account.export_do'),
        () => p.act('data', async () => save('account.json', 'application/json', JSON.stringify(await p.client.request('GET', '/me/export'), null, 2))), { id: 'export' }))),
    h('li', { class: 'row', part: 'row' }, h('div', { class: 'row-main' }, h('strong', {}, p.say('account.delete')), h('small', {}, p.say('account.delete_hint'))),
      h('div', { class: 'row-acts' }, p.button(p.say('account.delete_go'), () => leave(p), { kind: 'danger', id: 'delete' })))))
}

// leave says what deleting means and has the address typed, so that nobody does it in passing.
async function leave(p: Profile): Promise<void> {
  const close = new AbortController()
  const address = p.mainAddress ?? ''
  let working = false
  const wrong = h('div', { class: 'notice' })
  const form = submits(async (form) => {
    if (working) return
    working = true
    unblame(form)
    wrong.replaceChildren()
    try {
      if (!await freshly(p, () => p.client.request('DELETE', '/me', { confirm: typed(form).confirm }))) return
      close.abort()
      p.emit('idp-account-deleted')
      await p.client.refresh().catch(() => {})
    } catch (error) {
      const known = error instanceof IdpError
      const words = known && error.status > 0 ? error.detail : p.say('key.offline')
      if (!blame(form, known ? error.field : undefined, words)) wrong.replaceChildren(h('p', { class: 'alert alert-error', part: 'alert', role: 'alert' }, words))
    } finally {
      working = false
    }
  }, h('h2', { class: 'title' }, p.say('delete.title')),
  h('ul', { class: 'means' }, ['what_account', 'what_devices', 'what_no_apps', 'what_stays', 'what_never'].map((what) => h('li', {}, p.say(`delete.${what}`)))),
  wrong,
  field('confirm', p.say('delete.confirm', { address }), { mode: 'email', longest: 254, required: true }),
  h('div', { class: 'acts-row end' },
    h('button', { class: 'button', part: 'button', type: 'button', onclick: () => close.abort() }, p.say('delete.keep')),
    h('button', { class: 'button danger', part: 'button danger', type: 'submit', 'data-act': 'delete-for-ever' }, p.say('delete.do'))))
  await dialog(p, { label: p.say('delete.title'), content: form, signal: AbortSignal.any([p.alive, close.signal]), stays: true })
}
