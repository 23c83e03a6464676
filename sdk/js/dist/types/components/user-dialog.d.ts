import type { Component } from './base.js';
export interface DialogOptions {
    label: string;
    content: Node;
    className?: string;
    /** Ends it from outside: the element left the page, or what it was for is done. */
    signal: AbortSignal;
    /** Clicking beside it does not close: something is being typed in there. */
    stays?: boolean;
}
export declare function dialog(on: Component, { label, content, className, signal, stays }: DialogOptions): Promise<void>;
