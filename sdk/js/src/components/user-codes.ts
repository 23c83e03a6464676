// Fresh backup codes, shown once: to copy, to save, to write down.
import { h } from './dom.js'
import { dialog } from './user-dialog.js'
import type Profile from './user-profile.js'

// codes resolves when the person says that they have kept them.
export function codes(p: Profile, fresh: string[]): Promise<void> {
  const close = new AbortController()
  const text = fresh.join('\n') + '\n'
  const content = h('div', { class: 'ask' }, h('h2', { class: 'title' }, p.say('backup.title')), h('p', { class: 'lead' }, p.say('backup.lead')),
    h('ol', { class: 'codes', 'aria-label': p.say('backup.list') }, fresh.map((code) => h('li', {}, h('code', {}, code)))),
    h('div', { class: 'acts-row end' },
      navigator.clipboard && h('button', {
        class: 'button', part: 'button', type: 'button',
        onclick: (event: Event) => navigator.clipboard.writeText(text).then(() => {
          (event.target as HTMLElement).textContent = p.say('copy.done')
          p.announce(p.say('copy.done'))
        }, () => {}),
      }, p.say('copy.do')),
      h('button', { class: 'button', part: 'button', type: 'button', onclick: () => save('backup-codes.txt', 'text/plain', text) }, p.say('backup.save')),
      h('button', { class: 'button primary', part: 'button', type: 'button', 'data-act': 'kept', onclick: () => close.abort() }, p.say('backup.continue'))))
  return dialog(p, { label: p.say('backup.title'), content, signal: AbortSignal.any([p.alive, close.signal]), stays: true })
}

// save hands a file to the browser.
export function save(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = h('a', { href: url, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
