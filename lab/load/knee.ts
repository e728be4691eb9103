/**
 * The knee of a server: where more load stops bringing more answers, and begins to bring longer
 * waiting.
 *
 * L. Kleinrock ("Power and deterministic rules of thumb for probabilistic problems in computer
 * communications", ICC 1979) calls the rate of answers divided by their mean response time the
 * _power_ of a system. It grows as long as answers become more frequent faster than they become
 * slower. The step with the highest power is the knee. R. Jain ("The art of computer systems
 * performance analysis", 1991, chapter 3) explains why a system is best run there.
 *
 * @module
 */

/** The share of what was due that must be answered in time. Otherwise a step is overloaded. */
export const REACHED = 0.98;

/** What is known of a step. */
export interface SteppedLoad {
  /** Requests due in each second. */
  readonly rate: number;
  /** Requests answered in each second. */
  readonly answered: number;
  /** The share of what was due that was answered in time. */
  readonly reached: number;
  /** The mean response time in microseconds; `null` if there was none. */
  readonly mean: number | null;
  /** Whether the load and not the server set the limit. */
  readonly isLoadLimited: boolean;
}

/** Where the knee is. */
export interface Knee {
  /**
   * The rate of the step with the highest power; `null` if that is the highest step that says
   * something, or if there are too few steps: then the knee was not reached.
   */
  readonly rate: number | null;
  /** The rate of the first step that was overloaded; `null` if none was. */
  readonly overloaded: number | null;
}

/**
 * Finds the knee.
 *
 * @param steps the steps, by rate, the lowest first
 */
export function kneeOf(steps: readonly SteppedLoad[]): Knee {
  // Where the load set the limit, the figures are not the server's.
  const own = steps.filter(({ isLoadLimited }) => !isLoadLimited);
  const overloaded = own.find(({ reached }) => reached < REACHED)?.rate ?? null;
  const powers = own.map(({ answered, mean }) => mean === null || mean === 0 ? 0 : answered / mean);
  const best = powers.indexOf(Math.max(0, ...powers));
  const step = own[best];
  const isInside = step !== undefined && best < own.length - 1 && (powers[best] as number) > 0;
  return { rate: isInside ? step.rate : null, overloaded };
}
