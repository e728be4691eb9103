/**
 * What things cost in a simulation, in microseconds.
 *
 * They are round figures of the right size, measured on an ordinary machine of today. Whoever wants
 * to know about a machine puts its own in their place.
 *
 * @module
 */

/** The costs. */
export interface Costs {
  /** To take a connection out of the accept queue: accept(2). */
  readonly acceptUs: number;
  /** A call that receives: recv(2). */
  readonly receiveUs: number;
  /** A call that sends: send(2), with all that TCP does. */
  readonly sendUs: number;
  /** Each byte that is received or sent. */
  readonly byteUs: number;
  /** To wake a thread that waits: a futex, and a switch to it. */
  readonly wakeUs: number;
  /** To hand something to another thread. */
  readonly handOverUs: number;
  /** An event loop asks what is ready: epoll_wait(2). */
  readonly pollUs: number;
  /** To start a Worker, on a core: a runtime of its own is made. */
  readonly startThreadUs: number;
}

/** The costs of today's machines, roughly. */
export const COSTS: Costs = {
  acceptUs: 8,
  receiveUs: 2,
  sendUs: 6,
  byteUs: 0.0003,
  wakeUs: 5,
  handOverUs: 2,
  pollUs: 2,
  startThreadUs: 20_000,
};

/** How long a division of 64 bits takes, in microseconds. */
const DIVISION_US = 0.002;

/** Up to which divisor it is looked how soon the trial divisions find one. */
const LOOKED_AT = 10_000;

/**
 * What it costs to find out whether a number is prime by trial division, as the task of `frame` does
 * it.
 *
 * @param _task the name of the task
 * @param digits the number, in decimal digits
 */
export function primeCostUs(_task: string, digits: unknown): number {
  const number = BigInt(String(digits));
  if (number % 2n === 0n) return 1;
  const root = Math.sqrt(Number(number));
  const looked = Math.min(root, LOOKED_AT);
  let divisor = 3;
  while (divisor <= looked && number % BigInt(divisor) !== 0n) divisor += 2;
  // A number without a small divisor has none, as far as the cost goes.
  return 1 + (divisor <= looked ? divisor : root) / 2 * DIVISION_US;
}
