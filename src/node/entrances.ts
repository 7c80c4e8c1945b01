import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createProblem, problemResponse } from "../protocol/index.ts";
import { Pipelines } from "./pipelines.ts";
import { sendAnswer } from "./send-answer.ts";

/** What takes what comes into a server. */
export interface Entrances {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** Whether requests that wait for 100 Continue are taken as they are. Else they are told to go on first. */
  readonly takesExpectations?: boolean;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** The answer to a request whose handling failed, where there can still be one. */
function answerFailure(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.shouldKeepAlive = false;
  sendAnswer(response, problemResponse(createProblem(500, "The request could not be answered.")));
}

/**
 * Opens a server to requests, one of each connection at a time, and to upgrades. Whatever an entrance throws is caught here
 * and ends that one [R-SEC-4].
 */
export function openEntrances(server: Server, entrances: Entrances): void {
  const { onRequest, onUpgrade, takesExpectations = false, reportError } = entrances;
  const pipelines = new Pipelines();
  // Else Node drops fields beyond a thousand without a word, in trailers, too; heads are bounded by their bytes.
  server.maxHeadersCount = 0;
  const begin = (incoming: IncomingMessage, response: ServerResponse): void => {
    try {
      onRequest(incoming, response);
    } catch (error) {
      reportError(error, "http");
      try {
        answerFailure(response);
      } catch {
        response.destroy();
      }
    }
  };
  const request = (incoming: IncomingMessage, response: ServerResponse): void => {
    pipelines.enter(incoming, response, () => begin(incoming, response));
  };
  server.on("request", request);
  if (takesExpectations) server.on("checkContinue", request);
  server.on("upgrade", (incoming, socket, head) => {
    try {
      onUpgrade(incoming, socket as Socket, head);
    } catch (error) {
      reportError(error, "upgrade");
      socket.destroy();
    }
  });
}
