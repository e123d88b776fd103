import { DARK_INK, type Ink, LIGHT_INK } from "./colours.ts";
import { DARK, LIGHT } from "./roles.ts";

const variables = ({ marks, line, edge, ...others }: Ink): string =>
  Object.entries({ ...others, line: edge })
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(" ");

/** --attn-query and its like: the same names as on the page around. */
const roles = (tones: Record<string, string>): string =>
  Object.entries(tones)
    .map(([name, colour]) => `--attn-${name}: ${colour};`)
    .join(" ");

// The look that every widget shares. It follows the page: inherited font,
// colours for a light or a dark surface.
export const BASE_STYLE = `
:host { display: block; }
:host([popover]) { inset: 0; width: 100%; height: 100%; margin: 0; border: 0; padding: 0; background: none; color: inherit; }
.attn {
  ${variables(LIGHT_INK)} ${roles(LIGHT)}
  color: var(--ink); font-size: .9375rem; line-height: 1.4;
  font-family: inherit; margin: .25rem 0 1rem;
  color-scheme: light; box-sizing: border-box; padding: .8rem 1rem .6rem;
  border: 1px solid var(--attn-line); border-radius: 10px; background: var(--attn-card);
}
.attn.dark {
  ${variables(DARK_INK)} ${roles(DARK)}
  color-scheme: dark;
}
:host([data-nested]) .attn { border: 0; padding: 0; background: none; }
:host([data-nested]) .tools { display: none; }
@media (max-width: 480px) { .attn { padding: .6rem .6rem .5rem; } }
[hidden] { display: none !important; }
.title { font-weight: 600; margin: 0 0 .5rem; }
.primary { margin-bottom: .7rem; }
.primary > label { display: flex; }
.primary input[type=range] { flex: 0 100 14rem; min-width: 5rem; width: 14rem; }
.controls, .actions, .tools {
  display: flex; flex-wrap: wrap; gap: .35rem 1rem; align-items: center;
}
.actions { gap: .4rem; }
.tools { gap: .15rem; margin-top: .6rem; border-top: 1px solid var(--attn-line); padding-top: .35rem; }
.tools button {
  background: none; border-color: transparent; color: var(--attn-soft); font-size: .9em; padding: 1px .6em;
  min-width: 28px;
}
.tools svg { display: block; width: 18px; height: 18px; }
.tools button:hover { color: var(--attn-ink); background: var(--soft); }
.tools button[aria-expanded=true] { color: var(--attn-ink); background: var(--soft); }
.tools .leave { display: none; }
.fold { margin-top: .5rem; display: grid; gap: .6rem; }
label { display: inline-flex; align-items: center; gap: .4rem; min-height: 28px; max-width: 100%; }
select { min-width: 0; }
output { font-variant-numeric: tabular-nums; min-width: 3.2em; }
input[type=range] {
  width: 8.5rem; min-height: 28px; margin: 0; accent-color: var(--lock);
}
input[type=checkbox] {
  width: 24px; height: 24px; margin: 0; accent-color: var(--lock);
}
select, button, input[type=text] {
  font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--line); border-radius: 5px;
  min-height: 28px; padding: 1px .55em; margin: 0;
}
button { cursor: pointer; }
button:hover { background: var(--soft); }
:is(button, select, input, summary, [role=grid], .table):focus-visible {
  outline: 3px solid var(--lock); outline-offset: 2px;
}
.note, .hint, .status { color: var(--attn-soft); margin: .4rem 0 0; font-size: .9em; }
.fold :is(.note, .hint) { margin: 0; }
.status:empty { display: none; }
.problem {
  border: 2px solid var(--accent); border-radius: 5px;
  padding: .6rem .8rem; margin: .5rem 0;
}
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
[role=grid] { user-select: none; -webkit-user-select: none; }
details { margin-top: .5rem; }
summary { cursor: pointer; min-height: 24px; }
.table { overflow: auto; max-height: 24rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87em; }
th, td { padding: .15rem .45rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
.present {
  position: fixed; left: 0; top: 0; z-index: 2147483647; transform-origin: 0 0;
  display: flex; flex-direction: column; margin: 0; border: 0; border-radius: 0;
  padding: 10px 16px; background: var(--attn-paper); overflow: auto;
}
.present .title { font-size: 16px; padding-right: 190px; margin-bottom: 6px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.present .primary { margin-bottom: 6px; }
.present .stage { flex: 1 1 0; min-height: 0; }
.present .tools { position: absolute; top: 6px; right: 12px; margin: 0; padding: 0; border: 0; }
.present .tools button { display: none; font-size: 13px; }
.present .tools :is(.leave, button:first-child) { display: inline-block; border-color: var(--line); }
.present .fold {
  position: absolute; z-index: 2; top: 40px; right: 12px; max-width: 60%; max-height: 80%; overflow: auto;
  padding: 10px 12px; background: var(--attn-card); border: 1px solid var(--line); border-radius: 8px;
  box-shadow: 0 4px 18px #0004;
}
.present :is(.footer, .stage > details, .stage > * > details) { display: none; }
@media print {
  .primary, .tools, .fold, .hint { display: none; }
  .attn { break-inside: avoid; }
}
`;
