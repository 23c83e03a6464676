// How <idp-user-button> looks, beyond what every element shares.
import { dialogStyles } from './user-dialog.css.js'

export const styles = `
:host { display: inline-block; container-type: normal; vertical-align: middle; }
.stage { position: relative; display: inline-flex; }
.large { width: 36px; height: 36px; font-size: 14px; }
.blank { background: var(--_line); }
.opener { position: relative; display: inline-flex; align-items: center; gap: 10px; min-width: 44px; min-height: 44px; padding: 4px; border: 0; border-radius: 999px; background: none; font: inherit; font-weight: 540; color: var(--_text); cursor: pointer; }
.opener > .face { box-shadow: 0 0 0 1px var(--_line); transition: box-shadow .12s; }
.opener:hover > .face, .opener[aria-expanded="true"] > .face { box-shadow: 0 0 0 2px var(--_surface), 0 0 0 4px var(--_accent); }
.opener[aria-busy] > .face { opacity: .6; }
.beside { max-width: 22ch; padding-inline-end: 10px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
:host([shimmer]) .opener > .face::after { content: ""; position: absolute; inset: 0; background: linear-gradient(110deg, transparent 32%, rgb(255 255 255 / 65%) 50%, transparent 68%) no-repeat; background-size: 300% 100%; background-position: 150% 0; }
:host([shimmer]) .opener:is(:hover, :focus-visible) > .face::after { background-position: -60% 0; transition: background-position .8s ease-out; }
@media (prefers-reduced-motion: reduce) { :host([shimmer]) .opener > .face::after { display: none; } }

.panel { position: absolute; z-index: 2147483000; inset-block-start: calc(100% + 8px); inset-inline-end: 0; width: max-content; min-width: 264px; max-width: min(340px, calc(100vw - 24px)); max-height: min(560px, calc(100vh - 96px)); overflow-y: auto; background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius); box-shadow: var(--_shadow); }
.panel[data-side="start"] { inset-inline: 0 auto; }
.panel[data-rise="up"] { inset-block: auto calc(100% + 8px); }
.who { display: flex; align-items: center; gap: 12px; padding: 18px 18px 16px; border-bottom: 1px solid var(--_line); }
.whose { min-width: 0; flex: 1; }
.whose > * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.whose strong { font-weight: 560; }
.whose small { color: var(--_muted); }
.acts { padding: 8px; }
.acts > [role="group"] { padding-bottom: 8px; margin-bottom: 8px; border-bottom: 1px solid var(--_line); }
.act { display: flex; align-items: center; gap: 12px; width: 100%; min-height: 44px; padding: 7px 10px; border: 0; border-radius: var(--_radius-small); background: none; font: inherit; color: var(--_text); text-align: start; cursor: pointer; }
.act > .icon { margin: 0 8px; color: var(--_muted); }
.act:hover, .act:focus { background: var(--_sunken); outline: 0; }
.act:focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; }
@media (forced-colors: active) { .panel, .opener > .face { border: 1px solid ButtonText; } .act:focus { outline: 2px solid Highlight; } }
${dialogStyles}
`
