// Small drawings beside names, which say nothing that the names do not.
import { h, svg, type Child } from './dom.js'

const shapes: Record<string, string> = {
  passkey: 'M12.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM3 20c0-3.5 2.7-6 6-6 1.2 0 2.3.3 3.2.9M20 13a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM17.5 15.5V21M17.5 18.5h2',
  security_key: 'M9.5 9h5a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5h-5A2.5 2.5 0 0 1 7 18.5v-7A2.5 2.5 0 0 1 9.5 9zM9 9V3.5h6V9M13.6 15a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0z',
  totp: 'M9 2.5h6A2.5 2.5 0 0 1 17.5 5v14a2.5 2.5 0 0 1-2.5 2.5H9A2.5 2.5 0 0 1 6.5 19V5A2.5 2.5 0 0 1 9 2.5zM15.3 11.5a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0zM12 10v1.6l1 .8M11 19h2',
  phone_code: 'M4.5 5h15A1.5 1.5 0 0 1 21 6.5v9a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 3.5V17h-2A1.5 1.5 0 0 1 3 15.5v-9A1.5 1.5 0 0 1 4.5 5zM8 11h.01M12 11h.01M16 11h.01',
  backup_code: 'M6 3h9l4 4v14H6zM9.5 11h6M9.5 14.5h6M9.5 18h3',
  password: 'M6.5 10.5h11A2.5 2.5 0 0 1 20 13v5a2.5 2.5 0 0 1-2.5 2.5h-11A2.5 2.5 0 0 1 4 18v-5a2.5 2.5 0 0 1 2.5-2.5zM8 10.5v-3a4 4 0 0 1 8 0v3',
  mail: 'M5.5 5h13A2.5 2.5 0 0 1 21 7.5v9a2.5 2.5 0 0 1-2.5 2.5h-13A2.5 2.5 0 0 1 3 16.5v-9A2.5 2.5 0 0 1 5.5 5zM3.5 7l8.5 6.5L20.5 7',
}

// icon draws what stands for a method; a mailbox for all that are mailed.
export function icon(name: string): SVGSVGElement {
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: shapes[name] ?? shapes.mail }))
}

// maker is a small tile that stands for a provider.
export function maker(title = '', preset = ''): HTMLElement {
  return h('span', { class: `maker maker-${preset.replace(/\W/g, '')}`, part: 'provider-icon', 'aria-hidden': 'true' }, (Array.from(title)[0] ?? '').toUpperCase())
}

// face is a round place for a picture, a drawing or letters.
export const face = (inside: Child): HTMLElement => h('span', { class: 'face', 'aria-hidden': 'true' }, inside)
