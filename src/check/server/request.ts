import { demand } from "../fault.ts";
import type { Transcript } from "../transcript.ts";
import { type Field, formatHead, type HttpAnswer, readAnswer } from "../wire/http.ts";
import { Wire } from "../wire/wire.ts";
import type { Site } from "./site.ts";

/** A plain request. */
export interface RequestOptions {
  /** Default GET. */
  readonly method?: string;
  readonly target: string;
  readonly fields?: readonly Field[];
  readonly body?: string;
  /** Whether the site's own fields (credentials) are sent. Default true. */
  readonly asViewer?: boolean;
}

/** Sends bytes on a connection of their own and reads the answer; `undefined` where none comes. */
export async function exchange(
  site: Site,
  transcript: Transcript,
  sent: string,
  method = "GET",
): Promise<HttpAnswer | undefined> {
  const wire = await Wire.open(site.address, site.patienceMs);
  try {
    transcript.sent(sent);
    wire.write(Buffer.from(sent, "latin1"));
    const answer = await readAnswer(wire, method, site.patienceMs);
    transcript.came(answer ? answer.head + answer.body.toString("utf8") : "(nothing)");
    return answer;
  } finally {
    wire.destroy();
  }
}

/** Makes a request over HTTP. @throws Fault where no answer comes */
export async function request(site: Site, transcript: Transcript, options: RequestOptions): Promise<HttpAnswer> {
  const { method = "GET", target, fields = [], body, asViewer = true } = options;
  const bytes = Buffer.from(body ?? "", "utf8");
  const all: Field[] = [
    ["Host", site.host],
    ...(asViewer ? site.fields : []),
    ...fields,
    ...(body === undefined ? [] : [["Content-Length", String(bytes.length)] as const]),
    ["Connection", "close"],
  ];
  const sent = formatHead(`${method} ${target} HTTP/1.1`, all) + bytes.toString("latin1");
  const answer = await exchange(site, transcript, sent, method);
  demand(answer !== undefined, `An answer to ${method} ${target}.`, "None came.");
  return answer;
}
