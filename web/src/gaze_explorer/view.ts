// GazeExplorer: a photo as one fixation, or a path of them, delivers it.
import {
  type Control,
  choice,
  logSlider,
  row,
  slider,
  toggle,
} from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import { type Copies, makeCopies, mix, type Near, nearest } from "./blur.ts";
import {
  defaults,
  FREE,
  farthest,
  fixationsNeeded,
  fixationsNow,
  MAR0,
  MAX_STEPS,
  minimumAngle,
  ownPath,
  type Photo,
  type Place,
  parseSource,
  type Reader,
  regionSeen,
  sharpFraction,
  validators,
  ways,
} from "./model.ts";
import { overlay } from "./overlay.ts";
import { OWN, TRAITS } from "./traits.ts";

const STYLE = `
.look { display: flex; flex-wrap: wrap; gap: .6rem 1.25rem; align-items: flex-start; }
.photo { position: relative; flex: 1 1 300px; max-width: 420px; min-width: 0; }
canvas {
  width: 100%; height: auto; display: block; cursor: crosshair;
  background: var(--soft); touch-action: pan-y; border-radius: 3px;
}
canvas:focus-visible { outline: 3px solid var(--lock); outline-offset: 2px; }
.photo svg { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; overflow: hidden; }
.credit { color: var(--muted); font-size: .85em; margin: .2rem 0 0; }
.facts { flex: 1 1 290px; min-width: 0; }
.present .photo { max-width: 350px; }
dl { max-width: 26rem; display: grid; grid-template-columns: 1fr max-content; gap: .1rem .8rem; margin: 0 0 .6rem; }
dt { min-width: 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.scroll { overflow-x: auto; }
.regions :is(th[scope=row], thead th:first-child) { text-align: left; min-width: 6rem; }
.regions th[scope=row] { font-weight: 400; }
.regions thead th { vertical-align: bottom; }
.regions .now { background: var(--soft); font-weight: 600; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; caption-side: top; }
`;

const round = (x: number) => Math.round(x * 1000) / 1000;
const inside = (x: number) => Math.max(0, Math.min(1, round(x)));
const percent = (x: number) => `${(100 * x).toFixed(1)} %`;

export const mount = widget<Reader>("photo", gazeExplorer);

function gazeExplorer(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const paths = Object.keys(source.photos[0].paths);
  const photoOf = (state: Reader): Photo =>
    source.photos.find((photo) => photo.name === state.picture) ??
    source.photos[0];
  const film = createFilm(tools, photoOf);

  const look = (x: number, y: number) => {
    const state = tools.state();
    const path = state.path === OWN ? OWN : FREE;
    tools.change({ x: inside(x), y: inside(y), path });
  };
  const add = () => {
    const state = tools.state();
    if (state.own.length >= TRAITS.own.most)
      return tools.say(`Your path is full: ${MAX_STEPS} fixations.`);
    const own = [...state.own, state.x, state.y];
    tools.change({ own, path: OWN });
    tools.say(`Fixation ${own.length / 2} added to your path.`);
  };

  const path = choice<Reader>(
    "path",
    "fixations",
    ways(source),
    (state) => state.path,
    (path) => tools.change({ path }),
  );
  const controls = row<Reader>([
    choice<Reader>(
      "picture",
      "picture",
      source.photos.map((photo) => photo.name),
      (state) => state.picture,
      (picture) => tools.change({ picture, own: [] }),
    ),
    logSlider<Reader>({
      label: "picture width",
      control: "degrees",
      range: TRAITS.degrees.range,
      read: (state) => state.degrees,
      words: (x) => `${Math.round(x)}°`,
      write: (degrees) => tools.change({ degrees }),
    }),
    whenOn(
      (state) => state.path !== FREE && state.path !== OWN,
      slider<Reader>({
        label: "up to number",
        control: "step",
        range: [...TRAITS.step.range, 1],
        read: (state) => state.step,
        words: (x) => String(x),
        write: (step) => tools.change({ step }),
      }),
    ),
    toggle<Reader>(
      "regions",
      "show the places",
      (state) => state.regions,
      (regions) => tools.change({ regions }),
    ),
  ]);

  film.onLook(look);
  film.onAdd(add);
  const clear = button("Clear my path", () => {
    tools.change({ own: [] });
    tools.say("Your path is empty.");
  });
  const facts = createFacts(paths);
  const body = h("div", { class: "look" }, film.element, facts.element);

  function rows() {
    const state = tools.state();
    const photo = photoOf(state);
    return [
      ["picture", "kind", "place", ...paths, OWN],
      ...photo.regions.map((region) => [
        photo.name,
        region.kind,
        region.label,
        ...[...paths.map((name) => photo.paths[name]), ownPath(state)].map(
          (path) =>
            fixationsNeeded(region.box, photo, path, state.degrees) ?? "missed",
        ),
      ]),
    ];
  }

  function picture() {
    const state = tools.state();
    const photo = photoOf(state);
    return standalone(
      photo.width + 20,
      photo.height + 60,
      s(
        "text",
        { x: 10, y: 22, "font-weight": 600 },
        `${photo.title}, ${Math.round(state.degrees)}° wide: ${state.path}`,
      ),
      s(
        "g",
        { transform: "translate(10 36)" },
        s("image", {
          href: film.uri(),
          width: photo.width,
          height: photo.height,
        }),
        ...overlay(
          photo,
          fixationsNow(photo, state),
          state.degrees,
          state.regions,
          1,
        ),
      ),
      s(
        "text",
        { x: 10, y: photo.height + 53, "font-size": 11 },
        `Photo: ${photo.credit}`,
      ),
    );
  }

  return {
    title: source.title,
    note: source.note,
    hint:
      "Tap or drag in the picture, or choose it with Tab and use the arrow " +
      "keys (Shift: larger steps). Enter adds a fixation to your own path.",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: path.element,
    controls: controls.element,
    body: [body],
    buttons: [button("Add this fixation", add), clear],
    exports: svgExports(tools.raw.name || "gaze", picture, rows, tools.say),
    draw(state, changed) {
      const photo = photoOf(state);
      film.show(state, changed);
      path.show(state);
      controls.show(state);
      facts.show(photo, state, changed);
      clear.hidden = state.own.length === 0;
    },
    measured: film.element,
  };
}

