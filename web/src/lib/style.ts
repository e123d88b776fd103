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
.attn {
  ${variables(LIGHT_INK)} ${roles(LIGHT)}
  color: var(--ink); font-size: .9375rem; line-height: 1.4;
  font-family: system-ui, sans-serif; margin: .25rem 0 1rem;
  color-scheme: light;
}
.attn.dark {
  ${variables(DARK_INK)} ${roles(DARK)}
  color-scheme: dark;
}
.title { font-weight: 600; margin: 0 0 .4rem; }
.controls, .actions {
  display: flex; flex-wrap: wrap; gap: .35rem 1rem; align-items: center;
}
.controls { margin-bottom: .6rem; }
.actions { gap: .4rem; margin-top: .6rem; }
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
:is(button, select, input, summary, .grid, .table):focus-visible {
  outline: 3px solid var(--lock); outline-offset: 2px;
}
.note, .hint, .status { color: var(--muted); margin: .4rem 0 0; font-size: .9em; }
.status:empty { display: none; }
.problem {
  border: 2px solid var(--accent); border-radius: 5px;
  padding: .6rem .8rem; margin: .5rem 0;
}
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
details { margin-top: .5rem; }
summary { cursor: pointer; min-height: 24px; }
.table { overflow: auto; max-height: 24rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85em; }
th, td { padding: .15rem .45rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
@media print { .controls, .actions, .hint { display: none; } }
`;
