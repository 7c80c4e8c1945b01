import { TextScanner } from "./text-scanner.ts";
import { decodeUrlPart } from "./url-template.ts";

const blanks = /[ \t]*/y;
const spaces = / */y;
const comma = /,/y;
const equals = /=/y;
const semicolon = /; */y;
const key = /[a-z*][a-z0-9_.*-]*/y;
const listStart = /\(/y;
const listEnd = /\)/y;
/** Where an item of an inner list ends. */
const itemEnd = /(?=[ )])/y;
const string = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const displayString = /%"((?:[ !#-$&-~]|%[0-9a-f]{2})*)"/y;
/** A number, a date, a token, bytes or a boolean. */
const otherItem =
  /-?[0-9]{1,12}\.[0-9]{1,3}|[@]?-?[0-9]{1,15}|[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|:[A-Za-z0-9+/=]*:|\?[01]/y;

/** A value of a dictionary: its text where it is a string or a display string. */
interface Value {
  readonly text?: string;
}

const unread: Value = {};

/** Reads what can stand alone; `undefined` where nothing can. */
function readBareItem(scanner: TextScanner): Value | undefined {
  const plain = scanner.take(string)?.[1];
  if (plain !== undefined) return { text: plain.replace(/\\(.)/g, "$1") };
  const display = scanner.take(displayString)?.[1];
  if (display === undefined) return scanner.take(otherItem) ? unread : undefined;
  const text = decodeUrlPart(display);
  return text === undefined ? undefined : { text };
}

/** Reads parameters, which say nothing here. False where they are malformed. */
function readParameters(scanner: TextScanner): boolean {
  while (scanner.take(semicolon)) {
    if (!scanner.take(key) || (scanner.take(equals) && !readBareItem(scanner))) return false;
  }
  return true;
}

/** Reads the rest of an inner list, which is no string, whatever is in it. */
function readInnerList(scanner: TextScanner): Value | undefined {
  for (;;) {
    scanner.take(spaces);
    if (scanner.take(listEnd)) return unread;
    if (!readBareItem(scanner) || !readParameters(scanner) || !scanner.take(itemEnd)) return undefined;
  }
}

function readValue(scanner: TextScanner): Value | undefined {
  // A key alone is a boolean.
  if (!scanner.take(equals)) return unread;
  return scanner.take(listStart) ? readInnerList(scanner) : readBareItem(scanner);
}

/**
 * Reads a dictionary of structured fields (RFC 9651 §4.2.2): its members, of those of one name the last. A member is its
 * text where it is a string or display string, and `undefined` where it is anything else. Parameters are left out.
 *
 * @returns `undefined` where it is no dictionary
 */
export function parseStringDictionary(text: string): ReadonlyMap<string, string | undefined> | undefined {
  const members = new Map<string, string | undefined>();
  const scanner = new TextScanner(text);
  scanner.take(spaces);
  while (!scanner.isAtEnd) {
    const name = scanner.take(key)?.[0];
    const value = name === undefined ? undefined : readValue(scanner);
    if (name === undefined || !value || !readParameters(scanner)) return undefined;
    members.set(name, value.text);
    scanner.take(blanks);
    if (scanner.isAtEnd) break;
    if (!scanner.take(comma)) return undefined;
    scanner.take(blanks);
    if (scanner.isAtEnd) return undefined;
  }
  return members;
}
