/**
 * The place where conversations wait: for a name that no other server has granted, for time to
 * pass, and for their turn.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import type { Elsewhere, Operation } from "../../engine/drivers/elsewhere.ts";
import { type EventLoop, THIS_LOOP } from "../../engine/drivers/event_loop.ts";
import type { Bus } from "../bus/bus.ts";
import type { Awaited, GrantedName, Share } from "../rooms/conversation.ts";
import type { Hall } from "../rooms/hall.ts";
import type { Turns } from "./turns.ts";

/** How many guest names may turn out to be taken on other servers before the server gives up. */
const GUEST_ATTEMPTS = 1_000;

/** Grants names: a bus does, and so does a server that is alone. */
export interface Registry {
  /**
   * Claims a name: see {@linkcode Bus.claim}.
   *
   * @param name the name
   * @param since when the claim begins, in milliseconds since 1970
   * @param done called once, later, with whether it is granted
   */
  claim(name: string, since: number, done: (isGranted: boolean) => void): void;
  /** Gives a name back. */
  release(name: string): void;
}

/**
 * The names of a bus.
 *
 * @param bus the link to the other servers
 */
export function registryOf(bus: Pick<Bus, "claim" | "release">): Registry {
  return {
    claim: (name, since, done) => void bus.claim(name, since).then(done, () => done(false)),
    release: (name) => bus.release(name),
  };
}

/** Is told which name was granted; `undefined` if it was not. */
type OnGranted = (granted: GrantedName | undefined) => void;

/** Does what the conversations of one server wait for: see {@linkcode Awaited}. */
export class Desk implements Elsewhere {
  readonly #hall: Hall;
  readonly #names: Registry;
  readonly #deadlines: Deadlines;
  readonly #turns: Turns;
  readonly #loop: EventLoop;

  /**
   * @param hall reserves names for a while
   * @param names grants names
   * @param deadlines keeps time
   * @param turns says when there is room for a line
   * @param loop knows the time of day
   */
  constructor(
    hall: Hall,
    names: Registry,
    deadlines: Deadlines,
    turns: Turns,
    loop: EventLoop = THIS_LOOP,
  ) {
    this.#hall = hall;
    this.#names = names;
    this.#deadlines = deadlines;
    this.#turns = turns;
    this.#loop = loop;
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
      case "name": {
        const name = argument as string;
        return this.#await(
          (onGranted) => this.take(name, onGranted),
          (granted) => done(undefined, granted),
        );
      }
      case "guest name":
        return this.#await(
          (onGranted) => this.takeGuest(onGranted),
          (granted) => done(granted === undefined ? noName() : undefined, granted),
        );
    }
  }

  /**
   * Takes a name.
   *
   * @param name a reserved name; if it is not granted, the reservation ends
   * @param done called once, later, with the name; with `undefined` if another server has granted it
   */
  take(name: string, done: OnGranted): void {
    const since = this.#loop.date();
    this.#names.claim(name, since, (isGranted) => {
      if (!isGranted) this.#hall.unreserve(name);
      done(isGranted ? { name, since } : undefined);
    });
  }

  /**
   * Takes a name for a new guest.
   *
   * @param done called once, later, with the name; with `undefined` if the other servers have all
   */
  takeGuest(done: OnGranted): void {
    const tryOnce = (attempt: number) =>
      this.take(this.#hall.reserveGuest(), (granted) => {
        if (granted !== undefined || attempt === GUEST_ATTEMPTS) done(granted);
        else tryOnce(attempt + 1);
      });
    tryOnce(1);
  }

  /** Gives back a name that was granted but is not going to be used. */
  giveBack(name: string): void {
    this.#hall.unreserve(name);
    this.#names.release(name);
  }

  #pause(ms: number, done: () => void): Operation {
    const deadline = new Deadline(done, true);
    this.#deadlines.set(deadline, Math.min(ms, LONGEST_MS));
    return { cancel: () => deadline.lift() };
  }

  /** Hands the name on, or gives it back if nobody wants it any more. */
  #await(ask: (onGranted: OnGranted) => void, done: OnGranted): Operation {
    let isWanted = true;
    ask((granted) => {
      if (isWanted) return done(granted);
      if (granted !== undefined) this.giveBack(granted.name);
    });
    return { cancel: () => isWanted = false };
  }
}

/** There are only so many names for guests. */
function noName(): Error {
  return new Error("Cannot find a name for a guest: the other servers have them all");
}
