import { Flow } from './flow.js'

/** What <idp-sign-up> is made of. */
export default class SignUp extends Flow {
  constructor(host: HTMLElement, root: ShadowRoot) { super(host, root, 'sign_up') }
}
