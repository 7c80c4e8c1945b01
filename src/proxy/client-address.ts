import type { AddressedRequest, ClientAddress } from "../node/index.ts";

/** The last element of a list; whoever is nearest has added it. */
function lastOf(value: string | string[] | undefined): string | undefined {
  return String(value ?? "")
    .split(",")
    .at(-1)
    ?.trim();
}

/** An address without quotes, brackets and port. */
function bare(text: string | undefined): string | undefined {
  const plain = text?.replace(/^"|"$/g, "") ?? "";
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(plain)?.[1];
  const address = bracketed ?? plain.replace(/^([\d.]+):\d+$/, "$1");
  return address === "" ? undefined : address;
}

/** Where a client is: what the front in front says, where that is believed; else what the transport says. */
export function clientAddress({ headers, socket }: AddressedRequest, trustForwarded: boolean): ClientAddress {
  const { remoteAddress: address } = socket;
  if (!trustForwarded) return { address, isTold: false };
  const [, named] = /(?:^|;)[ \t]*for=([^;]*)/i.exec(lastOf(headers.forwarded) ?? "") ?? [];
  const told = bare(lastOf(headers["x-forwarded-for"])) ?? bare(named?.trim());
  return told === undefined ? { address, isTold: false } : { address: told, isTold: true };
}
