import { createProblem, problemResponse, utf8Length, wellKnownPath } from "../protocol/index.ts";
import { BasePath, type Hub, type Origin, type OriginRequest, type OriginResponse } from "../server/index.ts";
import { plainConditions } from "./compression.ts";
import { withoutTickets } from "./tickets/ticket-desk.ts";

/** What requests in band are brought to an origin with. */
export interface InBandOriginParts {
  readonly origin: Origin;
  readonly wellKnown: Hub["wellKnown"];
  readonly basePath: BasePath;
  /** Carries requests in band out. Default: the origin. */
  readonly carryOut?: Origin;
}

/** The origin as the hub asks it: a request in band meets what one over HTTP meets on its way. */
export function inBandOrigin({ origin, wellKnown, basePath, carryOut = origin }: InBandOriginParts): Origin {
  const enter = async (request: OriginRequest): Promise<OriginResponse> => {
    const { method } = request;
    const target = basePath.enter(request.target);
    if (target.split("?", 1)[0] !== wellKnownPath) return carryOut({ ...request, target });
    if (method === "GET" || method === "HEAD") return wellKnown();
    return problemResponse(createProblem(405, `${method} is not served here.`), [["Allow", "GET, HEAD"]]);
  };
  // What is no function the hub refuses, with the option's name.
  if (typeof origin !== "function") return origin;
  const places = [new BasePath(), basePath];
  return withoutTickets((request) => (request.isInBand ? enter(request) : origin(request)), places);
}

/** Has an origin carry out what is not too large, and know the entity tags that were given out with a coding. */
export function ownOrigin(origin: Origin, maxBodyBytes: number): Origin {
  return async (request) => {
    const { body, fields } = request;
    const bytes = typeof body === "string" ? utf8Length(body) : body.length;
    if (bytes <= maxBodyBytes) return origin({ ...request, fields: plainConditions(fields) });
    return problemResponse(createProblem(413, `A body may have at most ${maxBodyBytes} bytes.`));
  };
}
