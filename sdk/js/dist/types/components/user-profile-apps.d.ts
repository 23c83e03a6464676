import type { Tab } from './user-profile.js';
export declare const appsTab: Tab;
