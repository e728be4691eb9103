/**
 * The error of an option that is not what it may be.
 *
 * @module
 */

/** An option of `serve` is not what it may be. */
export class OptionError extends RangeError {
  /** The class's name. */
  override readonly name = "OptionError";
}
