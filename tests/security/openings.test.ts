import { test } from "vitest";
import { dial, dropAll, handshake, inBand, pour } from "./attacks.ts";
import { Child, startTarget, withstand } from "./harness.ts";

const mib = 1024 * 1024;
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test("8 connections of SUBSCRIBEs with bodies of a megabyte that wait for their turn keep no body [R-SEC-5] [R-BAND-8]", async () => {
  const { port } = await new Child("silent-upstream.js", []).started<{ port: number }>();
  const target = await startTarget("proxy", { upstream: `http://127.0.0.1:${port}` }, "/small");
  await withstand(
    target,
    async () => {
      const body = "x".repeat(mib - 1_000);
      const sockets = await Promise.all(numbers(8).map(() => dial(target)));
      // A server that refuses them may close: then nobody takes the rest.
      const send = (socket: (typeof sockets)[number]) =>
        pour(socket, [
          handshake(target, "/.well-known/rocket"),
          ...numbers(60).map((id) => inBand("SUBSCRIBE", `/slow/${id}`, id, body)),
        ]);
      await Promise.all(sockets.map(send));
      return dropAll(sockets);
    },
    { peakMib: 160 },
  );
});

test("64 openings of large documents on a connection that does not read leave at most one of them unsent [R-SEC-5] [R-SUB-12]", async () => {
  const target = await startTarget("attach", {}, "/rows/1");
  await withstand(
    target,
    async () => {
      const socket = await dial(target);
      const requests = numbers(64).map((id) => inBand("SUBSCRIBE", `/rows/3000?n=${id}`, id));
      await pour(socket, [handshake(target, "/.well-known/rocket"), ...requests]);
      // They are taken up in turns: those of others go on meanwhile.
      for (let round = 0; round < 64; round += 1) await (await fetch(`${target.url}${target.small}`)).text();
      return dropAll([socket]);
    },
    { peakMib: 160 },
  );
});
