import type { AddressInfo, Server } from "node:net";
import { type Attachment, type AttachOptions, attach } from "../../../src/node/index.ts";
import { atEnd } from "./cleanup.ts";
import { Follower, type FollowOptions } from "./follower.ts";
import { Notes } from "./notes.ts";

/** The sample application in one framework, on a free port. */
export interface Framework {
  readonly name: string;
  start(notes: Notes): Promise<Server>;
}

/** An attached application and its clients. */
export class Site {
  readonly notes: Notes;
  readonly server: Server;
  readonly attachment: Attachment;
  readonly errors: string[];

  constructor(notes: Notes, server: Server, attachment: Attachment, errors: string[]) {
    this.notes = notes;
    this.server = server;
    this.attachment = attachment;
    this.errors = errors;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  follow(path: string, options: FollowOptions = {}): Follower {
    return new Follower(`ws://127.0.0.1:${this.port}${path}`, options);
  }

  /** One request with a JSON body. */
  send(method: string, path: string, value?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method,
      redirect: "manual",
      headers: { ...(value === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    });
  }

  /** Begins a session; gives its cookie. */
  async logIn(user: string): Promise<string> {
    const response = await this.send("POST", "/login", { user });
    return response.headers.get("set-cookie")?.split(";")[0] ?? "";
  }
}

/** Attaches to a server, and ends both after the test. */
export function attachTo(server: Server, notes: Notes, options: AttachOptions = {}): Site {
  const errors: string[] = [];
  const onError: AttachOptions["onError"] = (error, { stage }) => {
    errors.push(`${stage}: ${error instanceof Error ? error.message : String(error)}`);
  };
  const attachment = attach(server, { coalesceMs: 5, onError, ...options });
  atEnd(() => attachment.close());
  return new Site(notes, server, attachment, errors);
}

/** Ends a server and its connections after the test. */
export function endAfterTest(server: Server): void {
  atEnd(() => {
    if ("closeAllConnections" in server) (server as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  });
}

export async function startSite(framework: Framework, options: AttachOptions = {}): Promise<Site> {
  const notes = new Notes();
  const server = await framework.start(notes);
  endAfterTest(server);
  return attachTo(server, notes, options);
}
