/**
 * Figures as a person reads them: three digits that count, and the unit that suits them.
 *
 * @module
 */

/** A unit, and how many of the smallest one it is. */
export type Unit = readonly [name: string, size: number];

/** Of microseconds. */
export const TIMES: readonly Unit[] = [["µs", 1], ["ms", 1e3], ["s", 1e6]];
/** Of what is counted. */
export const COUNTS: readonly Unit[] = [["", 1], ["k", 1e3], ["M", 1e6], ["G", 1e9]];
/** Of bytes: powers of 1024. */
export const BYTES: readonly Unit[] = [
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
];

/** How many digits count. */
const DIGITS = 3;

/**
 * How long something took.
 *
 * @param us microseconds
 * @returns for instance `181 µs`, `1.20 ms` or `2.31 s`
 */
export function formatTime(us: number): string {
  return scale(us, TIMES);
}

/**
 * How often something happens.
 *
 * @param perSecond how often in a second
 * @returns for instance `41.2 k/s`
 */
export function formatRate(perSecond: number): string {
  const text = scale(perSecond, COUNTS);
  return text.includes(" ") ? `${text}/s` : `${text} /s`;
}

/**
 * How many there are.
 *
 * @param count how many, or how many on average
 * @returns for instance `97` or `412 k`
 */
export function formatCount(count: number): string {
  return scale(count, COUNTS);
}

/**
 * How many bytes there are.
 *
 * @param bytes a whole number
 * @returns for instance `64.0 MiB`
 */
export function formatBytes(bytes: number): string {
  return scale(Math.round(bytes), BYTES);
}

/**
 * A share of the whole.
 *
 * @param share from 0 to 1
 * @returns for instance `0.12 %` or `83 %`; never `0 %` or `100 %` of what is only nearly so
 */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.0001) return "under 0.01 %";
  if (share < 0.1) return `${(share * 100).toFixed(2)} %`;
  if (share > 0.99 && share < 1) return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
  return `${Math.round(share * 100)} %`;
}

function scale(value: number, units: readonly Unit[]): string {
  for (const [index, [name, size]] of units.entries()) {
    const text = size === 1 && Number.isInteger(value) ? String(value) : digits(value / size);
    const [, next] = units[index + 1] ?? [];
    // What rounds up to a whole one of the next unit is written in that one.
    if (next !== undefined && Number(text) * size >= next) continue;
    return name === "" ? text : `${text} ${name}`;
  }
  return String(value);
}

/** With as many digits as count; what is large keeps all those before the point. */
function digits(value: number): string {
  const before = value < 1 ? 1 : Math.floor(Math.log10(value)) + 1;
  const text = value.toFixed(Math.max(0, DIGITS - before));
  // Rounding may have put one digit more before the point.
  return Number(text) >= 10 ** before && before < DIGITS
    ? value.toFixed(DIGITS - before - 1)
    : text;
}
