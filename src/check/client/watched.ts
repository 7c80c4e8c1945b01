import type { Checked } from "../case.ts";

/** What a client must have done, so that something of the kind was seen. */
export type Deed = "opened a WebSocket" | "sent a request in band" | "resumed";

/** What must have been seen before it can be said that a requirement is kept. */
export function deedOf(requirement: string): Deed {
  if (requirement === "R-RES-5") return "resumed";
  return /^R-(?:MSG|BAND)-/.test(requirement) ? "sent a request in band" : "opened a WebSocket";
}

/** What is looked at in every handshake, frame and request of a client. */
export const watchedOfClients: readonly Checked[] = [
  { requirement: "RFC6455-4.1", title: "makes handshakes with a key of 16 bytes and the version 13" },
  { requirement: "RFC6455-5.1", title: "masks its frames" },
  { requirement: "RFC6455-5.2", title: "sends no reserved bit and no reserved opcode" },
  { requirement: "RFC6455-5.4", title: "sends whole messages one after another" },
  { requirement: "RFC6455-5.5", title: "sends control frames that are short and whole" },
  { requirement: "RFC6455-5.5.1", title: "sends nothing behind its close frame" },
  { requirement: "RFC6455-7.4", title: "sends close codes that may be sent" },
  { requirement: "RFC6455-8.1", title: "sends texts that are UTF-8" },
  { requirement: "R-MSG-1", title: "sends requests that have a head and an empty line" },
  { requirement: "R-MSG-4", title: "ends the lines of its requests with CRLF" },
  { requirement: "R-MSG-5", title: "sends request lines with a target in origin form" },
  { requirement: "R-MSG-7", title: "sends names that are tokens" },
  { requirement: "R-MSG-9", title: "sends values of allowed characters" },
  { requirement: "R-MSG-10", title: "sends a right Content-Length, or none" },
  { requirement: "R-MSG-11", title: "sends no field that is about one hop" },
  { requirement: "R-RES-5", title: "resumes only at positions that this URL gave out" },
  { requirement: "R-BAND-2", title: "has a Request-ID on each request in band" },
  { requirement: "R-BAND-13", title: "sends SUBSCRIBE and UNSUBSCRIBE without a body" },
  { requirement: "R-CLOSE-3", title: "closes with reasons of at most 123 bytes of UTF-8" },
];
