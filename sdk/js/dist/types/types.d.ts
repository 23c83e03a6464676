/** Somebody who is signed in, at a glance. */
export interface User {
    id: string;
    name: string;
    email?: string;
    picture?: string;
}
/** One account that is signed in on this browser. */
export interface Session {
    id: string;
    /** The one that is in use; the others wait to be switched to. */
    active: boolean;
    user: User;
    methods: string[];
    auth_time: string;
    last_active_at: string;
    expires_at: string;
}
/** What is known before anybody signs in: no more than the pages show to strangers. */
export interface Environment {
    issuer: string;
    /** What the instance calls itself. */
    name: string;
    environment: 'development' | 'production';
    /** Of the words. */
    locale: string;
    locales: string[];
    /** What components say, by key; {places} are to be filled. */
    words: Record<string, string>;
    sign_up: 'open' | 'invited' | 'closed';
    /** What is filled in to sign up; empty if there are only other ways in. */
    sign_up_fields: Array<{
        name: string;
        required: boolean;
    }>;
    /** The address is asked for first, on a page of its own. */
    two_pages: boolean;
    methods: {
        password: boolean;
        email_code: boolean;
        email_link: boolean;
        passkey: boolean;
    };
    /** The providers to sign in by; `connection` is for `attempt.depart`. */
    connections: Array<{
        connection: string;
        title: string;
        preset?: string;
    }>;
    buttons: {
        layout: 'block' | 'icon';
        place: 'top' | 'bottom';
    };
    password_rules?: PasswordRules;
    /** A bot check may be due. */
    bot_check: boolean;
    links: {
        sign_in: string;
        sign_up: string;
        account: string;
        security: string;
    };
    /** This page carries its browser's token itself, because no cookie would travel: in development only. */
    browser_tokens: boolean;
    /** The cookie that `cookie: true` keeps a token in, one for each issuer; on https with `__Host-` before it. */
    token_cookie: string;
    sdk: {
        version: string;
    };
}
export type Goal = 'sign_in' | 'sign_up' | 'step_up' | 'enroll' | 'extend' | 'connect';
export type Step = 'needs_human' | 'needs_identifier' | 'needs_first_factor' | 'needs_second_factor' | 'needs_enrollment' | 'needs_email_verification' | 'needs_phone_verification' | 'needs_connection' | 'missing_requirements' | 'needs_new_password' | 'complete' | 'abandoned';
export type Method = 'password' | 'email_code' | 'email_link' | 'reset_password_email_code' | 'totp' | 'security_key' | 'phone_code' | 'backup_code' | 'passkey' | (string & {});
/** One way to prove who you are that may be used now. */
export interface MethodOption {
    method: Method;
    /** Where a message goes, masked. */
    target?: string;
    /** A code is out and alive. */
    sent?: boolean;
    /** Earliest time for another message, by the server's clock: compare with `idp.now()`. */
    resend_at?: string;
    /** For `depart`. */
    connection?: string;
    title?: string;
    preset?: string;
}
export interface PasswordRules {
    min_length: number;
    min_score: number;
    special: boolean;
    digit: boolean;
    mixed_case: boolean;
}
/** A proof of work. */
export interface Puzzle {
    challenge: string;
    salt: string;
    rounds: number;
    bits: number;
    expires_at: string;
}
/** The bot check that is due. */
export interface Check {
    provider: 'work' | 'turnstile' | 'hcaptcha';
    action: string;
    site_key?: string;
    puzzle?: Puzzle;
}
export interface Enrollment {
    method: Method;
    /** Of an authenticator app: the key to type, and the same as a URI for a QR code. */
    key?: string;
    uri?: string;
    /** That code as a drawing: a line one wide, on a square of so many units a side with its quiet zone. */
    qr?: {
        side: number;
        path: string;
    };
    /** The argument of `navigator.credentials.create`, as JSON. */
    options?: {
        publicKey: PublicKeyCredentialCreationOptionsJSON;
    };
    target?: string;
}
/** Whom somebody signs in for. */
export interface Party {
    id: string;
    name: string;
    logo_uri?: string;
    policy_uri?: string;
    tos_uri?: string;
    host?: string;
    first_party?: boolean;
}
/** All that a screen may know about an attempt. */
export interface View {
    id: string;
    goal: Goal;
    step: Step;
    identifier?: string;
    masked?: string;
    party?: Party;
    methods?: MethodOption[];
    reset?: boolean;
    breached?: boolean;
    hint?: string;
    confirmed?: boolean;
    missing?: string[];
    password_rules?: PasswordRules;
    upstream?: string;
    session_id?: string;
    /** Where to go when complete: a path of the issuer, or a URL of a listed origin. */
    next?: string;
    trust_days?: number;
    expires_at: string;
    enrollment?: Enrollment;
    human?: Check;
    /** The argument of `navigator.credentials.get`, as JSON. */
    options?: {
        publicKey: PublicKeyCredentialRequestOptionsJSON;
    };
    /** Shown once, when the first second factor was set up. */
    backup_codes?: string[];
}
/** Where a browser is to go to sign in elsewhere: by GET, or by POST with the form's fields. */
export interface Departure {
    url: string;
    form?: Record<string, string[]>;
}
/** An address or number on file. */
export interface Identifier {
    id: string;
    kind: 'email' | 'phone';
    value: string;
    primary: boolean;
    verified: boolean;
    sign_in_codes?: boolean;
    created_at: string;
    verified_at?: string;
}
/** The signed-in person, as they see themselves. */
export interface Me {
    id: string;
    name: string;
    profile: Record<string, unknown>;
    identifiers: Identifier[];
    operator?: boolean;
    password: boolean;
    two_step: boolean;
    created_at: string;
    session: {
        id: string;
        methods: Method[];
        auth_time: string;
        recent: boolean;
        expires_at: string;
    };
    [more: string]: unknown;
}
