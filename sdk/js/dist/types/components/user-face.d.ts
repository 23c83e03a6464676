export interface Shown {
    name?: string | undefined;
    email?: string | undefined;
    picture?: string | undefined;
}
export declare const called: (who: Shown) => string;
export declare const faceStyle = ".face[data-initials]::before { content: attr(data-initials); }";
export declare function face(who: Shown, ...classes: string[]): HTMLElement;
