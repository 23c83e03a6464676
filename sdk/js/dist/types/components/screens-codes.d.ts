import { type Child } from './dom.js';
import type { Flow } from './flow.js';
export declare function backupCodes(flow: Flow, codes: string[], done: () => void): Child;
