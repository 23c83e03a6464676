/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-QUNP7CF6.js";import"./chunk-B6SLUZ7S.js";import"./chunk-M3E7FPPJ.js";import"./chunk-2ZZ4W6DS.js";import"./chunk-N22HQHEL.js";var o=class extends t{constructor(e,r){super(e,r,"sign_up")}};export{o as default};
