import { isIPv6 } from "node:net";

// Narrower than the grammar of URIs, which would let `$(…)` be a host; no name of a machine needs more.
const authorityPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]*)(?::[0-9]*)?$/i;
const loopbackPattern =
  /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/;

/**
 * The host in a `Host` field, or in a target's authority, in the one spelling that is compared: without port, in lower
 * case, without the dot of the root, an IPv6 address in its shortest form. Empty where the field is; `undefined` where
 * it names no host.
 */
export function hostNameIn(authority: string): string | undefined {
  const name = authorityPattern.exec(authority)?.[1]?.toLowerCase();
  if (name === undefined || /^\.|\.\./.test(name)) return undefined;
  if (!name.startsWith("[")) return name.replace(/\.$/, "");
  const url = `http://${name}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** True for a name or an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return loopbackPattern.test(hostNameIn(isIPv6(host) ? `[${host}]` : host) ?? "");
}

/** Which hosts a server answers for. */
export interface HostRules {
  /** In the spelling of {@link hostNameIn}. */
  readonly allowHosts: ReadonlySet<string>;
  /** Whether it listens on a loopback address. */
  readonly isLocal: boolean;
}

/** True where a server answers for that host: a loopback name or one of the list; elsewhere one of the list, if any [R-SEC-2]. */
export function answersFor(host: string, { allowHosts, isLocal }: HostRules): boolean {
  const name = hostNameIn(host);
  if (name === undefined) return false;
  if (allowHosts.has(name)) return true;
  return isLocal ? isLoopback(name) : allowHosts.size === 0;
}

/** A peer's `Origin` as {@link inCommand}; `undefined` for `null`, too, and for what else no option takes. */
export function originInCommand(text: string): string | undefined {
  return /^https?:/i.test(text) && URL.canParse(text) ? inCommand(text) : undefined;
}

/** A peer's host or web origin as it may stand in a command that somebody copies; `undefined` where it may not. */
export function inCommand(text: string): string | undefined {
  if (/^(?:https?:\/\/)?[a-z0-9][a-z0-9._-]{0,252}(?::[0-9]{1,5})?$/i.test(text)) return text;
  // A shell would take the brackets for a pattern.
  return /^(?:https?:\/\/)?\[[0-9a-f:.]{2,45}\](?::[0-9]{1,5})?$/i.test(text) ? `'${text}'` : undefined;
}
