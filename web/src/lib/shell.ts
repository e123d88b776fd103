// What every widget shares: its frame, its state, its link, its theme.
import { inView, siteAsset } from "./assets.ts";
import { h, isDark, keepKeys, onThemeChange } from "./dom.ts";
import type { Changes, Handle, Mount, Raw } from "./host.ts";
import { readLink, writeLink } from "./link.ts";
import { applyChanges, fromLink, same, toLink, type Valid } from "./state.ts";
import { BASE_STYLE } from "./style.ts";

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
}

/** What a widget brings. */
export interface Parts<S> {
  title: string;
  note: string;
  hint: string;
  style: string;
  start: S;
  valid: Valid<S>;
  controls: HTMLElement;
  body: HTMLElement[];
  /** Buttons of its own, before those that every widget has. */
  buttons?: HTMLElement[];
  /** Ways to take the picture away: label and action. */
  exports: [string, () => void][];
  /** Below the buttons. */
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
  const redraw = () => {
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
  const element = h(
    "div",
    { class: "attn", role: "group", "aria-label": parts.title },
    h("p", { class: "title" }, parts.title),
    parts.controls,
    ...parts.body,
    h("p", { class: "hint" }, parts.hint),
    h("p", { class: "note", hidden: parts.note === "" }, parts.note),
    h(
      "div",
      { class: "actions" },
      ...(parts.buttons ?? []),
      reset,
      ...(place === "page" ? [button("Copy link", copyLink), linkField] : []),
      ...parts.exports.map(([label, action]) => button(label, action)),
    ),
    status,
    ...(parts.footer ?? []),
  );
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
    const dark = isDark(root);
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
      cancelAnimationFrame(frame);
      resizes.disconnect();
      forgetTheme();
      forgetKeys();
      window.removeEventListener("hashchange", takeLink);
    },
  };
}
