/** True where a row has a goal and its median is beyond it. */
export function isMissed({ ratio, goal }) {
  return goal !== undefined && ratio > goal;
}

function mark(row) {
  if (row.goal === undefined) return "";
  return isMissed(row) ? "MISSED" : "met";
}

/** A cost with three digits that matter: 8.21, 1,240. */
function cost(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function cells(row) {
  return [
    row.name,
    row.ratio.toFixed(2),
    row.goal === undefined ? "" : `≤ ${row.goal}`,
    mark(row),
    `${row.low.toFixed(2)} to ${row.high.toFixed(2)}`,
    String(row.pairs),
    `${cost(row.a)} / ${cost(row.b)} ${row.unit}`,
  ];
}

/** A row as one line of progress. */
export function formatRow(row) {
  const [name, ratio, goal, met] = cells(row);
  return [name.padEnd(60), ratio.padStart(6), goal, met].join("  ").trimEnd();
}

/** Rows as a Markdown table that is also easy to read as it is. */
export function formatTable(rows) {
  const head = ["row", "ratio", "goal", "", "middle half", "pairs", "medians"];
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const [first, ...rest] = lines.map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |`);
  return [first, `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rest, ""].join("\n");
}
