import type { PasswordRules, View } from '../idp.js';
import { type Child } from './dom.js';
import type { Flow } from './flow.js';
export declare function chosen(flow: Flow, label: string, o?: PasswordRules): HTMLElement;
export declare function newPassword(flow: Flow, view: View): Child;
