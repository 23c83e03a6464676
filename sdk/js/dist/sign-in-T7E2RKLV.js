/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-QQ7N4DR7.js";import"./chunk-A42LDV2C.js";import"./chunk-4AADEC65.js";import"./chunk-EMK6CWXA.js";import"./chunk-7OP5NA54.js";var o=class extends t{constructor(e,r){super(e,r,"sign_in")}};export{o as default};
