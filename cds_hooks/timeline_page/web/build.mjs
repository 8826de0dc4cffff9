// Bundles src/ into the folder that the service serves: node build.mjs [FOLDER]; esbuild and uplot come by NODE_PATH or node_modules.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const { build } = createRequire(import.meta.url)("esbuild");
const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "..", "static"));
const demo = resolve(here, "..", "..", "page");

// The demo EHR's Markdown renderer names its library by the address it is served under.
const vendored = {
  name: "vendored",
  setup(made) {
    made.onResolve({ filter: /^\/vendor\// }, ({ path }) => ({ path: join(demo, path) }));
  },
};

await mkdir(out, { recursive: true });
const done = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.js", style: "src/style.css" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome109", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  plugins: [vendored],
  nodePaths: (process.env.NODE_PATH ?? "").split(delimiter).filter(Boolean),
  logLevel: "warning",
  write: true,
});
if (done.warnings.length) process.exit(1);
await copyFile(join(here, "src", "index.html"), join(out, "index.html"));
await copyFile(join(demo, "static", "icon.svg"), join(out, "icon.svg"));
const uplot = createRequire(import.meta.url).resolve("uplot/package.json");
const licences = [
  ["uPlot", await readFile(join(dirname(uplot), "LICENSE"), "utf8")],
  ["markdown-it", await readFile(join(demo, "vendor", "markdown-it.LICENSE.txt"), "utf8")],
];
await writeFile(join(out, "page.LICENSES.txt"), licences.map(([name, text]) => `${name}\n\n${text.trim()}\n`).join("\n\n"));
