import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { Refusal } from "../rest/refusal.ts";

/** What makes a key of a password. */
export type Scrypt = (password: string, salt: Buffer, options: ScryptOptions) => Promise<Buffer>;

const keyBytes = 32;
const saltBytes = 16;
const blockSize = 8;
/** Each takes 128 MiB, and a core for a while. */
const maxAtOnce = 2;
/** So many wait at most; more come again later. */
const maxWaiting = 32;

const minLength = 8;
const maxBytes = 1_000;

const nodeScrypt: Scrypt = (password, salt, options) =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** What is wrong with a new password, in a sentence for a person; `undefined` where nothing is. */
export function passwordTrouble(password: string): string | undefined {
  if ([...password].length < minLength) return `A password has ${minLength} characters at least.`;
  return Buffer.byteLength(password) > maxBytes ? `A password has ${maxBytes} bytes at most.` : undefined;
}

/** A stored hash, taken apart. */
interface Stored {
  readonly cost: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

function parseStored(text: string): Stored {
  const [, cost, salt = "", key = ""] = /^scrypt:(\d+):8:1:([\w-]+):([\w-]+)$/.exec(text) ?? [];
  if (cost === undefined) throw new Error("A stored password is not as Rocket writes them.");
  return { cost: Number(cost), salt: Buffer.from(salt, "base64url"), key: Buffer.from(key, "base64url") };
}

/** Hashes passwords and compares them with hashes: two at once, the others in turn. */
export class Passwords {
  readonly #cost: number;
  readonly #scrypt: Scrypt;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param cost - the work, as a power of two */
  constructor(cost: number, run: Scrypt = nodeScrypt) {
    this.#cost = cost;
    this.#scrypt = run;
  }

  /** The text to be stored for a password. @throws Refusal 503 where too many wait */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const key = await this.#derive(password, salt, this.#cost);
    return `scrypt:${this.#cost}:${blockSize}:1:${salt.toString("base64url")}:${key.toString("base64url")}`;
  }

  /**
   * Whether a password is that of a stored text. The work is the same where there is none.
   *
   * @throws Refusal 503 where too many wait
   */
  async isRight(password: string, stored: string | undefined): Promise<boolean> {
    const { cost, salt, key } = stored === undefined ? this.#nobodys() : parseStored(stored);
    const given = await this.#derive(password, salt, cost);
    return timingSafeEqual(given, key) && stored !== undefined;
  }

  #nobodys(): Stored {
    return { cost: this.#cost, salt: randomBytes(saltBytes), key: Buffer.alloc(keyBytes) };
  }

  async #derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
    if (this.#running >= maxAtOnce) {
      if (this.#waiting.length >= maxWaiting) {
        const detail = "Too many sign in just now. Try again in a moment.";
        throw new Refusal(503, detail, { fields: [["Retry-After", "5"]] });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    const options = { N: 2 ** cost, r: blockSize, p: 1, maxmem: 2 * 128 * blockSize * 2 ** cost };
    try {
      return await this.#scrypt(password.normalize("NFKC"), salt, options);
    } finally {
      // Who waits takes the place over.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
