import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { FrameReader, opcodes } from "./frames.ts";
import { missingCurl } from "./http-peers.ts";
import { type Ability, allBut, type Ears, type Ending, type PeerKind, unable } from "./peer.ts";

const script = fileURLToPath(new URL("peer.py", import.meta.url));

/** The first Python that has a module: the one that comes first in PATH need not be the system's. */
export function pythonWith(module: string): string | undefined {
  return ["python3", "/usr/bin/python3"].find((file) => spawnSync(file, ["-c", `import ${module}`]).status === 0);
}

interface PythonEvent {
  readonly opened?: string;
  readonly text?: string;
  readonly binary?: string;
  readonly ponged?: string;
  readonly ended?: Ending;
}

function hear(event: PythonEvent, ears: Ears): void {
  if (event.opened !== undefined) ears.opened(event.opened);
  if (event.text !== undefined) ears.received(event.text);
  if (event.binary !== undefined) ears.received(new Uint8Array(Buffer.from(event.binary, "base64")));
  if (event.ponged !== undefined) ears.ponged(event.ponged);
  if (event.ended !== undefined) ears.ended(event.ended);
}

function pythonPeer(library: string, module: string, ...lacking: readonly Ability[]): PeerKind {
  const python = pythonWith(module);
  return {
    name: `Python's ${library}`,
    abilities: allBut(...lacking),
    missing: python === undefined ? `no Python here has the module ${module}` : "",
    open(opening, ears) {
      const child = spawn(python ?? "python3", [script, library]);
      const order = (value: object): void => void child.stdin.write(`${JSON.stringify(value)}\n`);
      listen(child, (line) => hear(JSON.parse(line) as PythonEvent, ears));
      child.on("close", () => ears.ended({}));
      order(opening);
      return {
        send: (data) =>
          order(typeof data === "string" ? { text: data } : { binary: Buffer.from(data).toString("base64") }),
        ping: (data) => order({ ping: data }),
        close: (code, reason) => order({ close: code, reason }),
        drop: () => child.kill("SIGKILL"),
      };
    },
  };
}

function listen(child: ChildProcessWithoutNullStreams, take: (line: string) => void): void {
  createInterface({ input: child.stdout }).on("line", take);
  child.stderr.on("data", (text: Buffer) => process.stderr.write(text));
  child.stdin.on("error", () => {});
}

/** What curl prints of a handshake that it was told the fields of: frames, and the answer's head with its own remarks. */
class UpgradedOutput {
  readonly #ears: Ears;
  readonly #frames: FrameReader = new FrameReader();
  #early: Buffer = Buffer.alloc(0);
  #remarks = "";
  #ending: Ending = { code: 1006, reason: "" };
  #isOpen = false;

  constructor(ears: Ears) {
    this.#ears = ears;
  }

  /** Takes what stands on stderr with `-v`: the head comes to stdout together with a body only. */
  remark(text: string): void {
    if (this.#isOpen) return;
    this.#remarks += text;
    if (!/^< \r$/m.test(this.#remarks)) return;
    const status = Number(/^< HTTP\/1\.1 (\d{3})/m.exec(this.#remarks)?.[1]);
    if (status !== 101) {
      this.#ending = { status };
      return;
    }
    this.#isOpen = true;
    this.#ears.opened(/^< sec-websocket-protocol: *([^\r]*)/im.exec(this.#remarks)?.[1] ?? "");
    this.take(Buffer.alloc(0));
  }

  take(bytes: Buffer): void {
    this.#early = Buffer.concat([this.#early, bytes]);
    if (!this.#isOpen) return;
    const frames = this.#frames.take(this.#early);
    this.#early = Buffer.alloc(0);
    for (const { opcode, payload } of frames) {
      if (opcode === opcodes.text) this.#ears.received(payload.toString());
      if (opcode === opcodes.binary) this.#ears.received(new Uint8Array(payload));
      if (opcode === opcodes.close)
        this.#ending = { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
    }
  }

  ended(): void {
    this.#ears.ended(this.#ending);
  }
}

/** `curl -N` with the fields of a handshake: it only listens, and does not even answer a close. */
const curl: PeerKind = {
  name: "curl",
  abilities: new Set(["level-0", "level-1", "fields", "status"]),
  missing: missingCurl,
  open({ url, protocols, fields }, ears) {
    const handshake = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...(protocols.length > 0 && { "Sec-WebSocket-Protocol": protocols.join(", ") }),
      ...fields,
    };
    const flags = Object.entries(handshake).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const child = spawn("curl", ["-sNv", "--http1.1", ...flags, url.replace(/^ws/, "http")]);
    const output = new UpgradedOutput(ears);
    child.stderr.setEncoding("latin1").on("data", (text: string) => output.remark(text));
    child.stdout.on("data", (bytes: Buffer) => output.take(bytes));
    child.on("close", () => output.ended());
    return {
      send: unable("send"),
      ping: unable("ping"),
      close: unable("close"),
      drop: () => child.kill("SIGKILL"),
    };
  },
};

/** The clients that are programs of their own. */
export const pipedPeers: readonly PeerKind[] = [
  pythonPeer("websockets", "websockets"),
  pythonPeer("websocket-client", "websocket", "deflate"),
  curl,
];
