// Words are what an element says, in the person's language. They come with the environment; the few that are needed
// when there is none are here, and a test compares them with the catalogue.

export type Fill = Record<string, string | number>

export const fallback: Record<string, string> = {
  'key.offline': 'The service could not be reached. Please check your connection and try again.',
  'human.again': 'Try again',
}

export class Words {
  private readonly plural: Intl.PluralRules

  constructor(private readonly table: Record<string, string>, readonly locale: string) {
    let rules: Intl.PluralRules
    try { rules = new Intl.PluralRules(locale) } catch { rules = new Intl.PluralRules('en') }
    this.plural = rules
  }

  // say returns the words of a key with its {places} filled. A key that is not there is said as it is.
  say(key: string, fill?: Fill): string {
    const text = this.table[key] ?? fallback[key] ?? `⟦${key}⟧`
    return fill ? text.replace(/\{(\w+)\}/g, (place, name: string) => (name in fill ? String(fill[name]) : place)) : text
  }

  // count says a key that has forms by number, as the catalogue does: key.one, key.other and so on; {n} is the number.
  count(key: string, n: number, fill?: Fill): string {
    const form = `${key}.${this.plural.select(n)}`
    return this.say(form in this.table ? form : `${key}.other`, { n, ...fill })
  }

  // has tells whether there are words for a key.
  has(key: string): boolean { return key in this.table || key in fallback }
}
