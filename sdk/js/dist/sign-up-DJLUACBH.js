/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-4CJ7SE5D.js";import"./chunk-CSEXJ6WF.js";import"./chunk-YCEZ3XLX.js";import"./chunk-EMK6CWXA.js";import"./chunk-7OP5NA54.js";var o=class extends t{constructor(e,r){super(e,r,"sign_up")}};export{o as default};
