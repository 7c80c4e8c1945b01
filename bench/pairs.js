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
 * Measures things in turn, round by round, so that what drifts in the machine drifts in all of them.
 *
 * @template Cost
 * @param {object} options
 * @param {readonly (() => Cost | Promise<Cost>)[]} options.subjects - each runs once and gives its cost
 * @param {number} [options.pairs] - how many rounds count; at least 15, which is the default
 * @param {number} [options.warmups] - rounds before them that don't count; 2 unless given
 * @returns {Promise<Cost[][]>} for each subject its costs, round by round
 */
export async function measureInTurn({ subjects, pairs = 15, warmups = 2 }) {
  if (!(pairs >= 15)) throw new RangeError(`pairs must be at least 15, not ${pairs}.`);
  const costs = subjects.map(() => []);
  const order = [...subjects.keys()];
  for (let round = -warmups; round < pairs; round += 1) {
    for (const place of order) {
      const cost = await subjects[place]();
      if (round >= 0) costs[place].push(cost);
    }
    // Who goes first changes from round to round, or what the first leaves behind would count for the second.
    order.reverse();
    if (round % 2 === 0) order.push(order.shift());
  }
  return costs;
}

/**
 * Compares what two things cost in the same rounds.
 *
 * @param {string} name - what is compared, for the table
 * @param {readonly number[]} one
 * @param {readonly number[]} other - the control
 * @returns {{ name: string, pairs: number, ratio: number, spread: number, low: number, high: number, a: number, b: number }}
 * `ratio`: the median of one / other over the rounds; `low` and `high`: its quartiles; `spread`: their distance as a share
 * of the ratio; `a` and `b`: the median costs
 */
export function compareCosts(name, one, other) {
  const ratios = one.map((cost, round) => cost / other[round]).sort((before, after) => before - after);
  const ratio = quantile(ratios, 0.5);
  const low = quantile(ratios, 0.25);
  const high = quantile(ratios, 0.75);
  const spread = (high - low) / ratio;
  return { name, pairs: one.length, ratio, spread, low, high, a: median(one), b: median(other) };
}

/**
 * Measures two things in turn and compares each pair.
 *
 * @param {object} options
 * @param {string} options.name - what is compared, for the table
 * @param {() => number | Promise<number>} options.a - runs once and gives its cost (time, CPU, bytes for each unit)
 * @param {() => number | Promise<number>} options.b - the control: the same for what it is compared with
 * @param {number} [options.pairs] - as of {@link measureInTurn}
 * @param {number} [options.warmups] - as of {@link measureInTurn}
 * @returns {Promise<ReturnType<typeof compareCosts>>}
 */
export async function comparePairs({ name, a, b, pairs, warmups }) {
  const [one, other] = await measureInTurn({ subjects: [a, b], pairs, warmups });
  return compareCosts(name, one, other);
}
