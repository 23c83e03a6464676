import type { View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow } from './flow.js';
export declare const only: (view: View) => import("../types.js").MethodOption | undefined;
export declare function signIn(flow: Flow): Child;
export declare function register(flow: Flow, view?: View): Child;
