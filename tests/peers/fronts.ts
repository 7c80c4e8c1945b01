import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "../proxy/process.ts";
import type { FrontKind, FrontOptions, FrontPlan } from "./front-kinds.ts";

/** The site's name, which resolves only where a client is told. */
export const siteName = "app.example.com";

/** A front that runs. */
export interface Front {
  readonly port: number;
  /** `https://app.example.com:…` */
  readonly origin: string;
  /** Who signed its certificate: itself. */
  readonly ca: string;
  /** The file of that. */
  readonly caFile: string;
}

/** A new key and a certificate that it signed itself, in one file. Gives the path. */
function makeCertificate(folder: string): string {
  const path = join(folder, "app.pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", `/CN=${siteName}`, "-addext", `subjectAltName=DNS:${siteName}`];
  const made = spawnSync("openssl", [
    "req",
    "-x509",
    "-days",
    "2",
    ...key,
    ...subject,
    "-keyout",
    path,
    "-out",
    `${path}.crt`,
  ]);
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.error ?? made.stderr}`);
  writeFileSync(path, readFileSync(`${path}.crt`, "utf8") + readFileSync(path, "utf8"));
  return path;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** Waits until it listens. @returns false where it has ended before, as where somebody took its port */
async function isUp(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await isListening(port)) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

/** Runs it until the test ends. */
function run({ program, arguments: argumentsOf }: FrontKind, configuration: string, folder: string): ChildProcess {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(program, argumentsOf(configuration), { env, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  });
  return child;
}

async function tryToStart(kind: FrontKind, plan: FrontPlan): Promise<string | undefined> {
  const configuration = join(plan.folder, "front.conf");
  writeFileSync(configuration, kind.configure(plan));
  const child = run(kind, configuration, plan.folder);
  let said = "";
  child.stderr?.on("data", (text: Buffer) => {
    said += text;
  });
  return (await isUp(child, plan.port)) ? undefined : said;
}

/**
 * Starts a front, which goes with the test, before what listens at `backend`.
 *
 * @throws Error where it does not start
 */
export async function startFront(kind: FrontKind, backend: number, options: FrontOptions = {}): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), "rocket-front-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const certificate = makeCertificate(folder);
  let trouble: string | undefined = "";
  // None of them can pick a free port by itself, and somebody may take the one that is found.
  for (let tries = 0; tries < 3; tries += 1) {
    const port = await freePort();
    trouble = await tryToStart(kind, { ...options, folder, port, backend, certificate });
    if (trouble !== undefined) continue;
    const caFile = `${certificate}.crt`;
    return { port, origin: `https://${siteName}:${port}`, ca: readFileSync(caFile, "utf8"), caFile };
  }
  throw new Error(`${kind.name} does not start: ${trouble}`);
}
