import type { Environment, PasswordRules } from '../idp.js';
/** A provider that one can sign in by. */
export interface Button {
    connection: string;
    title: string;
    preset?: string;
}
export interface Ways {
    typed: boolean;
    passwords: boolean;
    password: boolean;
    mail: boolean;
    emailCode: boolean;
    emailLink: boolean;
    passkey: boolean;
    invited: boolean;
    open: boolean;
    rules: PasswordRules | undefined;
    buttons: Button[];
    icons: boolean;
    place: 'top' | 'bottom';
}
export declare function ways(environment: Environment): Ways;
export declare const mailed: (environment: Environment) => string;
