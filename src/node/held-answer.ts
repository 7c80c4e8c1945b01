import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Field } from "../protocol/index.ts";
import type { AnswerHead } from "../server/inner.ts";
import { AnswerWriter, type SendingMethod, type SendingMethods } from "./answer-writer.ts";
import { clearFields, fieldsOn, nodeMethodsOf } from "./node-methods.ts";

/** What is done with an answer. */
export interface HeldAnswerParts {
  /** Whether another answer takes the place of one with this head. Called once, before anything is sent. */
  readonly takes: (head: AnswerHead) => boolean;
  /**
   * Called, in another turn, where it does: `writer` writes the other one. What the application still writes is dropped, and
   * none of its fields is left on the response.
   */
  readonly onTaken: (head: AnswerHead, writer: AnswerWriter) => void;
}

type Methods = Record<keyof SendingMethods, SendingMethod>;

/** How a response is framed that nothing was said of: by Node, in a place of its own. */
const unframed = [
  ["_contentLength", null],
  ["_removedConnection", false],
  ["_removedContLen", false],
  ["_removedTE", false],
] as const;

/** How much of a dropped answer an application writes in one turn of the event loop, and in all until it is held back. */
const dropped = { perTurn: 64 * 1024, most: 16 * 1024 * 1024 } as const;

const names = ["destroy", "end", "flushHeaders", "write", "writeHead"] as const;

function valuesOf(name: string, value: unknown): Field[] {
  return (Array.isArray(value) ? value : [value]).map((one): Field => [name, String(one)]);
}

/** The fields among the arguments of `writeHead`: an object, pairs, or names and values in turn. */
function fieldsOfWriteHead(parameters: readonly unknown[]): Field[] {
  const given = parameters.find((value, at) => at > 0 && typeof value === "object" && value !== null);
  if (!Array.isArray(given)) return Object.entries(given ?? {}).flatMap(([name, value]) => valuesOf(name, value));
  if (Array.isArray(given[0])) return given.flatMap(([name, value]) => valuesOf(String(name), value));
  return given.flatMap((name, at) => (at % 2 === 0 ? valuesOf(String(name), given[at + 1]) : []));
}

function headOf(response: ServerResponse, parameters: readonly unknown[]): AnswerHead {
  const written = fieldsOfWriteHead(parameters);
  const names = new Set(written.map(([name]) => name.toLowerCase()));
  const set = Object.entries(fieldsOn(response)).filter(([name, value]) => value !== undefined && !names.has(name));
  return {
    status: Number(parameters[0] ?? response.statusCode),
    fields: [...set.flatMap(([name, value]) => valuesOf(name, value)), ...written],
  };
}

function sizeOf(chunk: unknown): number {
  return typeof chunk === "string" || chunk instanceof Uint8Array ? chunk.length : 0;
}

function callBack(parameters: readonly unknown[]): void {
  const last = parameters.at(-1);
  if (typeof last === "function") setImmediate(last as () => void);
}

/**
 * An application's answer, held until its head shows what is to become of it: it goes out untouched from then on, or it is
 * dropped and another one takes its place. The response's methods are replaced on this one object, below what middleware
 * puts there later.
 */
class HeldAnswer {
  readonly #response: ServerResponse;
  readonly #parts: HeldAnswerParts;
  /** Those that were there before. */
  readonly #before: Methods;
  readonly #own: Methods;
  #state: "held" | "passed" | "taken" = "held";
  #hasEnded = false;
  #droppedInTurn = 0;
  #dropped = 0;

  constructor(response: ServerResponse, parts: HeldAnswerParts) {
    this.#response = response;
    this.#parts = parts;
    const methods = response as Methods;
    const { destroy, end, flushHeaders, write, writeHead } = methods;
    this.#before = { destroy, end, flushHeaders, write, writeHead };
    this.#own = {
      writeHead: (...all: unknown[]) => this.#writeHead(all),
      flushHeaders: () => this.#send("flushHeaders", [], undefined),
      write: (...all: unknown[]) => this.#send("write", all, true),
      end: (...all: unknown[]) => this.#send("end", all, response),
      destroy: (...all: unknown[]) => (this.#state === "taken" ? response : this.#call("destroy", all)),
    };
  }

