// Elements are made by hand: no innerHTML, no inline style, so that the strictest content security policy holds.

export type Child = Node | string | number | null | undefined | false | Child[]
export type Props = Record<string, unknown> | null

// h makes an element. Properties that begin with "on" are listeners, `value` is set as a property, true is an empty
// attribute; false, null and undefined leave it out. Children that are nothing are left out too.
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props, ...children: Child[]): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(tag), props, children)
}

// svg makes an element of a drawing.
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, props?: Props, ...children: Child[]): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children)
}

function furnish<E extends Element>(element: E, props: Props | undefined, children: Child[]): E {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener)
    else if (name === 'value') (element as unknown as HTMLInputElement).value = String(value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

// append adds children, however nested, and leaves out those that are nothing.
export function append(to: Node, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(to, child)
    else if (child instanceof Node) to.appendChild(child)
    else if (child !== null && child !== undefined && child !== false) to.appendChild(document.createTextNode(String(child)))
  }
}

// unique numbers what needs an id. Ids are per shadow root, but a reader of several should not meet one twice.
let last = 0
export const unique = (name: string): string => `${name}-${++last}`

// initials are the first letters of the first and the last word of a name, or the first of an address.
export function initials(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[\s._-]+/).filter(Boolean)
  const letter = (word = '') => (Array.from(word)[0] ?? '').toUpperCase()
  return letter(words[0]) + (words.length > 1 ? letter(words[words.length - 1]) : '')
}
