/**
 * What queueing theory says of a pool of workers: requests arrive at random, as a Poisson process,
 * and the first to come is the first to be served.
 *
 * Of M/M/c, where the service times are exponentially distributed, there are formulas: A. K. Erlang,
 * "Solution of some problems in the theory of probabilities of significance in automatic telephone
 * exchanges" (1917). Of M/D/c, where all service times are the same, C. D. Crommelin ("Delay
 * probability formulas when the holding times are constant", 1932) found that whoever is in the
 * system at one time is known from who was there one service time earlier: at most c have left, and
 * all who have arrived since are still there. From these probabilities G. J. Franx ("A simple solution
 * for the M/D/c waiting time distribution", 2001) computes how long requests wait.
 *
 * All times are in seconds.
 *
 * @module
 */

/** A pool of workers under load. */
export interface Pool {
  /** Requests a second. */
  readonly rate: number;
  /** The mean service time. */
  readonly service: number;
  /** How many requests are served at a time. */
  readonly workers: number;
}

/** What theory says of it. */
export interface Prediction {
  /** The share of the time in which a worker is busy. */
  readonly utilisation: number;
  /** The share of the requests that wait. */
  readonly waiting: number;
  /** The mean time that a request waits. */
  readonly meanWait: number;
  /** The mean response time: waiting and service. */
  readonly meanResponse: number;
  /**
   * The response time that a share of the requests does not exceed.
   *
   * @param share from 0 to 1, without both
   */
  response(share: number): number;
}

/** The highest utilisation that is computed. */
const MOST_BUSY = 0.995;

/** How exact probabilities are. */
const EXACT = 1e-12;

/** How often the probabilities are carried on at most. */
const MOST_TURNS = 200_000;

/**
 * A pool with exponentially distributed service times: M/M/c.
 *
 * @param pool the pool
 * @throws {RangeError} if it is overloaded, or almost
 */
export function predictRandom(pool: Pool): Prediction {
  const { rate, service, workers } = pool;
  const utilisation = utilisationOf(pool);
  const waiting = erlangC(rate * service, workers);
  // Those who wait do so for an exponentially distributed time.
  const [serving, leaving] = [1 / service, workers / service - rate];
  const exceeding = (time: number) => {
    const both = Math.abs(leaving - serving) < 1e-9 * serving
      ? (1 + serving * time) * Math.exp(-serving * time)
      : (leaving * Math.exp(-serving * time) - serving * Math.exp(-leaving * time)) /
        (leaving - serving);
    return (1 - waiting) * Math.exp(-serving * time) + waiting * both;
  };
  const meanWait = waiting / leaving;
  return {
    utilisation,
    waiting,
    meanWait,
    meanResponse: meanWait + service,
    response: (share) => inverse((time) => 1 - exceeding(time), share, service),
  };
}

/**
 * The share of the requests that wait: Erlang's C formula.
 *
 * @param load how many workers would be busy if there were enough of them
 * @param workers how many there are
 */
export function erlangC(load: number, workers: number): number {
  // By way of the B formula, which has a recursion without large numbers.
  let blocked = 1;
  for (let count = 1; count <= workers; count++) {
    blocked = load * blocked / (count + load * blocked);
  }
  return blocked / (1 - load / workers * (1 - blocked));
}

/**
 * A pool whose service times are all the same: M/D/c.
 *
 * @param pool the pool
 * @throws {RangeError} if it is overloaded, or almost
 */
export function predictFixed(pool: Pool): Prediction {
  const { rate, service, workers } = pool;
  const utilisation = utilisationOf(pool);
  const present = presentOf(rate * service, workers, utilisation);
  /** The probability that at most so many wait in the queue. */
  const atMost: number[] = [];
  let sum = 0;
  let queue = 0;
  present.forEach((probability, count) => {
    sum += probability;
    if (count >= workers) atMost.push(sum);
    else if (count === workers - 1) atMost.length = 0;
    queue += Math.max(0, count - workers) * probability;
  });
  const queuedAtMost = (count: number) => atMost[Math.min(count, atMost.length - 1)] ?? 1;
  const waitAtMost = (time: number) => {
    const turn = Math.floor(time / service) + 1;
    const arriving = rate * (turn * service - time);
    let term = Math.exp(-arriving);
    let total = 0;
    for (let index = 0; index < turn * workers; index++) {
      total += term * queuedAtMost(turn * workers - index - 1);
      term *= arriving / (index + 1);
    }
    return Math.min(1, total);
  };
  // Little's law.
  const meanWait = queue / rate;
  return {
    utilisation,
    waiting: 1 - waitAtMost(0),
    meanWait,
    meanResponse: meanWait + service,
    response: (share) => service + inverse(waitAtMost, share, service),
  };
}

function utilisationOf({ rate, service, workers }: Pool): number {
  const utilisation = rate * service / workers;
  if (utilisation > 0 && utilisation <= MOST_BUSY) return utilisation;
  throw new RangeError(
    `Cannot predict the pool: expected it to be busy for up to ${MOST_BUSY} of the time, current ` +
      `value is "${utilisation}"`,
  );
}

/** The probability that so many requests are there, waiting or served, by their number. */
function presentOf(load: number, workers: number, utilisation: number): number[] {
  const arriving = poisson(load);
  // The probability of a long queue falls like a power of a number below the utilisation.
  const most = workers + arriving.length + Math.ceil(40 / -Math.log(utilisation));
  let present = [1];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const stay = present.slice(workers);
    stay[0] = present.slice(0, workers + 1).reduce((sum, one) => sum + one, 0);
    const next = new Array<number>(Math.min(most, stay.length + arriving.length)).fill(0);
    stay.forEach((probability, count) => {
      for (let more = 0; more < arriving.length && count + more < next.length; more++) {
        next[count + more]! += probability * (arriving[more] as number);
      }
    });
    const sum = next.reduce((sum, one) => sum + one, 0);
    const scaled = next.map((one) => one / sum);
    const moved = scaled.reduce((sum, one, at) => sum + Math.abs(one - (present[at] ?? 0)), 0);
    present = scaled;
    if (moved < EXACT) break;
  }
  return present;
}

/** The probabilities of a Poisson distribution, as far as they count. */
function poisson(mean: number): number[] {
  const all: number[] = [];
  for (let count = 0; count <= mean || (all.at(-1) ?? 1) > EXACT / 1e3; count++) {
    // By logarithms, so that many workers do not exceed what a number can hold.
    all.push(Math.exp(count * Math.log(mean) - mean - logFactorial(count)));
  }
  return all;
}

function logFactorial(count: number): number {
  let sum = 0;
  for (let factor = 2; factor <= count; factor++) sum += Math.log(factor);
  return sum;
}

/** Where a distribution function reaches a share; `scale` is the order of magnitude. */
function inverse(atMost: (time: number) => number, share: number, scale: number): number {
  if (atMost(0) >= share) return 0;
  let [low, high] = [0, scale];
  while (atMost(high) < share) [low, high] = [high, 2 * high];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (atMost(middle) < share) low = middle;
    else high = middle;
  }
  return high;
}
