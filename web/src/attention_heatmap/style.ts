export const HEATMAP_STYLE = `
.attn { container-type: inline-size; }
.body { display: grid; gap: .5rem 1.25rem; grid-template-columns: minmax(0, 1fr); }
@container (min-width: 620px) {
  .body { grid-template-columns: minmax(0, 1fr) 15rem; }
  .panel { min-height: 13.5rem; }
}
.arcs { grid-column: 1 / -1; display: block; overflow: visible; max-width: 100%; }
.maps { width: max-content; max-width: 100%; overflow-x: auto; cursor: pointer; border-radius: 3px; }
.maps svg { display: block; }
.grid { position: relative; touch-action: pan-y; cursor: crosshair; border-radius: 3px; }
.grid canvas { display: block; }
.grid canvas + canvas { position: absolute; inset: 0; pointer-events: none; }
.present .primary { position: absolute; right: 16px; top: 44px; width: 350px; z-index: 1; }
.present .body { grid-template-columns: minmax(0, 1fr) 350px; column-gap: 14px; align-content: start; grid-template-rows: auto 1fr; }
.present .arcs { grid-column: 1; }
.present .panel { grid-column: 2; grid-row: 1 / 3; padding-top: var(--beside); min-height: 0; }
.panel p { margin: 0 0 .3rem; }
.pair { font-weight: 600; overflow-wrap: anywhere; }
.pair bdi, .row-name bdi { background: var(--soft); border-radius: 3px; padding: 0 .3em; }
.steps { list-style: none; margin: 0 0 .6rem; padding: 0; }
.steps li { display: flex; justify-content: space-between; gap: 1rem; }
.steps b { font-variant-numeric: tabular-nums; }
.panel .row-name { margin-top: .5rem; border-left: 4px solid var(--accent); padding-left: .45rem; }
.panel .row-name.lock { border-color: var(--lock); }
.bars {
  display: grid; grid-template-columns: minmax(2.5rem, max-content) 1fr 3.2em;
  gap: 1px .5rem; align-items: center; font-size: .9em; margin: 0;
}
.bars bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 7rem; }
.bars i { display: block; height: .7em; background: var(--lock); border-radius: 2px; min-width: 1px; }
.bars span { text-align: right; font-variant-numeric: tabular-nums; }
`;
