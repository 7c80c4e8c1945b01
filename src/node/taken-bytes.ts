import type { Socket } from "node:net";

interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

/**
 * A number that changes whenever the system takes something of what was written to a socket. Node tells of whole writes
 * only, which may be megabytes; its own timeouts look at what is left of the one at hand just so.
 */
export function takenBytes(socket: Socket): number {
  const left = (socket as WithHandle)._handle?.writeQueueSize ?? 0;
  return socket.bytesWritten - socket.writableLength - left;
}
