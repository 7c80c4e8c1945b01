import fc from "fast-check";
import type { SqlValue } from "../../../src/scaffold/sqlite/schema.ts";

const integers = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, 1, 2, 10, 2 ** 53 - 1),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

const wellFormed = fc.string({ unit: "binary" }).filter((text) => !/\p{Surrogate}/u.test(text));

/** Texts around the border between texts and numbers, and any others. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "1", "01", "+1", "1.0", "1.", ".5", "1e0", "1e400", " 1 ", "0x10", "a", "A", "true", "1a", "-0"),
  fc.constantFrom("9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e18"),
  fc.constantFrom("AQ==", "AR==", "eq", "null", "Infinity", "1_000", "１", "\u00a01"),
  fc.integer().map(String),
  fc.double({ noNaN: true }).map(String),
  wellFormed,
);

/** Values of every storage class. */
export const storedValues: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  integers,
  fc.double({ noNaN: true }),
  fc.constantFrom(1.5, 1e17, 2 ** 60, -(2 ** 63), 1e300, Number.POSITIVE_INFINITY),
  texts.filter((text) => !text.includes("\0")),
  fc.uint8Array({ maxLength: 6 }),
);
