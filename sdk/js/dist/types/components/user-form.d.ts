import { type Child } from './dom.js';
export interface FieldOptions {
    value?: string | undefined;
    type?: string | undefined;
    complete?: string | undefined;
    hint?: string | undefined;
    optional?: string | undefined;
    longest?: number;
    required?: boolean;
    mode?: string | undefined;
}
export declare function field(name: string, label: Child, o?: FieldOptions): HTMLElement;
export declare function typed(form: HTMLElement): Record<string, string>;
export declare const ticked: (form: HTMLElement, name: string) => boolean;
export declare function blame(form: HTMLElement, name: string | undefined, words: string): boolean;
export declare function unblame(form: HTMLElement): void;
export declare function submits(submit: (form: HTMLFormElement) => unknown, ...content: Child[]): HTMLFormElement;
