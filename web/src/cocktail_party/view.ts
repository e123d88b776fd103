// CocktailParty: two voices at once; attention turns to a direction.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { choice, logSlider, row, slider, toggle } from "../lib/controls.ts";
import { download, h } from "../lib/dom.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import {
  angleOf,
  gradient,
  HANDLE,
  height,
  KILOHERTZ,
  loudShade,
  paint,
  spot,
  TOP_HEIGHT,
  TOP_WIDTH,
  topView,
  voiceRadius,
} from "./draw.ts";
import { DIRECTIONS } from "./model.ts";
import { type Gain, Pipeline } from "./pipeline.ts";
import { Player } from "./player.ts";
import { defaults, parseSource, type Reader, validators } from "./source.ts";
import { TRAITS } from "./traits.ts";
import { readWav, writeWav } from "./wav.ts";

const STYLE = `
.party { display: grid; grid-template-columns: minmax(0, 21rem) minmax(0, 1fr); gap: .6rem 1.5rem; align-items: start; }
@media (max-width: 700px) { .party { grid-template-columns: minmax(0, 1fr); } }
figure { margin: 0; }
.present .party { gap: 4px 24px; }
.present .top { max-width: 18rem; }
.present .plot { margin-bottom: 1rem; height: 118px; }
figcaption { font-weight: 600; font-size: .9em; margin-bottom: .3rem; }
.top { width: 100%; max-width: 21rem; display: block; touch-action: pan-y; }
.top .handle { cursor: grab; touch-action: none; }
.top .handle:focus-visible { outline: none; stroke: var(--lock); stroke-width: 3; }
.plots { display: grid; gap: .5rem; }
.plot { position: relative; height: 132px; margin: 0 0 1.1rem 2.6rem; border: 1px solid var(--line); }
.plot canvas { width: 100%; height: 100%; display: block; image-rendering: pixelated; }
.plot .tick, .plot .second, .plot .axis { position: absolute; font-size: .75rem; color: var(--muted); line-height: 1; }
.plot .tick { right: 100%; margin-right: .3rem; transform: translateY(-50%); }
.plot .axis { right: 100%; top: 50%; margin-right: 1.15rem; transform: translate(50%, -50%) rotate(-90deg); white-space: nowrap; }
.plot .second { top: 100%; margin-top: .25rem; transform: translateX(-50%); white-space: nowrap; }
.plot .second:last-of-type { transform: translateX(-100%); }
.plot .needle { position: absolute; top: 0; bottom: 0; width: 2px; background: #ffffff; box-shadow: 0 0 0 1px #000000; pointer-events: none; }
.scale { display: flex; gap: .4rem; align-items: center; font-size: .75rem; color: var(--muted); margin-left: 2.6rem; }
.scale i { width: 6rem; height: .6rem; border: 1px solid var(--line); }
.captions { margin: .4rem 0; padding: 0; list-style: none; }
.captions li { margin: .25rem 0; padding-left: .6rem; border-left: 4px solid var(--line); }
.captions q { font-style: italic; }
.play { min-height: 40px; padding: 2px 1.2em; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .4rem 0 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
`;

export const mount = widget<Reader>("cocktail party", cocktailParty);

