const blanks = /[ \t\r\n]*/y;
const plainValue = /[^ \t\r\n,\]}]+/y;

/** Where a pattern that begins at `at` ends. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The place behind the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  let end = at;
  let isEscaped = true;
  while (isEscaped) {
    end = text.indexOf('"', end + 1);
    let first = end;
    while (text[first - 1] === "\\") first -= 1;
    isEscaped = (end - first) % 2 === 1;
  }
  return end + 1;
}

/** The place behind the value that begins at `at`. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  let end = at;
  do {
    const character = text.charAt(end);
    if (character === '"') end = stringEnd(text, end);
    else if (/[{[\]}]/.test(character)) {
      depth += /[{[]/.test(character) ? 1 : -1;
      end += 1;
    } else if (/[:,]/.test(character)) end += 1;
    else end = endOf(plainValue, text, end);
    if (depth > 0) end = endOf(blanks, text, end);
  } while (depth > 0);
  return end;
}

/** The text of a member or element of the object or array that a text is; of several of that name, the last. */
function memberText(text: string, key: string): string | undefined {
  const isArray = text.startsWith("[");
  if (!isArray && !text.startsWith("{")) return undefined;
  let found: string | undefined;
  let index = 0;
  let at = endOf(blanks, text, 1);
  while (at < text.length - 1) {
    let name = String(index);
    if (!isArray) {
      const end = stringEnd(text, at);
      name = JSON.parse(text.slice(at, end));
      // Over the colon.
      at = endOf(blanks, text, endOf(blanks, text, end) + 1);
    }
    const end = valueEnd(text, at);
    if (name === key) found = text.slice(at, end);
    // Over the comma.
    at = endOf(blanks, text, endOf(blanks, text, end) + 1);
    index += 1;
  }
  return found;
}

/**
 * What a JSON pointer (RFC 6901) names in a document, as it is written there: numbers keep their digits. `undefined` where it
 * names nothing, and where the text is no JSON.
 */
export function jsonPart(text: string, pointer: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let part: string | undefined = text.trim();
  for (const token of pointer.split("/").slice(1)) {
    part = part && memberText(part, token.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return part;
}
