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
  private drift = 0 // between this machine's clocks, when it was learned

  /** Learns from an answer's time, in milliseconds, to the second; the quickest answer tells best. */
  learn(date: number, sent: Moment): void {
    const trip = sent.ago, drift = Date.now() - performance.now()
    // If a clock was set or stood still since, what was learned before says nothing.
    const moved = Math.abs(drift - this.drift) > 1000
    if (!(date > 0) || trip > 20_000 || trip > this.trip && !moved) return
    this.trip = trip
    this.drift = drift
    this.skew = date + 500 + trip / 2 - Date.now()
  }

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() + this.skew
  }
}

/** @internal */
export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
