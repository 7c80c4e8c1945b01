/** The names that the members have which a `select` shows. @param all - what `*` stands for */
export function selectedNames(select: string, all: readonly string[]): string[] {
  let flat = select;
  for (let before = ""; before !== flat; ) {
    before = flat;
    flat = flat.replace(/\([^()]*\)/g, "\n");
  }
  const parts = flat.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? [];
  return parts.flatMap((part) => {
    const text = /[^ ](?:.*[^ ])?/s.exec(part)?.[0] ?? "";
    if (text === "*") return all;
    // What is spread is not told by its name.
    if (text.startsWith("...")) return [];
    const alias = /^(.+?):/s.exec(text)?.[1];
    const aggregate = /(?:^|\.)(count|sum|avg|min|max)\n/.exec(text)?.[1];
    return (alias ?? aggregate ?? text.replace(/[!\n].*/s, "").replace(/^.*->>?/, "")).replace(/^"(.*)"$/, "$1");
  });
}
