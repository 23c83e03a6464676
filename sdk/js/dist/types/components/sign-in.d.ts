import { Flow } from './flow.js';
/** What <idp-sign-in> is made of. */
export default class SignIn extends Flow {
    constructor(host: HTMLElement, root: ShadowRoot);
}
