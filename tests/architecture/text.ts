import { placeOf, type TextFile } from "./project.ts";

/** What no file of the project says: paths of one machine, hosts of one registry, unfinished or switched-off work. */
const forbidden: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w.~$*})])\/(?:tmp|work|root|farm|home\/[a-z]+)\//g, "has a path of one machine"],
  [/\bregistry\.[a-z]+js\.|"resolve[d]":/g, "names a package registry"],
  [/\bTO[D]O\b|\bFIX[M]E\b|\bnot implemente[d]\b/g, "is unfinished"],
  [/\.(?:only|skip)\(/g, "switches tests off"],
];

/** Places in texts that say what no file should. */
export function textViolations(files: readonly TextFile[]): string[] {
  return files.flatMap((file) =>
    forbidden.flatMap(([pattern, what]) =>
      [...file.text.matchAll(pattern)].map((match) => `${placeOf(file, match.index)} ${what}: ${match[0]}`),
    ),
  );
}

/** The parts of package.json that are looked at. */
export interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
}

/** The layer that a subpath of the package names; the bare name is that of `main`. */
function layerOf(subpath: string): string {
  return subpath === "." ? "main" : subpath.slice(2);
}

/** Subpaths and commands that point to nothing in src, or to what is not made of it, and subpaths that are not a layer's face. */
export function manifestViolations(manifest: Manifest, exists: (path: string) => boolean): string[] {
  const subpaths = Object.entries(manifest.exports).filter(([subpath]) => subpath !== "./package.json");
  return [
    ...subpaths
      .filter(
        ([subpath, file]) =>
          file !== `./dist/${layerOf(subpath)}/index.js` || !exists(`src/${layerOf(subpath)}/index.ts`),
      )
      .map(([subpath, file]) => `${subpath} points to ${file}, which is not a layer's index`),
    ...Object.entries(manifest.bin)
      .filter(([, file]) => file !== "./dist/bin/rocket.js" || !exists("src/cli/main.ts"))
      .map(([name, file]) => `the command ${name} points to ${file}, which has no source`),
  ];
}
