/** How much an `Accept` wants a type: the weight of the most exact range that takes it; 0 where none does. */
function weightOf(accept: string, type: string): number {
  const ranges = accept.split(",").map((part) => part.split(";").map((piece) => piece.trim().toLowerCase()));
  for (const wanted of [type, type.replace(/\/.*/, "/*"), "*/*"]) {
    const found = ranges.find(([range]) => range === wanted);
    if (found) return Number(found.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
  }
  return 0;
}

/** Whether an `Accept` is that of somebody who wants a page, as a browser does for a tab, and not data. */
export function prefersHtml(accept = "*/*"): boolean {
  return weightOf(accept, "text/html") > weightOf(accept, "application/json");
}
