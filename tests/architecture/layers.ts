import { posix } from "node:path";
import { placeOf, type Source } from "./project.ts";

/** Which layers a layer may import. ARCHITECTURE.md shows the same. */
export const layerTable: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  filter: [],
  server: ["protocol", "filter"],
  node: ["protocol", "server"],
  scaffold: ["protocol", "filter", "server"],
  proxy: ["protocol", "server", "node"],
  client: ["protocol", "filter"],
  react: ["protocol", "client"],
  // What a browser runs; it is built into one file, which `node` sends.
  page: ["protocol", "filter", "client"],
  main: [],
  testing: ["protocol", "filter", "server", "client"],
  // It is to find faults in all the others: it stands on none of them.
  check: [],
  cli: ["protocol", "server", "node", "scaffold", "proxy", "client", "testing", "check"],
};

/** Which folders of src/server a folder there may import; files beside the folders serve all. ARCHITECTURE.md shows it. */
const serverFolderTable: Readonly<Record<string, readonly string[]>> = {
  ports: [],
  delivery: ["ports"],
  direct: ["ports", "delivery"],
  derived: ["ports", "delivery"],
  stream: ["ports", "delivery", "direct", "derived"],
  http: ["ports", "stream"],
  fetch: ["ports", "stream", "http"],
};

/**
 * Which folders of src/scaffold a folder there may import, and each its own. Files beside the folders put them together.
 * The service knows the port alone: no engine.
 */
const scaffoldFolderTable: Readonly<Record<string, readonly string[]>> = {
  json: [],
  engine: [],
  rest: ["json", "engine"],
  rules: ["json", "engine", "rest"],
  // The driver, the schema and the journal: they know nothing of how records look from outside.
  sqlite: ["engine"],
  "sqlite/engine": ["json", "engine", "rest", "sqlite"],
  "sqlite/threads": ["json", "engine", "rest", "rules", "sqlite", "sqlite/engine"],
  postgres: ["json", "engine", "rest"],
  models: ["engine", "sqlite", "postgres"],
  migrations: ["sqlite", "postgres"],
  tokens: ["json", "engine", "rest"],
  // Where users are kept, it has by a port.
  users: ["json", "rest", "tokens"],
};

/** The files that may know both ways to a stream: all others have a `Following`. */
const knowBothWays = new Set(["src/server/stream/authorise.ts", "src/server/stream/hub.ts"]);

/** Packages and built-in modules that a layer may import, where that is limited. */
const allowedPackages: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  filter: [],
  // For digests, where the platform gives none.
  server: ["@noble/hashes"],
  // Loaded on a Node that has no WebSocket; in a page nothing is.
  client: ["ws", "#node-web-socket"],
  testing: [],
  react: ["react"],
  page: [],
  main: [],
};

/** An import, `export … from` or `import()` in a source. */
export interface Import {
  readonly specifier: string;
  readonly index: number;
}

/** Everything that a source imports, type imports included. */
export function importsOf(file: Source): Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(/(?<![\w$.])(?:from|import)\s*\(?\s*(["'])/g)) {
    const start = match.index + match[0].length;
    const end = file.code.indexOf(match[1] as string, start);
    found.push({ specifier: file.text.slice(start, end), index: match.index });
  }
  return found;
}

/** The file that a relative specifier names, from the project's root; `undefined` for packages and built-in modules. */
function targetOf(file: Source, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.normalize(posix.join(posix.dirname(file.path), specifier));
}

/** `protocol` for `src/protocol/message.ts`; `undefined` for a file that is in no layer. */
function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)\/./.exec(path)?.[1];
}

/** Imports that the layer table, the faces of layers or the limits on packages forbid. */
export function layerViolations(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === undefined || !(layer in layerTable)) return [`${file.path} is in no layer of the table`];
    return importsOf(file).flatMap(({ specifier, index }) => {
      const trouble = importTrouble(file, layer, specifier);
      return trouble === undefined ? [] : [`${placeOf(file, index)} ${trouble}`];
    });
  });
}

function importTrouble(file: Source, layer: string, specifier: string): string | undefined {
  const target = targetOf(file, specifier);
  if (target === undefined) return packageTrouble(layer, specifier);
  if (!/\.tsx?$/.test(specifier)) return `imports ${specifier}, which doesn't say .ts`;
  const other = layerOf(target);
  if (other === layer) return undefined;
  if (other === undefined) return `imports ${specifier}, which is in no layer`;
  if (!layerTable[layer]?.includes(other)) return `${layer} must not import ${other}`;
  // Beside its face, a layer may have one that the package does not show.
  const isFace = target === `src/${other}/index.ts` || target === `src/${other}/inner.ts`;
  return isFace ? undefined : `imports ${specifier} past the face of ${other}`;
}

function packageTrouble(layer: string, specifier: string): string | undefined {
  const allowed = allowedPackages[layer];
  if (allowed === undefined) return undefined;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return allowed.includes(name) ? undefined : `${layer} must not import ${specifier}`;
}

/** Imports between the folders of src/server that their table forbids. */
export function serverFolderViolations(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const folder = serverFolderOf(file.path);
    if (folder === undefined) return [];
    return importsOf(file).flatMap(({ specifier, index }) => {
      const other = serverFolderOf(targetOf(file, specifier) ?? "");
      if (other === undefined || other === folder) return [];
      const isAllowed = serverFolderTable[folder]?.includes(other) ?? false;
      const isWay = folder === "stream" && (other === "direct" || other === "derived");
      if (isAllowed && (!isWay || isOptions(specifier) || knowBothWays.has(file.path))) return [];
      return [`${placeOf(file, index)} ${folder} must not import ${specifier}`];
    });
  });
}

/** Imports between the folders of src/scaffold that their table forbids. */
export function scaffoldFolderViolations(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    if (!/^src\/scaffold\/[^/]+\/./.test(file.path)) return [];
    const folder = scaffoldFolderOf(file.path);
    if (folder === undefined) return [`${file.path} is in no folder of the table`];
    return importsOf(file).flatMap(({ specifier, index }) => {
      const target = targetOf(file, specifier) ?? "";
      if (!target.startsWith("src/scaffold/")) return [];
      const other = scaffoldFolderOf(target);
      if (other === folder || scaffoldFolderTable[folder]?.includes(other ?? "")) return [];
      return [`${placeOf(file, index)} ${folder} must not import ${specifier}`];
    });
  });
}

/** The longest name of the table that a path is below. */
function scaffoldFolderOf(path: string): string | undefined {
  const names = Object.keys(scaffoldFolderTable).filter((name) => path.startsWith(`src/scaffold/${name}/`));
  return names.sort((one, other) => other.length - one.length)[0];
}

function serverFolderOf(path: string): string | undefined {
  return /^src\/server\/([^/]+)\/./.exec(path)?.[1];
}

/** What a user states is no way to a stream. */
function isOptions(specifier: string): boolean {
  return specifier.endsWith("-options.ts");
}

/** Each cycle of imports once, as `a → b → a`; type imports count. */
export function importCycles(files: readonly Source[]): string[] {
  const graph = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const from = trail.indexOf(path);
    if (from >= 0) cycles.push([...trail.slice(from), path].join(" → "));
    if (from >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

function targetsOf(file: Source): string[] {
  return importsOf(file).flatMap(({ specifier }) => targetOf(file, specifier) ?? []);
}
