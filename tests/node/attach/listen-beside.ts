import type { Server } from "node:net";

/** The first of these addresses that this machine has, with the same port as the first server. */
export async function listenBeside(server: Server, port: number): Promise<string> {
  for (const host of ["127.0.0.2", "::1"]) {
    const isListening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, host, () => resolve(true));
    });
    if (isListening) return host === "::1" ? "[::1]" : host;
  }
  throw new Error("This machine has no second loopback address.");
}
