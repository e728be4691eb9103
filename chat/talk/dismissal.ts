/**
 * How a server asks a visitor to go.
 *
 * @module
 */

/** Thrown into a conversation that the server wants to end in order. */
export class Dismissal extends Error {
  /** The class's name. */
  override readonly name = "Dismissal";
  /** What the others are told. */
  readonly reason: string;
  /** What the visitor is told, before the last line. */
  readonly notice: string | undefined;

  /** @param reason for the others @param notice for the visitor */
  constructor(reason: string, notice?: string) {
    super(`Dismissed: ${reason}`);
    this.reason = reason;
    this.notice = notice;
  }
}
