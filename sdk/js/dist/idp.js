/*! idp browser SDK | Apache-2.0 */
import{b,c,d}from"./chunk-YCEZ3XLX.js";import"./chunk-EMK6CWXA.js";import{a}from"./chunk-7OP5NA54.js";export{b as Attempt,d as Idp,a as IdpError,c as load};
