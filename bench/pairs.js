/** The value below which a share of the sorted numbers lies, interpolated. */
function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.ceil(place);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

/** The middle of some numbers. */
export function median(numbers) {
  return quantile(
    [...numbers].sort((one, other) => one - other),
    0.5,
  );
}

/**
 * Measures two things in turn and compares each pair, so that what drifts in the machine drifts in both.
 *
 * @param {object} options
 * @param {string} options.name - what is compared, for the table
 * @param {() => number | Promise<number>} options.a - runs once and gives its cost (time, CPU, bytes for each unit)
 * @param {() => number | Promise<number>} options.b - the control: the same for what it is compared with
 * @param {number} [options.pairs] - how many pairs count; at least 15, which is the default
 * @param {number} [options.warmups] - pairs before them that don't count; 2 unless given
 * @returns {Promise<{ name: string, pairs: number, ratio: number, spread: number, low: number, high: number, a: number, b: number }>}
 * `ratio`: the median of a / b over the pairs; `low` and `high`: its quartiles; `spread`: their distance as a share of
 * the ratio; `a` and `b`: the median costs
 */
export async function comparePairs({ name, a, b, pairs = 15, warmups = 2 }) {
  if (!(pairs >= 15)) throw new RangeError(`pairs must be at least 15, not ${pairs}.`);
  const costs = [];
  for (let pair = -warmups; pair < pairs; pair += 1) {
    // Who goes first changes from pair to pair, or what the first leaves behind would count for the second.
    const isFirst = pair % 2 === 0;
    const before = isFirst ? await a() : await b();
    const after = isFirst ? await b() : await a();
    if (pair >= 0) costs.push(isFirst ? [before, after] : [after, before]);
  }
  const ratios = costs.map(([one, other]) => one / other).sort((one, other) => one - other);
  const ratio = quantile(ratios, 0.5);
  const low = quantile(ratios, 0.25);
  const high = quantile(ratios, 0.75);
  return {
    name,
    pairs,
    ratio,
    spread: (high - low) / ratio,
    low,
    high,
    a: median(costs.map(([cost]) => cost)),
    b: median(costs.map(([, cost]) => cost)),
  };
}
