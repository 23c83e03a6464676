import type Profile from './user-profile.js';
export declare function codes(p: Profile, fresh: string[]): Promise<void>;
export declare function save(name: string, type: string, content: string): void;
