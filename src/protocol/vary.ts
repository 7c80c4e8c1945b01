import type { Field } from "./message.ts";

/** Adds to an answer's fields that it varies by a field of the request, where they don't say so already (RFC 9110 §12.5.5). */
export function varyBy(fields: readonly Field[], name: string): readonly Field[] {
  const wanted = name.toLowerCase();
  const isSaid = fields.some(([field, value]) => {
    return (
      field.toLowerCase() === "vary" && value.split(",").some((one) => ["*", wanted].includes(one.trim().toLowerCase()))
    );
  });
  return isSaid ? fields : [...fields, ["Vary", name]];
}
