/*! idp browser SDK | Apache-2.0 */
import{a as t}from"./chunk-DSVATN26.js";import"./chunk-IN32K4LJ.js";import"./chunk-7QTIQUMA.js";import"./chunk-EMK6CWXA.js";import"./chunk-7OP5NA54.js";var o=class extends t{constructor(e,r){super(e,r,"sign_up")}};export{o as default};
