/**
 * Figures as people read them: three significant digits, in the unit that suits.
 *
 * @module
 */

/** A unit, and its size in the smallest unit. */
export type Unit = readonly [name: string, size: number];

/** Units of time, in microseconds. */
export const TIMES: readonly Unit[] = [["µs", 1], ["ms", 1e3], ["s", 1e6]];
/** Units of counts. */
export const COUNTS: readonly Unit[] = [["", 1], ["k", 1e3], ["M", 1e6], ["G", 1e9]];
/** Units of bytes: powers of 1024. */
export const BYTES: readonly Unit[] = [
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
];

/** A figure, or that it is not known: `null` or `NaN`. */
export type Known = number | null;

/** How a figure is written that is not known. */
export const UNKNOWN = "–";

/** How many significant digits there are. */
const DIGITS = 3;

/**
 * Writes a duration.
 *
 * @param us the duration in microseconds
 * @returns for instance `181 µs`, `1.20 ms` or `2.31 s`
 */
export function formatTime(us: Known): string {
  return scale(us, TIMES);
}

/**
 * Writes an interval of durations without its unit, to stand under the duration that lies in it.
 *
 * @param low its lower end, in microseconds
 * @param high its upper end, in microseconds
 * @param us the duration whose unit it has, in microseconds
 * @returns for instance `178–185`
 */
export function formatInterval(low: Known, high: Known, us: Known): string {
  if (isUnknown(low) || isUnknown(high) || isUnknown(us)) return UNKNOWN;
  const [, size] = TIMES.findLast(([name]) => formatTime(us).endsWith(` ${name}`)) ?? ["", 1];
  const [from, to] = [low, high].map((value) => size === 1 ? String(value) : digits(value / size));
  return from === to ? from as string : `${from}–${to}`;
}

/** The units of rates that are less than one a second, and how many seconds each lasts. */
const SLOW: readonly Unit[] = [["min", 60], ["h", 3_600]];

/**
 * Writes a rate.
 *
 * @param perSecond how many a second
 * @returns for instance `41.2 k/s`, or `6 /min`
 */
export function formatRate(perSecond: Known): string {
  if (isUnknown(perSecond)) return UNKNOWN;
  if (perSecond > 0 && perSecond < 1) {
    const [name, seconds] = SLOW.find(([, seconds]) => perSecond * seconds >= 1) ?? SLOW[1] as Unit;
    const each = perSecond * seconds;
    const whole = Math.round(each);
    return `${Math.abs(each - whole) < 1e-3 && whole > 0 ? whole : digits(each)} /${name}`;
  }
  const text = scale(perSecond, COUNTS);
  return text.includes(" ") ? `${text}/s` : `${text} /s`;
}

/**
 * Writes a count.
 *
 * @param count how many, or how many on average
 * @returns for instance `97` or `412 k`
 */
export function formatCount(count: Known): string {
  return scale(count, COUNTS);
}

/**
 * Writes a count in full, where somebody may compare it with another one.
 *
 * @param count a whole number
 * @returns for instance `97` or `412,001`
 */
export function formatWhole(count: number): string {
  return count.toLocaleString("en");
}

/**
 * Writes a number of bytes.
 *
 * @param bytes a whole number
 * @returns for instance `64.0 MiB`
 */
export function formatBytes(bytes: Known): string {
  return scale(isUnknown(bytes) ? bytes : Math.round(bytes), BYTES);
}

/**
 * Writes how many processors were used on average.
 *
 * @param cores how many
 * @returns for instance `0.52 cores` or `1 core`
 */
export function formatCores(cores: Known): string {
  if (isUnknown(cores)) return UNKNOWN;
  const text = String(Number(cores.toFixed(2)));
  return text === "1" ? "1 core" : `${text} cores`;
}

/**
 * Writes a share of the whole.
 *
 * @param share from 0 to 1
 * @returns for instance `0.12 %` or `83 %`; `0 %` and `100 %` are never rounded, only exact
 */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.0001) return "under 0.01 %";
  if (share < 0.1) return `${(share * 100).toFixed(2)} %`;
  if (share > 0.99 && share < 1) return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
  return `${Math.round(share * 100)} %`;
}

function isUnknown(value: Known): value is null {
  return value === null || Number.isNaN(value);
}

function scale(value: Known, units: readonly Unit[]): string {
  if (isUnknown(value)) return UNKNOWN;
  for (const [index, [name, size]] of units.entries()) {
    const text = size === 1 && Number.isInteger(value) ? String(value) : digits(value / size);
    const [, next] = units[index + 1] ?? [];
    // A value that rounds up to one whole of the next unit is written in that unit.
    if (next !== undefined && Number(text) * size >= next) continue;
    return name === "" ? text : `${text} ${name}`;
  }
  return String(value);
}

/** Writes the significant digits, and all the digits before the point of a large number. */
function digits(value: number): string {
  const before = value < 1 ? 1 : Math.floor(Math.log10(value)) + 1;
  const text = value.toFixed(Math.max(0, DIGITS - before));
  // Rounding may have added a digit before the point.
  return Number(text) >= 10 ** before && before < DIGITS
    ? value.toFixed(DIGITS - before - 1)
    : text;
}