/** A control that is there only while it has something to do. */
function whenOn(
  on: (state: Reader) => boolean,
  control: Control<Reader>,
): Control<Reader> {
  return {
    element: control.element,
    show(state) {
      control.element.hidden = !on(state);
      control.show(state);
    },
  };
}

/** The picture itself: a canvas with an overlay. */
function createFilm(tools: Tools<Reader>, photoOf: (state: Reader) => Photo) {
  const canvas = h("canvas", { tabindex: 0, role: "application" });
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const marks = s("svg", { "aria-hidden": "true" });
  const credit = h("p", { class: "credit" });
  const box = h("div", { class: "photo" });
  const stage = h("div", { class: "photo" }, canvas);
  stage.append(marks);
  box.append(stage, credit);

  let look: (x: number, y: number) => void = () => {};
  let add: () => void = () => {};
  const copies = new Map<string, Copies | "asked">();
  let image: ImageData | null = null;
  let unit = 1; // pixels of the picture for each one of the screen
  let known: { key: string; near: Near | null } | null = null;

  async function load(photo: Photo) {
    if (copies.has(photo.name)) return;
    copies.set(photo.name, "asked");
    try {
      const picture = new Image();
      picture.src = await tools.asset(photo.asset);
      await picture.decode();
      const { width, height } = photo;
      const scratch = h("canvas", { width, height });
      const paper = scratch.getContext("2d", { willReadFrequently: true })!;
      paper.drawImage(picture, 0, 0, width, height);
      const { data } = paper.getImageData(0, 0, width, height);
      copies.set(photo.name, await makeCopies(data, width, height));
      tools.redraw();
    } catch (error) {
      copies.delete(photo.name);
      tools.say(`The picture could not be shown: ${(error as Error).message}.`);
    }
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  canvas.addEventListener("pointerup", () => {
    if (tools.state().path === OWN) add();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, Place> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    if (event.key === "Enter") {
      event.preventDefault();
      return add();
    }
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.1 : 0.02;
    const [dx, dy] = steps[event.key];
    const state = tools.state();
    const fixations = fixationsNow(photoOf(state), state);
    const [x, y] = fixations[fixations.length - 1];
    look(x + dx * size, y + dy * size);
    tell();
  });

  /** For those who don't see the picture: where the fovea is. */
  function tell() {
    const state = tools.state();
    const photo = photoOf(state);
    const [x, y] = [state.x, state.y].map((part) => Math.round(100 * part));
    const places = photo.regions
      .filter(({ box }) =>
        regionSeen(box, photo, [state.x, state.y], state.degrees),
      )
      .map(({ label }) => label);
    tools.say(
      `${x} % from the left, ${y} % from the top` +
        `${places.length > 0 ? `: ${places.join(", ")}` : ""}.`,
    );
  }

  function follow(event: PointerEvent) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    look((event.clientX - left) / width, (event.clientY - top) / height);
  }

  /** The distances to all fixations but the last one, kept. */
  function before(photo: Photo, places: Place[]): Near | null {
    const earlier = places.slice(0, -1);
    const key = `${photo.name} ${earlier}`;
    if (known?.key !== key) {
      const { width, height } = photo;
      const near = earlier.length > 0 ? nearest(width, height, earlier) : null;
      known = { key, near };
    }
    return known.near;
  }

  function paint(photo: Photo, state: Reader, places: Place[]) {
    const made = copies.get(photo.name);
    if (made === undefined) load(photo);
    if (made === undefined || made === "asked") return;
    if (image?.width !== photo.width || image?.height !== photo.height)
      image = context.createImageData(photo.width, photo.height);
    mix(
      made,
      places[places.length - 1],
      before(photo, places),
      state.degrees,
      new Uint32Array(image.data.buffer),
    );
    context.putImageData(image, 0, 0);
  }

  return {
    element: box,
    onLook: (action: typeof look) => {
      look = action;
    },
    onAdd: (action: typeof add) => {
      add = action;
    },
    uri: () => canvas.toDataURL("image/png"),
    show(state: Reader, changed: Set<keyof Reader>) {
      const photo = photoOf(state);
      if (canvas.width !== photo.width || canvas.height !== photo.height) {
        canvas.width = photo.width;
        canvas.height = photo.height;
        marks.setAttribute("viewBox", `0 0 ${photo.width} ${photo.height}`);
      }
      canvas.setAttribute(
        "aria-label",
        `Photo, seen at one place at a time: ${photo.alt}`,
      );
      credit.textContent = `Photo: ${photo.credit}.`;
      const places = fixationsNow(photo, state);
      paint(photo, state, places);
      // To ask for the width makes the browser lay the page out.
      if (changed.has("picture"))
        unit = photo.width / (canvas.clientWidth || photo.width);
      marks.replaceChildren(
        ...overlay(photo, places, state.degrees, state.regions, unit),
      );
    },
  };
}

