/** The JSON pointer to a member of the document: `/artists`. */
export function formatPointer(...names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
