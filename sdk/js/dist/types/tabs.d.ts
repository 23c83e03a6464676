/** What tabs of one origin tell each other. */
export type Message = {
    kind: 'hello';
} | {
    kind: 'token';
    key: string;
    jwt: string;
    life: number;
    spent: number;
    at: number;
} | {
    kind: 'failed';
    key: string;
    pause?: Trouble;
} | {
    kind: 'sessions';
    sessions: unknown;
} | {
    kind: 'forget';
};
/** What the server is in, and for how many milliseconds to leave it alone. */
export interface Trouble {
    ms: number;
    fails: number;
    status: number;
    code: string;
    detail: string;
}
