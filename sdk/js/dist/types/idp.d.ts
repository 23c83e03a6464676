import { Attempt, type AttemptOptions } from './attempt.js';
import { IdpError } from './errors.js';
import { type TokenOptions } from './tokens.js';
import type { Environment, Goal, Me, Session, User } from './types.js';
import { type RequestOptions } from './wire.js';
export { Attempt, IdpError };
export type { AttemptOptions, SignUpFields } from './attempt.js';
export type { TokenOptions } from './tokens.js';
export type { RequestOptions } from './wire.js';
export type * from './types.js';
export interface LoadOptions {
    /** The issuer, such as `https://id.example.com`. Not needed where the script itself comes from there. */
    issuer?: string;
    /** Keep the session token in a cookie of this page's host, for a server that renders pages. */
    cookie?: boolean;
    /** The language of the environment's words, as `de` or `pt-BR`; what the browser asks for if it is not said. */
    locale?: string;
}
/** Who is signed in on this browser. */
export interface State {
    /** The session in use, or null: nobody is signed in. */
    readonly session: Session | null;
    readonly user: User | null;
    /** All accounts that are signed in here. */
    readonly sessions: readonly Session[];
}
export interface RedirectOptions {
    /** Where to come back to: a URL of a listed origin; this page if it is not said. */
    returnTo?: string;
}
export interface SignOutOptions {
    /** Which session ends: the one in use if it is not said, or `all` of this browser. */
    session?: string;
    /** The person's sessions on other devices end too. */
    everywhere?: boolean;
    /** Where to go then: an http or https address; nowhere, if it is another. */
    returnTo?: string;
}
/** Connects with the issuer. Call it as often as you like: there is one connection for each issuer. */
export declare function load(options?: LoadOptions): Promise<Idp>;
/** One issuer, as this page sees it. */
export declare class Idp {
    readonly issuer: string;
    /** What is known before anybody signs in: name, words, methods. */
    environment: Environment;
    private readonly known;
    private readonly observers;
    private readonly wire;
    private readonly tabs;
    private readonly tokens;
    private constructor();
    private get state();
    private describe;
    /** The session in use, or null. */
    get session(): Session | null;
    /** Who is signed in, or null. */
    get user(): User | null;
    /** All accounts that are signed in on this browser. */
    get sessions(): readonly Session[];
    /** The server's time in milliseconds since 1970, whatever this machine's clock says. */
    now(): number;
    /** Calls fn now and whenever who is signed in changes, in whatever tab. Returns what stops it. */
    observe(fn: (state: State) => void): () => void;
    /** A token for your servers, or null: nobody is signed in. It lives for a little while yet; ask anew for each request. */
    getToken(options?: TokenOptions): Promise<string | null>;
    /** Asks the server who is signed in. */
    refresh(): Promise<State>;
    /** Uses another account of this browser from now on. */
    switchTo(session: string): Promise<State>;
    /** Ends a session. */
    signOut({ session, everywhere, returnTo }?: SignOutOptions): Promise<void>;
    /** Where a page of the issuer is, and how it leads back here. */
    url(page: 'sign-in' | 'sign-up' | 'account', { returnTo }?: RedirectOptions): string;
    /** Leaves for the sign-in page. */
    signIn(options?: RedirectOptions): void;
    /** Leaves for the sign-up page. */
    signUp(options?: RedirectOptions): void;
    /** Leaves for the account's pages. */
    account(options?: RedirectOptions): void;
    /** Begins to sign in, sign up or prove something, on a page of your own. */
    attempt(goal: Goal, options?: AttemptOptions): Promise<Attempt>;
    /** Goes on with an attempt of this browser. */
    resume(attempt: string): Promise<Attempt>;
    /** The signed-in person, as they see themselves. */
    me(): Promise<Me>;
    /** Changes the profile: what is named changes. */
    updateMe(change: Record<string, unknown>): Promise<Me>;
    /** Calls the Frontend API: `path` is what follows /frontend/v1. */
    request<T = unknown>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T>;
    private heeding;
    private readonly changed;
    /** Changes one session. That it ended elsewhere is learned, and to end it then is no failure. */
    private one;
    private listed;
    /** The server says that a session is over. */
    private ended;
    /** Takes a list, tells those who observe and returns whether anything changed. */
    private set;
    private hear;
    private listen;
}
