import type { Puzzle } from './types.js';
/** Solves a puzzle: for each round a number so that SHA-256 of "salt.round.number" begins with enough zero bits. */
export declare function solve(puzzle: Puzzle, more?: {
    progress?: (done: number, of: number) => void;
    signal?: AbortSignal;
}): Promise<string>;
