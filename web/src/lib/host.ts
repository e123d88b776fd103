// Where a widget lives: a custom element on the site, anywidget in a notebook.
// Both call the widget's own `mount`, so a newer package in an open notebook
// is never shadowed by an element that an older one defined.

import type { Json } from "./json.ts";

export type Changes = Json;

/** What Python hands over: the data and what the reader may change. */
export interface Raw {
  name: string;
  source: unknown;
  state: Changes;
  controls: string[] | null;
  /** Pictures and sounds as data URIs; the site loads them when needed. */
  assets?: Record<string, string>;
}

export interface Handle {
  /** Take changes from outside; they are not reported back. */
  update(changes: Changes): void;
  /** Draw now what waits for the next frame. */
  flush(): void;
  destroy(): void;
}

export type Mount = (
  root: HTMLElement,
  raw: Raw,
  onChange: (changes: Changes) => void,
  place: "page" | "notebook",
) => Handle;

/** Define <tag data-state="…"> for the site. */
export function defineElement(tag: string, mount: Mount): void {
  if (customElements.get(tag)) return;
  customElements.define(
    tag,
    class extends HTMLElement {
      handle: Handle | null = null;

      connectedCallback(): void {
        for (const fallback of this.children)
          fallback.toggleAttribute("hidden", true);
        const host = document.createElement("div");
        this.prepend(host);
        this.handle = mount(
          host,
          parse(this.dataset.state),
          (detail) =>
            this.dispatchEvent(new CustomEvent("attn-change", { detail })),
          "page",
        );
        this.dataset.mounted = "";
      }

      disconnectedCallback(): void {
        this.handle?.destroy();
        this.handle = null;
        this.firstElementChild?.remove();
      }
    },
  );
}

function parse(text: string | undefined): Raw {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // The widget itself says in place that its data is missing.
    return { name: "", source: null, state: {}, controls: null };
  }
}

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

/** The module that anywidget loads: traits in, traits out. */
export function notebookModule(mount: Mount) {
  return {
    render({ model, el }: { model: Model; el: HTMLElement }) {
      const stateNames = model.get("reader") as string[];
      const state = () =>
        Object.fromEntries(stateNames.map((name) => [name, model.get(name)]));
      const raw = (): Raw => ({
        name: String(model.get("name")),
        source: model.get("source"),
        state: state(),
        controls: model.get("controls") as string[] | null,
        assets: model.get("assets") as Record<string, string> | undefined,
      });
      const report = (changes: Changes) => {
        for (const [name, value] of Object.entries(changes))
          model.set(name, value);
        model.save_changes();
      };
      const start = () => {
        const host = document.createElement("div");
        el.replaceChildren(host);
        return mount(host, raw(), report, "notebook");
      };
      let handle = start();
      const changed = () => handle.update(state());
      const replaced = () => {
        handle.destroy();
        handle = start();
      };
      for (const name of stateNames) model.on(`change:${name}`, changed);
      model.on("change:source", replaced);
      model.on("change:controls", replaced);
      return () => {
        for (const name of stateNames) model.off(`change:${name}`, changed);
        model.off("change:source", replaced);
        model.off("change:controls", replaced);
        handle.destroy();
      };
    },
  };
}
