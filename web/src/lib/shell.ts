// What every widget shares: its frame, its state, its link, its theme.
import { inView, siteAsset } from "./assets.ts";
import { h, isDark, keepKeys, onThemeChange, uniqueId } from "./dom.ts";
import type { Changes, Handle, Mount, Raw } from "./host.ts";
import { readLink, writeLink } from "./link.ts";
import { createStage } from "./present.ts";
import { applyChanges, fromLink, same, toLink, type Valid } from "./state.ts";
import { BASE_STYLE } from "./style.ts";
import { s } from "./svg.ts";

/** What a widget is given to work with. */
export interface Tools<S> {
  root: HTMLElement;
  raw: Raw;
  /** The state as it is now. */
  state(): S;
  /** A change by the reader: taken, drawn, told to the outside. */
  change(changes: Partial<S>): void;
  /** Draw everything in the next frame. */
  redraw(): void;
  /** A line below the widget, also spoken. */
  say(text: string): void;
  /** A picture or sound as a data URI, once the widget is in view. */
  asset(name: string): Promise<string>;
  /** How high the body may be: on the stage what is left, else no limit. */
  room(): number;
}

/** What a widget brings. */
export interface Parts<S> {
  title: string;
  note: string;
  hint: string;
  style: string;
  start: S;
  valid: Valid<S>;
  /** What a reader moves first: it stands above the body. */
  primary?: HTMLElement;
  /** The other controls, folded under “More”. */
  controls: HTMLElement;
  body: HTMLElement[];
  /** Buttons of its own, also under “More”. */
  buttons?: HTMLElement[];
  /** One step on or back, by key while it is presented. */
  next?(): void;
  back?(): void;
  /** Ways to take the picture away: label and action. */
  exports: [string, () => void][];
  /** Below everything else. */
  footer?: HTMLElement[];
  /** Draw; `changed` names what differs since the last time. */
  draw(state: S, changed: Set<keyof S>, dark: boolean): void;
  /** An element whose width decides the drawing. */
  measured: HTMLElement;
}

export function button(label: string, action: () => void): HTMLButtonElement {
  const element = h("button", { type: "button" }, label);
  element.addEventListener("click", action);
  return element;
}

/** Make a `mount` from a function that builds a widget's parts. */
export function widget<S extends object>(
  what: string,
  build: (tools: Tools<S>) => Parts<S>,
): Mount {
  return (root, raw, onChange, place) => {
    const shadow = root.attachShadow({ mode: "open" });
    try {
      return run(root, shadow, raw, onChange, place, build);
    } catch (error) {
      return problem(root, shadow, what, error as Error);
    }
  };
}

/** Bad data: say in place what was expected and what came. */
function problem(
  root: HTMLElement,
  shadow: ShadowRoot,
  what: string,
  error: Error,
): Handle {
  const box = h(
    "div",
    { class: "problem", role: "alert" },
    h("b", {}, `This ${what} can't be drawn: `),
    error.message,
  );
  const frame = h("div", { class: "attn" }, box);
  const follow = () => frame.classList.toggle("dark", isDark(root));
  follow();
  shadow.replaceChildren(h("style", {}, BASE_STYLE), frame);
  return { update() {}, flush() {}, destroy: onThemeChange(follow) };
}

/** The frame of every widget: title, primary control, body, a row of folds. */
function card<S>(
  parts: Parts<S>,
  status: HTMLElement,
  name: string,
  { more, share }: { more: HTMLElement[]; share: HTMLElement[] },
) {
  const note = h("p", { class: "note" }, parts.note);
  const hint = h("p", { class: "hint" }, parts.hint);
  const folds = [
    fold("More", "More controls", more, `${name} more`),
    fold("Share", "Share", [h("div", { class: "actions" }, ...share)]),
    fold(infoSign(), "About this figure", parts.note ? [hint, note] : [hint]),
  ];
  const bar = h("div", { class: "tools" }, ...folds.map((one) => one.button));
  const primary = parts.primary
    ? [h("div", { class: "primary" }, parts.primary)]
    : [];
  const element = h(
    "div",
    { class: "attn", role: "group", "aria-label": parts.title },
    h("p", { class: "title" }, parts.title),
    ...primary,
    h("div", { class: "stage" }, ...parts.body),
    bar,
    ...folds.map((one) => one.panel),
    status,
    h("div", { class: "footer" }, ...(parts.footer ?? [])),
  );
  return { element, bar };
}

/** An i in a circle, drawn: not every font has one. */
const infoSign = (): Element =>
  s(
    "svg",
    {
      viewBox: "0 0 18 18",
      "aria-hidden": "true",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
      "stroke-linecap": "round",
    },
    s("circle", { cx: 9, cy: 9, r: 7.2 }),
    s("path", { d: "M9 8.2v4.6M9 5.2v.1" }),
  );

/** A button that shows and hides what stands below the row. */
function fold(
  text: string | Element,
  label: string,
  inside: HTMLElement[],
  remembered = "",
) {
  const id = uniqueId("fold");
  const panel = h("div", { class: "fold", id, hidden: true }, ...inside);
  const toggle = button("", () => show(panel.hidden !== false));
  toggle.append(text);
  toggle.setAttribute("aria-controls", id);
  if (label !== text) toggle.setAttribute("aria-label", label);
  function show(open: boolean) {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    if (remembered) keep(remembered, open);
  }
  show(remembered !== "" && wasOpen(remembered));
  return { button: toggle, panel };
}

