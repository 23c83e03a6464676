/** Something did not work, and `code` says what. Codes are stable; `detail` is a sentence for people. */
export declare class IdpError extends Error {
    /** HTTP status of the answer; 0 if there was none. */
    readonly status: number;
    /** Stable word for what is wrong: the server's, or `network`, `issuer_missing`, `browser_needed`, `passkey_…`. */
    readonly code: string;
    /** One plain sentence for people. */
    readonly detail: string;
    /** The input it is about. */
    readonly field?: string | undefined;
    /** The goal of the attempt to complete before this can be done, such as `step_up`. */
    readonly goal?: string | undefined;
    /** Seconds to wait before trying again. */
    readonly retryAfter?: number | undefined;
    readonly name = "IdpError";
    constructor(
    /** HTTP status of the answer; 0 if there was none. */
    status: number, 
    /** Stable word for what is wrong: the server's, or `network`, `issuer_missing`, `browser_needed`, `passkey_…`. */
    code: string, 
    /** One plain sentence for people. */
    detail: string, 
    /** The input it is about. */
    field?: string | undefined, 
    /** The goal of the attempt to complete before this can be done, such as `step_up`. */
    goal?: string | undefined, 
    /** Seconds to wait before trying again. */
    retryAfter?: number | undefined);
    /** True where the same may work a little later: no answer, too many requests, or a server in trouble. */
    get passing(): boolean;
}
