/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-T236IEO7.js";import"./chunk-BJ66Y26Z.js";import"./chunk-JPE6RBOX.js";import"./chunk-2ZZ4W6DS.js";import"./chunk-N22HQHEL.js";var o=class extends t{constructor(e,r){super(e,r,"sign_up")}};export{o as default};
