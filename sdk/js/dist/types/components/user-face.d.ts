export interface Shown {
    name?: string;
    email?: string;
    picture?: string;
}
export declare const called: (who: Shown) => string;
export declare function face(who: Shown, ...classes: string[]): HTMLElement;
