/**
 * How a server asks a visitor to leave.
 *
 * @module
 */

/** An error that is thrown into a conversation to end it in order. */
export class Dismissal extends Error {
  /** The class's name. */
  override readonly name = "Dismissal";
  /** The reason that the others are given. */
  readonly reason: string;
  /** What the visitor is told before the last line. */
  readonly notice: string | undefined;

  /** @param reason what the others are told @param notice what the visitor is told */
  constructor(reason: string, notice?: string) {
    super(`Dismissed: ${reason}`);
    this.reason = reason;
    this.notice = notice;
  }
}
