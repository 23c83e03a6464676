/**
 * An address as an absolute URL, or "" if it is none of the web: apps take such from the address bar, and whoever made
 * the link must not have a script run. @internal
 */
export function webAddress(address: string, base: string): string {
  try {
    const { protocol, href } = new URL(address, base)
    return protocol === 'https:' || protocol === 'http:' ? href : ''
  } catch { return '' }
}
