import type { Field } from "../../protocol/index.ts";

/** A request, or what is asked on the behalf of somebody who follows something: over HTTP and over WebSockets alike. */
export interface AuthorizeRequest {
  /** `GET` and `HEAD` where something is followed. */
  readonly method: string;
  /** Path and query: `/api/notes?limit=5`. */
  readonly url: string;
  /** Those of the request; over a WebSocket those of its handshake, with the credentials of each request in band. */
  readonly headers: Headers;
}

/** What an application says of a request. */
type Authorized<Viewer> = Viewer | Response | null;

/**
 * Says who asks. Called for each request, each subscription, again for each that goes on (once per `refreshMs`), and where a client
 * renews its credentials; so it should be quick.
 *
 * @returns the viewer: an object whose members are its claims, `sub` being who it is. Kept as JSON. Empty: somebody without claims.
 * Null: nobody, which is answered with 401. A `Response` of a status from 400 on: the refusal, as `new Response("Your account is
 * locked.", { status: 403 })`; its text is the problem's detail
 */
export type Authorize<Viewer> = (request: AuthorizeRequest) => Authorized<Viewer> | Promise<Authorized<Viewer>>;

/** A request as an application is shown it. */
export class ShownRequest implements AuthorizeRequest {
  readonly method: string;
  readonly url: string;
  readonly #fields: readonly Field[];
  #headers: Headers | undefined;

  constructor({ method, target, fields }: { method: string; target: string; fields: readonly Field[] }) {
    this.method = method;
    this.url = target;
    this.#fields = fields;
  }

  /** Made once they are looked at. */
  get headers(): Headers {
    this.#headers ??= new Headers(this.#fields.map(([name, value]): [string, string] => [name, value]));
    return this.#headers;
  }
}
