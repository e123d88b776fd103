// Bundle the widgets into the Python package.
//   node build.mjs           write the bundles
//   node build.mjs --check   fail if the committed bundles are not up to date
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "../src/attn_course/widgets/static");
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  write: false,
};

const outputs = [
  // One ES module a widget: anywidget sends it to a notebook.
  await build({
    ...common,
    format: "esm",
    entryPoints: {
      cocktail: "src/cocktail/notebook.ts",
      curves: "src/curves/notebook.ts",
      gaze: "src/gaze/notebook.ts",
      heads: "src/heads/notebook.ts",
      heatmap: "src/heatmap/notebook.ts",
      kvcache: "src/kvcache/notebook.ts",
      mask: "src/mask/notebook.ts",
      qkv: "src/qkv/notebook.ts",
      sentence: "src/sentence/notebook.ts",
      softmaxlab: "src/softmaxlab/notebook.ts",
      switches: "src/switches/notebook.ts",
    },
    outdir: target,
    outExtension: { ".js": ".mjs" },
  }),
  // One classic script: the site defines every element from it, once.
  await build({
    ...common,
    format: "iife",
    entryPoints: { "attn-widgets": "src/site.ts" },
    outdir: target,
  }),
];

const check = process.argv.includes("--check");
let stale = 0;
await mkdir(target, { recursive: true });
for (const { path, contents } of outputs.flatMap((o) => o.outputFiles)) {
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
if (stale > 0) {
  console.error("Run `make web` and commit what it writes.");
  process.exit(1);
}
