import type { Departure, Method, View } from './types.js';
export interface AttemptOptions {
    /** Where to go when complete: a path of the issuer or a URL of a listed origin. It comes back as `view.next`. */
    returnTo?: string;
    /** This browser is used by others too: nothing of the session outlives its window. */
    public?: boolean;
    /** Of an invitation, as its link has it. */
    invitation?: string;
    /** For the goal `connect`: by which to sign in from now on. */
    connection?: string;
    /** Of the application that waits for the sign-in. */
    ask?: string;
}
/** What a sign-up asks for; send what `view.missing` names. */
export interface SignUpFields {
    email?: string;
    name?: string;
    password?: string;
    locale?: string;
}
/**
 * One try at signing in, signing up, or proving something within a session. Each call sends one event and sets `view`,
 * which says what is owed next; an event that is refused throws and leaves `view` as it was.
 */
export declare class Attempt {
    private readonly wire;
    private readonly complete;
    /** What a screen may know now. */
    view: View;
    private constructor();
    /** Where to go now that it is complete, as an absolute URL. */
    get next(): string | undefined;
    /** Asks again what is owed: something may have happened elsewhere, such as a link that was opened. */
    look(): Promise<View>;
    /** Says who somebody is: an address, a number or a user name. */
    identify(identifier: string): Promise<View>;
    /** Has a code or link sent, or a passkey's question made. */
    prepare(method: Method): Promise<View>;
    /** Proves one method: a password, a code, or what a passkey answered. `trust` lets this browser skip the second step for a while. */
    prove(method: Method, answer: string, { trust }?: {
        trust?: boolean | undefined;
    }): Promise<View>;
    /** Sends the fields of a sign-up. */
    submit(fields: SignUpFields): Promise<View>;
    /** Says that the password is lost. */
    forgot(): Promise<View>;
    /** Sets the new password. */
    password(password: string): Promise<View>;
    /** Chooses what to set up; `detail` is a number or a name. */
    enroll(method: Method, detail?: string): Promise<View>;
    /** Shows that what was set up works. */
    confirm(answer: string): Promise<View>;
    /** Gives up. */
    cancel(): Promise<View>;
    /** Passes the bot check: with a widget's answer, or by solving the puzzle here. */
    human(answer?: string, more?: {
        progress?: (done: number, of: number) => void;
        signal?: AbortSignal;
    }): Promise<View>;
    /** Asks for a passkey or security key and proves it. With `conditional` the browser suggests it in a field. */
    passkey(method?: 'passkey' | 'security_key', more?: {
        conditional?: boolean;
        signal?: AbortSignal;
        trust?: boolean;
    }): Promise<View>;
    /** Makes a passkey or registers a security key and confirms it. */
    createPasskey(method?: 'passkey' | 'security_key', name?: string, more?: {
        signal?: AbortSignal;
    }): Promise<View>;
    /** Leaves this page for a provider; `connection` is that of a method. With `navigate: false` it only says where to. */
    depart(connection: string, { navigate }?: {
        navigate?: boolean | undefined;
    }): Promise<Departure>;
    private event;
    private path;
    private seen;
}
