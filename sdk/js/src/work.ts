import { Moment, sleep } from './clock.js'
import type { Puzzle } from './types.js'

// The bot check's proof of work, in short slices on the page's own thread: a worker made of a blob is what a strict
// policy forbids, and a worker of another origin is what browsers forbid.

const K = new Int32Array(64), H = new Int32Array(8), W = new Int32Array(64)
const fraction = (x: number): number => (x - Math.floor(x)) * 2 ** 32 | 0
for (let n = 2, found = 0; found < 64; n++) { // SHA-256's constants are the fractions of roots of the first primes
  let prime = true
  for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0
  if (!prime) continue
  if (found < 8) H[found] = fraction(Math.sqrt(n))
  K[found++] = fraction(Math.cbrt(n))
}

/** The first 32 bits of the SHA-256 digest (FIPS 180-4) of at most 55 ASCII characters: one block. */
function first32(text: string): number {
  W.fill(0, 0, 16)
  for (let i = 0; i < text.length; i++) W[i >> 2]! |= text.charCodeAt(i) << (24 - (i & 3) * 8)
  W[text.length >> 2]! |= 128 << (24 - (text.length & 3) * 8)
  W[15] = text.length * 8
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15]!, y = W[i - 2]!
    W[i] = W[i - 16]! + W[i - 7]! + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)
  }
  let [a, b, c, d, e, f, g, h] = H as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < 64; i++) {
    const s = (h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i]! + W[i]!) | 0
    const t = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c)) | 0
    h = g; g = f; f = e; e = (d + s) | 0; d = c; c = b; b = a; a = (s + t) | 0
  }
  return (H[0]! + a) >>> 0
}

/** Solves a puzzle: for each round a number so that SHA-256 of "salt.round.number" begins with enough zero bits. */
export async function solve(puzzle: Puzzle, more: { progress?: (done: number, of: number) => void; signal?: AbortSignal } = {}): Promise<string> {
  const numbers: number[] = [], least = 2 ** (32 - puzzle.bits)
  for (let n = 0; numbers.length < puzzle.rounds;) {
    const slice = new Moment()
    do {
      for (let i = 0; i < 256 && numbers.length < puzzle.rounds; i++, n++) {
        if (first32(`${puzzle.salt}.${numbers.length}.${n}`) >= least) continue
        numbers.push(n)
        n = -1
        more.progress?.(numbers.length, puzzle.rounds)
      }
    } while (numbers.length < puzzle.rounds && slice.ago < 24)
    more.signal?.throwIfAborted()
    await sleep(0)
  }
  return `${puzzle.challenge}:${numbers.join(',')}`
}
