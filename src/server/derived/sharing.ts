import { type Field, fieldValue } from "../../protocol/index.ts";
import { documentRequestFields } from "../document-request.ts";
import { fieldLines } from "../viewer.ts";

/** Fields that say which site is asked. */
const authorityNames = new Set([
  "host",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
]);

/** Fields of a GET that are the hub's own, the same for everybody. */
const isOfTheHub = new Set(["accept-encoding", "sec-fetch-mode"]);

/** Fields by which a hop says for whom it asks. */
const ofThePeer = /^(?:forwarded|via|x-forwarded-.*|.*-ip)$/;

/**
 * To whom an answer belongs.
 *
 * - `request`: to the one who asked. The answer is private, and nothing of the request says who that was.
 * - `viewer`: to the viewer, who may follow by several connections.
 * - `declared`: to all of whom the application says that they are given the same.
 */
export interface Sharing {
  readonly kind: "request" | "viewer" | "declared";
  /** The name of the view: those whose answers have equal keys may share it. */
  readonly key: string;
}

/** A request as its sharing is judged. */
export interface SharingRequest {
  readonly target: string;
  readonly fields: readonly Field[];
  readonly viewerKey: string;
  readonly isAnonymous: boolean;
  /** The peer's address, where it is known. */
  readonly address?: string | undefined;
  /** What the app's `viewer` option says of the request: a name that equal viewers share. */
  readonly viewer?: string | undefined;
  /** Whether all who are anonymous may be given the same, by the app's `anonymous` option. */
  readonly sharesAnonymous?: boolean;
}

function itemsOf(fields: readonly Field[], name: string): string[] {
  return fields
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value.split(","))
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== "");
}

/** The directives of `Cache-Control` (RFC 9111 §5.2), lower case; `undefined` where a quoted text does not end. */
function directivesOf(fields: readonly Field[]): string[] | undefined {
  const found: string[] = [];
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== "cache-control") continue;
    let item = "";
    let isQuoted = false;
    for (let at = 0; at < value.length; at += 1) {
      const character = value[at] ?? "";
      if (isQuoted && character === "\\") at += 1;
      else if (character === '"') isQuoted = !isQuoted;
      else if (character === "," && !isQuoted) {
        found.push(item);
        item = "";
        continue;
      }
      if (!isQuoted) item += character;
    }
    if (isQuoted) return undefined;
    found.push(item);
  }
  return found.map((item) => item.replaceAll('"', "").trim().toLowerCase());
}

/** What an answer's own fields say of who may be shown it. */
function wordOf(answer: readonly Field[]): "private" | "public" | "nothing" {
  const directives = directivesOf(answer);
  const isPrivate =
    directives === undefined ||
    itemsOf(answer, "vary").includes("*") ||
    fieldValue(answer, "set-cookie") !== undefined ||
    directives.some((directive) => /^(?:private|no-store|no-cache)(?:=|$)/.test(directive));
  if (isPrivate) return "private";
  const isPublic = directives.some((directive) => directive === "public" || /^s-maxage=0*[1-9]/.test(directive));
  return isPublic ? "public" : "nothing";
}

/** Of `Forwarded`, the site that was asked and not the way that the request took. */
function forwardedSite(fields: readonly Field[]): string {
  const value = fields.flatMap(([name, text]) => (name.toLowerCase() === "forwarded" ? [text] : [])).join(",");
  // What is quoted may hold separators: then all of it counts.
  if (value.includes('"')) return value;
  const parts = value.split(/[;,]/).map((part) => part.trim().toLowerCase());
  return parts.filter((part) => part.startsWith("host=") || part.startsWith("proto=")).join(";");
}

/**
 * Says to whom an answer belongs [R-DER-1, R-DER-2]: to its viewer, unless the application declares it for several by
 * `Cache-Control: public`, `s-maxage` or an option. What is private belongs to its viewer whatever an option says.
 *
 * @param answer - the fields of the answer
 */
export function sharingOf(request: SharingRequest, answer: readonly Field[]): Sharing {
  const { target, fields, viewerKey, isAnonymous, address = null, viewer, sharesAnonymous = false } = request;
  const word = wordOf(answer);
  if (word === "private" && isAnonymous) return { kind: "request", key: viewerKey };
  const name = viewer !== undefined ? [viewer] : sharesAnonymous && isAnonymous ? ["anonymous", true] : undefined;
  if (word === "private" || (word === "nothing" && name === undefined)) return { kind: "viewer", key: viewerKey };
  const vary = new Set(itemsOf(answer, "vary"));
  const sent = documentRequestFields(fields);
  const counted = fieldLines(sent, (field) => {
    return field === "accept" || authorityNames.has(field) || (vary.has(field) && !isOfTheHub.has(field));
  });
  // What an origin behind a proxy is told of the address is this hop's to say: it is not among the fields yet.
  const from = [...vary].some((field) => ofThePeer.test(field)) ? address : null;
  return { kind: "declared", key: JSON.stringify([target, name ?? null, counted, forwardedSite(sent), from]) };
}

/** The first name of a view that an answer may belong to. */
export function nameOf({ kind, key }: Sharing): string {
  return `${kind} ${key}`;
}

/** So many documents may stand at a time where all viewers are declared to be given the same one. */
const maxSiblings = 4;

/** The names of the views that an answer may belong to, in order: those who are given another document have another. */
export function namesOf(sharing: Sharing): string[] {
  const first = nameOf(sharing);
  const others = Array.from({ length: maxSiblings - 1 }, (_, at) => `${first} other ${at + 1}`);
  return sharing.kind === "declared" ? [first, ...others] : [first];
}
