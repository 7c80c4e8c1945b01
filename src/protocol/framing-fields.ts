/** What a field is to the framing of a message. */
export type FramingRole = "banned" | "content-length" | "host";

const framing = /^(?:te|trailer|upgrade|connection|transfer-encoding|(host|content-length))$/i;

/** The role of a field by its name; `undefined` for one that is only carried. */
export function framingRole(name: string): FramingRole | undefined {
  const match = framing.exec(name);
  return match ? ((match[1]?.toLowerCase() ?? "banned") as FramingRole) : undefined;
}

/** Whether a field must not be in a message at all: it speaks about one hop, and a frame has none [R-MSG-11]. */
export function isBannedField(name: string): boolean {
  return framingRole(name) === "banned";
}
