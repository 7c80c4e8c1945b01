import { createProblem, encodeRequest, type Field, fieldValue, problemResponse } from "../../protocol/index.ts";
import {
  documentBody,
  documentRequestFields,
  type Origin,
  type OriginRequest,
  type OriginResponse,
  refuseByHead,
  refuseInBandByHead,
  tooLarge,
  tooLargeInBand,
} from "../../server/index.ts";
import { decodeContent } from "../content-coding.ts";
import { isMounted } from "../mount/mounts.ts";
import type { SocketPeer } from "../peer.ts";
import type { PathFilter } from "./options.ts";
import { type RawAnswer, type Target, VirtualConnection } from "./virtual-connection.ts";

/** What the application is asked with. */
export interface AppOriginParts extends Target {
  /** The URLs that may be asked for. */
  readonly paths: PathFilter | undefined;
  readonly maxDocumentBytes: number;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** How long a connection is kept for a viewer's next request. A new one costs little more than a request. */
const idleMs = 5_000;

/** A request as it stands on the wire; `undefined` where it can't. */
function encode({ method, target, fields, body, isInBand }: OriginRequest): Buffer | undefined {
  const bytes = Buffer.from(body as string);
  const hasLength = bytes.length > 0 || /^P/.test(method);
  try {
    const all: readonly Field[] = isInBand ? fields : documentRequestFields(fields);
    const length: readonly Field[] = hasLength ? [["Content-Length", String(bytes.length)]] : [];
    return Buffer.from(encodeRequest({ method, target, fields: [...all, ...length], body: bytes }) as Uint8Array);
  } catch {
    return undefined;
  }
}

/** Asks the application by its own server: through the same routes and middleware as over the network. */
export class AppOrigin {
  readonly #parts: AppOriginParts;
  readonly #lanes: WeakMap<object, VirtualConnection> = new WeakMap();
  readonly #connections: Set<VirtualConnection> = new Set();

  constructor(parts: AppOriginParts) {
    this.#parts = parts;
  }

  /** One GET or HEAD, or a request in band. Never rejects. */
  readonly ask: Origin = async (request) => {
    const { server, paths, maxDocumentBytes: maxBytes } = this.#parts;
    const { isInBand = false } = request;
    const isElsewhere = isMounted(server, { url: request.target });
    if (isElsewhere || (paths && !paths.includes(request.target))) {
      // By 421, a client may send it over another connection.
      const [status, then] = isInBand ? [421, "Send the request over HTTP."] : [422, "GET it instead."];
      const where = isElsewhere
        ? "is followed over a connection below its own base path"
        : "is not among those that can be followed";
      return problemResponse(createProblem(status, `This URL ${where}. ${then}`));
    }
    const bytes = encode(request);
    if (!bytes) return problemResponse(createProblem(400, "This is no URL that can be asked for."));
    const connection = this.#connectionFor(request);
    try {
      return await connection.exchange({
        request: bytes,
        isHead: request.method === "HEAD",
        maxBytes,
        signal: request.signal,
        refuse: (fields) => (isInBand ? refuseInBandByHead(fields, maxBytes) : refuseByHead(fields, maxBytes)),
        tooLarge: () => (isInBand ? tooLargeInBand(maxBytes) : tooLarge(maxBytes)),
        read: (answer) => this.#read(answer),
      });
    } catch (error) {
      if (!request.signal?.aborted) this.#parts.reportError(error, "application");
      return problemResponse(createProblem(502, "The application gave no whole answer."));
    } finally {
      this.#release(connection, request.lane);
    }
  };

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  /** The lane's own connection where that is free; else another one, never somebody else's. */
  #connectionFor({ lane, peer, isInBand = false }: OriginRequest): VirtualConnection {
    const kept = lane && this.#lanes.get(lane);
    if (lane) this.#lanes.delete(lane);
    if (kept?.isFree) return kept;
    const connection = new VirtualConnection(this.#parts, peer as SocketPeer | undefined, !isInBand);
    this.#connections.add(connection);
    return connection;
  }

  #release(connection: VirtualConnection, lane: object | undefined): void {
    if (lane && connection.isOpen && !this.#lanes.has(lane) && this.#connections.has(connection)) {
      this.#lanes.set(lane, connection);
      connection.keepFor(idleMs, () => this.#connections.delete(connection));
    } else {
      connection.destroy();
      this.#connections.delete(connection);
    }
  }

  /** The answer as the hub takes it: without coding, and text as a string. */
  #read({ status, fields, bytes }: RawAnswer): OriginResponse | Promise<OriginResponse> {
    const coding = fieldValue(fields, "content-encoding") ?? "";
    if (coding !== "" && bytes.length > 0) return this.#decode({ status, fields, bytes: Buffer.from(bytes) }, coding);
    const body = documentBody(fields, bytes);
    return { status, fields, body: body === bytes ? Buffer.from(bytes) : body };
  }

  async #decode({ status, fields, bytes }: RawAnswer, coding: string): Promise<OriginResponse> {
    const { maxDocumentBytes } = this.#parts;
    let plain: Buffer | undefined;
    try {
      plain = await decodeContent(coding, bytes, maxDocumentBytes);
    } catch (error) {
      if (error instanceof RangeError) return tooLarge(maxDocumentBytes);
      throw error;
    }
    if (!plain) return problemResponse(createProblem(415, `The document came as ${coding}, which can't be read.`));
    const kept: readonly Field[] =
      plain === bytes ? fields : fields.filter(([name]) => !/^content-(encoding|length)$/i.test(name));
    return { status, fields: kept, body: documentBody(kept, plain) };
  }
}
