// What the elements for signing in and up look like beyond the common look.
export const flowStyle = `
.input-code { height: 60px; text-align: center; font: 560 28px/1 var(--_mono); letter-spacing: .34em; text-indent: .34em; font-variant-numeric: tabular-nums; }
.input-backup { height: 60px; text-align: center; font: 560 18px/1 var(--_mono); letter-spacing: .06em; text-transform: uppercase; }
@container (max-width: 300px) { .input-code { font-size: 22px; letter-spacing: .2em; text-indent: .2em; } .input-backup { font-size: 15px; } }
.reveal { position: relative; }
.reveal .input { padding-inline-end: 72px; }
.reveal button { position: absolute; inset-block: 0; inset-inline-end: 0; min-width: 60px; padding: 0 12px; border: 0; border-radius: var(--_radius-small); background: none; color: var(--_muted); font: inherit; font-size: .87em; font-weight: 540; cursor: pointer; }
.reveal button:hover { color: var(--_text); }
.card .button { width: 100%; }
.busy { position: relative; color: transparent !important; }
.busy > .spinner { position: absolute; inset: 0; margin: auto; }
.primary.busy > .spinner { border-color: var(--_on-accent); border-top-color: transparent; }
.links { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; margin: -6px 0 -14px; }
.links-middle { justify-content: center; }
.after { margin: 12px 0 -10px; }
.foot { margin: 22px 0 -14px; padding-top: 10px; border-top: 1px solid var(--_line); font-size: .93em; color: var(--_muted); display: flex; flex-wrap: wrap; gap: 0 8px; align-items: center; }
.foot .link { font-size: 1em; font-weight: 540; }
.foot-middle { justify-content: center; }
.note { margin-top: 14px; }
.card > .alert { margin-bottom: 20px; }
.or { display: flex; align-items: center; gap: 14px; font-size: .87em; color: var(--_muted); }
.or::before, .or::after { content: ""; flex: 1; height: 1px; background: var(--_line); }
.ways { display: flex; flex-direction: column; gap: 10px; }
.ways-many { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.ways-many > :last-child:nth-child(odd) { grid-column: 1 / -1; }
.ways-icons { flex-direction: row; flex-wrap: wrap; justify-content: center; }
.card .ways-icons .button { width: 64px; padding: 9px; }
.ways .button > span:nth-child(2) { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
.ways-many .button > span:nth-child(2) { white-space: nowrap; }
.maker { display: inline-flex; align-items: center; justify-content: center; flex: none; width: 22px; height: 22px; border-radius: 6px; font-size: 12px; font-weight: 700; line-height: 1; color: var(--_accent); background: var(--_tint); }
.maker-google { color: #fff; background: #1a66d6; }
.maker-microsoft { color: #fff; background: #0067b8; }
.maker-apple, .maker-github, .maker-x { color: #fff; background: #1f2328; box-shadow: 0 0 0 1px var(--_button-line); }
.maker-gitlab { color: #fff; background: #c2410c; }
.maker-discord { color: #fff; background: #4752c4; }
.maker-slack { color: #fff; background: #4a154b; }
.maker-facebook, .maker-linkedin { color: #fff; background: #0a66c2; }
.choices { display: flex; flex-direction: column; gap: 8px; }
.choice { display: flex; align-items: center; gap: 12px; width: 100%; min-height: 60px; padding: 10px 14px; text-align: start; font: inherit; color: inherit; background: var(--_surface); cursor: pointer; border: 1px solid var(--_line); border-radius: var(--_radius-small); transition: background .12s, border-color .12s; }
.choice:hover { background: var(--_sunken); border-color: var(--_edge); }
.choice > span:nth-child(2) { flex: 1; min-width: 0; }
.choice strong { display: block; font-weight: 540; overflow: hidden; text-overflow: ellipsis; }
.choice small { display: block; color: var(--_muted); overflow: hidden; text-overflow: ellipsis; }
.choice::after { content: ""; flex: none; width: 7px; height: 7px; margin-inline-end: 3px; border: solid var(--_edge); border-width: 1.5px 1.5px 0 0; transform: rotate(45deg); }
.choice:dir(rtl)::after { transform: rotate(-135deg); }
.choice[aria-disabled="true"] { opacity: .55; cursor: default; }
.choice > .maker { width: 36px; height: 36px; border-radius: 50%; font-size: 14px; }
.who { display: flex; align-items: center; gap: 12px; padding: 9px 12px; margin-bottom: 20px; border: 1px solid var(--_line); border-radius: var(--_radius-small); font-size: .93em; }
.who .face { width: 30px; height: 30px; font-size: 12px; }
.who > span:nth-child(2) { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; }
.who small { display: block; color: var(--_muted); overflow: hidden; text-overflow: ellipsis; }
.rules { margin-top: 8px; display: grid; gap: 3px; font-size: .87em; color: var(--_muted); }
.rules li { padding-inline-start: 20px; position: relative; }
.rules li::before { content: ""; position: absolute; inset-inline-start: 5px; top: 7px; width: 5px; height: 5px; border-radius: 50%; background: var(--_edge); }
.rules .met { color: var(--_good); }
.rules .met::before { inset-inline-start: 4px; top: 4px; width: 5px; height: 9px; border-radius: 0; background: none; border: solid var(--_good); border-width: 0 2px 2px 0; transform: rotate(42deg); }
.strength { font-size: .87em; color: var(--_muted); }
.strength[data-score] { margin-top: 10px; display: grid; gap: 5px; }
.strength:not([data-score]) .bar { display: none; }
.bar { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; }
.bar i { height: 4px; border-radius: 2px; background: var(--_line); }
.strength[data-score="1"] i:nth-child(-n+1) { background: var(--_error); }
.strength[data-score="2"] i:nth-child(-n+2) { background: var(--_note); }
.strength[data-score="3"] i:nth-child(-n+3), .strength[data-score="4"] i { background: var(--_good); }
.qr { display: block; width: 100%; max-width: 232px; height: auto; margin: 0 auto 6px; border: 1px solid var(--_line); border-radius: var(--_radius-small); background: #fff; shape-rendering: crispEdges; forced-color-adjust: none; }
.qr path { fill: none; stroke: #000; stroke-width: 1; }
.more { margin-bottom: 14px; }
.more > summary { display: flex; align-items: center; justify-content: center; min-height: 44px; font-size: .93em; color: var(--_accent); cursor: pointer; list-style: none; }
.more > summary::-webkit-details-marker { display: none; }
.more > summary:hover { text-decoration: underline; }
.key { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-top: 10px; padding: 12px 14px; background: var(--_sunken); border: 1px solid var(--_line); border-radius: var(--_radius-small); }
.key code { display: flex; flex-wrap: wrap; gap: 2px 10px; font: 560 15px/1.6 var(--_mono); }
.card .copy { margin-inline-start: auto; width: auto; min-height: 36px; padding: 2px 12px; font-size: .87em; }
.codes { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 20px; margin: 0 0 18px; padding: 16px 16px 16px 42px; background: var(--_sunken); border: 1px solid var(--_line); border-radius: var(--_radius-small); }
.codes li::marker { color: var(--_muted); font-size: 13px; }
.codes code { font: 560 15px/1.6 var(--_mono); letter-spacing: .02em; }
@container (max-width: 460px) { .codes { grid-template-columns: 1fr; } }
.acts { display: flex; flex-wrap: wrap; gap: 10px; margin-bottom: 18px; }
.acts > * { flex: 1; }
.progress { width: 100%; height: 8px; accent-color: var(--_accent); }
.development { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: center; justify-content: center; width: fit-content; max-width: 100%; margin: 12px auto 0; padding: 5px 14px; border-radius: 99px; font-size: 13px; color: var(--_note); background: var(--_note-tint); }
.development a { color: inherit; }
@media (forced-colors: active) { .choice, .who { border-color: ButtonText; } .maker, .bar i { forced-color-adjust: none; } }
`