function cocktailParty(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const player = new Player();
  const sounds = new Map<string, Float64Array>();
  const pairs = new Map<string, Float64Array[]>();
  const pipeline = new Pipeline((stage) => {
    if (stage === 2) {
      const { sound, level } = pipeline.results;
      if (player.playing && sound && level) player.take(sound, level);
    }
    tools.redraw();
  });

  const play = button("▶ Play", playOrPause);
  play.className = "play";
  play.disabled = !Player.possible;
  const attend = toggle<Reader>(
    "attending",
    "attend to one direction",
    (state) => state.attending,
    (attending) => tools.change({ attending, ...(attending ? towards() : {}) }),
  );
  /** Who has not turned the beam hears the first voice. */
  const towards = () => {
    const { angle, first } = tools.state();
    return angle === TRAITS.angle.default ? { angle: first } : {};
  };
  const labels = source.mixtures.map((m) => m.label);
  const controls = row<Reader>([
    choice<Reader>(
      "mixture",
      "mixture",
      labels,
      (state) => labels[state.mixture],
      (label) => pick(labels.indexOf(label)),
    ),
    degrees("angle", "to", (angle) => turn({ angle })),
    logSlider<Reader>({
      label: "temperature τ",
      control: "temperature",
      range: TRAITS.temperature.range,
      read: (state) => state.temperature,
      words: (x) => x.toFixed(x < 0.1 ? 3 : 2),
      write: (temperature) => tools.change({ temperature }),
    }),
    degrees("first", "voice A at", (first) => tools.change({ first })),
    degrees("second", "voice B at", (second) => tools.change({ second })),
  ]);

  const marks = s("g");
  const top = s("svg", {
    viewBox: `0 0 ${TOP_WIDTH} ${TOP_HEIGHT}`,
    class: "top",
    role: "group",
    "aria-label": "A head from above",
  });
  top.append(marks);
  const handles = (["first", "second", "angle"] as const).map(makeHandle);
  const heard = plot("What both ears hear: level of each cell");
  const kept = plot("The weight of each cell, for this query");
  const captions = h("ul", { class: "captions" });
  const facts = h("dl", { "aria-live": "off", part: "readout" });
  const body = h(
    "div",
    { class: "party" },
    h(
      "div",
      {},
      h(
        "figure",
        {},
        h("figcaption", {}, "Who is where? Energy by direction"),
        top as unknown as HTMLElement,
      ),
      captions,
      facts,
    ),
    h(
      "div",
      { class: "plots" },
      heard.element,
      scale("−60 dB", "loudest"),
      kept.element,
      scale("weight 0", "1"),
    ),
  );
  // Tests look here for what is heard.
  Object.assign(body, { player, pipeline });

  function degrees(
    control: "angle" | "first" | "second",
    label: string,
    write: (x: number) => void,
  ) {
    return slider<Reader>({
      label,
      control,
      range: [...TRAITS[control].range, 5],
      read: (state) => state[control],
      words: side,
      write,
    });
  }

  function makeHandle(which: "first" | "second" | "angle"): SVGElement {
    const names = { first: "Voice A", second: "Voice B", angle: "Attend to" };
    const [least, most] = TRAITS[which].range;
    const handle = s("circle", {
      r: 15,
      fill: "transparent",
      class: "handle",
      tabindex: 0,
      role: "slider",
      "aria-label": names[which],
      "aria-valuemin": least,
      "aria-valuemax": most,
      "data-handle": which,
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      turn({ [which]: pointed(event) });
    });
    handle.addEventListener("keydown", (event) => {
      const steps: Record<string, number> = {
        ArrowLeft: -5,
        ArrowDown: -5,
        ArrowRight: 5,
        ArrowUp: 5,
        PageDown: -15,
        PageUp: 15,
      };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (!Object.hasOwn(steps, event.key)) return;
      event.preventDefault();
      const to = tools.state()[which] + steps[event.key];
      turn({ [which]: Math.max(least, Math.min(most, to)) });
    });
    top.append(handle);
    return handle;
  }

  function pointed(event: PointerEvent | MouseEvent): number {
    const box = top.getBoundingClientRect();
    const unit = TOP_WIDTH / box.width;
    return angleOf(
      (event.clientX - box.left) * unit,
      (event.clientY - box.top) * unit,
    );
  }
  top.addEventListener("click", (event) => {
    if (handles.includes(event.target as SVGElement)) return;
    turn({ angle: pointed(event as MouseEvent) });
  });

  /** Who turns the beam wants to attend. */
  function turn(changes: Partial<Reader>) {
    const attending = "angle" in changes || tools.state().attending;
    tools.change({ ...changes, attending });
  }

  function pick(mixture: number) {
    const [first, second] = source.mixtures[mixture].angles;
    tools.change({ mixture, first, second });
  }

  async function playOrPause() {
    if (player.playing) {
      player.stop();
      return tools.redraw();
    }
    const { sound, level } = pipeline.results;
    if (!sound || !level) return tools.say("The voices are still loading.");
    try {
      await player.play(sound, level);
    } catch (error) {
      tools.say(`No sound: ${(error as Error).message}.`);
    }
    tools.redraw();
    follow();
  }

  /** The needle goes with the sound, once a frame. */
  function follow() {
    const width = source.seconds;
    const at = `${(100 * player.position) / width}%`;
    for (const { needle } of [heard, kept]) {
      needle.hidden = !player.playing;
      needle.style.left = at;
    }
    if (player.playing) requestAnimationFrame(follow);
  }

  async function load({ mixture }: Reader) {
    const { voices } = source.mixtures[mixture];
    const name = voices.join(" ");
    if (pairs.has(name)) return work();
    try {
      const both = await Promise.all(voices.map(sound));
      if (both[0].length !== both[1].length)
        throw new Error("expected two voices of the same length");
      pairs.set(name, both);
      work();
    } catch (error) {
      tools.say(`No voices: ${(error as Error).message}.`);
    }
  }

  async function sound(v: number): Promise<Float64Array> {
    const { asset } = source.voices[v];
    const known = sounds.get(asset) ?? readWav(await tools.asset(asset));
    sounds.set(asset, known);
    return known;
  }

  function work() {
    const state = tools.state();
    const voices = pairs.get(source.mixtures[state.mixture].voices.join(" "));
    if (!voices) return;
    pipeline.set({
      voices,
      noise: source.noise,
      seed: source.seed,
      angles: [state.first, state.second],
      temperature: state.temperature,
      angle: state.attending ? state.angle : null,
    });
  }

  function share(state: Reader): number | null {
    const { shares } = pipeline.results;
    if (!shares) return null;
    if (!state.attending) return 1;
    return DIRECTIONS.reduce(
      (sum, d, i) => sum + (Math.abs(d - state.angle) <= 15 ? shares[i] : 0),
      0,
    );
  }

  function list(state: Reader): [string, string][] {
    const attended = share(state);
    const { gains } = pipeline.results;
    return [
      [
        "energy attended",
        attended === null ? "…" : `${(100 * attended).toFixed(0)} %`,
      ],
      ...[0, 1].map((v): [string, string] => [
        `${"AB"[v]} against the rest`,
        gains ? change(gains[v], state.attending) : "…",
      ]),
    ];
  }

  function drawTop(state: Reader, ink: Ink): SVGElement[] {
    return topView(
      {
        attending: state.attending,
        angle: state.angle,
        angles: [state.first, state.second],
        shares: pipeline.results.shares ?? null,
      },
      ink,
    );
  }

  function picture() {
    const state = tools.state();
    const image = (canvas: HTMLCanvasElement, y: number, title: string) => [
      s("text", { x: 380, y: y - 8, "font-weight": 600 }, title),
      s("image", {
        href: canvas.toDataURL(),
        x: 380,
        y,
        width: 400,
        height: 120,
        preserveAspectRatio: "none",
      }),
      ...KILOHERTZ.map((f) =>
        s(
          "text",
          { x: 374, y: y + 120 * height(f) + 4, "text-anchor": "end" },
          String(f),
        ),
      ),
      s(
        "text",
        { x: 780, y: y + 136, "text-anchor": "end" },
        `0 to ${source.seconds} s; frequency in kHz`,
      ),
    ];
    return standalone(
      800,
      400,
      s("text", { x: 12, y: 24, "font-weight": 600 }, source.title),
      ...captionTexts(state).map((text, i) =>
        s("text", { x: 12, y: 300 + 20 * i, "font-size": 12 }, text),
      ),
      ...list(state).map(([name, words], i) =>
        s("text", { x: 12, y: 346 + 18 * i }, `${name}: ${words}`),
      ),
      s("g", { transform: "translate(20 60)" }, ...drawTop(state, LIGHT_INK)),
      ...image(heard.canvas, 60, "What both ears hear (level)"),
      ...image(kept.canvas, 235, "The weight of each cell, 0 to 1"),
    );
  }

  function captionTexts({ mixture, first, second }: Reader): string[] {
    return source.mixtures[mixture].voices.map((v, i) => {
      const at = side([first, second][i]);
      return `${"AB"[i]}, ${at}: “${source.voices[v].words}”`;
    });
  }

  function rows() {
    const state = tools.state();
    return [
      ["direction in degrees", "share of the energy", "attended"],
      ...DIRECTIONS.map((d, i) => [
        d,
        pipeline.results.shares?.[i] ?? 0,
        state.attending && Math.abs(d - state.angle) > 15 ? 0 : 1,
      ]),
    ];
  }

  const file = tools.raw.name || "cocktail";
  let seen = "";
  return {
    title: source.title,
    note: source.note,
    hint: Player.possible
      ? "Best with headphones. Drag the beam, or a voice; arrow keys move what is focused."
      : "This browser can't make sound from numbers (Web Audio is missing): the pictures and numbers follow all the same.",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: h("div", { class: "controls" }, play, attend.element),
    controls: controls.element,
    body: [body],
    exports: [
      ["WAV", saveSound],
      ...svgExports(file, picture, rows, tools.say),
    ],
    draw(state, changed, dark) {
      attend.show(state);
      controls.show(state);
      if (changed.size > 0) load(state);
      const ink = dark ? DARK_INK : LIGHT_INK;
      marks.replaceChildren(...drawTop(state, ink));
      showHandles(state);
      play.textContent = player.playing ? "❚❚ Pause" : "▶ Play";
      showCaptions(state, ink);
      facts.replaceChildren(
        ...list(state).flatMap(([name, text]) => [
          h("dt", {}, name),
          h("dd", {}, text),
        ]),
      );
      showPlots();
    },
    measured: body,
  };

  function showPlots() {
    const { cells, energy, weights } = pipeline.results;
    if (!cells || !energy || !weights) return;
    paint(heard.canvas, cells.frames, loudShade(energy));
    paint(kept.canvas, cells.frames, (at) => Math.round(255 * weights[at]));
  }

  function showHandles(state: Reader) {
    const angles = [state.first, state.second];
    const places = [
      spot(state.first, voiceRadius(0, angles)),
      spot(state.second, voiceRadius(1, angles)),
      spot(state.angle, HANDLE),
    ];
    [state.first, state.second, state.angle].forEach((value, i) => {
      handles[i].setAttribute("cx", places[i][0].toFixed(1));
      handles[i].setAttribute("cy", places[i][1].toFixed(1));
      handles[i].setAttribute("aria-valuenow", String(value));
      handles[i].setAttribute("aria-valuetext", side(value));
    });
  }

  function showCaptions(state: Reader, ink: Ink) {
    const now = `${state.mixture} ${ink.ink}`;
    if (now === seen) return;
    seen = now;
    const items = source.mixtures[state.mixture].voices.map((v, i) => {
      const item = h(
        "li",
        {},
        h("b", {}, `${"AB"[i]}, ${source.voices[v].speaker}: `),
        h("q", {}, source.voices[v].words),
      );
      item.style.borderColor = ink.marks[i];
      return item;
    });
    captions.replaceChildren(...items);
  }

  function saveSound() {
    const { sound, level } = pipeline.results;
    if (!sound || !level) return tools.say("The voices are still loading.");
    const content = writeWav(sound, level);
    download(`${file}.wav`, new Blob([content], { type: "audio/wav" }));
  }

  function plot(title: string) {
    const canvas = h("canvas", { role: "img", "aria-label": title });
    const needle = h("div", { class: "needle", hidden: true });
    const seconds = source.seconds;
    const ticks = KILOHERTZ.map((f) => {
      const tick = h("span", { class: "tick" }, String(f));
      tick.style.top = `${100 * height(f)}%`;
      return tick;
    });
    const times = [0, 1, 2, 3].map((at) => {
      const tick = h("span", { class: "second" }, at === 3 ? "3 s" : `${at}`);
      tick.style.left = `${(100 * at) / seconds}%`;
      return tick;
    });
    const element = h(
      "figure",
      {},
      h("figcaption", {}, title),
      h(
        "div",
        { class: "plot" },
        canvas,
        needle,
        ...ticks,
        ...times,
        h("span", { class: "axis" }, "kHz"),
      ),
    );
    return { element, canvas, needle };
  }
}

const decibels = (x: number): string =>
  `${x < 0 ? "−" : ""}${Math.abs(x).toFixed(1)} dB`;

const change = ({ before, after }: Gain, attending: boolean): string =>
  attending ? `${decibels(before)} → ${decibels(after)}` : decibels(before);

const side = (angle: number): string =>
  angle === 0
    ? "straight ahead"
    : `${Math.abs(angle)}° ${angle < 0 ? "left" : "right"}`;

function scale(low: string, high: string): HTMLElement {
  const bar = h("i");
  bar.style.background = gradient;
  return h("div", { class: "scale" }, low, bar, high);
}
