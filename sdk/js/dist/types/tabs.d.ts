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
} | {
    kind: 'sessions';
    sessions: unknown;
} | {
    kind: 'forget';
};
