/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-6YSP5Y4T.js";import"./chunk-3TL2VMQB.js";import"./chunk-M3E7FPPJ.js";import"./chunk-2ZZ4W6DS.js";import"./chunk-N22HQHEL.js";var o=class extends t{constructor(e,r){super(e,r,"sign_up")}};export{o as default};
