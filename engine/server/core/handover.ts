/**
 * How a server lets another process take its listener over.
 *
 * @module
 */

/** Where the page is that shows a server: see `--live`. Whoever knows all of it may look. */
export interface PagePlace {
  /** Its host, as a number. Servers of an earlier version do not tell it. */
  readonly hostname?: string;
  /** Its port. */
  readonly port: number;
  /** What the path of its address begins with. */
  readonly token: string;
}

/** What a server tells the one that takes its listener over, besides the listener. */
export interface Predecessor {
  /** The port at which it tells its metrics, if it does. The other one may have the same. */
  readonly metrics?: number;
  /** The host of that port, as a number. Servers of an earlier version do not tell it. */
  readonly metricsHostname?: string;
  /** Where its page is, if it has one. The other one may have the same. */
  readonly page?: PagePlace;
}

/** What a server that takes another one's listener over tells that one. */
export interface Successor {
  /** The port at which it tells its metrics, if it does. */
  readonly metrics?: number;
  /** The host of that port, as a number. Servers of an earlier version do not tell it. */
  readonly metricsHostname?: string;
  /** The address of the page that shows it, if there is one. */
  readonly page?: string;
}

/**
 * Is called once another process serves.
 *
 * @param pid the number of that process
 * @param successor what it has told
 */
export type TakenOver = (pid: number, successor: Successor) => void;

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
   * Says what a process that takes it over is told besides.
   *
   * @param told what that is, from now on
   */
  tells(told: Predecessor): void;
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
