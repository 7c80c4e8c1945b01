// What of the client's methods the page does without: it has no batches, no single records, no other tabs, no storage, nothing to
// begin with, and no token but the one that somebody gave.

/** Methods that are never called there, by file. One that is called all the same throws; tests/page/left-out.test.ts finds the call before. */
export const uncalled = {
  client: "subscribe record batch onStatus renew dehydrate logout #fetch #begin #beginSafely #beginByGuess #share",
  outbox: "batch renew drop #loaded",
  renewal: "watch",
  sender: "requestBatch",
  "write-delivery": "renew #sendBatch #guardAll #batchUnanswered #batchTurnedDown #conflictOf",
  "write-queue": "together clear #refusalOf",
};

/** Methods that are called there, and have nothing to do. */
export const idle = {
  http: "#learn",
  "origin-transport": "#watchToken",
  "write-queue": "load",
};

/** Puts something else in the place of a file's methods. @param names - with blanks between them */
export function replaceMethods(code, file, names = "", replacement) {
  return names.split(" ").reduce((rest, name) => {
    if (name === "") return rest;
    const method = new RegExp(`(?<=\\n)  (?:async )?${name}(?:<\\w+>)?\\((?:[^\\n]*\\{)?\\n[^]*?\\n  }\\n`);
    if (!method.test(rest)) throw new Error(`${file}.ts has no method ${name}.`);
    return rest.replace(method, () => replacement(name));
  }, code);
}

/** A file of the client without what the page does without. @param file - its name without `.ts` */
export function withoutBodies(code, file) {
  const bare = replaceMethods(
    code,
    file,
    uncalled[file],
    (name) => `  ${name}() { throw Error("left out: ${name}"); }\n`,
  );
  return replaceMethods(bare, file, idle[file], (name) => `  ${name}() {}\n`);
}
