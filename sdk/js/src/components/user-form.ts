// Fields of the profile's forms, and what is wrong with one of them, said where it is.
import { h, unique, type Child } from './dom.js'

export interface FieldOptions {
  value?: string | undefined
  type?: string | undefined
  complete?: string | undefined
  hint?: string | undefined
  optional?: string | undefined
  longest?: number
  required?: boolean
  mode?: string | undefined
}

// field is a label, an input and room for what is wrong with it.
export function field(name: string, label: Child, o: FieldOptions = {}): HTMLElement {
  const id = unique(`field-${name}`)
  return h('div', { class: 'field', part: 'field' },
    h('label', { class: 'label', part: 'label', for: id }, label, o.optional && [' ', h('small', {}, o.optional)]),
    h('input', {
      class: 'input', part: 'input', id, name, type: o.type ?? 'text', value: o.value ?? '', autocomplete: o.complete ?? 'off', maxlength: o.longest ?? 200,
      required: o.required, inputmode: o.mode, spellcheck: 'false', autocapitalize: o.type === 'email' || o.mode === 'email' ? 'none' : undefined,
      'aria-describedby': o.hint ? `${id}-hint` : undefined,
    }),
    o.hint && h('p', { class: 'hint', id: `${id}-hint` }, o.hint))
}

// typed is what the fields of a form hold, by name.
export function typed(form: HTMLElement): Record<string, string> {
  const values: Record<string, string> = {}
  for (const input of form.querySelectorAll<HTMLInputElement>('input[name]')) if (input.type !== 'checkbox') values[input.name] = input.value
  return values
}

// ticked tells of a checkbox.
export const ticked = (form: HTMLElement, name: string): boolean => form.querySelector<HTMLInputElement>(`input[type=checkbox][name=${name}]`)?.checked ?? false

// blame says at a field what is wrong with it and goes there. False: the form has no such field.
export function blame(form: HTMLElement, name: string | undefined, words: string): boolean {
  const input = name ? form.querySelector<HTMLInputElement>(`input[name="${CSS.escape(name)}"]`) : null
  if (!input) return false
  const id = `${input.id}-error`
  input.setAttribute('aria-invalid', 'true')
  input.setAttribute('aria-describedby', [id, input.getAttribute('aria-describedby')].filter(Boolean).join(' '))
  input.closest('.field')?.append(h('p', { class: 'error', part: 'error', id }, words))
  input.focus()
  return true
}

// unblame takes back all that was said.
export function unblame(form: HTMLElement): void {
  for (const error of form.querySelectorAll('.error')) error.remove()
  for (const input of form.querySelectorAll('[aria-invalid]')) {
    input.removeAttribute('aria-invalid')
    const rest = (input.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id && !id.endsWith('-error')).join(' ')
    if (rest) input.setAttribute('aria-describedby', rest)
    else input.removeAttribute('aria-describedby')
  }
}

// submits makes a form of fields and acts; submit has its fields by name.
export function submits(submit: (form: HTMLFormElement) => unknown, ...content: Child[]): HTMLFormElement {
  const form = h('form', { class: 'form', part: 'form', novalidate: true, onsubmit: (event: Event) => { event.preventDefault(); submit(form) } }, content)
  return form
}
