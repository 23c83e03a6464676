// How <idp-user-profile> looks, beyond what every element shares.
import { dialogStyles } from './user-dialog.css.js'

export const styles = `
.profile { max-width: 860px; margin: 0 auto; }
.blank, .nobody { display: grid; place-items: center; gap: 14px; min-height: 220px; text-align: center; }
.top { display: flex; align-items: center; gap: 16px; margin-bottom: 24px; padding-inline-end: 40px; }
.top-words { min-width: 0; }
.top-words > * { overflow-wrap: anywhere; }
.top .lead { margin-top: 0; }
.face.big { width: 60px; height: 60px; font-size: 21px; }

.tabs { display: flex; gap: 4px; margin-bottom: 8px; border-bottom: 1px solid var(--_line); overflow-x: auto; scrollbar-width: none; }
.tab { flex: none; min-height: 46px; padding: 8px 14px; margin-bottom: -1px; border: 0; border-bottom: 2px solid transparent; background: none; font: inherit; font-weight: 540; color: var(--_muted); cursor: pointer; white-space: nowrap; }
.tab:hover { color: var(--_text); }
.tab[aria-selected="true"] { color: var(--_text); border-bottom-color: var(--_accent); }
.tab:focus-visible { outline-offset: -3px; border-radius: 8px; }

.section { padding: 28px 0; }
.section + .section { border-top: 1px solid var(--_line); }
.section h3 { font-weight: 600; }
.section h3:focus { outline: 0; }
.section-head .subtle { margin-top: 4px; text-wrap: pretty; }
.section-body { min-width: 0; margin-top: 16px; }
.section[aria-busy] .button, .section[aria-busy] .link { cursor: progress; }
@container (min-width: 720px) {
  .section { display: grid; grid-template-columns: 220px minmax(0, 1fr); gap: 12px 40px; }
  .section-body { margin-top: 0; }
}
.notice:not(:empty) { margin-bottom: 16px; }

.rows { background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius-small); }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; padding: 13px 16px; }
.row + .row { border-top: 1px solid var(--_line); }
.row-main { flex: 1 1 220px; min-width: 0; overflow-wrap: anywhere; }
.row-main strong { font-weight: 540; }
.row-main small { display: block; margin-top: 2px; color: var(--_muted); }
.row-acts { display: flex; flex-wrap: wrap; gap: 8px; }
.tag { display: inline-block; padding: 1px 8px; margin-inline: 4px 2px; border-radius: 999px; font-size: .8em; font-weight: 540; line-height: 1.6; white-space: nowrap; color: var(--_muted); background: var(--_sunken); box-shadow: inset 0 0 0 1px var(--_line); }
.tag-good { color: var(--_good); background: var(--_good-tint); box-shadow: none; }
.empty { padding: 18px 16px; color: var(--_muted); border: 1px dashed var(--_line); border-radius: var(--_radius-small); text-align: center; }
.rows + .acts-row, .rows + .fold, .fold + .acts-row { margin-top: 14px; }
.acts-row { display: flex; flex-wrap: wrap; align-items: center; gap: 10px; }
.acts-row.end { justify-content: flex-end; margin-top: 22px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: var(--_space); }
@container (max-width: 480px) { .pair { grid-template-columns: minmax(0, 1fr); } .tab { padding: 8px 10px; } }

.fold { background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius-small); }
.fold > summary { display: flex; align-items: center; gap: 10px; min-height: 48px; padding: 8px 16px; font-weight: 540; color: var(--_accent); cursor: pointer; list-style: none; border-radius: var(--_radius-small); }
.fold > summary::-webkit-details-marker { display: none; }
.fold > summary::before { content: ""; flex: none; width: 7px; height: 7px; margin-inline-end: 2px; border: solid currentColor; border-width: 0 1.5px 1.5px 0; transform: translateY(-2px) rotate(45deg); }
.fold[open] > summary::before { transform: translateY(2px) rotate(-135deg); }
.fold > .form { padding: 6px 16px 18px; }
@container (max-width: 480px) { .rows + .fold { margin-top: 10px; } }

.dialog .title { padding-inline-end: 40px; }
.ask .lead { margin-bottom: 4px; }
.ask .codes { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 6px 20px; margin-top: 18px; padding: 16px 16px 16px 42px; background: var(--_sunken); border: 1px solid var(--_line); border-radius: var(--_radius-small); }
.codes li::marker { color: var(--_muted); font-size: 13px; }
.codes code { font: 560 15px/1.6 var(--_mono); }
.means { padding-inline-start: 20px; list-style: disc; color: var(--_muted); }
.means li + li { margin-top: 6px; }
.dialog.bare .dialog-frame { padding: 0 0 12px; }
.within::part(card) { max-width: none; border: 0; border-radius: 0; box-shadow: none; }
@media (forced-colors: active) { .rows, .fold, .tag, .dialog { border: 1px solid ButtonText; } .tab[aria-selected="true"] { border-bottom-color: Highlight; } }
${dialogStyles}
`
