import type { Component } from './base.js';
type Maker = new (host: HTMLElement, root: ShadowRoot) => Component;
export declare function define(name: string, attributes: string[], fetch: () => Promise<{
    default: Maker;
}>): void;
export {};
