/**
 * The place where conversations wait: for a name that no other server has granted, for time to
 * pass, and for their turn.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import type { Elsewhere, Operation } from "../../engine/drivers/elsewhere.ts";
import type { Bus } from "../bus/bus.ts";
import type { Awaited, GrantedName, Share } from "../rooms/conversation.ts";
import type { Hall } from "../rooms/hall.ts";
import type { Turns } from "./turns.ts";

/** How many guest names may turn out to be taken on other servers before the server gives up. */
const GUEST_ATTEMPTS = 1_000;

/** Does what the conversations of one server wait for: see {@linkcode Awaited}. */
export class Desk implements Elsewhere {
  readonly #hall: Hall;
  readonly #bus: Bus;
  readonly #deadlines: Deadlines;
  readonly #turns: Turns;

  /**
   * @param hall reserves names for a while
   * @param bus grants names
   * @param deadlines keeps time
   * @param turns says when there is room for a line
   */
  constructor(hall: Hall, bus: Bus, deadlines: Deadlines, turns: Turns) {
    this.#hall = hall;
    this.#bus = bus;
    this.#deadlines = deadlines;
    this.#turns = turns;
  }

  begin(
    event: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
  ): Operation {
    switch (event as keyof Awaited) {
      case "pause":
        return this.#pause(argument as number, () => done(undefined, undefined));
      case "turn":
        return this.#turns.wait(argument as Share, () => done(undefined, undefined));
      case "name":
        return this.#await(this.take(argument as string), done);
      case "guest name":
        return this.#await(this.takeGuest(), done);
    }
  }

  /**
   * Takes a name.
   *
   * @param name a reserved name; if it is not granted, the reservation ends
   * @returns the name; `undefined` if another server has granted it
   */
  async take(name: string): Promise<GrantedName | undefined> {
    const since = Date.now();
    const isGranted = await this.#bus.claim(name, since).catch(() => false);
    if (isGranted) return { name, since };
    this.#hall.unreserve(name);
    return undefined;
  }

  /**
   * Takes a name for a new guest.
   *
   * @throws {Error} if no name is free
   */
  async takeGuest(): Promise<GrantedName> {
    for (let attempt = 0; attempt < GUEST_ATTEMPTS; attempt++) {
      const granted = await this.take(this.#hall.reserveGuest());
      if (granted !== undefined) return granted;
    }
    throw new Error("Cannot find a name for a guest: the other servers have them all");
  }

  /** Gives back a name that was granted but is not going to be used. */
  giveBack(name: string): void {
    this.#hall.unreserve(name);
    this.#bus.release(name);
  }

  #pause(ms: number, done: () => void): Operation {
    const deadline = new Deadline(done, true);
    this.#deadlines.set(deadline, Math.min(ms, LONGEST_MS));
    return { cancel: () => deadline.lift() };
  }

  /** Hands the name on, or gives it back if nobody wants it any more. */
  #await(
    granting: Promise<GrantedName | undefined>,
    done: (error: unknown, result: unknown) => void,
  ): Operation {
    let isWanted = true;
    granting.then((granted) => {
      if (isWanted) return done(undefined, granted);
      if (granted !== undefined) this.giveBack(granted.name);
    }, (error) => isWanted && done(error, undefined));
    return { cancel: () => isWanted = false };
  }
}
