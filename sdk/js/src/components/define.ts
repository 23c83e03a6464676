// A custom element is a shell: what it is made of is fetched when the first of its kind is on a page.
import type { Component } from './base.js'

type Maker = new (host: HTMLElement, root: ShadowRoot) => Component

// define registers an element. Beside the attributes that every element has, it names those whose change it is told of.
export function define(name: string, attributes: string[], fetch: () => Promise<{ default: Maker }>): void {
  if (customElements.get(name)) return // the script may be on a page twice
  customElements.define(name, class extends HTMLElement {
    static readonly observedAttributes = ['issuer', 'locale', ...attributes]
    private made?: Component
    private on = false

    async connectedCallback(): Promise<void> {
      try {
        const { default: Make } = await fetch()
        this.made ??= new Make(this, this.shadowRoot ?? this.attachShadow({ mode: 'open' }))
      } catch (error) {
        this.dispatchEvent(new CustomEvent('idp-error', { detail: { error }, bubbles: true, composed: true }))
        return
      }
      if (!this.isConnected || this.on) return
      this.on = true
      this.made.connect()
    }

    disconnectedCallback(): void {
      queueMicrotask(() => { // being moved is not leaving
        if (this.isConnected || !this.on) return
        this.on = false
        this.made?.disconnect()
      })
    }

    attributeChangedCallback(attribute: string, before: string | null, now: string | null): void {
      if (this.on && before !== now) this.made?.changed(attribute)
    }
  })
}
