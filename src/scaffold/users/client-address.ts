import { BlockList, isIP } from "node:net";
import type { OriginRequest } from "../../server/index.ts";

/** Addresses of the same machine or house: what comes from there may be a front, and stand for all its clients. */
const inner = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const) {
  inner.addSubnet(network, bits, "ipv4");
}
inner.addAddress("::1", "ipv6");
inner.addSubnet("fc00::", 7, "ipv6");
inner.addSubnet("fe80::", 10, "ipv6");

/** An address as sockets tell it, without a zone, and an IPv4 one as such. */
function plainAddress(address: string): string {
  const [bare = ""] = address.toLowerCase().split("%", 1);
  return bare.replace(/^::ffff:(?=\d+\.)/, "");
}

/** The first half of an IPv6 address: whoever has one has all of that. */
function networkOf(address: string): string | undefined {
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups(head).length - groups(tail).length);
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail ?? "")];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/**
 * The network that a request comes from, for counting: of a front in the same house, whom that names last in
 * `X-Forwarded-For`. `undefined` where it may stand for many.
 */
export function clientNetwork({ peer, fields }: Pick<OriginRequest, "peer" | "fields">): string | undefined {
  const { remoteAddress } = (peer ?? {}) as { readonly remoteAddress?: unknown };
  const address = plainAddress(typeof remoteAddress === "string" ? remoteAddress : "");
  const version = isIP(address);
  if (version === 0) return undefined;
  if (!inner.check(address, version === 4 ? "ipv4" : "ipv6")) return networkOf(address);
  // Of several fields, the last one is the front's own.
  const [, forwarded = ""] = fields.findLast(([name]) => name.toLowerCase() === "x-forwarded-for") ?? [];
  const told = forwarded.split(",").at(-1)?.trim() ?? "";
  return networkOf(plainAddress(told));
}
