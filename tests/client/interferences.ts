import type { Field } from "../../src/protocol/index.ts";
import { createProblem, encodeRequest, encodeResponse, problemResponse } from "../../src/protocol/index.ts";
import type { StoredRow } from "../../src/testing/index.ts";
import type { FakeStream } from "./fake-stream.ts";
import { hasEnded, Looked, midstSize } from "./followed.ts";
import type { FakeSocket } from "./network.ts";
import type { World } from "./world.ts";

export const isLevel1 = ({ kind }: World): boolean => kind === "level-1";
export const hasStreams = ({ service }: World): boolean => service.options.hasStreams;
const colors = ["red", "blue"];

/** Something that a browser tells pages. */
export function platformEvent(type: string): void {
  (globalThis as unknown as EventTarget).dispatchEvent(new Event(type));
}

/** The members of some record. */
export function columns({ random }: World): Record<string, string | number> {
  return { color: random.pick(colors), size: random.below(3) };
}

/** A record that there is. */
export function someId({ service, random }: World, name = "a"): number | undefined {
  const rows = service.rows(name);
  return rows.length === 0 ? undefined : random.pick(rows).id;
}

function looked({ followed }: World): Looked[] {
  return followed.filter((one): one is Looked => one instanceof Looked && !/\d/.test(one.target));
}

/** A socket that is open. */
export function someSocket({ sockets, random }: World): FakeSocket | undefined {
  const open = [...sockets].filter(({ readyState, isDead }) => readyState === 1 && !isDead);
  return open.length === 0 ? undefined : random.pick(open);
}

/** A stream that is open. */
export function someStream({ streams, random }: World): FakeStream | undefined {
  const open = [...streams].filter(({ isDead }) => !isDead);
  return open.length === 0 ? undefined : random.pick(open);
}

/** Ends a connection as a server does: with a problem where there is one to tell. */
export function ended(code: number, status?: number, ...fields: Field[]): (world: World) => void {
  return (world) => {
    const socket = someSocket(world);
    if (!socket) return;
    if (status !== undefined && socket.level === 1) {
      const { body, fields: own } = problemResponse(createProblem(status, "So it is."));
      socket.deliver(encodeResponse({ status, reason: "", fields: [...own, ...fields], body: String(body) }));
    }
    socket.fail(code);
  };
}

/** Ends one in-band subscription, as a server does that changed its mind. */
export function endsSubscription(world: World, status: number, ...fields: Field[]): void {
  const socket = someSocket(world);
  const canonical = world.followed.length === 0 ? undefined : world.random.pick(world.followed).target;
  if (!socket?.connection || canonical === undefined) return;
  const id = `world-${socket.endings.size}`;
  socket.endings.set(id, { status, fields });
  socket.connection.receive(encodeRequest({ method: "UNSUBSCRIBE", target: canonical, fields: [["Request-ID", id]] }));
}

/** A list that is looked at, and has not failed. */
export function someList(world: World): Looked | undefined {
  const lists = looked(world).filter((one) => !hasEnded(one));
  return lists.length === 0 ? undefined : world.random.pick(lists);
}

/** The create that a row waits for, by its tag: what changes the row can't be done where that is refused. */
export function createOf({ writes }: World, list: Looked, row: StoredRow): string | undefined {
  if (!list.urlOf(row).startsWith("urn:")) return undefined;
  const last = writes.find(({ tag }) => tag === row.tag);
  return last?.after ?? last?.tag;
}

/** Writes through one of the lists that are looked at. */
export function own(world: World, write: (list: Looked) => void): void {
  const list = someList(world);
  if (list) write(list);
}

/** One transaction; what it passes through in its midst is told by the size. */
export function writeSeveral(world: World): void {
  const [first, ...others] = world.service.rows("a").slice(0, 3);
  const passing = others.map(({ id }) => ({ name: "a", id, columns: { ...columns(world), size: midstSize } }));
  const rows = [first, ...others].flatMap((row) => (row ? [{ name: "a", id: row.id, columns: columns(world) }] : []));
  world.service.write([...passing, ...rows, { name: "a", columns: columns(world) }]);
}

/** How much is followed at once. */
export function mostFollowed({ service }: World): number {
  return service.options.maxSubscriptions === undefined ? 8 : 14;
}

export function targetsOf(world: World): string[] {
  const id = someId(world) ?? 1;
  const usual = ["/a", "/a", "/a?color=red", "/a?color=red&size=1", "/a?size=1&color=red", "/b", `/a/${id}`];
  const more = ["/a?size=0", "/a?size=1", "/a?size=2", "/a?color=blue", "/b?color=red", "/b?color=blue", "/b?size=0"];
  return world.service.options.maxSubscriptions === undefined ? usual : [...usual, ...more, ...more];
}
