import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Agent, fetch as undiciFetch } from "undici";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { createClient } from "../../src/client/index.ts";
import { server as certificate } from "../node/attach/certificates.ts";
import { missingCurl } from "./http-peers.ts";
import { type Artist, startPlace } from "./places.ts";

const ca = certificate.cert;

it.each(["serve", "attach", "proxy"] as const)(
  "The project's client reads, writes and follows at %s by https",
  async (kind) => {
    const place = await startPlace[kind](certificate);
    const dispatcher = new Agent({ allowH2: kind !== "attach", connect: { ca } });
    onTestFinished(() => dispatcher.destroy());
    class PageWebSocket extends WebSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url, protocols, { ca });
      }
    }
    const fetch = ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as never;
    const client = createClient(place.url, { fetch, WebSocket: PageWebSocket as never });
    onTestFinished(() => client.close());
    const artists = client.collection<Artist>("/artists");
    expect((await artists.ready()).rows.map(({ name }) => name)).toEqual(["Can", "Neu!", "Low"]);
    await artists.create({ name: "Faust" });
    await place.add("Cluster");
    await expect
      .poll(() => artists.getSnapshot().rows.map(({ name }) => name))
      .toEqual(["Can", "Neu!", "Low", "Faust", "Cluster"]);
    expect(client.status.state).toBe("live");
  },
);

it.skipIf(missingCurl !== "").each(["--http2", "--http1.1"])("curl %s reads and writes by https", async (version) => {
  const place = await startPlace.serve(certificate);
  const folder = mkdtempSync(join(tmpdir(), "rocket-curl-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "ca.pem"), ca);
  const curl = (...flags: string[]): Promise<string> => {
    const site = ["-sSi", "--noproxy", "*", "--max-time", "20", "--cacert", join(folder, "ca.pem"), version];
    const child = spawn("curl", [...site, ...flags, `${place.url}/artists`]);
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    return new Promise((resolve) => child.on("close", () => resolve(said)));
  };
  expect(await curl()).toMatch(version === "--http2" ? /^HTTP\/2 200/ : /^HTTP\/1\.1 200 OK/);
  const sent = ["-H", "Content-Type: application/json", "-d", JSON.stringify({ name: "é".repeat(50_000) })];
  expect(await curl(...sent)).toMatch(/^HTTP\/[12.]+ 201/);
  expect((await place.list()).at(-1)?.name).toHaveLength(50_000);
});

it("An offer of another protocol over TLS is answered as a plain request", async () => {
  const place = await startPlace.serve(certificate);
  const { port } = new URL(place.url);
  const socket = connect({ host: "127.0.0.1", port: Number(port), ca });
  onTestFinished(() => void socket.destroy());
  let said = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    said += text;
  });
  socket.write(
    "GET /artists HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
  );
  await expect.poll(() => said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});