  begin(): void {
    const methods = this.#response as Methods;
    for (const name of names) methods[name] = this.#own[name];
  }

  #call(name: keyof SendingMethods, parameters: readonly unknown[]): unknown {
    return Reflect.apply(this.#before[name], this.#response, parameters);
  }

  #writeHead(parameters: readonly unknown[]): unknown {
    // A 1xx is no answer yet.
    const isFinal = Number(parameters[0]) >= 200;
    if (this.#state === "held" && isFinal) this.#judge(headOf(this.#response, parameters));
    return this.#state === "taken" ? this.#response : this.#call("writeHead", parameters);
  }

  #send(name: "write" | "end" | "flushHeaders", parameters: readonly unknown[], result: unknown): unknown {
    const response = this.#response;
    // As Node does it: by what middleware has put before ours.
    if (this.#state === "held") response.writeHead(response.statusCode);
    if (this.#state === "held") this.#judge(headOf(response, []));
    if (this.#state === "passed") return this.#call(name, parameters);
    if (name === "write") return this.#drop(parameters);
    if (name === "end") this.#hasEnded = true;
    callBack(parameters);
    return result;
  }

  /** Drops what an application writes, at the pace of a peer that reads, until it was much: then as one that does not. */
  #drop(parameters: readonly unknown[]): boolean {
    const size = sizeOf(parameters[0]);
    this.#dropped += size;
    if (this.#dropped > dropped.most) return false;
    callBack(parameters);
    const isWaiting = this.#droppedInTurn >= dropped.perTurn;
    this.#droppedInTurn += size;
    if (this.#droppedInTurn < dropped.perTurn) return true;
    if (!isWaiting) {
      setImmediate(() => {
        this.#droppedInTurn = 0;
        this.#response.emit("drain");
      });
    }
    return false;
  }

  #judge(head: AnswerHead): void {
    if (this.#parts.takes(head)) this.#take(head);
    else this.#pass();
  }

  #pass(): void {
    this.#state = "passed";
    const methods = this.#response as Methods;
    for (const name of names) {
      if (methods[name] !== this.#own[name]) continue;
      Reflect.deleteProperty(methods, name);
      // It may have been the object's own before.
      if (methods[name] !== this.#before[name]) methods[name] = this.#before[name];
    }
  }

  #take(head: AnswerHead): void {
    this.#state = "taken";
    const response = this.#response;
    // To the application, its answer is on its way.
    Object.defineProperty(response, "headersSent", { get: () => true, configurable: true });
    Object.defineProperty(response, "writableEnded", { get: () => this.#hasEnded, configurable: true });
    const { req: request } = response;
    Object.defineProperty(request, "socket", { value: unbroken(request.socket), writable: true, configurable: true });
    const writer = new AnswerWriter(response, nodeMethodsOf(response), () => this.#clear());
    setImmediate(() => {
      this.#clear();
      this.#parts.onTaken(head, writer);
    });
  }

  /** Leaves nothing of the application's head on the response. */
  #clear(): void {
    const response = this.#response;
    clearFields(response);
    response.sendDate = true;
    // Node remembers what was taken away, and frameworks set the length where nobody else sees it.
    for (const [name, value] of unframed) if (name in response) Reflect.set(response, name, value);
  }
}

const breaking = new Set<string | symbol>(["destroy", "destroySoon", "end", "resetAndDestroy"]);

/**
 * A request's socket as an application has it whose answer was dropped. Some break the connection where something goes
 * wrong after they have answered (Express does): to them it is broken, and who has the other answer does not notice.
 */
function unbroken(socket: Socket): Socket {
  return new Proxy(socket, {
    get(target, name, proxy) {
      if (breaking.has(name)) return () => proxy;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Holds the answer that an application is about to give. */
export function holdAnswer(response: ServerResponse, parts: HeldAnswerParts): void {
  new HeldAnswer(response, parts).begin();
}
