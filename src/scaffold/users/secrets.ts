import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A session as its holder shows it: which one, and the secret. */
export interface ShownSession {
  readonly id: string;
  readonly secret: string;
}

const form = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.([\w-]{43})$/;

/** Reads what a holder shows; `undefined` where it can be none. */
export function parseShown(text: string): ShownSession | undefined {
  const [, id, secret] = form.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** What a holder shows. */
export function formatShown({ id, secret }: ShownSession): string {
  return `${id}.${secret}`;
}

/** A secret that nobody can guess. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** The secret that takes another one's place: the same each time, so that two who come with one get one. */
export function nextSecret({ id, secret }: ShownSession, key: string): string {
  return createHmac("sha256", Buffer.from(key, "base64url")).update(`${id}.${secret}`).digest("base64url");
}

/** What is stored of a secret. It is long and random, so one round is enough. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Whether a secret is that of a digest. */
export function isSecretOf(secret: string, digest: string | undefined): boolean {
  const [one, other] = [Buffer.from(digestOf(secret)), Buffer.from(digest ?? "")];
  return one.length === other.length && timingSafeEqual(one, other);
}
