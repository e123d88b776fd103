// Real tables: what a screen reader walks through, below every picture.
import { h } from "./dom.ts";

/** Column heads, then rows that begin with their name. */
export function tableOf(
  head: string[],
  rows: [name: string, cells: string[]][],
  caption = "",
): HTMLTableElement {
  const line = (cells: HTMLElement[]) => h("tr", {}, ...cells);
  return h(
    "table",
    {},
    ...(caption ? [h("caption", {}, caption)] : []),
    h("thead", {}, line(head.map((text) => h("th", { scope: "col" }, text)))),
    h(
      "tbody",
      {},
      ...rows.map(([name, cells]) =>
        line([
          h("th", { scope: "row" }, name),
          ...cells.map((text) => h("td", {}, text)),
        ]),
      ),
    ),
  );
}

/** A table that unfolds; it is made only while it is open. */
export function foldedTable(
  summary: string,
  label: string,
  make: () => HTMLTableElement,
) {
  const box = h("div", {
    class: "table",
    tabindex: 0,
    role: "region",
    "aria-label": label,
  });
  const element = h("details", {}, h("summary", {}, summary), box);
  const refresh = () => {
    if (element.open) box.replaceChildren(make());
  };
  element.addEventListener("toggle", refresh);
  return { element, refresh };
}
