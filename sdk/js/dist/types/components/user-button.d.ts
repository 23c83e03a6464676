import { Component } from './base.js';
export default class UserButton extends Component {
    private drawn;
    private shownFor;
    constructor(host: HTMLElement, root: ShadowRoot);
    protected begin(): void;
    protected end(): void;
    changed(name: string): void;
    wait(): void;
    protected unreachable(error: unknown): void;
    private draw;
    private showSignIn;
    private signIn;
    private showMenu;
    private account;
    private act;
    private add;
    private manage;
    private signOut;
    private work;
}
