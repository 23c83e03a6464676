import type { View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow } from './flow.js';
export declare function human(flow: Flow, view: View): Child;
