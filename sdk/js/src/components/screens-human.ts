// The bot check, where it could not be passed in passing: our own is tried again, a captcha's widget needs a page of the
// service, because the policy of the page around us would not let it in. A mailed code does instead of either.
import type { View } from '../idp.js'
import { h, type Child } from './dom.js'
import type { Flow } from './flow.js'
import * as parts from './parts.js'

export function human(flow: Flow, view: View): Child {
  const mail = view.methods?.find((o) => !o.connection && o.target)
  const ours = view.human?.puzzle
  const progress = h('progress', { class: 'progress', max: ours?.rounds ?? 1, value: 0, 'aria-label': flow.say('human.progress') })
  progress.hidden = true
  return [
    parts.head(flow, flow.say('human.title'), flow.say(ours ? 'human.lead' : 'component.hosted')),
    parts.form(flow, async () => {
      if (!ours) return flow.hosted()
      progress.hidden = false
      flow.announce(flow.say('human.busy'))
      flow.go(await flow.attempt!.human(undefined, { signal: flow.until, progress: (done) => { progress.value = done } }))
    }, progress, parts.submit(flow.say(ours ? 'human.again' : 'button.continue'))),
    mail && h('div', { class: 'form note' },
      h('p', { class: 'subtle' }, flow.say('human.instead'), ' ', h('strong', null, mail.target)),
      parts.button(flow.say(view.reset ? 'human.mail_reset' : 'human.mail'),
        () => flow.run(flow.move((a) => a.prepare(mail.method), { method: mail.method }), flow.find('[data-do=mail]')), { 'data-do': 'mail' })),
    parts.cancel(flow),
  ]
}
