import type { RequestListener } from "node:http";

/** A handler that answers with what it was asked. */
export const echo = (): RequestListener => (incoming, response) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    const body = Buffer.concat(parts).toString();
    response.end(JSON.stringify({ method: incoming.method, url: incoming.url, fields: incoming.rawHeaders, body }));
  });
};

/** What {@link echo} answers. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** The values of a field, by its name in lower case. */
export function valuesOf({ fields }: Echo, name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name);
}
