/**
 * How a server lets another process take its listener over.
 *
 * @module
 */

/**
 * Is called once another process serves.
 *
 * @param pid the number of that process
 * @param metrics the port at which it tells its metrics, if it does
 */
export type TakenOver = (pid: number, metrics?: number) => void;

/** A server's listener, which another process may take over while the server serves. */
export interface Handover {
  /** Where the listener is offered; `undefined` while it is not. */
  readonly path: string | undefined;
  /** Whether another server had the listener before. */
  readonly isSuccessor: boolean;
  /**
   * Begins to offer it, if the server was not told to do so when it was started.
   *
   * @param path where: see `ServeOptions.takeover`
   * @returns the same path without symbolic links
   * @throws {Error} if it cannot be offered there
   */
  offerAt(path: string): string;
  /**
   * Offers it at the same path again, if somebody has removed the socket there.
   *
   * @throws {Error} if that is not possible
   */
  offerAgain(): void;
  /**
   * Calls a function once another process serves in place of this one, before the connections of this
   * one finish.
   *
   * @param handler is called then
   */
  onTakenOver(handler: TakenOver): void;
  /**
   * Does not let a process take over that is about to.
   *
   * @param pid the number of that process
   * @param why what it is told. @default "this server ends, and so should you"
   */
  refuse(pid: number, why?: string): void;
  /** Says whether somebody is expected, so that they are answered at once. */
  hurry(isHurried: boolean): void;
  /** For the server itself: it serves from now on. @param close lets it finish */
  begin(close: () => void): void;
  /**
   * For the server itself: it closes, and offers nothing any more. Whoever has the listener by then
   * takes over.
   */
  end(): void;
}
