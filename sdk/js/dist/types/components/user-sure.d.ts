import { type Child } from './dom.js';
import type Profile from './user-profile.js';
export declare function sure(p: Profile, title: string, about: Child, words: string): Promise<boolean>;
