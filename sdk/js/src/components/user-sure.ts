// A question before what cannot be taken back, or would be missed.
import { h, type Child } from './dom.js'
import { dialog } from './user-dialog.js'
import type Profile from './user-profile.js'

// sure asks and resolves with the answer. Closing the dialog is a no; so is what has the focus first.
export async function sure(p: Profile, title: string, about: Child, words: string): Promise<boolean> {
  let yes = false
  const close = new AbortController()
  const answer = (said: boolean) => () => { yes = said; close.abort() }
  const content = h('div', { class: 'ask' }, h('h2', { class: 'title' }, title), h('p', { class: 'lead' }, about),
    h('div', { class: 'acts-row end' },
      h('button', { class: 'button', part: 'button', type: 'button', autofocus: true, onclick: answer(false) }, p.say('button.cancel')),
      h('button', { class: 'button danger', part: 'button danger', type: 'button', 'data-act': 'sure', onclick: answer(true) }, words)))
  await dialog(p, { label: title, content, signal: AbortSignal.any([p.alive, close.signal]) })
  return yes
}
