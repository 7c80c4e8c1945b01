// Finds regular expressions that may take longer than linear time: a peer's bytes could hold the process up by them.
// Run as a program, it looks at all of src.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { analyse } from "scslre";
import { parseSync } from "vite";

// In this process: by default recheck looks for Java and for programs of its own.
process.env.RECHECK_BACKEND = "pure";
process.env.RECHECK_SYNC_BACKEND = "pure";
const { checkSync } = await import("recheck");

/**
 * Whether a pattern is linear by its looks: what repeats without end is one character or one class, at one place, and the
 * search begins at one place, too.
 */
function isPlain(pattern, flags) {
  if (/\\[1-9k]/.test(pattern)) return !/[*+]|,\}/.test(pattern);
  const text = pattern.replace(/\\./gs, "a").replace(/\[[^\]]*\]/g, "a");
  const repeats = text.match(/.[*+]|.\{\d+,\}/g) ?? [];
  if (repeats.length === 0) return true;
  const isAnchored = flags.includes("y") || (text.startsWith("^") && !flags.includes("m"));
  let flat = text;
  for (let before = ""; before !== flat; ) {
    before = flat;
    flat = flat.replace(/\([^()]*\)/g, "");
  }
  return isAnchored && !flat.includes("|") && repeats.length === 1 && !/\)[*+{]/.test(text);
}

/** Whether a pattern takes linear time. */
function isLinear(pattern, flags) {
  if (isPlain(pattern, flags)) return true;
  // The first sees a search that begins anew at every place, also after a match; the second all else.
  if (analyse(new RegExp(pattern, flags)).reports.length > 0) return false;
  return checkSync(pattern, flags, { timeout: 120_000 }).status === "safe";
}

/**
 * What is wrong with the patterns of a source, a line each.
 *
 * @param {string} path
 * @param {string} text
 * @returns {string[]}
 */
export function patternTrouble(path, text) {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} can't be read: ${errors[0].message}`);
  const placeOf = (start) => `${path}:${text.slice(0, start).split("\n").length}`;
  const trouble = [];
  JSON.stringify(program, (_, node) => {
    if (typeof node === "bigint") return String(node);
    if (node?.regex && !isLinear(node.regex.pattern, node.regex.flags)) {
      trouble.push(`${placeOf(node.start)} /${node.regex.pattern}/ is not linear`);
    }
    const makes = node?.type === "NewExpression" || node?.type === "CallExpression";
    if (makes && node.callee.name === "RegExp") trouble.push(`${placeOf(node.start)} makes a pattern of a text`);
    return node;
  });
  return trouble;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = new URL("../src/", import.meta.url);
  const paths = readdirSync(folder, { recursive: true }).filter((path) => /\.tsx?$/.test(path));
  const trouble = paths.flatMap((path) => patternTrouble(`src/${path}`, readFileSync(new URL(path, folder), "utf8")));
  for (const line of trouble) console.error(line);
  process.exitCode = trouble.length > 0 ? 1 : 0;
}
