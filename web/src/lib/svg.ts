// Small SVG pictures: built from attributes alone, so that a copy stands on
// its own in a file.
import { download, pixelRatio } from "./dom.ts";

const SPACE = "http://www.w3.org/2000/svg";

export type Attributes = Record<string, string | number>;

/** Make an SVG element: attributes, then children (strings become text). */
export function s(
  tag: string,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElement {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Give a picture its size, pixel by pixel. */
export function size(svg: Element, width: number, height: number): void {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
}

/** An SVG of its own, on white, from what is inside one. */
export function standalone(width: number, height: number, ...inside: Node[]) {
  return s(
    "svg",
    {
      xmlns: SPACE,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": "system-ui, sans-serif",
      "font-size": 13,
    },
    s("rect", { width, height, fill: "#ffffff" }),
    ...inside,
  );
}

/** Hand over an SVG as a file. */
export function saveSvg(name: string, svg: Element): void {
  const text = new XMLSerializer().serializeToString(svg);
  download(name, new Blob([text], { type: "image/svg+xml" }));
}

/** Draw an SVG on a canvas and hand it over as PNG, twice its size. */
async function savePng(name: string, svg: Element): Promise<void> {
  const text = new XMLSerializer().serializeToString(svg);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const [width, height] = ["width", "height"].map((side) =>
    Number(svg.getAttribute(side)),
  );
  const ratio = pixelRatio({ width, height }, 2);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((go) => canvas.toBlob(go));
  if (!blob) throw new Error("the browser made no picture");
  download(name, blob);
}

type Rows = Iterable<(string | number)[]>;

const CHUNK = 10_000; // lines

/** Comma-separated values with a heading; no string holds all of them. */
export function saveCsv(name: string, rows: Rows): void {
  const parts: string[] = [];
  let lines: string[] = [];
  const flush = () => {
    parts.push(lines.join(""));
    lines = [];
  };
  for (const row of rows)
    if (lines.push(`${row.map(csvCell).join(",")}\r\n`) === CHUNK) flush();
  flush();
  download(name, new Blob(parts, { type: "text/csv" }));
}

/** Text in quotes, and never a formula for a spreadsheet. */
export const csvCell = (cell: string | number): string =>
  typeof cell === "number"
    ? String(cell)
    : `"${cell.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

/** PNG, SVG and CSV of a widget that draws in SVG: label and action. */
export const svgExports = (
  name: string,
  picture: () => Element,
  rows: () => Rows,
  say: (text: string) => void,
): [string, () => void][] => [
  [
    "PNG",
    () => {
      savePng(`${name}.png`, picture()).catch((error: Error) =>
        say(`No picture: ${error.message}.`),
      );
    },
  ],
  ["SVG", () => saveSvg(`${name}.svg`, picture())],
  ["CSV", () => saveCsv(`${name}.csv`, rows())],
];
