import type { IdpError, MethodOption, View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow } from './flow.js';
export declare function connection(flow: Flow, view: View, way?: MethodOption): Child;
export declare function over(flow: Flow, why?: IdpError): Child;
export declare function welcome(flow: Flow): Child;
