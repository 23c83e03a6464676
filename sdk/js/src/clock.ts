// Time without trust in this machine's clock. It may be wrong, be set while a page is open, or stand still while the
// machine sleeps; how long ago something was is known all the same.

/** A moment that was, on both clocks that a browser has. @internal */
export class Moment {
  private readonly wall = Date.now()
  private readonly steady = performance.now()

  /** @param before milliseconds that had passed already */
  constructor(private readonly before = 0) {}

  /**
   * Milliseconds since then. The steady clock may stop while the machine sleeps, the other may be set back: the one
   * that says more is right, or wrong on the side that costs one request too many.
   */
  get ago(): number {
    return this.before + Math.max(0, Date.now() - this.wall, performance.now() - this.steady)
  }
}

/** The server's clock, as far as answers tell. @internal */
export class ServerClock {
  private skew = 0
  private trip = Infinity

  /** Learns from an answer's time, in milliseconds, to the second; the quickest answer tells best. */
  learn(date: number, sent: Moment): void {
    const trip = sent.ago
    if (!(date > 0) || trip > this.trip) return
    this.trip = trip
    this.skew = date + 500 + trip / 2 - Date.now()
  }

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() + this.skew
  }
}

/** @internal */
export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
