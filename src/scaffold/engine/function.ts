import type { Value } from "../../server/index.ts";
import type { Decoded } from "./value-type.ts";

/** A parameter of a function of the database, by its name. */
export interface Parameter {
  readonly name: string;
  /** Whether it has a default. */
  readonly isOptional: boolean;
  /** The value that a text in a URL means, or what is wrong with it. */
  fromText(text: string): Decoded;
  /** The value that a member of a body means, as `parseJson` reads it, or what is wrong with it. */
  fromJson(json: unknown): Decoded;
}

/** A function of the database. The engine that made it is given it back. */
export interface ServedFunction {
  readonly parameters: readonly Parameter[];
  /** Whether the database says that it writes nothing. */
  readonly isReading: boolean;
  /** What it gives: `none` is nothing at all, a `value` or `record` is one, the others are any number. */
  readonly gives: "none" | "value" | "record" | "values" | "records";
  /** Why it can't be called here, as a clause for a person; absent where it can. */
  readonly unsupported?: string | undefined;
}

/** What a function is called with; a parameter that is absent has its default. */
export type Arguments = ReadonlyMap<Parameter, Value>;
