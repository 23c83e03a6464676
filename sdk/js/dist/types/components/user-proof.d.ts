import { type Attempt, type Method } from '../idp.js';
import { type Place } from './flow.js';
import type Profile from './user-profile.js';
export declare function carry(p: Profile, begin: () => Promise<Attempt>, label: string, place?: Place): Promise<boolean>;
export declare function freshly(p: Profile, work: () => Promise<unknown>): Promise<boolean>;
export declare function extended(p: Profile, address: string): Promise<Attempt>;
export declare function setUp(p: Profile, method: Method): Promise<boolean>;
