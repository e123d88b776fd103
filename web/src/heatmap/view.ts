// AttentionHeatmap: the matrix, its controls and its read-out in one element.
import {
  download,
  h,
  isDark,
  keepKeys,
  onThemeChange,
  uniqueId,
} from "../lib/dom.ts";
import type { Changes, Handle, Mount, Raw } from "../lib/host.ts";
import { readLink, writeLink } from "../lib/link.ts";
import { BASE_STYLE } from "../lib/style.ts";
import { createModel, type Picture, selectionName } from "./compute.ts";
import { createControls } from "./controls.ts";
import {
  cellAt,
  DARK,
  drawBase,
  drawCells,
  drawOverlay,
  frameKey,
  type Layout,
  LIGHT,
  layOut,
  PAPER,
  toCsv,
  toSvg,
} from "./draw.ts";
import { createPanel } from "./panel.ts";
import {
  applyChanges,
  defaults,
  fromLink,
  MAX_LOCKED,
  parseSource,
  type Reader,
  type Source,
  toLink,
} from "./state.ts";
import { HEATMAP_STYLE } from "./style.ts";
import { buildTable } from "./table.ts";

export const mount: Mount = (root, raw, onChange, place) => {
  const shadow = root.attachShadow({ mode: "open" });
  shadow.append(h("style", {}, BASE_STYLE + HEATMAP_STYLE));
  try {
    const source = parseSource(raw.source);
    return heatmap(root, shadow, source, raw, onChange, place);
  } catch (error) {
    return problem(root, shadow, error as Error);
  }
};

/** Bad data: say in place what was expected and what came. */
function problem(root: HTMLElement, shadow: ShadowRoot, error: Error): Handle {
  const box = h(
    "div",
    { class: "problem", role: "alert" },
    h("b", {}, "This heatmap can't be drawn: "),
    error.message,
  );
  const frame = h("div", { class: "attn" }, box);
  const follow = () => frame.classList.toggle("dark", isDark(root));
  follow();
  shadow.append(frame);
  return { update() {}, flush() {}, destroy: onThemeChange(follow) };
}

