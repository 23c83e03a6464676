export type Child = Node | string | number | null | undefined | false | Child[];
export type Props = Record<string, unknown> | null;
export declare function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props, ...children: Child[]): HTMLElementTagNameMap[K];
export declare function svg<K extends keyof SVGElementTagNameMap>(tag: K, props?: Props, ...children: Child[]): SVGElementTagNameMap[K];
export declare function append(to: Node, children: Child[]): void;
export declare const unique: (name: string) => string;
export declare function initials(name: string): string;
