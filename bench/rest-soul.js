import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { RestServer } from "./rest-server.js";

/** Where soul-cli is: it is not among the packages here, since it brings native ones of its own that have to be compiled. */
const soulFolder = process.env.BENCH_SOUL;

/** Why soul-cli can't be measured; `undefined` where it can. */
export function whyNoSoul() {
  if (!soulFolder) return "BENCH_SOUL names no folder with it (npm i --prefix FOLDER soul-cli)";
  return existsSync(programIn(soulFolder)) ? undefined : `${soulFolder} has no node_modules/soul-cli`;
}

function programIn(folder) {
  return join(folder, "node_modules", "soul-cli", "src", "server.js");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function isOpen(port) {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** How long a tick of the system's clock for CPU times is. */
const microsPerTick = 10_000;

/** soul-cli's own program over a SQLite file. */
export class SoulServer extends RestServer {
  #process;
  #path;

  constructor(path) {
    super("soul-cli", path);
    this.#path = path;
  }

  async start() {
    this.port = await freePort();
    const program = programIn(soulFolder);
    this.#process = spawn(process.execPath, [program, "-d", this.#path, "-p", String(this.port)], { stdio: "ignore" });
    while (!(await isOpen(this.port))) {
      if (this.#process.exitCode !== null) throw new Error(`soul-cli ended with ${this.#process.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this;
  }

  async cpuMicros() {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(stat[11]) + Number(stat[12])) * microsPerTick;
  }

  stop() {
    this.#process.kill();
    return once(this.#process, "exit");
  }
}