function heatmap(
  root: HTMLElement,
  shadow: ShadowRoot,
  source: Source,
  raw: Raw,
  onChange: (changes: Changes) => void,
  place: "page" | "notebook",
): Handle {
  const model = createModel(source);
  const first = applyChanges(defaults(source), raw.state, source);
  const start = first.state;
  let state = start;
  let picture: Picture;
  let layout: Layout;
  let theme = LIGHT;
  let drawn = ""; // the frame that stands on the canvas
  let stale = true; // the matrix itself must be drawn again
  let frame = 0;

  // --- the page of the widget -------------------------------------------
  const base = h("canvas", { "aria-hidden": "true" });
  const overlay = h("canvas", { "aria-hidden": "true" });
  const activeId = uniqueId("attn-cell");
  // Two cells in turn: a screen reader speaks when the active one changes.
  const spoken = [0, 1].map((i) =>
    h("div", { role: "gridcell", id: `${activeId}-${i}` }),
  );
  const grid = h(
    "div",
    {
      class: "grid",
      role: "grid",
      tabindex: 0,
      "aria-label": `${source.title}. Rows are queries, columns are keys.`,
      "aria-readonly": "true",
    },
    base,
    overlay,
    ...spoken.map((cell) => h("div", { class: "hidden", role: "row" }, cell)),
  );
  const controls = createControls(source, raw.controls, (c) => change(c));
  const panel = createPanel();
  const status = h("p", { class: "status", role: "status" });
  const table = h("div", {
    class: "table",
    tabindex: 0,
    role: "region",
    "aria-label": "Table of weights",
  });
  const details = h("details", {}, h("summary", {}, "Table of weights"), table);
  const lockButton = button("Lock row", () => toggleLock());
  const linkField = h("input", {
    type: "text",
    readonly: true,
    hidden: true,
    "aria-label": "Link to this state",
  });
  const widget = h(
    "div",
    { class: "attn", role: "group", "aria-label": source.title },
    h("p", { class: "title" }, source.title),
    controls.element,
    h("div", { class: "body" }, grid, panel.element),
    h(
      "p",
      { class: "hint" },
      "Point or use the arrow keys (Shift: ten cells); click or Enter locks " +
        "a row to compare, Escape unlocks all.",
    ),
    h("p", { class: "note", hidden: source.note === "" }, source.note),
    h(
      "div",
      { class: "actions" },
      lockButton,
      button("Reset", () => {
        linkField.hidden = true;
        change({ ...start });
      }),
      ...(place === "page" ? [button("Copy link", copyLink), linkField] : []),
      button("PNG", savePng),
      button("SVG", saveSvg),
      button("CSV", saveCsv),
    ),
    status,
    details,
  );
  shadow.append(widget);

  function button(label: string, action: () => void) {
    const element = h("button", { type: "button" }, label);
    element.addEventListener("click", action);
    return element;
  }

  // --- state ------------------------------------------------------------
  /** A change by the reader: take it, draw, tell the outside. */
  function change(changes: Partial<Reader>) {
    const before = state;
    const { state: next } = applyChanges(state, changes, source);
    take(next);
    const changed = Object.entries(next).filter(
      ([name, value]) => before[name as keyof Reader] !== value,
    );
    if (changed.length > 0) onChange(Object.fromEntries(changed));
  }

  function take(next: Reader) {
    const { cell, locked, ...rest } = next;
    stale ||= Object.entries(rest).some(
      ([name, value]) => state[name as keyof Reader] !== value,
    );
    state = next;
    schedule();
  }

  function takeLink() {
    if (place !== "page") return;
    try {
      const pairs = readLink(raw.name);
      if (!pairs) return;
      const { state: next, refused } = applyChanges(
        start,
        fromLink(pairs),
        source,
      );
      take(next);
      say(
        refused.length > 0
          ? `The link names states that this heatmap does not know: ${refused
              .join(", ")
              .slice(0, 80)}. The rest was restored.`
          : "",
      );
      root.scrollIntoView({ block: "center" });
    } catch (error) {
      say(`The link could not be read: ${(error as Error).message}.`);
    }
  }

  const say = (text: string) => {
    status.textContent = text;
  };

  // --- drawing ----------------------------------------------------------
  function schedule() {
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (stale) drawMatrix();
    const at = whereAt();
    const locked = state.locked.map((i) => rowOf(i)).filter((row) => row >= 0);
    paint(overlay, (context) =>
      drawOverlay(context, layout, picture, at, locked, theme),
    );
    controls.show(state);
    showPanel(at, locked);
    speak(at);
    lockButton.disabled = !at;
    const isLocked = at !== null && locked.includes(at.row);
    lockButton.textContent = isLocked ? "Unlock row" : "Lock row";
    if (details.open && stale) table.replaceChildren(buildTable(picture));
    stale = false;
  }

  function drawMatrix() {
    picture = model.picture(state);
    // A grid that is not in the page yet has no width.
    const width = Math.max(240, grid.clientWidth);
    layout = layOut(picture, width, base.getContext("2d")!);
    theme = isDark(root) ? DARK : LIGHT;
    widget.classList.toggle("dark", theme === DARK);
    grid.setAttribute("aria-rowcount", String(picture.rows.length));
    grid.setAttribute("aria-colcount", String(picture.cols.length));
    const key = `${frameKey(layout, picture, theme)} ${devicePixelRatio}`;
    const drawOn = key === drawn ? drawCells : drawBase;
    drawn = key;
    paint(base, (context) =>
      drawOn(context, layout, picture, state.threshold, theme),
    );
  }

  function paint(
    canvas: HTMLCanvasElement,
    paintOn: (context: CanvasRenderingContext2D) => void,
  ) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [layout.width * ratio, layout.height * ratio];
    if (
      canvas.width !== Math.round(width) ||
      canvas.height !== Math.round(height)
    ) {
      canvas.width = Math.round(width);
      canvas.height = Math.round(height);
      canvas.style.width = `${layout.width}px`;
      canvas.style.height = `${layout.height}px`;
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintOn(context);
  }

  // --- the cross-hair ---------------------------------------------------
  const rowOf = (i: number) =>
    picture.rows.findIndex(({ members }) => members.includes(i));
  const colOf = (j: number) =>
    picture.cols.findIndex(({ members }) => members.includes(j));

  function whereAt() {
    if (state.cell.length === 0) return null;
    const at = { row: rowOf(state.cell[0]), col: colOf(state.cell[1]) };
    return at.row < 0 || at.col < 0 ? null : at;
  }

  function moveTo(row: number, col: number) {
    const clamp = (x: number, n: number) => Math.max(0, Math.min(n - 1, x));
    const [r, c] = [
      clamp(row, picture.rows.length),
      clamp(col, picture.cols.length),
    ];
    const cell = [picture.rows[r].members[0], picture.cols[c].members[0]];
    if (String(cell) !== String(state.cell)) change({ cell });
  }

  function toggleLock() {
    const at = whereAt();
    if (!at) return;
    const { members } = picture.rows[at.row];
    const others = state.locked.filter((i) => !members.includes(i));
    const locked =
      others.length < state.locked.length
        ? others
        : [...others, members[0]].slice(-MAX_LOCKED);
    change({ locked });
  }

  function showPanel(
    at: { row: number; col: number } | null,
    locked: number[],
  ) {
    const single =
      at &&
      picture.rows[at.row].members.length === 1 &&
      picture.cols[at.col].members.length === 1;
    panel.show({
      source,
      state,
      picture,
      at,
      steps: single ? model.steps(state, state.cell[0], state.cell[1]) : null,
      output: single ? model.output(state, state.cell[0]) : null,
      locked,
    });
  }

  let turn = 0;
  function speak(at: { row: number; col: number } | null) {
    if (!at) {
      grid.removeAttribute("aria-activedescendant");
      return;
    }
    const c = at.row * picture.cols.length + at.col;
    const masked = picture.allowed && !picture.allowed[c];
    const weight = masked ? "masked" : picture.weights[c].toFixed(3);
    const text =
      `query ${picture.rows[at.row].label}, ` +
      `key ${picture.cols[at.col].label}: ${weight}`;
    if (spoken[turn].textContent === text) return;
    turn = 1 - turn;
    spoken[turn].textContent = text;
    spoken[turn].setAttribute("aria-colindex", String(at.col + 1));
    spoken[turn].parentElement!.setAttribute(
      "aria-rowindex",
      String(at.row + 1),
    );
    grid.setAttribute("aria-activedescendant", spoken[turn].id);
  }

  // --- pointer and keys -------------------------------------------------
  const pointed = (event: PointerEvent | MouseEvent) => {
    const box = grid.getBoundingClientRect();
    return cellAt(
      layout,
      picture,
      event.clientX - box.left,
      event.clientY - box.top,
    );
  };
  grid.addEventListener("pointermove", (event) => {
    const hit = pointed(event);
    if (hit) moveTo(hit.row, hit.col);
  });
  grid.addEventListener("click", (event) => {
    const hit = pointed(event);
    if (!hit) return;
    const before = whereAt();
    const wasThere = before?.row === hit.row && before?.col === hit.col;
    moveTo(hit.row, hit.col);
    // A first tap points; a mouse points before it clicks.
    const touch = (event as PointerEvent).pointerType === "touch";
    if (!touch || wasThere) toggleLock();
  });
  grid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, col } = whereAt() ?? { row: 0, col: 0 };
    const far = event.shiftKey ? 10 : 1;
    const last = picture.cols.length - 1;
    const moves: Record<string, () => void> = {
      ArrowUp: () => moveTo(row - far, col),
      ArrowDown: () => moveTo(row + far, col),
      ArrowLeft: () => moveTo(row, col - far),
      ArrowRight: () => moveTo(row, col + far),
      PageUp: () => moveTo(row - 10, col),
      PageDown: () => moveTo(row + 10, col),
      Home: () => moveTo(row, 0),
      End: () => moveTo(row, last),
      Enter: toggleLock,
      " ": toggleLock,
      Escape: () => change({ locked: [] }),
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  });
  details.addEventListener("toggle", () => {
    if (details.open) table.replaceChildren(buildTable(picture));
  });

  // --- taking the picture away ------------------------------------------
  const fileName = () =>
    `${raw.name || "attention"}-${selectionName(source.axes, state.selection)}`
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "");
  const heading = () =>
    [source.title, selectionName(source.axes, state.selection)]
      .filter(Boolean)
      .join(", ");
  const paperLayout = () =>
    layOut(
      picture,
      Math.max(560, layout.width),
      base.getContext("2d")!,
      heading(),
    );

  function savePng() {
    const paper = paperLayout();
    const canvas = document.createElement("canvas");
    const ratio = 2;
    canvas.width = paper.width * ratio;
    canvas.height = paper.height * ratio;
    const context = canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    drawBase(context, paper, picture, state.threshold, PAPER);
    canvas.toBlob((blob) => {
      if (blob) download(`${fileName()}.png`, blob);
      else say("The browser refused to make the picture.");
    });
  }

  function saveSvg() {
    const svg = toSvg(paperLayout(), picture, state.threshold);
    download(`${fileName()}.svg`, new Blob([svg], { type: "image/svg+xml" }));
  }

  function saveCsv() {
    const csv = toCsv(picture);
    download(`${fileName()}.csv`, new Blob([csv], { type: "text/csv" }));
  }

  async function copyLink() {
    const url = writeLink(raw.name, toLink(state, start));
    history.replaceState(null, "", url);
    linkField.hidden = false;
    linkField.value = url;
    try {
      await navigator.clipboard.writeText(url);
      say("Link copied. It opens the page in this state.");
    } catch {
      linkField.select();
      say("Copy the link from the field: the clipboard was refused.");
    }
  }

  // --- life -------------------------------------------------------------
  const redraw = () => {
    stale = true;
    schedule();
  };
  let seen = 0;
  const resizes = new ResizeObserver(() => {
    if (grid.clientWidth !== seen) redraw();
    seen = grid.clientWidth;
  });
  resizes.observe(grid);
  const forgetTheme = onThemeChange(redraw);
  const forgetKeys = keepKeys(root);
  window.addEventListener("hashchange", takeLink);
  if (first.refused.length > 0)
    say(`Unknown or impossible state left out: ${first.refused.join(", ")}.`);
  takeLink();
  draw();

  return {
    update(changes) {
      const { state: next, refused } = applyChanges(state, changes, source);
      say(
        refused.length > 0
          ? `Unknown or impossible state left out: ${refused.join(", ")}.`
          : "",
      );
      const same = Object.keys(next).every(
        (name) =>
          JSON.stringify(next[name as keyof Reader]) ===
          JSON.stringify(state[name as keyof Reader]),
      );
      if (!same) take(next);
    },
    flush: draw,
    destroy() {
      cancelAnimationFrame(frame);
      resizes.disconnect();
      forgetTheme();
      forgetKeys();
      window.removeEventListener("hashchange", takeLink);
    },
  };
}
