import { type Child } from './dom.js';
export declare function icon(name: string): SVGSVGElement;
export declare function maker(title?: string, preset?: string): HTMLElement;
export declare const face: (inside: Child) => HTMLElement;
