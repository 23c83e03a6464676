// How a dialog looks: a card in the middle, on a small screen a sheet that fills it.
import { faceStyle } from './user-face.js'

export const dialogStyles = `
${faceStyle}
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
`
