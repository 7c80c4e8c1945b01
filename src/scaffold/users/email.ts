/** An email as it was given, and as it is compared. */
export interface Email {
  readonly text: string;
  /** Equal for two that are the same, however they are written. */
  readonly folded: string;
}

/** As long as one may be, by RFC 5321. */
const maxLength = 254;

/**
 * Reads an email; `undefined` where it is none. Whether somebody has it is not known. Letters are folded, and so are the many
 * forms that Unicode has for some of them.
 */
export function readEmail(given: string): Email | undefined {
  const text = given.trim();
  const folded = text.normalize("NFKC").toLowerCase();
  const isOne = (email: string): boolean => email.length <= maxLength && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);
  return isOne(text) && isOne(folded) ? { text, folded } : undefined;
}
