/*! idp browser SDK | Apache-2.0 */
import{a,b as l,e as c}from"./chunk-4U2VMJXX.js";var v={plus:"M10 4v12M4 10h12",person:"M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM4 16.6c.6-3 3-4.6 6-4.6s5.4 1.6 6 4.6",out:"M8 4H4.5v12H8M12 6.5 15.5 10 12 13.5M15 10H8",all:"M7 4H3.5v12H7M10.5 6.5 14 10l-3.5 3.5M13.5 10H7M16.5 5v10",close:"M5 5l10 10M15 5 5 15",shield:"M10 3 4 5.2v4.3c0 3.6 2.5 6.4 6 7.5 3.5-1.1 6-3.9 6-7.5V5.2L10 3Z",box:"M3.5 6.5 10 3l6.5 3.5v7L10 17l-6.5-3.5v-7ZM3.5 6.5 10 10l6.5-3.5M10 10v7"};function p(e){return l("svg",{class:"icon",viewBox:"0 0 20 20","aria-hidden":"true",focusable:"false"},l("path",{d:v[e]}))}function M(e,{label:t,content:i,className:r="",signal:n,stays:f=!1}){return new Promise(d=>{let o=a("dialog",{class:`dialog ${r}`,part:"dialog","aria-label":t},a("button",{class:"dialog-close",part:"dialog-close",type:"button","aria-label":e.say("component.profile.close"),onclick:()=>o.close()},p("close")),a("div",{class:"dialog-frame"},i));if(n.aborted)return d();let s=()=>o.close();n.addEventListener("abort",s,{once:!0}),o.addEventListener("close",()=>{n.removeEventListener("abort",s),o.remove(),d()},{once:!0}),o.addEventListener("pointerdown",m=>{m.target===o&&!f&&o.close()}),e.root.append(o),o.showModal()})}var u=e=>e.name||e.email||"",g=".face[data-initials]::before { content: attr(data-initials); }";function k(e,...t){let i=a("span",{class:["face",...t].join(" "),part:"face","aria-hidden":"true","data-initials":c(u(e))||"·"});if(e.picture){let r=a("img",{src:e.picture,alt:"",referrerpolicy:"no-referrer",decoding:"async",draggable:"false",onerror:()=>r.remove()});i.append(r)}return i}var L=`
${g}
.dialog { width: min(440px, calc(100vw - 32px)); max-width: none; max-height: calc(100dvh - 48px); padding: 0; border: 1px solid var(--_line); border-radius: var(--_radius); color: var(--_text); background: var(--_surface); box-shadow: var(--_shadow); font-family: var(--_font); font-size: var(--_font-size); line-height: 1.5; text-align: start; overflow: hidden; }
.dialog[open] { display: flex; }
.dialog.account { width: min(920px, calc(100vw - 32px)); }
.dialog::backdrop { background: rgb(10 10 20 / 48%); }
.dialog-frame { flex: 1; min-width: 0; padding: var(--_padding); overflow-y: auto; overscroll-behavior: contain; }
.dialog-close { position: absolute; z-index: 1; inset-block-start: 10px; inset-inline-end: 10px; display: inline-flex; align-items: center; justify-content: center; width: 44px; height: 44px; border: 0; border-radius: 50%; background: none; color: var(--_muted); cursor: pointer; }
.dialog-close:hover { color: var(--_text); background: var(--_sunken); }
@media (max-width: 560px) {
  .dialog.account, .dialog.bare { width: 100vw; height: 100dvh; max-height: none; margin: 0; border: 0; border-radius: 0; }
  .dialog-frame { padding: 28px 20px 24px; }
}
`;export{p as a,M as b,u as c,k as d,L as e};
