/** What a problem answer of the Frontend API says (RFC 9457). */
interface Problem {
  code?: string
  detail?: string
  title?: string
  field?: string
  goal?: string
}

/** Something did not work, and `code` says what. Codes are stable; `detail` is a sentence for people. */
export class IdpError extends Error {
  override readonly name = 'IdpError'
  constructor(
    /** HTTP status of the answer; 0 if there was none. */
    readonly status: number,
    /** Stable word for what is wrong: the server's, or `network`, `issuer_missing`, `browser_needed`, `passkey_…`. */
    readonly code: string,
    /** One plain sentence for people. */
    readonly detail: string,
    /** The input it is about. */
    readonly field?: string,
    /** The goal of the attempt to complete before this can be done, such as `step_up`. */
    readonly goal?: string,
    /** Seconds to wait before trying again. */
    readonly retryAfter?: number,
  ) {
    super(`${code}: ${detail}`)
  }

  /** True where the same may work a little later: no answer, too many requests, or a server in trouble. */
  get passing(): boolean {
    return this.status === 0 ? this.code === 'network' : this.status === 429 || this.status >= 500
  }
}

/** @internal */
export function problemOf(answer: Response, said: unknown): IdpError {
  const p = (said ?? {}) as Problem
  const wait = answer.headers.get('Retry-After')
  return new IdpError(
    answer.status, p.code ?? 'unexpected', p.detail ?? p.title ?? `The server answered with status ${answer.status}.`,
    p.field, p.goal, wait && /^\d{1,8}$/.test(wait) ? Number(wait) : undefined,
  )
}

/** @internal */
export function asError(e: unknown): IdpError {
  return e instanceof IdpError ? e : new IdpError(0, 'unexpected', String(e))
}
