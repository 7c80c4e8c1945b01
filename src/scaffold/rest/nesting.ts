/** How deep arrays and objects of a body may stand in each other. SQLite's own functions for JSON stop at 1,000. */
export const maxNesting = 500;

/** Whether arrays and objects stand deeper in each other than that in a text of JSON. It uses no stack of its own. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      // A string: to its closing quote, over what a backslash escapes.
      for (at += 1; at < text.length && text.charCodeAt(at) !== 0x22; at += 1) {
        if (text.charCodeAt(at) === 0x5c) at += 1;
      }
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxNesting) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}