// What was open stays open while the reader goes from page to page. Some
// browsers keep nothing for pages from a folder.
const storeName = (name: string) => `attn-open ${location.pathname} ${name}`;

function keep(name: string, open: boolean): void {
  try {
    if (open) sessionStorage.setItem(storeName(name), "");
    else sessionStorage.removeItem(storeName(name));
  } catch {
    // Then it is forgotten.
  }
}

function wasOpen(name: string): boolean {
  try {
    return sessionStorage.getItem(storeName(name)) !== null;
  } catch {
    return false;
  }
}

/** The height that a stage leaves to the body, in its own pixels. */
const roomIn = (element: HTMLElement): number =>
  element.querySelector<HTMLElement>(".stage")!.clientHeight;

function run<S extends object>(
  root: HTMLElement,
  shadow: ShadowRoot,
  raw: Raw,
  onChange: (changes: Changes) => void,
  place: "page" | "notebook",
  build: (tools: Tools<S>) => Parts<S>,
): Handle {
  let state: S;
  let frame = 0;
  let changed = new Set<keyof S>();
  const status = h("p", { class: "status", role: "status" });
  const say = (text: string) => {
    status.textContent = text;
  };
  const schedule = () => {
    frame ||= requestAnimationFrame(draw);
  };
  let dark = false;
  let darkKnown = false; // to ask makes the browser compute styles
  const redraw = () => {
    darkKnown = false;
    for (const name of Object.keys(state)) changed.add(name as keyof S);
    schedule();
  };

  const asset = async (name: string) => {
    await inView(root);
    return raw.assets?.[name] ?? siteAsset(name);
  };

  const parts = build({
    root,
    raw,
    state: () => state,
    change,
    redraw,
    say,
    asset,
    room: () =>
      element.classList.contains("present") ? roomIn(element) : Infinity,
  });
  const first = applyChanges(parts.start, raw.state, parts.valid);
  const start = first.state;
  state = start;

  const linkField = h("input", {
    type: "text",
    readonly: true,
    hidden: true,
    "aria-label": "Link to this state",
  });
  const reset = button("Reset", () => {
    linkField.hidden = true;
    say("");
    change(start);
  });
  const { element, bar } = card(parts, status, raw.name, {
    more: [
      parts.controls,
      h("div", { class: "actions" }, ...(parts.buttons ?? []), reset),
    ],
    share: [
      ...(place === "page" ? [button("Copy link", copyLink), linkField] : []),
      ...parts.exports.map(([label, action]) => button(label, action)),
    ],
  });
  const stage = createStage(root, element, parts, () => redraw());
  const present = button("Present", () => stage.enter(present));
  bar.append(present, stage.leaveButton);
  shadow.replaceChildren(h("style", {}, BASE_STYLE + parts.style), element);

  function change(changes: Partial<S>) {
    const before = state;
    take(applyChanges(state, changes, parts.valid).state);
    const told = Object.entries(state).filter(
      ([name, value]) => before[name as keyof S] !== value,
    );
    if (told.length > 0) onChange(Object.fromEntries(told));
  }

  function take(next: S) {
    for (const name of Object.keys(next) as (keyof S)[])
      if (!same(next[name], state[name])) changed.add(name);
    state = next;
    schedule();
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!darkKnown) dark = isDark(root);
    darkKnown = true;
    element.classList.toggle("dark", dark);
    const what = changed;
    changed = new Set();
    parts.draw(state, what, dark);
  }

  function tellRefused(refused: string[]) {
    if (refused.length === 0) return;
    const names = refused.join(", ").slice(0, 80);
    say(`Unknown or impossible state left out: ${names}.`);
  }

  function takeLink() {
    if (place !== "page") return;
    try {
      const pairs = readLink(raw.name);
      if (!pairs) return;
      const changes = fromLink(pairs, start);
      const { state: next, refused } = applyChanges(
        start,
        changes,
        parts.valid,
      );
      take(next);
      say("");
      tellRefused(refused);
      root.scrollIntoView({ block: "center" });
    } catch (error) {
      say(`The link could not be read: ${(error as Error).message}.`);
    }
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

  let seen = 0;
  const resizes = new ResizeObserver(() => {
    if (parts.measured.clientWidth !== seen) redraw();
    seen = parts.measured.clientWidth;
  });
  resizes.observe(parts.measured);
  const forgetTheme = onThemeChange(redraw);
  const forgetKeys = keepKeys(root);
  window.addEventListener("hashchange", takeLink);
  tellRefused(first.refused);
  takeLink();
  redraw();
  draw();

  return {
    update(changes) {
      const { state: next, refused } = applyChanges(
        state,
        changes,
        parts.valid,
      );
      tellRefused(refused);
      if (!same(next, state)) take(next);
    },
    flush: draw,
    destroy() {
      stage.leave();
      cancelAnimationFrame(frame);
      resizes.disconnect();
      forgetTheme();
      forgetKeys();
      window.removeEventListener("hashchange", takeLink);
    },
  };
}
