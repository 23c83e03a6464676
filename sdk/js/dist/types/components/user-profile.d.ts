import { type Idp, type Me } from '../idp.js';
import { Component } from './base.js';
import { type Child } from './dom.js';
import { type Shown } from './user-face.js';
/** A tab: what it needs to know, and how it looks once that is known. */
export interface Tab {
    words: string;
    needs: readonly string[];
    draw(profile: UserProfile): Child;
}
export default class UserProfile extends Component {
    me: Me;
    private known;
    private open;
    private whose;
    private working;
    private readonly name;
    constructor(host: HTMLElement, root: ShadowRoot);
    /** The client of the issuer, for what a tab does. */
    get client(): Idp;
    /** Ends when the element leaves the page. */
    get alive(): AbortSignal;
    /** People sign in with passwords here. */
    get passwords(): boolean;
    /** There are words for a key. */
    has(key: string): boolean;
    protected begin(): Promise<void>;
    private get current();
    changed(name: string): void;
    private get wanted();
    wait(): void;
    private start;
    private nobody;
    private turn;
    private learn;
    /** What the server said last about a path that the open tab needs. */
    get<T>(path: string): T;
    get shown(): Shown;
    get mainAddress(): string | undefined;
    private draw;
    private move;
    /** A part of a tab: its title, what it is about, and room to say how an act in it went. */
    section(id: string, title: Child, hint: string | false, ...content: Child[]): HTMLElement;
    /** A button that acts. About says to screen readers what it acts on, where the words alone do not. */
    button(words: string, what: (event: Event) => unknown, options?: {
        about?: string;
        kind?: string;
        id?: string;
    }): HTMLButtonElement;
    /**
     * Does work for a section, gives a fresh proof where one is asked for, reads anew what changed and says done. False:
     * it did not happen, and the section says why, at the field it is about if there is one in form.
     */
    act(section: string, work: () => Promise<unknown>, { done, form, reads }?: {
        done?: string | undefined;
        form?: HTMLElement | undefined;
        reads?: string[];
    }): Promise<boolean>;
    private failed;
    private busy;
    /** Says something at the top of a section, or nothing. */
    note(section: string, words?: string, wrong?: boolean): void;
    /** A day, as people write it here. */
    day(time: string): string;
    /** How long ago something was, roughly. */
    ago(time: string): string;
}
