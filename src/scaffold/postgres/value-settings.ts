/**
 * The settings that decide how PostgreSQL writes a value as text. The journal's images are written under them whatever the
 * writer's session says, and so must rows be read that are shown to somebody.
 */
export const valueSettings: Readonly<Record<string, string>> = {
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
  lc_monetary: "C",
  quote_all_identifiers: "off",
  xmlbinary: "base64",
};

/** A statement that sets them for the rest of its transaction, for connections that others use in between. */
export const setValueSettings: string = Object.entries(valueSettings)
  .map(([name, value]) => `SET LOCAL ${name} = '${value}'`)
  .join("; ");
