/*! idp browser SDK | Apache-2.0 */
import{b,c,d}from"./chunk-XVO7EMC4.js";import"./chunk-2ZZ4W6DS.js";import{a}from"./chunk-N22HQHEL.js";export{b as Attempt,d as Idp,a as IdpError,c as load};
