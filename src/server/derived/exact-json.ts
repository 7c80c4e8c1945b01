// A string that does not end is taken whole: to begin again at each quote in it would take its square.
const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-?[0-9][0-9.eE+-]*/g;
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A token of a JSON text as it is compared: numbers that a double would change are strings that nothing else is. */
function comparable(text: string): string {
  if (text.startsWith('"')) return text.startsWith('"\\u0000') ? `"\\u0000${text.slice(1)}` : text;
  return String(Number(text)) === text || !number.test(text) ? text : `"\\u0000#${text}"`;
}

/**
 * Reads JSON so that two values are equal only where their numbers are written alike: `2.50` is not `2.5`, and no digit is
 * rounded away. For comparing; what is sent is always the text itself.
 *
 * @throws SyntaxError where it is no JSON
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text.replace(token, comparable)) as unknown;
}
