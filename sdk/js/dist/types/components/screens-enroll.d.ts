import type { View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow, Place } from './flow.js';
export declare function chooseFactor(flow: Flow, view: View, place: Place): Child;
export declare function confirmEnrollment(flow: Flow, view: View, place: Place): Child;
