/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-7NHGM5UV.js";import"./chunk-4U2VMJXX.js";import"./chunk-XVO7EMC4.js";import"./chunk-2ZZ4W6DS.js";import"./chunk-N22HQHEL.js";var o=class extends t{constructor(e,r){super(e,r,"sign_in")}};export{o as default};
