import { decodeContent } from "../node/index.ts";
import { createProblem, type Field, fieldValue, type HttpResponse, problemResponse } from "../protocol/index.ts";
import { documentBody, type OriginResponse, tooLarge } from "../server/index.ts";

const unreadable: HttpResponse = problemResponse(createProblem(502, "The upstream's answer can't be read."));
const unknownCoding: HttpResponse = problemResponse(
  createProblem(415, "The upstream's answer is in a content coding that can't be read."),
);

/** An answer as the hub takes it: without content coding, text as text. */
export async function readAnswer(
  status: number,
  fields: readonly Field[],
  bytes: Buffer,
  maxBytes: number,
): Promise<OriginResponse> {
  const coding = bytes.length > 0 ? fieldValue(fields, "content-encoding") : undefined;
  if (coding === undefined) return { status, fields, body: documentBody(fields, bytes) };
  try {
    const decoded = await decodeContent(coding, bytes, maxBytes);
    if (!decoded) return unknownCoding;
    const plain = fields.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name));
    return { status, fields: plain, body: documentBody(plain, decoded) };
  } catch (error) {
    return error instanceof RangeError ? tooLarge(maxBytes) : unreadable;
  }
}
