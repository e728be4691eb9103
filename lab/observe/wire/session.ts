/**
 * The outside half: the sandbox in which wires are played, and what comes out of it.
 *
 * @module
 */

import { nowUs } from "../../../engine/values/moment.ts";
import type { Event } from "../../../engine/recording/events.ts";
import { LONGEST_MS } from "../../../engine/values/durations.ts";
import { Sandbox } from "../sandbox.ts";
import type { Order, Play, Report } from "./play.ts";

/** The name of the role. */
export const WIRE_ROLE = "wire";

/** How much longer than its games the sandbox may last, in milliseconds. */
const ROOM_MS = 15_000;

/** How to open a session. */
export interface SessionOptions {
  /** How long one game may take, in milliseconds. */
  readonly limitMs: number;
  /** How many games may follow each other. @default {1} */
  readonly games?: number;
}

/** What is asked for when a game is begun; the session knows the rest. */
export type Asked = Omit<Play, "game" | "beganUs">;

/** A sandbox with its wires. */
export class WireSession implements AsyncDisposable {
  /** When it began, in whole microseconds since 1970: all times of its games count from it. */
  readonly beganUs = Math.floor(nowUs());
  readonly #sandbox: Sandbox;
  #games = 0;

  private constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /**
   * Makes the sandbox.
   *
   * @param options how long it lasts
   * @throws {SandboxError} if there is none
   */
  static async open({ limitMs, games = 1 }: SessionOptions): Promise<WireSession> {
    const allMs = Math.min(limitMs * games + ROOM_MS, LONGEST_MS);
    const sandbox = await Sandbox.open(WIRE_ROLE, { limitMs: allMs });
    return new WireSession(sandbox);
  }

  /**
   * Begins a game.
   *
   * @param asked what
   * @returns what to play, with its number
   */
  begin(asked: Asked): Play {
    const play = { ...asked, game: this.#games++, beganUs: this.beganUs };
    this.say({ kind: "play", play });
    return play;
  }

  /** Says something to the process in the sandbox. */
  say(order: Order): void {
    this.#sandbox.say(order);
  }

  /**
   * What the process in the sandbox tells next.
   *
   * @throws {Error} if it has ended, or can make no wire
   */
  async next(): Promise<Report> {
    const report = await this.#sandbox.next() as Report | undefined;
    if (report === undefined) {
      throw new Error(`The sandbox has ended too early: ${this.#sandbox.lastWords}`);
    }
    if (report.kind === "failed") throw new Error(report.message);
    return report;
  }

  /** Ends the sandbox, and everything in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
  }
}

/**
 * The events in the order of time: a packet is told when it has arrived, and dated when it was sent.
 *
 * @param events what was told
 */
export function inOrder(events: readonly Event[]): Event[] {
  return [...events].sort((a, b) => a.at - b.at);
}
