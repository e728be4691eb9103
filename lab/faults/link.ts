/**
 * One connection through the proxy: a client's and one to the server, and what happens between them.
 *
 * @module
 */

import type { Connection } from "../../engine/net/transport.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import { Random } from "../load/random.ts";
import { type Stage, stageOf, type Surroundings } from "./stages.ts";
import { type Direction, DIRECTIONS, type Toxic } from "./toxic.ts";

/** How long both sides have to send FIN after they got it, in milliseconds. */
const PARTING_MS = 2_000;

/** How a connection through the proxy has ended. */
export type LinkEnd = "closed" | "reset" | "cut" | "vanished";

/** What a link must know. */
export interface LinkOptions {
  /** The toxics that act on it. */
  readonly toxics: readonly Toxic[];
  /** What its random numbers begin with. */
  readonly seed: number;
  /** Whether the toxics have ended. */
  isHealed(): boolean;
  /** Lets everything else have its turn. */
  turn(): Promise<void>;
  /** Is told once how it has ended. */
  onEnd(how: LinkEnd): void;
}

/** A connection through the proxy. */
export class Link {
  readonly #client: Connection;
  readonly #server: Connection;
  readonly #options: LinkOptions;
  readonly #ended = Promise.withResolvers<void>();
  /** What stages wait for, each with the function that ends its wait. */
  readonly #rests = new Set<() => void>();
  #end: LinkEnd | undefined;
  #hasVanished = false;
  /** How it ends, if it does so in order: what still comes is thrown away. */
  #parting: LinkEnd | undefined;
  #finished = 0;

  /** @param client the client's connection @param server the one to the server */
  constructor(client: Connection, server: Connection, options: LinkOptions) {
    this.#client = client;
    this.#server = server;
    this.#options = options;
    for (const direction of DIRECTIONS) void this.#relay(direction);
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Ends it with RST on both sides. */
  reset(how: LinkEnd = "reset"): void {
    if (this.#end !== undefined) return;
    this.#client.reset();
    this.#server.reset();
    this.#finish(how);
  }

  /** Closes both connections at once. */
  close(how: LinkEnd = "closed"): void {
    if (this.#end !== undefined) return;
    this.#client.close();
    this.#server.close();
    this.#finish(how);
  }

  /** Nothing waits any longer: the toxics have ended. */
  heal(): void {
    for (const goOn of [...this.#rests]) goOn();
  }

  /**
   * Sends FIN to both sides, and throws away what they still send: closing with unread bytes would be
   * a RST.
   */
  #part(how: LinkEnd): void {
    if (this.#end !== undefined || this.#parting !== undefined) return;
    this.#parting = how;
    this.#finished = 0;
    for (const side of [this.#client, this.#server]) side.closeWrite();
    this.heal();
    void this.#rest(PARTING_MS).then(() => this.close(how));
  }

  #finish(how: LinkEnd): void {
    this.#end = how;
    this.#ended.resolve();
    this.heal();
    this.#options.onEnd(this.#hasVanished ? "vanished" : how);
  }

  /** Waits, but not longer than until the connection ends or the toxics do. */
  #rest(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        this.#rests.delete(goOn);
        resolve();
      };
      const timer = ms === Infinity ? undefined : setTimeout(goOn, Math.min(ms, LONGEST_MS));
      this.#rests.add(goOn);
    });
  }

  /** Passes on the bytes of one direction, and at last FIN. */
  async #relay(direction: Direction): Promise<void> {
    const [from, to] = direction === "up"
      ? [this.#client, this.#server]
      : [this.#server, this.#client];
    const first = this.#chain(direction, to);
    try {
      for (;;) {
        const bytes = await from.read();
        if (this.#end !== undefined) return;
        if (this.#hasVanished || this.#parting !== undefined) {
          if (bytes === null) return this.#leave();
          continue;
        }
        if (bytes === null) return await first.finish();
        // The memory is used again for the next read.
        await first.push(bytes.slice());
      }
    } catch {
      // One side has reset the connection, so the other side is told so.
      if (this.#hasVanished || this.#parting !== undefined) this.#leave();
      else this.reset();
    }
  }

  /** One side is gone, and the other is not told. When both are, nothing is left to hold. */
  #leave(): void {
    if (++this.#finished < 2) return;
    if (this.#hasVanished) this.reset("vanished");
    else this.close(this.#parting);
  }

  /** The stages of a direction, from the one that reads to the one that writes. */
  #chain(direction: Direction, to: Connection): Stage {
    const { toxics, seed } = this.#options;
    const last: Stage = {
      push: async (bytes) => {
        if (bytes.length === 0 || this.#isOver) return;
        try {
          await to.write(bytes);
        } catch {
          this.reset();
        }
      },
      finish: () => {
        if (this.#isOver) return Promise.resolve();
        // A half-close stays one: the other direction goes on.
        if (++this.#finished === 2) this.close();
        else to.closeWrite();
        return Promise.resolve();
      },
    };
    return toxics.reduceRight((next, { fault, directions }, index) => {
      if (!directions.includes(direction)) return next;
      const place = index * DIRECTIONS.length + DIRECTIONS.indexOf(direction);
      return stageOf(fault, next, this.#around(new Random(seed * 31 + place)));
    }, last);
  }

  /** Whether nothing passes any more. */
  get #isOver(): boolean {
    return this.#end !== undefined || this.#hasVanished || this.#parting !== undefined;
  }

  #around(random: Random): Surroundings {
    const { isHealed, turn } = this.#options;
    const isActive = () => !isHealed() && !this.#isOver;
    return {
      rest: (ms) => isActive() ? this.#rest(ms) : Promise.resolve(),
      turn,
      get isActive() {
        return isActive();
      },
      random,
      reset: () => this.reset("cut"),
      close: () => this.#part("cut"),
      vanish: () => this.#vanish(),
    };
  }

  #vanish(): void {
    this.#hasVanished = true;
    this.#finished = 0;
    this.heal();
  }
}
