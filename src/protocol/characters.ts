/** Whether `text` is a token (RFC 9110 §5.6.2): a method, a field name. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** Whether `text` is what a field's value may hold (RFC 9110 §5.5): HTAB, SP, visible ASCII, U+0080 to U+00FF. */
export function isValue(text: string): boolean {
  return /^[\t -~\x80-\xff]*$/.test(text);
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

/** A text without those of some characters that stand at its end. In linear time, as no pattern is. */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** A field's value without the SP and HTAB around it [R-MSG-8]. */
export function trimBlanks(text: string): string {
  return trimEndOf(text.replace(/^[ \t]+/, ""), " \t");
}
