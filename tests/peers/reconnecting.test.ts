import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { decodeResponse, encodeRequest, fieldValue, wellKnownPath } from "../../src/protocol/index.ts";
import { ReconnectingWebSocket } from "./node-peers.ts";
import { serveInProcess } from "./places.ts";

it("reconnecting-websocket goes on by itself over a cut and a killed server, where each opening subscribes from the last position [R-RES-5]", async () => {
  const place = await serveInProcess();
  const socket = new ReconnectingWebSocket(place.socketUrl(wellKnownPath), ["rocket.v1"], {
    WebSocket,
    minReconnectionDelay: 20,
    maxReconnectionDelay: 100,
  });
  onTestFinished(() => socket.close());
  const told: string[] = [];
  let position: string | undefined;
  let openings = 0;
  let look = (): void => {};
  socket.addEventListener("open", () => {
    openings += 1;
    const resume = position === undefined ? [] : [["Last-Event-ID", position] as const];
    socket.send(
      String(encodeRequest({ method: "SUBSCRIBE", target: "/artists", fields: [["Request-ID", "1"], ...resume] })),
    );
  });
  socket.addEventListener("message", ({ data }) => {
    const { status, fields } = decodeResponse(String(data));
    // The document of the well-known URL has no position.
    position = fieldValue(fields, "event-id") ?? position;
    const url = fieldValue(fields, "content-location");
    if (url !== undefined) told.push(`${status} ${url}`);
    if (status === 200 && fieldValue(fields, "subscription") !== undefined) told.push("200");
    look();
  });
  const until = (last: string) =>
    new Promise<void>((resolve) => {
      look = () => told.at(-1) === last && resolve();
      look();
    });

  await until("200");
  await until(`201 ${await place.add("Faust")}`);
  place.line.cut();
  await until(`201 ${await place.add("Cluster")}`);
  await place.restart();
  await until(`201 ${await place.add("Harmonia")}`);
  expect(told).toEqual(["200", "201 /artists/4", "201 /artists/5", "201 /artists/6"]);
  expect(openings).toBe(3);
});
