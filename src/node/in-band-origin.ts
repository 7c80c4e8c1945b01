import { createProblem, problemResponse, utf8Length, wellKnownPath } from "../protocol/index.ts";
import type { BasePath, Hub, Origin, OriginRequest, OriginResponse } from "../server/index.ts";
import { plainConditions } from "./compression.ts";

/** What requests in band are brought to an origin with. */
export interface InBandOriginParts {
  readonly origin: Origin;
  readonly wellKnown: Hub["wellKnown"];
  readonly basePath: BasePath;
  readonly maxBodyBytes: number;
}

/** The origin as the hub asks it: a request in band meets what one over HTTP meets on its way. */
export function inBandOrigin({ origin, wellKnown, basePath, maxBodyBytes }: InBandOriginParts): Origin {
  const carryOut = async (request: OriginRequest): Promise<OriginResponse> => {
    const { method, body } = request;
    const target = basePath.enter(request.target);
    if (target.split("?", 1)[0] === wellKnownPath) {
      if (method === "GET" || method === "HEAD") return wellKnown();
      return problemResponse(createProblem(405, `${method} is not served here.`), [["Allow", "GET, HEAD"]]);
    }
    const bytes = typeof body === "string" ? utf8Length(body) : body.length;
    if (bytes > maxBodyBytes) {
      return problemResponse(createProblem(413, `A body may have at most ${maxBodyBytes} bytes.`));
    }
    return origin({ ...request, target, fields: plainConditions(request.fields) });
  };
  // What is no function the hub refuses, with the option's name.
  if (typeof origin !== "function") return origin;
  return (request) => (request.isInBand ? carryOut(request) : origin(request));
}
