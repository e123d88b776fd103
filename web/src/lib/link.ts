// A widget's state in the page's address: #attn:NAME?key=value&key=value
const MAX_LENGTH = 2000;

export type Pairs = [string, string][];

/** The address of this page with the widget's state in it. */
export function writeLink(name: string, pairs: Pairs): string {
  const page = location.href.split("#")[0];
  return `${page}#attn:${encodeURIComponent(name)}?${new URLSearchParams(pairs)}`;
}

/**
 * The state that the page's address holds for this widget: null if it
 * speaks of no widget or another one. Throws if it can't be read.
 */
export function readLink(name: string, hash = location.hash): Pairs | null {
  if (!hash.startsWith("#attn:")) return null;
  const [head, ...rest] = hash.slice("#attn:".length).split("?");
  let wanted = head;
  try {
    wanted = decodeURIComponent(head);
  } catch {
    return null;
  }
  if (wanted !== name) return null;
  if (hash.length > MAX_LENGTH) throw new Error("it is too long");
  return [...new URLSearchParams(rest.join("?"))];
}
