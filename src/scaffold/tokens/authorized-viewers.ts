import type { Field, Problem } from "../../protocol/index.ts";
import type { OriginRequest } from "../../server/index.ts";
import { everybody, type Viewer } from "../engine/viewer.ts";
import { Refusal, unauthorized } from "../rest/refusal.ts";
import { type Authorize, ShownRequest } from "./authorize.ts";
import type { AppViewer } from "./known-viewers.ts";
import { keyOf } from "./viewers.ts";

/** So much of a refusal's text is told. */
const maxDetail = 1_000;

/** What a query of a database is may be awaited, and is no promise of the platform's. */
function isPromise(said: unknown): said is PromiseLike<object | null> {
  return typeof said === "object" && said !== null && "then" in said && typeof said.then === "function";
}

/** Whether an application refuses: its `Response` may be another one than the platform's. */
function isRefusal(said: unknown): said is Response {
  if (typeof said !== "object" || said === null) return false;
  return said instanceof Response || ("status" in said && "text" in said && typeof said.text === "function");
}

/** Claims as JSON has them, so that they can be compared, stored and asked for. @throws TypeError where that can't be */
function claimsOf(said: unknown): AppViewer {
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    throw new TypeError(
      `authorize must give an object with the viewer's claims, null or a Response, not ${typeof said}.`,
    );
  }
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(said));
  if (!isPlain && Object.keys(said).length === 0) {
    throw new TypeError(
      "authorize gave an object without members that is not plain: for somebody without claims, give {}.",
    );
  }
  const text = JSON.stringify(said, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  return JSON.parse(text) as AppViewer;
}

/** @throws Refusal as the application has it; TypeError where that is none */
async function refuseAs(response: Response): Promise<never> {
  const { status, headers } = response;
  if (status < 400) throw new TypeError(`authorize refuses with a status from 400 on, not ${status}.`);
  const text = await response.text();
  const fields: Field[] = [];
  for (const [name, value] of headers) if (!/^content-|^set-cookie$/i.test(name)) fields.push([name, value]);
  if (status === 401 && !headers.has("www-authenticate")) fields.push(["WWW-Authenticate", "Bearer"]);
  const detail = /json/.test(headers.get("content-type") ?? "") ? detailIn(text) : text;
  throw new Refusal(status, (detail || "This is not for you.").slice(0, maxDetail), { fields });
}

/** What a problem says, as JSON. */
function detailIn(text: string): string | undefined {
  try {
    const { detail, title } = JSON.parse(text) as Partial<Problem>;
    return [detail, title].find((one) => typeof one === "string");
  } catch {
    return undefined;
  }
}

/**
 * Tells whom requests are for, as the application says; at once where that says so at once.
 *
 * @returns what throws a Refusal, or what the application throws; or gives a promise that rejects with it
 */
export function authorizedViewers(authorize: Authorize<object>): (request: OriginRequest) => Viewer | Promise<Viewer> {
  return (request) => {
    const said = authorize(new ShownRequest(request));
    return isPromise(said) ? Promise.resolve(said).then((one) => viewerOf(one, request)) : viewerOf(said, request);
  };
}

function viewerOf(said: object | null, { method, target, fields }: OriginRequest): Viewer | Promise<Viewer> {
  if (said === null || said === undefined) throw unauthorized("Nobody is signed in.");
  if (isRefusal(said)) return refuseAs(said);
  const claims = claimsOf(said);
  const request = { method, target, fields };
  if (Object.keys(claims).length === 0) return { ...everybody, isEverybody: false, request };
  return { role: undefined, claims, key: keyOf(undefined, { json: claims }), request };
}
