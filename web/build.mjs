// Bundle the widgets into the Python package.
//   node build.mjs           write the bundles
//   node build.mjs --check   fail if the committed bundles are not up to date
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const sources = join(here, "src");
const target = join(here, "../src/attn_course/widgets/static");

// Each folder with a view is a widget; its traits name the element.
const widgets = await Promise.all(
  (await readdir(sources))
    .filter((name) => existsSync(join(sources, name, "view.ts")))
    .map(async (name) => {
      const { TAG } = await import(`./src/${name}/traits.ts`);
      return { name, tag: TAG };
    }),
);

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  write: false,
  outdir: target,
};

// What src/lib/ holds is on the site once, as modules of the global `attn`.
const lib = await readdir(join(sources, "lib"));
const modules = lib.sort().map((file) => basename(file, ".ts"));
const shared = {
  name: "shared",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/lib\/\w+\.ts$/ }, ({ path }) => ({
      path: basename(path, ".ts"),
      namespace: "shared",
    }));
    onLoad({ filter: /./, namespace: "shared" }, ({ path }) => ({
      contents: `module.exports = attn.${path}`,
    }));
  },
};

/** A bundle, from the text of the module that it starts from. */
const bundle = (name, contents, options) =>
  build({
    ...common,
    ...options,
    stdin: { contents, resolveDir: sources, sourcefile: name },
    entryNames: name,
  });

const outputs = await Promise.all([
  // One ES module a widget: anywidget sends it to a notebook.
  ...widgets.map(({ name }) =>
    bundle(
      name,
      `import { notebookModule } from "./lib/host.ts";
       import { mount } from "./${name}/view.ts";
       export default notebookModule(mount);`,
      { format: "esm", outExtension: { ".js": ".mjs" } },
    ),
  ),
  // On the site, first what all widgets share; then each element from a
  // script that is named after it, on the pages that have one.
  bundle(
    "attn-widgets",
    modules.map((m) => `export * as ${m} from "./lib/${m}.ts";`).join(""),
    { format: "iife", globalName: "attn" },
  ),
  ...widgets.map(({ name, tag }) =>
    bundle(
      tag,
      `import { defineElement } from "./lib/host.ts";
       import { mount } from "./${name}/view.ts";
       defineElement("${tag}", mount);`,
      { format: "iife", plugins: [shared] },
    ),
  ),
]);

const files = outputs.flatMap((output) => output.outputFiles);
const made = new Set(files.map(({ path }) => basename(path)));
const check = process.argv.includes("--check");
let stale = 0;
await mkdir(target, { recursive: true });
for (const name of await readdir(target)) {
  if (made.has(name)) continue;
  stale += 1;
  console.log(`${name}: no longer made`);
  if (!check) await rm(join(target, name));
}
for (const { path, contents } of files) {
  const size = `${(gzipSync(contents).length / 1024).toFixed(1)} KB gzip`;
  if (!check) {
    await writeFile(path, contents);
    console.log(`${basename(path)}: ${size}`);
    continue;
  }
  const committed = await readFile(path).catch(() => null);
  const fresh = committed?.equals(contents) ?? false;
  stale += fresh ? 0 : 1;
  console.log(`${basename(path)}: ${size}, ${fresh ? "fresh" : "STALE"}`);
}
if (check && stale > 0) {
  console.error("Run `make web` and commit what it writes.");
  process.exit(1);
}
