// What the environment says about signing in and up, as the screens need it.
import type { Environment, PasswordRules } from '../idp.js'

/** A provider that one can sign in by. */
export interface Button {
  connection: string
  title: string
  preset?: string
}


export interface Ways {
  typed: boolean // an address is of use
  passwords: boolean // there are passwords
  password: boolean // and they are asked for together with the address
  mail: boolean
  emailCode: boolean
  emailLink: boolean
  passkey: boolean
  invited: boolean // signing up needs an invitation
  open: boolean // it needs none
  rules: PasswordRules | undefined
  buttons: Button[]
  icons: boolean
  place: 'top' | 'bottom'
}

interface Offered {
  sign_up?: 'open' | 'invited' | 'closed'
  methods?: { password?: boolean; email_code?: boolean; email_link?: boolean; passkey?: boolean }
  two_pages?: boolean
  password_rules?: PasswordRules
  connections?: Button[]
  buttons?: { layout?: string; place?: string }
}

// ways reads the environment.
export function ways(environment: Environment): Ways {
  const e = environment as Environment & Offered
  const { password: passwords = false, email_code: emailCode = false, email_link: emailLink = false, passkey = false } = e.methods ?? {}
  const mail = emailCode || emailLink
  return {
    typed: passwords || mail || e.two_pages === true, passwords, password: passwords && !e.two_pages, mail, emailCode, emailLink,
    passkey: passkey && typeof PublicKeyCredential !== 'undefined',
    invited: e.sign_up === 'invited', open: e.sign_up === 'open', rules: e.password_rules,
    buttons: e.connections ?? [], icons: e.buttons?.layout === 'icon', place: e.buttons?.place === 'bottom' ? 'bottom' : 'top',
  }
}

// mailed is the method that stands for a mailbox.
export const mailed = (environment: Environment): string => (ways(environment).emailCode ? 'email_code' : 'email_link')
