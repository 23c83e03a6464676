export interface TokenOptions {
    /** Name of a JWT template; without it a plain session token. */
    template?: string;
    /** A token minted from now on, with what changed a moment ago. */
    fresh?: boolean;
    /** Keep the token in a cookie of this page's host too, for a server that renders pages. */
    cookie?: boolean;
}
