export declare const palette: Record<string, [light: string, dark: string]>;
export declare const measures: Record<string, string>;
export declare function sheet(text: string): CSSStyleSheet;
export declare function dress(root: ShadowRoot, ...more: string[]): void;
