// Small helpers for building a widget's page. Text is always textContent.

type Attributes = Record<string, string | number | boolean>;

/** Make an element: attributes, then children (strings become text). */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  element.append(...children);
  return element;
}

/** Two widgets in a page must not share an id. */
let counter = 0;
export const uniqueId = (stem: string): string => `${stem}-${++counter}`;

/**
 * Jupyter takes arrow keys and letters in command mode, in the capture
 * phase. While a key goes to `root`, mark it so that Jupyter lets it
 * through; with Ctrl or Meta held the key stays Jupyter's (Ctrl+S).
 */
export function keepKeys(root: HTMLElement): () => void {
  const listener = (event: KeyboardEvent) => {
    const ours =
      event.composedPath().includes(root) && !event.ctrlKey && !event.metaKey;
    root.toggleAttribute("data-lm-suppress-shortcuts", ours);
  };
  window.addEventListener("keydown", listener, { capture: true });
  return () =>
    window.removeEventListener("keydown", listener, { capture: true });
}

/** Is the surface behind this element dark? Asks the page, not its theme. */
export function isDark(element: HTMLElement): boolean {
  for (let e: Element | null = element; e; e = outer(e)) {
    const [r, g, b, alpha = 1] =
      getComputedStyle(e)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    if (r !== undefined && alpha > 0.5)
      return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
  }
  return false;
}

/** The element around this one, also out of a shadow tree. */
function outer(element: Element): Element | null {
  const root = element.getRootNode();
  const host = root instanceof ShadowRoot ? root.host : null;
  return element.parentElement ?? host;
}

/** Call back when the page changes its theme. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  for (const target of [document.documentElement, document.body])
    observer.observe(target, {
      attributeFilter: [
        "class",
        "style",
        "theme",
        "data-theme",
        "data-mode",
        "data-jp-theme-light",
        "data-vscode-theme-kind",
      ],
    });
  return () => observer.disconnect();
}

// The area of the largest canvas that every browser draws.
const MAX_PIXELS = 2 ** 24;

/** How many pixels of a canvas one CSS pixel gets: fewer if it is large. */
export const pixelRatio = (
  size: { width: number; height: number },
  wanted = window.devicePixelRatio || 1,
): number =>
  Math.min(wanted, Math.sqrt(MAX_PIXELS / (size.width * size.height)));

/** Hand a file to the reader. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
