// A person's face: their picture, otherwise their initials, drawn here. A picture that cannot be loaded takes no
// place, so that the initials show.
import { h, initials } from './dom.js'

// Shown is what is known of somebody without asking.
export interface Shown { name?: string | undefined; email?: string | undefined; picture?: string | undefined }

// called is what somebody goes by: the name, otherwise the address.
export const called = (who: Shown): string => who.name || who.email || ''

// The letters are drawn by the style: they are no words of what a face is part of.
export const faceStyle = '.face[data-initials]::before { content: attr(data-initials); }'

// face is decoration: whoever cannot see it reads the name beside it.
export function face(who: Shown, ...classes: string[]): HTMLElement {
  const made = h('span', { class: ['face', ...classes].join(' '), part: 'face', 'aria-hidden': 'true', 'data-initials': initials(called(who)) || '·' })
  if (who.picture) {
    const picture = h('img', { src: who.picture, alt: '', referrerpolicy: 'no-referrer', decoding: 'async', draggable: 'false', onerror: () => picture.remove() })
    made.append(picture)
  }
  return made
}
