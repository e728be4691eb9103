/**
 * Whether a number is prime, by trial division. It is slow on purpose, so that a server has
 * something to compute.
 *
 * @module
 */

/** How many divisors to try before the next pause: some milliseconds of work. */
const SLICE = 2_000_000n;

/**
 * The innermost loop, in WebAssembly. JavaScript's numbers hold only 53 bits, and its BigInt
 * divides a hundred times slower than the processor. This is its text form; below it is assembled
 * by hand:
 *
 * ```wat
 * (module
 *   (func (export "divisor") (param $n i64) (param $from i64) (param $to i64) (result i64)
 *     (loop $next
 *       (if (i64.gt_u (local.get $from) (local.get $to))
 *         (then (return (i64.const 0))))
 *       (if (i64.eqz (i64.rem_u (local.get $n) (local.get $from)))
 *         (then (return (local.get $from))))
 *       (local.set $from (i64.add (local.get $from) (i64.const 2)))
 *       (br $next))
 *     (unreachable)))
 * ```
 */
// deno-fmt-ignore
const MODULE = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // the header: "\0asm", version 1
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7e, 0x7e, 0x7e, 0x01, 0x7e, // (i64, i64, i64) -> i64
  0x03, 0x02, 0x01, 0x00, // one function of that type
  0x07, 0x0b, 0x01, 0x07, 0x64, 0x69, 0x76, 0x69, 0x73, 0x6f, 0x72, 0x00, 0x00, // "divisor"
  0x0a, 0x28, 0x01, 0x26, 0x00, // its code: no further locals
  0x03, 0x40, // loop
  0x20, 0x01, 0x20, 0x02, 0x56, 0x04, 0x40, 0x42, 0x00, 0x0f, 0x0b, // from > to: return 0
  0x20, 0x00, 0x20, 0x01, 0x82, 0x50, 0x04, 0x40, 0x20, 0x01, 0x0f, 0x0b, // divides: return it
  0x20, 0x01, 0x42, 0x02, 0x7c, 0x21, 0x01, // from += 2
  0x0c, 0x00, 0x0b, 0x00, 0x0b, // once more; end
);

type Divisor = (n: bigint, from: bigint, to: bigint) => bigint;

let divisor: Divisor | undefined;

/** Compiles the loop when it is first needed. */
function compile(): Divisor {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  return exports.divisor as Divisor;
}

/**
 * Finds out whether a number is prime: divides it by every odd number up to its square root.
 *
 * @param n 0 to 2^64 - 1
 * @returns a generator that yields every few milliseconds, so that it can be stopped, and returns
 * the answer
 * @throws {RangeError} if `n` does not fit into 64 bits
 */
export function* isPrime(n: bigint): Generator<void, boolean> {
  if (n < 0n || n >> 64n !== 0n) {
    throw new RangeError(`Cannot check the number: expected 64 bits, current value is "${n}"`);
  }
  if (n < 4n) return n >= 2n;
  if (n % 2n === 0n) return false;
  divisor ??= compile();
  // Not `i * i <= n`: that product wraps for numbers near 2^64.
  const root = integerRoot(n);
  for (let from = 3n; from <= root; from += 2n * SLICE) {
    const last = from + 2n * SLICE - 1n;
    if (divisor(n, from, last < root ? last : root) !== 0n) return false;
    yield;
  }
  return true;
}

/** The largest number whose square is at most `n`. */
function integerRoot(n: bigint): bigint {
  // A double gives it to within one or two.
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  while (root * root > n) root--;
  while ((root + 1n) * (root + 1n) <= n) root++;
  return root;
}
