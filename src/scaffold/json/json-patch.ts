import { arrayPlace, parsePointer } from "../../protocol/index.ts";
import { isJsonObject } from "./json.ts";
import { maxNesting } from "./nesting.ts";
import { isSameJson } from "./same-json.ts";

/** An operation of a JSON Patch (RFC 6902), its pointers taken apart. */
export type PatchOperation = { readonly path: readonly string[] } & (
  | { readonly op: "add" | "replace" | "test"; readonly value: unknown }
  | { readonly op: "remove" }
  | { readonly op: "move" | "copy"; readonly from: readonly string[] }
);

/** Thrown for what is no JSON Patch. Its text is for a person. */
export class MalformedPatch extends Error {}

/** Thrown where a document is not as a patch takes it to be. Its text is for a person. */
export class UnfitPatch extends Error {}

/** How many values the copies of one patch may have in all: they could double with each operation. */
const maxCopied = 10_000;

function readPath(operation: Readonly<Record<string, unknown>>, name: "path" | "from", at: number): string[] {
  const text = Object.hasOwn(operation, name) ? operation[name] : undefined;
  const path = typeof text === "string" ? parsePointer(text) : undefined;
  if (!path) throw new MalformedPatch(`Operation ${at} has no "${name}" that is a JSON pointer.`);
  if (path.length > maxNesting) throw new MalformedPatch(`The "${name}" of operation ${at} is too deep.`);
  return path;
}

function readOperation(json: unknown, at: number): PatchOperation {
  if (!isJsonObject(json)) throw new MalformedPatch(`Operation ${at} is no JSON object.`);
  const { op } = json;
  switch (op) {
    case "add":
    case "replace":
    case "test": {
      const path = readPath(json, "path", at);
      if (!Object.hasOwn(json, "value")) throw new MalformedPatch(`Operation ${at} has no "value".`);
      return { op, path, value: json.value };
    }
    case "remove":
      return { op, path: readPath(json, "path", at) };
    case "move":
    case "copy":
      return { op, path: readPath(json, "path", at), from: readPath(json, "from", at) };
    default:
      throw new MalformedPatch(`Operation ${at} has no "op" of RFC 6902.`);
  }
}

/** Reads a JSON Patch (RFC 6902). @param json - as `parseJson` reads it @throws MalformedPatch */
export function parseJsonPatch(json: readonly unknown[]): PatchOperation[] {
  return json.map((operation, at) => readOperation(operation, at + 1));
}

type Holder = unknown[] | Record<string, unknown>;

const nothing = "there is nothing at its path";

function isHolder(json: unknown): json is Holder {
  return Array.isArray(json) || isJsonObject(json);
}

/** What a name is in an array or object. @throws UnfitPatch where that is nothing */
function childOf(holder: unknown, name: string): unknown {
  if (Array.isArray(holder)) {
    const at = arrayPlace(name);
    if (at !== undefined && at < holder.length) return holder[at];
  } else if (isJsonObject(holder) && Object.hasOwn(holder, name)) {
    return holder[name];
  }
  throw new UnfitPatch(nothing);
}

/** `__proto__` is a name as any other. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Copies a value; counts what it copies. @throws UnfitPatch where that is more than `limit` */
function copyJson(json: unknown, limit: number): { readonly copy: unknown; readonly count: number } {
  const top: unknown[] = [json];
  const open: Holder[] = [top];
  let count = 0;
  for (let holder = open.pop(); holder; holder = open.pop()) {
    for (const [name, value] of Object.entries(holder)) {
      count += 1;
      if (count > limit) throw new UnfitPatch(`no more than ${maxCopied} values may be copied`);
      if (!isHolder(value)) continue;
      const copy: Holder = Array.isArray(value) ? [...value] : Object.fromEntries(Object.entries(value));
      if (Array.isArray(holder)) holder[Number(name)] = copy;
      else setMember(holder, name, copy);
      open.push(copy);
    }
  }
  return { copy: top[0], count };
}

/** A document that is patched in place, so that each operation costs what it changes. */
class Patching {
  document: unknown;
  #copied = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  apply(operation: PatchOperation): void {
    const { path } = operation;
    switch (operation.op) {
      case "test":
        this.#test(path, operation.value);
        break;
      case "remove":
        this.#remove(path);
        break;
      case "replace":
        this.#replace(path, copyJson(operation.value, Number.POSITIVE_INFINITY).copy);
        break;
      case "add":
        this.#add(path, copyJson(operation.value, Number.POSITIVE_INFINITY).copy);
        break;
      case "copy":
        this.#add(path, this.#copy(operation.from));
        break;
      default:
        this.#move(operation.from, path);
    }
  }

  #valueAt(path: readonly string[]): unknown {
    return path.reduce(childOf, this.document);
  }

  /** What holds that which a path names, and its name there. */
  #holderOf(path: readonly string[]): readonly [holder: Holder, name: string] {
    const name = path.at(-1);
    if (name === undefined) throw new UnfitPatch("the whole can't be taken away");
    const holder = this.#valueAt(path.slice(0, -1));
    if (!isHolder(holder)) throw new UnfitPatch(nothing);
    return [holder, name];
  }

  #test(path: readonly string[], value: unknown): void {
    if (!isSameJson(this.#valueAt(path), value)) throw new UnfitPatch("there is another value at its path");
  }

  #remove(path: readonly string[]): void {
    const [holder, name] = this.#holderOf(path);
    childOf(holder, name);
    if (Array.isArray(holder)) holder.splice(Number(name), 1);
    else Reflect.deleteProperty(holder, name);
  }

  #replace(path: readonly string[], value: unknown): void {
    if (path.length === 0) {
      this.document = value;
      return;
    }
    const [holder, name] = this.#holderOf(path);
    childOf(holder, name);
    if (Array.isArray(holder)) holder[Number(name)] = value;
    else setMember(holder, name, value);
  }

  #add(path: readonly string[], value: unknown): void {
    if (path.length === 0) {
      this.document = value;
      return;
    }
    const [holder, name] = this.#holderOf(path);
    if (!Array.isArray(holder)) {
      setMember(holder, name, value);
      return;
    }
    const at = name === "-" ? holder.length : arrayPlace(name);
    if (at === undefined || at > holder.length) throw new UnfitPatch("its list has no such place");
    holder.splice(at, 0, value);
  }

  #copy(from: readonly string[]): unknown {
    const { copy, count } = copyJson(this.#valueAt(from), maxCopied - this.#copied);
    this.#copied += count;
    return copy;
  }

  #move(from: readonly string[], path: readonly string[]): void {
    const value = this.#valueAt(from);
    const isBelow = from.every((name, at) => name === path[at]);
    if (isBelow && from.length === path.length) return;
    if (isBelow) throw new UnfitPatch("nothing can be moved into itself");
    this.#remove(from);
    this.#add(path, value);
  }
}

/**
 * Applies a JSON Patch (RFC 6902) to a document, which it changes; gives what came of it.
 *
 * @param document - as `parseJson` reads it
 * @throws UnfitPatch that says which operation it is, where the document is not as the patch takes it to be
 */
export function applyJsonPatch(document: unknown, operations: readonly PatchOperation[]): unknown {
  const patching = new Patching(document);
  for (const [at, operation] of operations.entries()) {
    try {
      patching.apply(operation);
    } catch (error) {
      if (error instanceof UnfitPatch) throw new UnfitPatch(`Operation ${at + 1} (${operation.op}): ${error.message}.`);
      throw error;
    }
  }
  return patching.document;
}
