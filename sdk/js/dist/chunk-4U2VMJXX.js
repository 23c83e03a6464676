/*! idp browser SDK | Apache-2.0 */
import{a as c,c as p}from"./chunk-XVO7EMC4.js";function i(r,e,...t){return u(document.createElement(r),e,t)}function E(r,e,...t){return u(document.createElementNS("http://www.w3.org/2000/svg",r),e,t)}function u(r,e,t){for(let[n,o]of Object.entries(e??{}))o===!1||o===null||o===void 0||(typeof o=="function"?r.addEventListener(n.slice(2),o):n==="value"?r.value=String(o):r.setAttribute(n,o===!0?"":String(o)));return l(r,t),r}function l(r,e){for(let t of e)Array.isArray(t)?l(r,t):t instanceof Node?r.appendChild(t):t!=null&&t!==!1&&r.appendChild(document.createTextNode(String(t)))}var v=0,S=r=>`${r}-${++v}`;function C(r){let e=(r.split("@")[0]??"").split(/[\s._-]+/).filter(Boolean),t=(n="")=>(Array.from(n)[0]??"").toUpperCase();return t(e[0])+(e.length>1?t(e[e.length-1]):"")}var x={accent:["#4353e6","#8f9bff"],"accent-strong":["color-mix(in srgb, var(--_accent) 82%, #000)","color-mix(in srgb, var(--_accent) 76%, #fff)"],"on-accent":["#fff","#0d0f26"],tint:["color-mix(in srgb, var(--_accent) 9%, var(--_surface))","color-mix(in srgb, var(--_accent) 15%, var(--_surface))"],surface:["#fff","#14141b"],sunken:["#f6f6f9","#0e0e14"],text:["#16161d","#f1f1f6"],muted:["#5d5d6b","#a2a2b2"],line:["#e5e5ec","#282833"],edge:["#8a8a99","#6d6d80"],"button-line":["#cdcdd8","#3b3b4a"],error:["#b3212d","#ff9a9f"],"error-tint":["#fdf1f1","#2b1518"],good:["#14693a","#7fd8a4"],"good-tint":["#ecf8f1","#10241a"],note:["#7a4d00","#f3c66b"],"note-tint":["#fff6e0","#281f0c"],shadow:["0 1px 2px rgb(20 20 40 / 4%), 0 12px 32px -12px rgb(20 20 40 / 14%)","0 1px 2px rgb(0 0 0 / 40%), 0 16px 40px -16px rgb(0 0 0 / 60%)"]},w={font:"inherit",mono:'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',"font-size":"15px",radius:"16px","radius-small":"10px",space:"18px",width:"408px",padding:"36px"},g=r=>r.map(([e,t])=>`--_${e}: var(--idp-${e}, ${t});`).join(""),d=r=>g(Object.entries(x).map(([e,t])=>[e,t[r]])),_=`
:host { ${g(Object.entries(w))} ${d(0)} color-scheme: light; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${d(1)} color-scheme: dark; } }
:host([theme="dark"]) { ${d(1)} color-scheme: dark; }
`,y=`
*, *::before, *::after { box-sizing: border-box; }
:host { display: block; container-type: inline-size; text-align: start; }
:host([hidden]), [hidden] { display: none !important; }
.stage { font-family: var(--_font); font-size: var(--_font-size); font-weight: 400; font-style: normal; line-height: 1.5; color: var(--_text); -webkit-font-smoothing: antialiased; letter-spacing: normal; text-transform: none; }
h1, h2, h3, p, ul, ol, dl, dd, fieldset, legend { margin: 0; padding: 0; font-size: inherit; font-weight: inherit; }
ul { list-style: none; }
fieldset { border: 0; min-width: 0; }
small { font-size: .87em; }
a { color: var(--_accent); text-underline-offset: 3px; text-decoration-thickness: 1px; }
a:hover { color: var(--_accent-strong); }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
:focus:not(:focus-visible) { outline: 0; }
.hush { position: absolute; width: 1px; height: 1px; margin: 0; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.card { width: 100%; max-width: var(--_width); margin: 0 auto; padding: calc(var(--_padding) + 4px) var(--_padding) var(--_padding); background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius); box-shadow: var(--_shadow); }
@container (max-width: 400px) { .card { padding: 28px 20px 24px; } }

.button { display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 44px; padding: 9px 18px; font: inherit; font-weight: 560; text-decoration: none; text-align: center; cursor: pointer; color: var(--_text); background: var(--_surface); border: 1px solid var(--_button-line); border-radius: var(--_radius-small); transition: background .12s, border-color .12s; }
.button:hover { color: var(--_text); background: var(--_sunken); }
.button:disabled, .button[aria-disabled="true"] { opacity: .55; cursor: default; }
.primary { color: var(--_on-accent); background: var(--_accent); border-color: transparent; }
.primary:hover { color: var(--_on-accent); background: var(--_accent-strong); }
.danger { color: var(--_error); }
.danger:hover { color: var(--_error); background: var(--_error-tint); border-color: var(--_error); }
.small { padding: 6px 14px; font-size: .93em; }
.link { display: inline-flex; align-items: center; min-height: 44px; padding: 0; border: 0; background: none; font: inherit; font-size: .93em; color: var(--_accent); cursor: pointer; text-decoration: none; text-align: start; }
.link:hover { color: var(--_accent-strong); text-decoration: underline; text-underline-offset: 3px; }
.link:disabled { color: var(--_muted); cursor: default; text-decoration: none; }

.form { display: flex; flex-direction: column; gap: var(--_space); }
.field { display: flex; flex-direction: column; gap: 6px; min-width: 0; }
.label { font-size: .93em; font-weight: 540; }
.label small { font-size: 1em; color: var(--_muted); font-weight: 400; }
.input { width: 100%; min-height: 44px; padding: 9px 12px; font: inherit; font-size: max(16px, 1em); color: inherit; background: var(--_surface); border: 1px solid var(--_edge); border-radius: var(--_radius-small); transition: border-color .12s, box-shadow .12s; }
.input::placeholder { color: var(--_muted); opacity: .8; }
.input:hover { border-color: var(--_text); }
.input:focus-visible { outline: 2px solid transparent; border-color: var(--_accent); box-shadow: 0 0 0 1px var(--_accent), 0 0 0 4px var(--_tint); }
.input[aria-invalid] { border-color: var(--_error); }
.input[aria-invalid]:focus-visible { box-shadow: 0 0 0 1px var(--_error), 0 0 0 4px var(--_error-tint); }
.hint { font-size: .87em; color: var(--_muted); }
.error { font-size: .9em; color: var(--_error); }
.check { display: flex; gap: 10px; align-items: flex-start; min-height: 44px; padding: 10px 0; margin: -8px 0; cursor: pointer; }
.check input { flex: none; width: 18px; height: 18px; margin: 2px 0 0; accent-color: var(--_accent); }
.check small { display: block; color: var(--_muted); }

.alert { padding: 11px 14px; border-radius: var(--_radius-small); font-size: .93em; color: var(--_text); background: var(--_sunken); border: 1px solid var(--_line); overflow-wrap: anywhere; }
.alert-error { color: var(--_error); background: var(--_error-tint); border-color: transparent; }
.alert-good { color: var(--_good); background: var(--_good-tint); border-color: transparent; }
.alert-note { color: var(--_note); background: var(--_note-tint); border-color: transparent; }

.head { margin-bottom: 24px; }
.mark, .face { display: inline-flex; align-items: center; justify-content: center; flex: none; overflow: hidden; position: relative; font-weight: 600; color: var(--_accent); background: var(--_tint); }
.mark { width: 44px; height: 44px; margin-bottom: 18px; border-radius: 12px; font-size: 17px; }
.mark-brand { color: var(--_on-accent); background: var(--_accent); }
.face { width: 36px; height: 36px; border-radius: 50%; font-size: 13px; }
.mark img, .face img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
.icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.title { font-size: 1.53em; line-height: 1.25; font-weight: 620; letter-spacing: -.018em; text-wrap: pretty; }
.title:focus { outline: 0; }
.lead { margin-top: 6px; color: var(--_muted); text-wrap: pretty; overflow-wrap: anywhere; }
.lead strong { color: var(--_text); font-weight: 560; }
.subtle { font-size: .93em; color: var(--_muted); }

.wait { display: grid; place-items: center; min-height: 180px; }
.spinner { width: 28px; height: 28px; border: 3px solid var(--_line); border-top-color: var(--_accent); border-radius: 50%; animation: turn .9s linear infinite; }
.button .spinner { width: 16px; height: 16px; border-width: 2px; border-color: currentColor; border-top-color: transparent; }
@keyframes turn { to { transform: rotate(360deg); } }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { transition: none !important; animation-duration: 3s !important; } }
@media (forced-colors: active) {
  .button, .input, .card, .alert { border-color: ButtonText; }
  .primary, .primary:hover, .mark-brand { forced-color-adjust: none; color: ButtonFace; background: ButtonText; }
  .input:focus-visible { outline-color: Highlight; }
  .spinner { border-top-color: Highlight; }
}
`,h=new Map;function k(r){let e=h.get(r);return e||(e=new CSSStyleSheet,e.replaceSync(r),h.set(r,e)),e}function f(r,...e){r.adoptedStyleSheets=[_,y,...e].map(k)}var m={"key.offline":"The service could not be reached. Please check your connection and try again.","human.again":"Try again"},a=class{constructor(e,t){this.table=e;this.locale=t;let n;try{n=new Intl.PluralRules(t)}catch{n=new Intl.PluralRules("en")}this.plural=n}table;locale;plural;say(e,t){let n=this.table[e]??m[e]??`⟦${e}⟧`;return t?n.replace(/\{(\w+)\}/g,(o,s)=>s in t?String(t[s]):o):n}count(e,t,n){let o=`${e}.${this.plural.select(t)}`;return this.say(o in this.table?o:`${e}.other`,{n:t,...n})}has(e){return e in this.table||e in m}};var b=class{constructor(e,t,n=""){this.host=e;this.root=t;f(t,...n?[n]:[]),this.stage=i("div",{class:"stage",part:"stage"}),this.voice=i("div",{class:"hush",role:"status","aria-live":"polite"}),t.replaceChildren(this.stage,this.voice)}host;root;idp;words=new a({},"en");stage;voice;life=new AbortController;end(){}changed(e){(e==="issuer"||e==="locale")&&this.connect()}get signal(){return this.life.signal}get environment(){return this.idp.environment}connect(){this.disconnect(),this.life=new AbortController;let{signal:e}=this.life;this.wait();let t=this.attribute("issuer").replace(/\/+$/,""),n=this.attribute("locale");p({...t&&{issuer:t},...n&&{locale:n}}).then(async o=>{e.aborted||(this.idp=o,this.words=new a(o.environment.words,o.environment.locale),this.stage.lang=o.environment.locale,await this.begin())}).catch(o=>{e.aborted||this.unreachable(o)})}disconnect(){this.life.signal.aborted||(this.life.abort(),this.idp&&this.end())}attribute(e){return this.host.getAttribute(e)?.trim()??""}say(e,t){return this.words.say(e,t)}count(e,t,n){return this.words.count(e,t,n)}show(...e){let t=document.createDocumentFragment();l(t,e),this.stage.replaceChildren(t),this.stage.removeAttribute("aria-busy")}wait(){this.stage.setAttribute("aria-busy","true"),this.stage.replaceChildren(i("div",{class:"card wait",part:"card"},i("span",{class:"spinner","aria-hidden":"true"})))}announce(e){this.voice.textContent="",this.later(()=>{this.voice.textContent=e},60)}focus(e,t=!1){!e||!t&&!this.root.activeElement&&document.activeElement!==this.host||e.focus({preventScroll:!1})}find(e){return this.root.querySelector(e)}emit(e,t){return this.host.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0,cancelable:!0}))}later(e,t){let{signal:n}=this,o=()=>{clearTimeout(s),n.removeEventListener("abort",o)},s=setTimeout(()=>{o(),e()},t);return n.aborted?o():n.addEventListener("abort",o),o}leave(e){let t=c(e,document.baseURI);t&&window.location.assign(t)}unreachable(e){this.emit("idp-error",{error:e});let t=i("button",{class:"button",part:"button",type:"button",onclick:()=>this.connect()},this.say("human.again"));this.show(i("div",{class:"card",part:"card"},i("div",{class:"form"},i("p",{class:"alert alert-error",part:"alert",role:"alert"},this.say("key.offline")),t)))}};export{i as a,E as b,l as c,S as d,C as e,b as f};
