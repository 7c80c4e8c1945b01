import { type Field, fieldValue, type HttpResponse } from "../protocol/index.ts";
import { bodyJson } from "./problem.ts";

/** How many writes a batch may have: what every server takes that takes batches [R-BATCH-1]. */
const maxWrites = 100;

/** Writes that are being made together. */
export class Batch {
  readonly id: string = crypto.randomUUID();
  /** How many were begun; one that is no write ends the batch. */
  begun = 0;
  readonly added: Promise<unknown>[] = [];

  /** Why what was made is no batch; `undefined` where it is one. @param made - what the maker gave back */
  trouble(made: unknown): Error | undefined {
    if (typeof Object(made).then === "function") {
      return new TypeError("batch() makes its writes before it returns: it can't await anything between them.");
    }
    if (this.added.length > maxWrites) return new RangeError(`A batch has at most ${maxWrites} writes.`);
    return this.begun === this.added.length ? undefined : new TypeError("A write of the batch could not be made.");
  }
}

/**
 * The answers to the requests of a batch, each as if it had come alone; without content where the server does not keep that
 * for a repeat.
 */
export function answersIn(answer: HttpResponse, count: number): HttpResponse[] {
  const list = bodyJson(answer);
  const position = answer.fields.filter(([name]) => name.toLowerCase() === "event-id");
  return Array.from({ length: count }, (_, at) => {
    const { status, fields, body } = Object(Array.isArray(list) ? list[at] : undefined);
    const own = Object.entries(Object(fields)).filter(
      (field): field is [string, string] => typeof field[1] === "string",
    );
    const all: Field[] = [...own, ...position];
    const hasBody = body !== undefined && /json/.test(fieldValue(all, "content-type") ?? "");
    return {
      ...answer,
      status: typeof status === "number" ? status : 204,
      fields: all,
      body: hasBody ? JSON.stringify(body) : "",
    };
  });
}

/** Which request of a batch was refused, by its place; `undefined` where the server does not say [R-BATCH-3]. */
export function refusedIn(answer: HttpResponse): number | undefined {
  const { request } = Object(bodyJson(answer));
  return Number.isInteger(request) ? request : undefined;
}
