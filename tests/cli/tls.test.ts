import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { alice, server as certificate } from "../node/attach/certificates.ts";
import { Http2Client } from "../node/http2-client.ts";
import { type Command, rocket } from "./command.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rocket-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  write(certificate);
});

const file = (name: string) => join(folder, name);

function write({ cert, key }: typeof certificate): void {
  writeFileSync(file("app.pem"), cert);
  writeFileSync(file("app.key"), key);
}

const flags = () => ["--port", "0", "--tls-cert", file("app.pem"), "--tls-key", file("app.key")];
const commands = [
  { name: "serve", start: (...more: string[]) => rocket("serve", file("music.db"), "--create", ...more) },
  { name: "proxy", start: (...more: string[]) => rocket("proxy", "http://127.0.0.1:1", ...more) },
];

async function portOf(command: Command): Promise<number> {
  const url = /https:\/\/127\.0\.0\.1:(\d+)/;
  await command.until(({ stdout }) => url.test(stdout));
  return Number(url.exec(command.stdout)?.[1]);
}

async function nameOf(port: number): Promise<unknown> {
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

describe.each(commands)("rocket $name with a certificate", ({ start }) => {
  it("speaks https and HTTP/2, and takes the certificate anew at SIGHUP", async () => {
    const command = start(...flags());
    const port = await portOf(command);
    const client = await Http2Client.open(port);
    expect((await client.ask({ ":path": "/.well-known/rocket" })).status).toBe(200);
    client.session.destroy();
    expect(await nameOf(port)).toBe("server");
    write(alice);
    command.process.kill("SIGHUP");
    await command.until(({ stderr }) => stderr.includes("The certificate was read again."));
    expect(await nameOf(port)).toBe("alice");
    writeFileSync(file("app.key"), "nonsense");
    command.process.kill("SIGHUP");
    await command.until(({ stderr }) => stderr.includes("The certificate before stays in use."));
    expect(command.stderr).toContain("rocket: --tls-key has no private key in PEM.");
    expect(await nameOf(port)).toBe("alice");
    command.process.kill("SIGTERM");
    expect((await command.result).code).toBe(0);
  });

  it.each([
    [
      "no such file",
      () => rmSync(file("app.pem")),
      [],
      1,
      /--tls-cert: ".*app\.pem" can't be read: there is no such file\.\n/,
    ],
    ["no certificate", () => writeFileSync(file("app.pem"), "x"), [], 1, /--tls-cert has no certificate in PEM\.\n/],
    [
      "another's key",
      () => writeFileSync(file("app.key"), alice.key),
      [],
      1,
      /--tls-key is not the key of .* --tls-cert\.\n/,
    ],
  ])("ends with one sentence and status 1 where there is %s", async (_what, spoil, _more, code, said) => {
    spoil();
    const result = await start(...flags()).result;
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(said);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    // Nothing was begun, so there is nothing to take back.
    expect(existsSync(file("music.db"))).toBe(false);
  });

  it("needs the certificate and its key", async () => {
    const [, , ...cert] = flags().slice(0, 4);
    expect(await start(...cert).result).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--tls-cert needs --tls-key/),
    });
    const key = flags().slice(4);
    expect(await start(...key).result).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--tls-key needs --tls-cert/),
    });
  });
});
