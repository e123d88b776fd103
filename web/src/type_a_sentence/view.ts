// TypeASentence: a small transformer reads the reader's own sentence.
import { mount as mountHeatmap } from "../attention_heatmap/view.ts";
import { decode, encode } from "../lib/arrays.ts";
import { DARK_INK, LIGHT_INK } from "../lib/colours.ts";
import { type Control, choice, row } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import type { Handle } from "../lib/host.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import { firstLetters, shorten } from "../lib/text.ts";
import {
  type Answer,
  type Candidate,
  consider,
  NONE,
  type Offer,
  type Outcome,
  parseSource,
  type Reader,
  type Source,
  validators,
} from "./model.ts";
import { drawLooks, height, type Looks } from "./picture.ts";
import { MAX_LETTERS } from "./traits.ts";
import { type Network, parseNetwork } from "./transformer.ts";

const STYLE = `
.field { display: block; margin-bottom: .5rem; }
.field span { display: block; font-weight: 600; }
.field textarea {
  width: 100%; box-sizing: border-box; resize: vertical; font: inherit; font-size: 1.05em;
  color: inherit; background: var(--field); border: 1px solid var(--line); border-radius: 5px; padding: .3em .55em;
}
.field textarea:focus-visible { outline: 3px solid var(--lock); outline-offset: 2px; }
.where { margin: 0 0 .2rem; font-weight: 600; }
.where b { color: var(--accent); }
.examples { display: flex; flex-wrap: wrap; gap: .35rem; align-items: center; margin-bottom: .5rem; }
.examples button, .known button { min-height: 28px; }
.marked { font-size: 1.05em; margin: .3rem 0; overflow-wrap: anywhere; }
.marked:empty, .message:empty, .unknown:empty { display: none; }
.marked mark { color: inherit; background: none; text-decoration: underline wavy var(--accent) 2px; text-underline-offset: 3px; font-weight: 600; }
.message { border-left: 4px solid var(--accent); padding: .3rem .6rem; margin: .4rem 0; background: var(--soft); overflow-wrap: anywhere; }
.unknown { list-style: none; margin: .3rem 0; padding: 0; }
.unknown li { display: flex; flex-wrap: wrap; gap: .3rem; align-items: center; margin: .25rem 0; }
.unknown bdi { font-weight: 600; overflow-wrap: anywhere; }
.look { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; align-items: flex-start; }
/* What is asked for stands over the last answer, so that nothing jumps. */
.answering { display: grid; align-items: start; }
.answering > * { grid-area: 1 / 1; min-width: 0; }
.gone { visibility: hidden; }
.words { flex: 1 1 270px; max-width: 430px; min-width: 0; }
.words svg { display: block; width: 100%; }
.answers { flex: 1 1 250px; max-width: 420px; min-width: 0; }
.answers table { width: 100%; font-size: .95em; margin-bottom: .8rem; }
.answers caption { text-align: left; font-weight: 600; padding: .1rem 0 .3rem; }
.answers caption b { color: var(--accent); }
.answers th { text-align: left; font-weight: 400; white-space: nowrap; width: 1%; }
.answers .here th { font-weight: 700; }
.answers td { white-space: nowrap; }
.answers td.bar { width: 100%; padding-right: 0; }
.answers i { display: block; height: .75em; border-radius: 2px; background: var(--line); min-width: 1px; }
.answers .here i { background: var(--lock); }
.old { opacity: .35; }
.present .examples { display: none; }
.present textarea { height: 2.2em; }
.present .look { flex-wrap: nowrap; }
.lists p { margin: .3rem 0; font-size: .92em; }
`;

const percent = (x: number) =>
  x > 0 && x < 0.001 ? "< 0.1 %" : `${(100 * x).toFixed(1)} %`;

export const mount = widget<Reader>("sentence", typeASentence);

