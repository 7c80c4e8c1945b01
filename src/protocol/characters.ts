const tokenBit = 1;
const valueBit = 2;
const targetBit = 4;

/** Which of the grammar's character classes each octet is in (RFC 9110 §5.5, §5.6.2; RFC 9112 §3.2.1). */
const classes: Uint8Array = new Uint8Array(256);
for (let octet = 0x20; octet < 0x100; octet += 1) if (octet !== 0x7f) classes[octet] = valueBit;
classes[0x09] = valueBit;
for (let octet = 0x21; octet < 0x7f; octet += 1) if (octet !== 0x23) classes[octet] = valueBit | targetBit;
for (const octet of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  const code = octet.charCodeAt(0);
  classes[code] = (classes[code] ?? 0) | tokenBit;
}

function endOf(bit: number, text: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    // Beyond the table the answer is `undefined`, which no bit is set in.
    if (((classes[text.charCodeAt(at)] ?? 0) & bit) === 0) return at;
  }
  return end;
}

/** Where the run of token characters that begins at `start` ends. */
export function endOfToken(text: string, start: number, end: number): number {
  return endOf(tokenBit, text, start, end);
}

/** Where the run of characters that a field value may hold ends: HTAB, SP, visible ASCII, U+0080 to U+00FF. */
export function endOfValue(text: string, start: number, end: number): number {
  return endOf(valueBit, text, start, end);
}

/** Where the run of visible ASCII without `#` ends. */
export function endOfTarget(text: string, start: number, end: number): number {
  return endOf(targetBit, text, start, end);
}

/** Whether `text` is a token (RFC 9110 §5.6.2): a method, a field name. */
export function isToken(text: string): boolean {
  return text.length > 0 && endOfToken(text, 0, text.length) === text.length;
}

/** Whether `text` can be a `Request-ID`: a token of at most 64 characters [R-BAND-2]. */
export function isRequestId(text: string): boolean {
  return text.length <= 64 && isToken(text);
}

/** How many bytes `text` takes in UTF-8; a lone surrogate counts as U+FFFD, which it becomes when it is sent. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    bytes += 1;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      at += 1;
    }
  }
  return bytes;
}
