import { connect } from "node:net";
import { atEnd } from "./cleanup.ts";

/** Sends bytes over TCP; resolves with everything that comes until the server closes, or until it fits. */
export function exchange(port: number, sent: string, fits?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(sent));
    atEnd(() => socket.destroy());
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (fits?.test(text)) resolve(text);
    });
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

/** A request as it stands on the wire; the last of its connection. */
export function requestText(start: string, fields: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[`${start} HTTP/1.1`, "Host: localhost", ...fields, ...length, "Connection: close"].join("\r\n")}\r\n\r\n${body}`;
}
