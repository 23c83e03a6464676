// Attempts within a session: a fresh proof, an address that answers, a factor that is set up, an account elsewhere.
// They run in a dialog, on the same screens that sign people in.
import { IdpError, type Attempt, type Method, type View } from '../idp.js'
import { h, type Child } from './dom.js'
import { Flow, type Place } from './flow.js'
import { dialog } from './user-dialog.js'
import type Profile from './user-profile.js'

const exportparts = 'card, header, title, lead, field, label, input, button, link, alert, error, hint, choice, qr'

// Within is a Flow that goes on with an attempt that is there, and ends with it.
class Within extends Flow {
  done = false
  private shown = false

  constructor(host: HTMLElement, root: ShadowRoot, attempt: Attempt, private readonly place: Place, private readonly close: () => void) {
    super(host, root, 'sign_in')
    this.attempt = attempt
  }

  protected override async begin(): Promise<void> {
    this.arrived()
    const again = this.shown // they come back from a provider
    this.shown = true
    const view = again ? await this.attempt!.look().catch(() => this.attempt!.view) : this.attempt!.view
    if (this.signal.aborted) return
    this.go(view, view.step === 'needs_enrollment' ? this.place : {})
    // What is to be set up has to be read first.
    this.focus((view.step !== 'needs_enrollment' && this.find('[data-first], .input:not([readonly])')) || this.find('.title'), true)
  }

  // Nothing begins anew in here: what is over is over, and whose account it is about stands.
  override start(): void { this.close() }
  override first(): Child {
    this.close()
    return null
  }
  override async begun(): Promise<Attempt> { return this.attempt! }

  protected override finish(): void {
    this.done = true
    this.close()
  }
}

// carry has the person complete an attempt. False: they closed the dialog, and nothing happened.
export async function carry(p: Profile, begin: () => Promise<Attempt>, label: string, place: Place = {}): Promise<boolean> {
  const attempt = await begin()
  if (attempt.view.step === 'complete') return true
  const end = new AbortController()
  const host = h('div', { class: 'within', 'return-to': location.href, exportparts })
  for (const name of ['theme', 'issuer', 'locale']) if (p.host.hasAttribute(name)) host.setAttribute(name, p.attribute(name))
  const flow = new Within(host, host.attachShadow({ mode: 'open' }), attempt, place, () => end.abort())
  const closed = dialog(p, { label, content: host, signal: AbortSignal.any([p.alive, end.signal]), stays: true, className: 'bare' })
  flow.connect()
  await closed
  flow.disconnect()
  if (!flow.done) attempt.cancel().catch(() => {}) // it may be over already
  return flow.done
}

// freshly does work; where that needs a fresh proof, it has one given and does it again. False: none was given.
export async function freshly(p: Profile, work: () => Promise<unknown>): Promise<boolean> {
  try {
    return await work() !== false
  } catch (error) {
    if (!(error instanceof IdpError) || error.code !== 'step_up_required') throw error
  }
  if (!await carry(p, () => p.client.attempt('step_up'), p.say('account.confirm'))) return false
  return await work() !== false
}

// extended puts an address or number on file, once it answers.
export async function extended(p: Profile, address: string): Promise<Attempt> {
  const view = await p.client.request<View>('POST', '/me/identifiers', { address })
  return p.client.resume(view.id)
}

// setUp sets up a factor: what is asked first is a proof, if one is due.
export function setUp(p: Profile, method: Method): Promise<boolean> {
  const begin = async () => {
    const attempt = await p.client.attempt('enroll')
    if (attempt.view.step === 'needs_enrollment' && method === 'totp') await attempt.enroll(method) // there is nothing to ask before
    return attempt
  }
  return carry(p, begin, p.say(`method.${method}`), method === 'totp' ? {} : { method, list: true })
}
