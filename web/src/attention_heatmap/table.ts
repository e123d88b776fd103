// The same matrix as a real table: what a screen reader walks through.
import { tableOf } from "../lib/table.ts";
import { weightText } from "../lib/text.ts";
import { cellText, type Picture, strongest } from "./compute.ts";
import { isOdd } from "./state.ts";
import { MAX_TABLE_CELLS } from "./traits.ts";

const TOP = 3;

/** Rows are queries, columns keys; a large matrix lists the strongest. */
export function buildTable(picture: Picture): HTMLTableElement {
  const [rows, cols] = [picture.rows.length, picture.cols.length];
  const whole = rows * cols <= MAX_TABLE_CELLS;
  const head = whole
    ? [...picture.cols.map(({ label }) => label), "row sum"]
    : Array.from({ length: TOP }, (_, i) => `key ${i + 1}`);
  const body = picture.rows.map(({ label }, r): [string, string[]] => {
    const cells = whole
      ? picture.cols.map((_, c) => cellText(picture, r * cols + c))
      : mostLookedAt(picture, r);
    const odd = isOdd(picture.totals?.[r] ?? 1) ? " (not 1)" : "";
    if (whole) cells.push(picture.sums[r].toFixed(3) + odd);
    return [label, cells];
  });
  const caption = whole
    ? "Attention weights: query rows, key columns."
    : `Attention weights: the ${TOP} keys that each query looks at most.`;
  return tableOf(["query", ...head], body, caption);
}

/** The strongest keys of a row; a row may have fewer that it can look at. */
function mostLookedAt(picture: Picture, row: number): string[] {
  const found = strongest(picture, row, TOP);
  return Array.from({ length: TOP }, (_, i) =>
    i < found.length
      ? `${picture.cols[found[i].col].label} ${weightText(found[i].weight)}`
      : "–",
  );
}