function typeASentence(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  let network: Network | null = null;
  let trouble = "";
  let outcome: Outcome | null = null;
  let chosen = 0; // which of several pronouns

  const field = h("textarea", {
    rows: 2,
    maxlength: MAX_LETTERS,
    "data-control": "sentence",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  field.addEventListener("input", () =>
    type(field.value.replace(/[\r\n]+/g, " ")),
  );
  let typing = false;
  let waiting = 0;
  const type = (sentence: string) => {
    typing = true;
    write(sentence);
  };
  const write = (sentence: string) =>
    tools.change({ sentence: firstLetters(sentence, MAX_LETTERS) });

  const examples = h(
    "div",
    { class: "examples" },
    "Examples:",
    ...source.examples.map(({ label, sentence }) =>
      button(label, () => write(sentence)),
    ),
  );
  const marked = h("p", { class: "marked" });
  const message = h("p", { class: "message", role: "status" });
  const unknown = h("ul", { class: "unknown" });
  const asked = createAsked((place) => {
    chosen = place;
    tools.redraw();
  });
  const numbers = (count: number) =>
    Array.from({ length: count }, (_, i) => String(i + 1));
  const controls = row<Reader>([
    choice<Reader>(
      "layer",
      "layer",
      numbers(source.layers),
      (state) => String(state.layer),
      (layer) => tools.change({ layer: Number(layer) }),
    ),
    choice<Reader>(
      "head",
      "head",
      numbers(source.heads),
      (state) => String(state.head),
      (head) => tools.change({ head: Number(head) }),
    ),
  ]);
  const drawing = s("svg", { role: "img" });
  const words = h("div", { class: "words" });
  const where = h("p", { class: "where" });
  words.append(where, drawing);
  const answers = h("div", { class: "answers" });
  const notice = h("div", {}, marked, message, unknown);
  const look = h("div", { class: "look", part: "readout" }, answers, words);
  const map = createMap(tools, source);
  const lists = createLists(source, () => network);

  load();
  async function load() {
    try {
      const bytes = await (source.weights === null
        ? tools.asset(source.asset).then((uri) => uri.split(",")[1])
        : Promise.resolve(source.weights));
      const loaded = parseNetwork(decode(bytes, "the weights"));
      if (loaded.layers !== source.layers || loaded.heads !== source.heads)
        throw new Error("they are not those of this widget");
      network = loaded;
    } catch (error) {
      trouble = (error as Error).message;
    }
    tools.redraw();
  }

  /** What is shown in place of an answer. */
  function obstacle(): string {
    if (trouble !== "") return `The model could not be loaded: ${trouble}.`;
    if (network === null) return "The model is loading …";
    return outcome?.message ?? "";
  }

  function replace(one: Offer, word: string) {
    const { start, end, text } = one.token;
    const sentence = tools.state().sentence;
    write(sentence.slice(0, start) + word + sentence.slice(end));
    tools.say(`“${text}” is now “${word}”.`);
    field.focus();
  }

  function showUnknown(now: Outcome | null) {
    const bad = now?.unknown ?? [];
    marked.replaceChildren(...(bad.length > 0 ? markedWords(now!) : []));
    unknown.replaceChildren(
      ...(now?.offers ?? []).map((one) =>
        h(
          "li",
          {},
          h("bdi", {}, one.token.text),
          one.known.length > 0 ? " is unknown; known are" : " is unknown",
          ...one.known.map((word) => button(word, () => replace(one, word))),
        ),
      ),
    );
  }

  function looksNow(): Looks | null {
    const state = tools.state();
    const reading = outcome?.reading;
    if (!outcome || !reading) return null;
    const from = outcome.answers[chosen]?.place ?? null;
    const nouns = new Set(
      outcome.answers.flatMap(({ candidates }) =>
        candidates.filter(({ here }) => here).map(({ word }) => word),
      ),
    );
    const { n } = reading;
    const start = ((state.layer - 1) * network!.heads + state.head - 1) * n * n;
    const weights =
      from === null
        ? []
        : [...reading.weights.subarray(start + from * n, start + from * n + n)];
    return {
      words: outcome.tokens.map(({ text }) => text),
      from,
      weights,
      nouns: outcome.tokens.map(({ word }) => nouns.has(word)),
    };
  }

  let width = 0;
  function drawWords(looks: Looks, dark: boolean, resized: boolean) {
    // To ask for the width makes the browser lay the page out.
    if (resized || width === 0) width = Math.max(240, words.clientWidth);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height(looks)}`);
    drawing.replaceChildren(
      ...drawLooks(looks, width, dark ? DARK_INK : LIGHT_INK),
    );
    const { layer, head } = tools.state();
    const name = looks.from === null ? "" : looks.words[looks.from];
    where.replaceChildren(
      ...(name === ""
        ? []
        : ["Where ", h("b", {}, name), ` looks: layer ${layer}, head ${head}`]),
    );
    const best = looks.weights
      .map((weight, i) => [weight, i])
      .sort((a, b) => b[0] - a[0])
      .slice(0, 3)
      .map(([weight, i]) => `${looks.words[i]} ${weight.toFixed(2)}`);
    drawing.setAttribute(
      "aria-label",
      name ? `“${name}” looks most at ${best.join(", ")}` : "The sentence",
    );
  }

  function picture() {
    const state = tools.state();
    const looks = looksNow();
    if (!looks) throw new Error("there is no answer yet");
    const tall = height(looks);
    return standalone(
      620,
      tall + 110 + 18 * outcome!.answers.length,
      s("text", { x: 12, y: 26, "font-weight": 600 }, source.title),
      s("text", { x: 12, y: 48 }, shorten(state.sentence, 88)),
      ...outcome!.answers.map((one, i) =>
        s("text", { x: 12, y: 72 + 18 * i }, inWords(outcome!, one)),
      ),
      s(
        "text",
        { x: 12, y: 84 + 18 * outcome!.answers.length, "font-weight": 600 },
        looks.from === null
          ? ""
          : `Where “${looks.words[looks.from]}” looks: layer ${state.layer}, head ${state.head}`,
      ),
      s(
        "g",
        { transform: `translate(12 ${90 + 18 * outcome!.answers.length})` },
        ...drawLooks(looks, 590, LIGHT_INK),
      ),
    );
  }

  function rows(): (string | number)[][] {
    const looks = looksNow();
    if (!looks) return [["no answer"], [obstacle()]];
    const state = tools.state();
    return [
      ["asked", "place", "word", "probability", "in the sentence"],
      ...outcome!.answers.flatMap(({ place, candidates }) =>
        candidates.map(({ word, chance, here }) => [
          looks.words[place],
          place + 1,
          word,
          chance,
          here ? "yes" : "no",
        ]),
      ),
      [],
      ["looks from", "layer", "head", "word", "weight"],
      ...looks.weights.map((weight, i) => [
        looks.words[looks.from!],
        state.layer,
        state.head,
        looks.words[i],
        weight,
      ]),
    ];
  }

  function draw(state: Reader, changed: Set<keyof Reader>, dark: boolean) {
    if (field.value !== state.sentence) field.value = state.sentence;
    if (network && (changed.has("sentence") || !outcome)) {
      const next = consider(network, state.sentence);
      clearTimeout(waiting);
      // Half a word is not known yet: it waits until the reader pauses.
      const early = typing && next.reading === null && outcome?.reading;
      typing = false;
      look.classList.toggle("old", Boolean(early));
      if (early) {
        waiting = window.setTimeout(tools.redraw, HALF_A_WORD);
        return;
      }
      look.style.minHeight = next.reading ? "" : `${look.offsetHeight}px`;
      outcome = next;
      if (chosen >= outcome.answers.length) chosen = 0;
      showUnknown(outcome);
      answers.replaceChildren(
        ...outcome.answers.map((one) => answerTable(outcome!, one)),
      );
    }
    message.textContent = obstacle();
    asked.offer(outcome, chosen);
    controls.show(state);
    const looks = looksNow();
    look.classList.toggle("gone", looks === null);
    map.element.classList.toggle("gone", looks === null);
    // A redraw for a new width or theme names everything as changed.
    if (looks) drawWords(looks, dark, changed.has("layer"));
    map.show(outcome, state);
    lists.refresh();
  }

  return {
    title: source.title,
    note: source.note,
    hint:
      "Percentages: probability among all words that the model knows; bold: " +
      "nouns of your sentence. Arcs and bars: where the pronoun looks with " +
      "this head. Write ___ to let the model find a pronoun.",
    style: STYLE,
    start: { sentence: "", layer: 1, head: 1 },
    valid: validators(source),
    primary: h(
      "div",
      {},
      h("label", { class: "field" }, h("span", {}, "Your sentence"), field),
      examples,
    ),
    controls: controls.element,
    body: [
      asked.element,
      h("div", { class: "answering" }, look, notice),
      map.element,
    ],
    exports: svgExports(
      tools.raw.name || "sentence",
      picture,
      rows,
      tools.say,
    ).map(([label, action]) => [
      label,
      () => (looksNow() ? action() : tools.say("There is no answer yet.")),
    ]),
    footer: [lists.element],
    draw,
    measured: words,
  };
}

const named = ({ word }: Candidate) =>
  word === NONE ? "no noun of this sentence" : word;

const inWords = (outcome: Outcome, { place, candidates }: Answer) =>
  `“${outcome.tokens[place].text}”: ${candidates
    .map((each) => `${named(each)} ${percent(each.chance)}`)
    .join(", ")}`;

/** The sentence as typed, what is unknown marked in place. */
function markedWords(outcome: Outcome): (Node | string)[] {
  const bad = new Set(outcome.unknown);
  return outcome.tokens.flatMap((token, i) => {
    const gap = i > 0 && token.start > outcome.tokens[i - 1].end ? " " : "";
    return [gap, bad.has(token) ? h("mark", {}, token.text) : token.text];
  });
}

/** What the model names at one place, likely words first. */
function answerTable(outcome: Outcome, { place, candidates }: Answer) {
  const token = outcome.tokens[place];
  const asks =
    token.word === "<blank>" ? "Which pronoun is " : "Who or what is ";
  return h(
    "table",
    {},
    h("caption", {}, asks, h("b", {}, token.text), ` (word ${place + 1})?`),
    h(
      "tbody",
      {},
      ...candidates.map((each) => {
        const bar = h("i");
        bar.style.width = percent(each.chance).replace(/[< ]/g, "");
        return h(
          "tr",
          { class: each.here && "here" },
          h("th", { scope: "row" }, h("bdi", {}, named(each))),
          h("td", { class: "bar", "aria-hidden": "true" }, bar),
          h("td", {}, percent(each.chance)),
        );
      }),
    ),
  );
}

/** Which of several pronouns looks: there only when there are several. */
function createAsked(pick: (which: number) => void) {
  const select = h("select", { "data-control": "asked" });
  const element = h("label", {}, "pronoun", select);
  select.addEventListener("change", () => pick(Number(select.value)));
  const control: Control<Reader> = { element, show() {} };
  return {
    ...control,
    offer(outcome: Outcome | null, chosen: number) {
      const places = outcome?.answers ?? [];
      element.hidden = places.length < 2;
      const labels = places.map(
        ({ place }) => `${outcome!.tokens[place].text} (word ${place + 1})`,
      );
      if (labels.join() !== [...select.options].map((o) => o.text).join())
        select.replaceChildren(
          ...labels.map((label, i) => h("option", { value: i }, label)),
        );
      select.value = String(chosen);
    },
  };
}

/** How long the reader's hands must rest before the map follows, in ms. */
const PAUSE = 150;
const HALF_A_WORD = 700;

/** The whole map of the chosen head, drawn by AttentionHeatmap itself. */
function createMap(tools: Tools<Reader>, source: Source) {
  const place = h("div");
  const element = h(
    "details",
    {},
    h("summary", {}, "Attention of every word to every word"),
    place,
  );
  let handle: Handle | null = null;
  let shown: Outcome | null = null;
  let waiting = 0;
  element.addEventListener("toggle", () => tools.redraw());

  function build(outcome: Outcome, selection: Record<string, string>) {
    handle?.destroy();
    const root = h("div", { "data-nested": "" });
    place.replaceChildren(root);
    const { reading, tokens } = outcome;
    const count = (n: number) =>
      Array.from({ length: n }, (_, i) => String(i + 1));
    const { n, scores, d_head } = reading!;
    const lead = [source.layers, source.heads];
    const texts = tokens.map(({ text }) => text);
    handle = mountHeatmap(
      root,
      {
        name: `${tools.raw.name}-map`,
        source: {
          axes: [
            { name: "layer", labels: count(source.layers) },
            { name: "head", labels: count(source.heads) },
          ],
          scores: encode(scores, [...lead, n, n]),
          d_k: d_head,
          query_tokens: texts,
          key_tokens: texts,
          title: "Attention weights",
        },
        state: { selection },
        controls: [],
      },
      () => {},
      "notebook",
    );
  }

  return {
    element,
    show(outcome: Outcome | null, state: Reader) {
      if (!element.open || !outcome?.reading) return;
      const selection = {
        layer: String(state.layer),
        head: String(state.head),
      };
      if (outcome === shown) return handle?.update({ selection });
      // While the reader types, the old map stays, faint.
      place.classList.add("old");
      clearTimeout(waiting);
      waiting = window.setTimeout(
        () => {
          shown = outcome;
          build(outcome, selection);
          place.classList.remove("old");
        },
        handle ? PAUSE : 0,
      );
    },
  };
}

/** Every word that the model knows, by class. */
function createLists(source: Source, network: () => Network | null) {
  const body = h("div", { class: "lists" });
  const summary = h("summary", {}, "All words that the model knows");
  const element = h("details", {}, summary, body);
  let filled = false;
  const refresh = () => {
    const known = network();
    if (!known || filled || !element.open) return;
    filled = true;
    const lists = [...known.classes, ...source.lists];
    body.replaceChildren(
      ...lists.map(([name, words]) =>
        h(
          "p",
          {},
          h("b", {}, `${name} (${words.length}): `),
          h("bdi", {}, words.join(", ")),
        ),
      ),
    );
  };
  element.addEventListener("toggle", refresh);
  return { element, refresh };
}