// What the table of places depends on.
const TABLE: (keyof Reader)[] = ["picture", "degrees", "path", "own"];

/** The numbers, and the table of regions. */
function createFacts(paths: string[]) {
  const list = h("dl");
  const caption = h("caption");
  const names = [OWN, ...paths];
  const heads = names.map((name) => h("th", { scope: "col" }, name));
  const lines = h("tbody");
  const element = h(
    "div",
    { class: "facts", part: "readout" },
    list,
    h(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "region",
        "aria-label": "Fixations until each place is seen",
      },
      h(
        "table",
        { class: "regions" },
        caption,
        h(
          "thead",
          {},
          h("tr", {}, h("th", { scope: "col" }, "place"), ...heads),
        ),
        lines,
      ),
    ),
  );

  function numbers(photo: Photo, state: Reader): [string, string][] {
    const places = fixationsNow(photo, state);
    const now = places[places.length - 1];
    const { width, height } = photo;
    const sharp = (some: Place[]) =>
      percent(sharpFraction(width, height, some, state.degrees));
    const far = farthest(photo, now, state.degrees);
    const seen = photo.regions.filter((region) =>
      places.some((p) => regionSeen(region.box, photo, p, state.degrees)),
    );
    return [
      ["sharp in this one fixation", sharp([now])],
      ...(places.length > 1
        ? ([[`sharp after ${places.length} fixations`, sharp(places)]] as [
            string,
            string,
          ][])
        : []),
      [
        `acuity in the farthest corner (${far.toFixed(0)}°)`,
        percent(MAR0 / minimumAngle(far)),
      ],
      ["places seen", `${seen.length} of ${photo.regions.length}`],
    ];
  }

  return {
    element,
    show(photo: Photo, state: Reader, changed: Set<keyof Reader>) {
      list.replaceChildren(
        ...numbers(photo, state).flatMap(([name, value]) => [
          h("dt", {}, name),
          h("dd", {}, value),
        ]),
      );
      if (!TABLE.some((name) => changed.has(name))) return;
      caption.textContent = `Fixations until seen, ${MAX_STEPS} at most`;
      const none = (name: string) => name === OWN && state.own.length === 0;
      heads.forEach((head, i) => {
        head.classList.toggle("now", names[i] === state.path);
        head.hidden = none(names[i]);
      });
      lines.replaceChildren(
        ...photo.regions.map((region) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, `${region.kind}: ${region.label}`),
            ...names.map((name) => {
              const path =
                name === OWN ? ownPath(state) : (photo.paths[name] ?? []);
              const needed = fixationsNeeded(
                region.box,
                photo,
                path,
                state.degrees,
              );
              return h(
                "td",
                {
                  class: name === state.path && "now",
                  hidden: none(name),
                },
                needed === null ? "–" : String(needed),
              );
            }),
          ),
        ),
      );
    },
  };
}
