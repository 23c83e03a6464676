import type { View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow, Place } from './flow.js';
export declare function proof(flow: Flow, view: View, place: Place): Child;
export declare const who: (flow: Flow, view: View) => Child;
