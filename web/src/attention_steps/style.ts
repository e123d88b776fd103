// The look of the picture and of its player.
const MOVE = "260ms cubic-bezier(.3, .1, .3, 1)";

export const STYLE = `
.figure-box { position: relative; }
.say { font-size: 1.06em; line-height: 1.45; margin: 0 0 .5rem; min-height: 2.9em; color: var(--attn-ink); }
.say b { font-weight: 650; }
.say b[data-role=query] { color: var(--attn-query); }
.say b[data-role=key] { color: var(--attn-key); }
.say b[data-role=value] { color: var(--attn-value); }
.say b[data-role=weight] { color: var(--attn-weight); }
.say b[data-role=output] { color: var(--attn-output); }
svg { display: block; width: 100%; height: auto; overflow: visible; user-select: none; -webkit-user-select: none; }
svg text:not(.name) { fill: var(--attn-ink); }
svg text { font-size: 13px; }
text.word { text-anchor: middle; font-size: 15px; }
text.word.tight { font-size: 12px; letter-spacing: -.02em; }
text.word.end { text-anchor: end; }
text.word.start { text-anchor: start; }
text.figure { text-anchor: middle; font-size: 13px; font-variant-numeric: tabular-nums; pointer-events: none; }
text.figure.tight { font-size: 12px; letter-spacing: -.03em; }
text.figure.hidden-word { paint-order: stroke; stroke: var(--attn-card); stroke-width: 5px; stroke-linejoin: round; font-weight: 650; }
text.figure.strong { font-weight: 650; }
svg text.figure.on { fill: var(--attn-paper); }
text.name { font-size: 13px; font-weight: 500; }
.name.end { text-anchor: end; }
.name.now { font-weight: 700; }
.name.later { fill: var(--attn-soft); font-weight: 400; }
.pill rect { fill: var(--attn-card); stroke: var(--attn-line); stroke-width: 1; }
.pill.asks rect { fill: color-mix(in srgb, var(--attn-query) 13%, var(--attn-card)); stroke: var(--attn-query); stroke-width: 2; }
.pill.asks text { font-weight: 700; }
.pill[role=button] { cursor: pointer; }
.pill[role=button]:hover rect { stroke: var(--attn-query); }
.pill.row rect { fill: transparent; stroke: none; }
.touch { fill: transparent; }
.band { fill: var(--attn-soft); fill-opacity: .07; }
.ghost { fill: none; stroke: var(--attn-line); stroke-dasharray: 3 3; }
.ghosts { transition: opacity ${MOVE}; }
.ghosts.off { opacity: 0; }
.num { outline: none; }
.num.edit { cursor: text; }
.num:hover > rect:first-child, .num.hot > rect:first-child { stroke: var(--attn-ink); stroke-opacity: 1; stroke-width: 1.5; }
.num .touch, .num:hover > .touch { stroke-width: 1; }
.stop:focus-visible { outline: none; }
.stop:focus-visible > rect { stroke: var(--lock); stroke-opacity: 1; stroke-width: 3; }
.mix { opacity: .42; }
.stage.off { opacity: 0; visibility: hidden; }
.one.away, .all.away { display: none; }
.moving .stage { transition: opacity ${MOVE}, visibility ${MOVE}; }
.moving :is(.vector, .plane line, .plane path, .band, .bar, .arc path, .mix, .tint) {
  transition: transform ${MOVE}, opacity ${MOVE}, y ${MOVE}, height ${MOVE}, width ${MOVE}, stroke-width ${MOVE}, fill ${MOVE}, fill-opacity ${MOVE}, stroke ${MOVE};
}
.stage .settle, .stage .bar { transform-box: fill-box; }
.stage .bar { transform-origin: bottom; }
.stage .bar.flat { transform-origin: left; }
.stage.off .settle { transform: translateY(-22px); }
.stage.off .bar { transform: scaleY(0); }
.stage.off .bar.flat { transform: scaleX(0); }
.moving .settle { transition: transform ${MOVE}; }
.typed {
  position: absolute; transform: translate(-50%, -50%); width: 4.2em; text-align: center;
  z-index: 1; border: 2px solid var(--lock); font-variant-numeric: tabular-nums;
}
.typed[aria-invalid=true] { border-color: var(--accent); }
.sum {
  min-height: 2.8em; margin: .35rem 0 .5rem; color: var(--attn-soft);
  font-size: .95em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.sum b { color: var(--attn-ink); font-weight: 600; }
.figure-body { container-type: inline-size; }
.player { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
.player button { min-height: 36px; padding: 2px .9em; border-radius: 9px; }
.player button:disabled { opacity: .45; cursor: default; }
.player .play { background: var(--attn-weight); border-color: var(--attn-weight); color: var(--attn-paper); font-weight: 600; min-width: 5em; }
.scrub { flex: 1 1 16rem; display: flex; cursor: pointer; touch-action: pan-y; min-height: 36px; border-radius: 9px; align-items: center; }
.scrub:focus-visible { outline: 3px solid var(--lock); outline-offset: 2px; }
.dot { flex: 1; text-align: center; min-width: 0; }
.dot i { display: block; height: 5px; margin: 0 2px; border-radius: 3px; background: var(--attn-line); }
.dot.past i { background: color-mix(in srgb, var(--attn-weight) 55%, var(--attn-paper)); }
.dot.now i { background: var(--attn-weight); height: 9px; }
.dot b { display: none; font-weight: 400; font-size: .8em; color: var(--attn-soft); white-space: nowrap; margin-top: 3px; }
.dot.now b { color: var(--attn-ink); font-weight: 600; }
@container (min-width: 46rem) { .few .dot b { display: block; } }
@container (min-width: 68rem) { .dot b { display: block; } }
@media (prefers-reduced-motion: reduce) {
  .moving *, .name, .ghosts { transition: none !important; }
}
@media print { .player, .sum { display: none; } }
`;
