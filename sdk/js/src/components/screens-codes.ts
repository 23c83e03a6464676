// Backup codes are shown once, and every way to keep them is offered.
import { h, type Child } from './dom.js'
import type { Flow } from './flow.js'
import * as parts from './parts.js'

export function backupCodes(flow: Flow, codes: string[], done: () => void): Child {
  const text = () => codes.join('\n')
  const file = () => {
    const body = `${flow.say('backup.file', { brand: flow.brand })}\n\n${text()}\n`
    const address = URL.createObjectURL(new Blob([body], { type: 'text/plain' }))
    const link = h('a', { href: address, download: 'backup-codes.txt', hidden: true })
    flow.root.append(link)
    link.click()
    link.remove()
    flow.later(() => URL.revokeObjectURL(address), 10_000)
  }
  return [
    parts.head(flow, flow.say('backup.title'), flow.say('backup.lead')),
    h('ol', { class: 'codes', part: 'codes', 'aria-label': flow.say('backup.list') }, codes.map((code) => h('li', null, h('code', null, code)))),
    h('div', { class: 'acts' }, parts.button(flow.say('backup.save'), file), parts.copy(flow, text)),
    parts.form(flow, async () => done(), parts.submit(flow.say('backup.continue'))),
  ]
}
