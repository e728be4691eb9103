/**
 * Whether numbers are prime.
 *
 * The computations that take many seconds run when the environment variable `LONG_TESTS` is `1`.
 *
 * @module
 */

import fc from "fast-check";
import { isPrime } from "../../protocol.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";
import { IS_LONG } from "../kit/turns.ts";

const pure = { pure: true };

/** Computes to the end, and counts the slices. */
function check(n: bigint): { readonly isPrime: boolean; readonly slices: number } {
  const work = isPrime(n);
  for (let slices = 0;; slices++) {
    const slice = work.next();
    if (slice.done === true) return { isPrime: slice.value, slices };
  }
}

/** The same by definition, with numbers that are exact up to 2^53. */
function naive(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n >= 2;
}

test("isPrime agrees with division by every smaller number", () => {
  for (let n = 0; n < 2_000; n++) assertEquals(check(BigInt(n)).isPrime, naive(n), String(n));
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (n) => {
    assertEquals(check(BigInt(n)).isPrime, naive(n));
  }));
}, pure);

const KNOWN: readonly (readonly [bigint, boolean, string])[] = [
  [2_147_483_647n, true, "2^31 - 1"],
  [4_294_967_279n, true, "the last but one prime below 2^32"],
  [4_294_967_291n, true, "the last prime below 2^32"],
  [4_294_967_295n, false, "2^32 - 1"],
  [4_294_967_296n, false, "2^32"],
  [4_294_967_297n, false, "2^32 + 1, which Euler showed to be 641 * 6700417"],
  [4_294_967_311n, true, "the first prime above 2^32"],
  [65_521n ** 2n, false, "the square of the last prime below 2^16"],
  [65_537n ** 2n, false, "the square of the first prime above 2^16"],
  [1_048_573n ** 2n, false, "the square of the last prime below 2^20"],
  [16_777_213n ** 2n, false, "the square of the last prime below 2^24"],
  [16_777_213n * 16_777_259n, false, "a product of neighbouring primes"],
  [9_007_199_254_740_993n, false, "2^53 + 1, which no double holds"],
  [9_007_199_254_740_881n, true, "the last prime below 2^53"],
  [18_446_744_073_709_551_615n, false, "2^64 - 1"],
  [18_446_744_073_709_551_614n, false, "2^64 - 2"],
  [4_294_967_295n ** 2n, false, "the largest square of 64 bits"],
];

for (const [n, expected, what] of KNOWN) {
  test(`isPrime knows that ${n} is ${expected ? "" : "not "}prime: ${what}`, () => {
    assertEquals(check(n).isPrime, expected);
  }, pure);
}

test("isPrime can be stopped every few million divisions", () => {
  const work = isPrime(18_446_744_073_709_551_557n);
  for (let slice = 0; slice < 3; slice++) assertEquals(work.next().done, false);
  work.return(false);
  assertEquals(work.next().done, true);
  assert(check(9_007_199_254_740_881n).slices > 10);
}, pure);

test("isPrime refuses a number that does not fit into 64 bits", () => {
  for (const n of [-1n, -7n, 1n << 64n, 10n ** 30n]) {
    assertThrows(() => check(n), RangeError, `current value is "${n}"`);
  }
}, pure);

const long = {
  timeoutMs: 180_000,
  skip: IS_LONG ? undefined : "takes many seconds: set LONG_TESTS=1",
};

test("isPrime knows the largest prime of 64 bits", () => {
  assertEquals(check(18_446_744_073_709_551_557n).isPrime, true);
}, long);

test("isPrime divides by the root of the largest square of a prime of 64 bits", () => {
  assertEquals(check(4_294_967_291n ** 2n).isPrime, false);
}, long);
