// Builds the page: its modules and its style become one HTML file, dist/page/inspector.html, which asks for nothing else.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { transform } from "lightningcss";
import { build } from "vite";
import { withoutBodies } from "./left-out.js";

const root = new URL("../", import.meta.url);
const source = new URL("src/page/", root);
const target = new URL("dist/page/", root);
const maxGzippedBytes = 60_000;

/** Parts of the client that it would load later, and that the page never asks for: it follows a few URLs, by itself. */
const unloaded = ["answers", "spare-lanes"].map((name) => `./${name}.ts`);

/** Parts that the page never asks for, and what others import of them. */
const unused = new Map([
  ["./batch.ts", ["Batch", "answersIn", "refusedIn"]],
  // It has all rows from the client.
  ["./require-seen.ts", ["requireSeen"]],
  ["./storage.ts", ["WriteStore"]],
]);

/** What places a row in a list by the filter, and the smaller one that the page has. */
const wholeLists = fileURLToPath(new URL("src/client/whole-lists.ts", root));

const leaveOut = {
  name: "leave out",
  enforce: "pre",
  resolveId: (id, importer = "") => {
    if (id.includes("/filter/") && importer.endsWith("/src/client/placement.ts")) return wholeLists;
    return unused.has(id) && importer.includes("/src/client/") ? `\0unused:${id}` : null;
  },
  load: (id) => {
    if (!id.startsWith("\0unused:")) return null;
    const names = unused.get(id.slice("\0unused:".length));
    return `export {};${names.map((name) => `export function ${name}() {}`).join("")}`;
  },
};

/** The way of the client where no WebSocket passes, and the smaller one that the page has. */
const [whole, small] = ["./fallback.ts", "./looking.ts"];

/** In one file, all is there from the beginning: what is loaded later elsewhere is imported, and only what is used of it is kept. */
const importAtOnce = {
  name: "import at once",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("/src/client/")) return null;
    const imports = [];
    // A browser has a WebSocket.
    const [, file] = /\/src\/client\/([\w-]+)\.ts$/.exec(id) ?? [];
    const bare = withoutBodies(code, file).replace('await import("#node-web-socket")', "{}");
    const changed = bare.replace(/(?<!typeof )\bimport\("(\.\/[\w-]+\.ts)"\)/g, (_, path) => {
      if (unloaded.includes(path)) return "Promise.reject(Error(`left out`))";
      imports.push(`import * as later${imports.length} from "${path === whole ? small : path}";`);
      return `Promise.resolve(later${imports.length - 1})`;
    });
    return changed === code ? null : { code: `${imports.join("")}${changed}`, map: null };
  },
};

async function bundle() {
  const { output } = await build({
    root: fileURLToPath(source),
    configFile: false,
    logLevel: "error",
    plugins: [leaveOut, importAtOnce],
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL("index.ts", source)),
        output: { format: "es", codeSplitting: false },
      },
    },
  });
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`The page has more than one file: ${others.map(({ fileName }) => fileName)}`);
  return chunk.code;
}

function style() {
  const code = readFileSync(new URL("style.css", source));
  return transform({ filename: "style.css", code, minify: true }).code.toString();
}

function put(html, start, end, text) {
  const at = html.indexOf(start + end);
  if (at < 0) throw new Error(`inspector.html has no place for ${start}`);
  return html.slice(0, at + start.length) + text + html.slice(at + start.length);
}

/** Builds the page. Gives how many bytes it has, gzipped. */
export async function buildPage() {
  // What ends a script ends it within a text, too.
  const script = (await bundle()).trim().replaceAll("</script", "<\\/script");
  let html = readFileSync(new URL("inspector.html", source), "utf8").replace(/\n(?=<)/g, "");
  html = put(html, "<style>", "</style>", style());
  html = put(html, '<script type="module">', "</script>", script);
  const bytes = gzipSync(html, { level: 9 }).length;
  if (bytes > maxGzippedBytes) throw new Error(`The page has ${bytes} bytes gzipped, more than ${maxGzippedBytes}.`);
  mkdirSync(target, { recursive: true });
  writeFileSync(new URL("inspector.html", target), html);
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await buildPage();
  if (!process.argv.includes("--silent")) console.log(`The page: ${bytes} bytes gzipped`);
}
