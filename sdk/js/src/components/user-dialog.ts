// A dialog in an element's own shadow root: modal, closed by Escape, by its button, by a click beside it.
import type { Component } from './base.js'
import { h } from './dom.js'
import { drawing } from './user-icons.js'

export interface DialogOptions {
  label: string
  content: Node
  className?: string
  /** Ends it from outside: the element left the page, or what it was for is done. */
  signal: AbortSignal
  /** Clicking beside it does not close: something is being typed in there. */
  stays?: boolean
}

// dialog resolves when it is closed. The browser keeps the focus inside until then.
export function dialog(on: Component, { label, content, className = '', signal, stays = false }: DialogOptions): Promise<void> {
  return new Promise((closed) => {
    const made = h('dialog', { class: `dialog ${className}`, part: 'dialog', 'aria-label': label },
      h('button', { class: 'dialog-close', part: 'dialog-close', type: 'button', 'aria-label': on.say('component.profile.close'), onclick: () => made.close() }, drawing('close')),
      h('div', { class: 'dialog-frame' }, content))
    if (signal.aborted) return closed() // what is not open cannot be closed
    const end = () => made.close()
    signal.addEventListener('abort', end, { once: true })
    made.addEventListener('close', () => {
      signal.removeEventListener('abort', end)
      made.remove()
      closed()
    }, { once: true })
    // The frame fills the dialog, so that a press on the dialog itself is one beside it.
    made.addEventListener('pointerdown', (event) => { if (event.target === made && !stays) made.close() })
    on.root.append(made)
    made.showModal()
  })
}
