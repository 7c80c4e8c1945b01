import { type Field, parsePreferences } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";

/** Whether a GET asks how many records there are in all: `Prefer: count=exact`, as PostgREST has it. */
export function prefersCount(fields: readonly Field[]): boolean {
  return parsePreferences(fields).get("count") === "exact";
}

/** What a write is to be answered with (RFC 7240 §4.2); `undefined` where the request does not say. */
export function preferredReturn(fields: readonly Field[]): "minimal" | "representation" | undefined {
  const wanted = parsePreferences(fields).get("return");
  return wanted === "minimal" || wanted === "representation" ? wanted : undefined;
}

/** The answer to a write without its body; 201 stays, for it says where the new record is. */
export function withoutBody({ status, fields }: OriginResponse): OriginResponse {
  const ofTheBody = /^(?:content-type|items|preference-applied)$/i;
  return { status: status === 201 ? 201 : 204, fields: fields.filter(([name]) => !ofTheBody.test(name)), body: "" };
}

/** The answer to a write as the request prefers it. */
export function asPreferred(response: OriginResponse, requestFields: readonly Field[]): OriginResponse {
  const wanted = preferredReturn(requestFields);
  const { status, fields, body } = wanted === "minimal" ? withoutBody(response) : response;
  // Where the record can't be shown, the wish is not met.
  const isApplied = wanted === "minimal" || (wanted === "representation" && body.length > 0);
  return isApplied ? { status, fields: [...fields, ["Preference-Applied", `return=${wanted}`]], body } : response;
}
