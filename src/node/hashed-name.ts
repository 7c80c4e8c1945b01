/** Folders that bundlers fill with files named after their content. */
const bundled = new Set(["_app", "_astro", "_next", "_nuxt", "assets", "static"]);
const hexadecimal = /[.-](?=[a-f]*\d)(?=\d*[a-f])[\da-f]{8,64}(?:\.\w+){1,3}$/;
const letters = /[.-]([\w-]{8})(?:\.\w+){1,3}$/;

/** Whether letters could be those of a digest, and not a word, a date or a version. */
function looksRandom(text: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(text));
  return kinds.length === 3 || (kinds.length === 2 && /[A-Z]/.test(text));
}

/**
 * Whether a file's name has a digest of its content, so that what it names never changes: 8 or more hexadecimal digits
 * before the extension (`main.3f2a9c1b.js`), or, in a folder that bundlers fill, 8 letters and digits of mixed kinds
 * (`assets/index-BX3k2a1c.js`).
 *
 * @param names - the file's path, name by name
 */
export function isHashedName(names: readonly string[]): boolean {
  const file = names.at(-1) ?? "";
  if (hexadecimal.test(file)) return true;
  const digest = letters.exec(file)?.[1];
  return digest !== undefined && looksRandom(digest) && names.slice(0, -1).some((name) => bundled.has(name));
}
