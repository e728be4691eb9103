/**
 * Student's t distribution: how likely chance makes a mean lie so far from what it should be.
 *
 * @module
 */

/** When a continued fraction is exact enough, and after how many terms it must be. */
const EXACT = 1e-14;
const MOST_TERMS = 500;

/** Coefficients of Lanczos' approximation with g = 7: relative errors are below 1e-13. */
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
] as const;

/**
 * The share of the distribution that lies further from 0 than a value, in both tails.
 *
 * @param t the value
 * @param freedom the degrees of freedom, above 0; they need not be whole
 * @returns from 0 to 1 (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27)
 */
export function bothTails(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t ** 2), freedom / 2, 0.5);
}

/** The regularized incomplete beta function (26.5.1), by its continued fraction (26.5.8). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return Math.max(0, Math.min(1, x));
  // Below this point the fraction converges fast.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  return front / (a * fraction((term) => {
    const m = Math.floor(term / 2);
    return term % 2 === 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
  }));
}

/** `1 + d1 / (1 + d2 / (1 + …))`, from the front (Lentz' method). */
function fraction(term: (index: number) => number): number {
  let value = 1;
  let numerator = 1;
  let denominator = 0;
  for (let index = 1; index <= MOST_TERMS; index++) {
    const next = term(index);
    denominator = 1 / (1 + next * denominator);
    numerator = 1 + next / numerator;
    const factor = numerator * denominator;
    value *= factor;
    if (Math.abs(factor - 1) < EXACT) break;
  }
  return value;
}

/** The logarithm of the gamma function, for values above 0. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const [first, ...others] = LANCZOS;
  const sum = others.reduce(
    (sum, coefficient, index) => sum + coefficient / (shifted + index + 1),
    first as number,
  );
  const base = shifted + LANCZOS.length - 1.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}
