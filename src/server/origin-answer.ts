import { createProblem, type Field, fieldValue, problemResponse, serverLimits } from "../protocol/index.ts";
import type { OriginResponse } from "./ports/origin.ts";
import { endToEndFields } from "./viewer.ts";

/** True for a 2xx. */
export function isSuccess(response: OriginResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** An origin's fields as a message carries them: end-to-end ones, and none that the hub alone says [R-SUB-6, R-BAND-10]. */
export function passedFields(fields: readonly Field[], eventId?: string): Field[] {
  const passed = endToEndFields(fields).filter(([name]) => name.toLowerCase() !== "event-id");
  return eventId === undefined ? passed : [...passed, ["Event-ID", eventId]];
}

/** True for an answer that is a document. */
export function isDocument({ status }: OriginResponse): boolean {
  return status === 200 || status === 203;
}

/** What is left of a message's head for its start line and the fields that the hub adds. */
const ownHead = { fields: 8, bytes: 2_048 } as const;

/** What of an answer's head is more than a message carries, in words; `undefined` where it fits [R-MSG-15]. */
export function headExcess(fields: readonly Field[]): string | undefined {
  const maxFields = serverLimits.maxFields - ownHead.fields;
  if (fields.length > maxFields) return `${fields.length} fields, where a message has room for ${maxFields}`;
  const maxBytes = serverLimits.maxHeadBytes - ownHead.bytes;
  const bytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return bytes > maxBytes ? `fields of ${bytes} bytes, where a message has room for ${maxBytes}` : undefined;
}

/** An answer to be followed: where no message can carry its head, that is said in its place. */
export function carriedAnswer(response: OriginResponse): OriginResponse {
  const excess = headExcess(endToEndFields(response.fields));
  if (excess === undefined) return response;
  return problemResponse(
    createProblem(422, `A GET of this URL is answered with ${excess}, so it can't be followed. GET it instead.`),
  );
}

/** A refusal as a problem or a redirect: what the origin said where that is one, else a problem of its status. */
export function refusalOf(response: OriginResponse): OriginResponse {
  const { status, fields, body } = response;
  const kept = passedFields(fields);
  if (isSuccess(response) && !isDocument(response)) {
    return problemResponse(
      createProblem(415, `A GET of this URL is answered with ${status}, which is no document to follow.`),
    );
  }
  if (isSuccess(response)) {
    const detail =
      response.notLive ??
      "No journal follows this resource, and this server (its option derived) does not ask for it again. GET it instead.";
    return problemResponse(createProblem(422, detail));
  }
  if (fieldValue(fields, "content-type")?.startsWith("application/problem+json")) return { status, fields: kept, body };
  if (status >= 300 && status < 400 && status !== 304) {
    const location = kept.filter(([name]) => name.toLowerCase() === "location");
    return { status, fields: location, body: "" };
  }
  const carried = kept.filter(([name]) => /^(retry-after|www-authenticate|allow)$/i.test(name));
  const known = status >= 400 && status < 600 ? status : 502;
  return problemResponse(createProblem(known, `A GET of this URL is answered with ${status}.`), carried);
}

/** Whether a status says nothing of what the viewer may see: the same may be answered later. */
export function isLater(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}
