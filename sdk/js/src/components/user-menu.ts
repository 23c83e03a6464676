// Menu is the menu button pattern (WAI-ARIA): a button that opens a list of acts. One of them has the focus, arrows
// move it, letters find, Escape and a click elsewhere close.

export class Menu {
  private readonly items: HTMLElement[] // roles menuitem
  private typed = ''
  private lastTyped = 0

  // button opens panel, which holds the menu and what is written around it. The listeners end with signal.
  constructor(private readonly button: HTMLElement, private readonly panel: HTMLElement, signal: AbortSignal) {
    this.items = [...panel.querySelectorAll<HTMLElement>('[role=menuitem]')]
    for (const item of this.items) item.tabIndex = -1
    button.addEventListener('click', () => (this.isOpen ? this.close() : this.open(0)), { signal })
    button.addEventListener('keydown', (event) => this.onButton(event), { signal })
    panel.addEventListener('keydown', (event) => this.onPanel(event), { signal })
    panel.addEventListener('click', (event) => {
      if (event.composedPath().some((on) => this.items.includes(on as HTMLElement))) this.close()
    }, { signal })
    document.addEventListener('pointerdown', (event) => {
      const inside = event.composedPath()
      if (this.isOpen && !inside.includes(panel) && !inside.includes(button)) this.close(false)
    }, { signal })
  }

  get isOpen(): boolean { return !this.panel.hidden }

  open(at: number): void {
    this.panel.hidden = false
    this.button.setAttribute('aria-expanded', 'true')
    this.fit()
    this.go(at)
  }

  // close gives the focus back to the button, unless the person went elsewhere by themselves.
  close(back = true): void {
    this.panel.hidden = true
    this.button.setAttribute('aria-expanded', 'false')
    if (back) this.button.focus()
  }

  // fit opens the panel to the side, and up or down, where the window has room for it.
  private fit(): void {
    delete this.panel.dataset.side
    delete this.panel.dataset.rise
    const seen = this.panel.getBoundingClientRect()
    const button = this.button.getBoundingClientRect()
    if (seen.left < 0) this.panel.dataset.side = 'start'
    if (seen.bottom > innerHeight && button.top > innerHeight - button.bottom) this.panel.dataset.rise = 'up'
  }

  private go(at: number): void {
    const all = this.items.length
    this.items[(at + all) % all]?.focus()
  }

  private get at(): number {
    const root = this.panel.getRootNode() as ShadowRoot
    return this.items.indexOf(root.activeElement as HTMLElement)
  }

  private onButton(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    this.open(event.key === 'ArrowDown' ? 0 : -1)
  }

  private onPanel(event: KeyboardEvent): void {
    const step: Record<string, number> = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, Home: 0, End: -1 }
    if (event.key in step) {
      event.preventDefault()
      this.go(step[event.key])
    } else if (event.key === 'Escape') {
      event.preventDefault()
      event.stopPropagation() // a dialog around it stays
      this.close()
    } else if (event.key === 'Tab') {
      this.close() // and the browser goes on from the button
    } else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.find(event.key)
    }
  }

  // find goes to the next act whose words begin with what was typed within half a second.
  private find(letter: string): void {
    const now = performance.now()
    this.typed = now - this.lastTyped < 500 ? this.typed + letter.toLowerCase() : letter.toLowerCase()
    this.lastTyped = now
    const from = this.typed.length > 1 ? this.at : this.at + 1
    for (let step = 0; step < this.items.length; step++) {
      const item = this.items[(from + step + this.items.length) % this.items.length]
      if (item.textContent?.trim().toLowerCase().startsWith(this.typed)) return item.focus()
    }
  }
}
