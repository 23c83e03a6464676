export type Fill = Record<string, string | number>;
export declare const fallback: Record<string, string>;
export declare class Words {
    private readonly table;
    readonly locale: string;
    private readonly plural;
    constructor(table: Record<string, string>, locale: string);
    say(key: string, fill?: Fill): string;
    count(key: string, n: number, fill?: Fill): string;
    has(key: string): boolean;
}
