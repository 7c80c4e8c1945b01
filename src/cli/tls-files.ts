import { readFileSync } from "node:fs";
import { checkCertificate, type RocketServer, type TlsCertificate } from "../node/index.ts";
import { CommandFailure, explain } from "./failure.ts";
import { systemErrorCode } from "./system-error.ts";

/** The files of a certificate and its key, as a command was told. */
export interface TlsOptions {
  /** The path of the certificate, in PEM; with `tlsKey`. Default: plain HTTP. */
  readonly tlsCert?: string;
  /** The path of its key. */
  readonly tlsKey?: string;
}

const reasons: Readonly<Record<string, string>> = { ENOENT: "there is no such file", EISDIR: "it is a folder" };

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = reasons[systemErrorCode(cause) ?? ""] ?? explain(cause);
    throw new CommandFailure(`${flag}: ${JSON.stringify(path)} can't be read: ${reason}.`, 1, { cause });
  }
}

/**
 * Reads the certificate and its key; `undefined` where none was asked for.
 *
 * @throws CommandFailure where only one of them was named, a file can't be read, or they can't be used
 */
export function readTlsFiles({ tlsCert, tlsKey }: TlsOptions): TlsCertificate | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined) throw new CommandFailure("--tls-key needs --tls-cert: the certificate of that key.", 2);
  if (tlsKey === undefined) throw new CommandFailure("--tls-cert needs --tls-key: the key of that certificate.", 2);
  const tls: TlsCertificate = { cert: read("--tls-cert", tlsCert), key: read("--tls-key", tlsKey) };
  try {
    checkCertificate(tls);
  } catch (cause) {
    throw new CommandFailure(explain(cause).replace(/\btls\.(cert|key)\b/g, "--tls-$1"), 1, { cause });
  }
  return tls;
}

/**
 * Has a server take its certificate anew at each SIGHUP. One that can't be used is told, and the one before stays.
 *
 * @returns a function that ends it
 */
export function onCertificateSignal(
  server: RocketServer,
  options: TlsOptions,
  note: (line: string) => void,
): () => void {
  const renew = (): void => {
    try {
      const tls = readTlsFiles(options);
      if (tls) server.renewCertificate(tls);
      note("The certificate was read again.");
    } catch (error) {
      note(`rocket: ${explain(error)} The certificate before stays in use.`);
    }
  };
  if (options.tlsCert !== undefined) process.on("SIGHUP", renew);
  return () => void process.off("SIGHUP", renew);
}
