/**
 * A chat without its listener: the hall, the turns to speak, and the conversations with the visitors.
 *
 * Nothing here knows where visitors come from or what keeps the time. So the same text serves on real
 * sockets (`chat_server.ts`) and in virtual time (`lab/simulator/chat/`).
 *
 * @module
 */

import type { Deadlines } from "../../engine/drivers/deadlines.ts";
import type { EventLoop } from "../../engine/drivers/event_loop.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import type { Protocol } from "../../protocols/effects.ts";
import type { Bus } from "../bus/bus.ts";
import { BYTES_OF_A_HEARER, converse, type VisitorLimits } from "../rooms/conversation.ts";
import { Hall, type HallCounts, type HallOptions, hear } from "../rooms/hall.ts";
import type { User } from "../rooms/room.ts";
import { Dismissal } from "../talk/dismissal.ts";
import { notice } from "../talk/notices.ts";
import type { HostCounts } from "./counts.ts";
import { Desk, type Registry } from "./desk.ts";
import type { Rounds } from "./rounds.ts";
import { Turns } from "./turns.ts";
import type { Visitor } from "./visitors.ts";

/** The limits of a chat. */
export interface ChatLimits {
  /** The options of the hall. */
  readonly hall: HallOptions;
  /** The limits that conversations enforce. */
  readonly visitor: VisitorLimits;
  /** How many bytes all visitors together may say in one turn of the event loop. */
  readonly turnBytes: number;
}

/** What a chat runs on. */
export interface ChatParts {
  /** Reaches the other servers. */
  readonly bus: Pick<Bus, "publish" | "send" | "release">;
  /** Grants names. */
  readonly names: Registry;
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** Says when it is whose turn to be written to. */
  readonly rounds: Rounds;
  /** Knows the time of day. */
  readonly loop: EventLoop;
  /** Where to count. */
  readonly counts: HallCounts & HostCounts;
  /** Hears what is said and what happens. */
  readonly journal: Pick<Journal, "report" | "log">;
}

/** The chat of one server. */
export class Chat implements Disposable {
  /** The users and the rooms. */
  readonly hall: Hall;
  /** Shares the time of the server between its users. */
  readonly turns: Turns;
  /** Where the conversations wait. */
  readonly desk: Desk;
  readonly #limits: ChatLimits;
  readonly #parts: ChatParts;
  readonly #visitors = new WeakMap<User, Visitor>();

  /** @param limits its limits @param parts what it runs on */
  constructor(limits: ChatLimits, parts: ChatParts) {
    this.#limits = limits;
    this.#parts = parts;
    const { bus, names, deadlines, rounds, loop, counts, journal } = parts;
    this.hall = new Hall(limits.hall, bus, {
      counts,
      deadlines,
      onTalk: (room, line) => journal.report(`${room} ${line}`),
      onKick: (user, reason) => this.#kick(user, reason),
      onNameLost: (user) => this.#renameGuest(user),
    });
    this.turns = new Turns(limits.turnBytes, deadlines, rounds);
    this.desk = new Desk(this.hall, names, deadlines, this.turns, loop);
  }

  /**
   * Begins the conversation with a visitor.
   *
   * @param visitor the visitor
   * @returns a generator that has not been started
   */
  converse(visitor: Visitor): Protocol {
    const { counts, deadlines } = this.#parts;
    return converse({
      hall: this.hall,
      limits: this.#limits.visitor,
      counts,
      clock: deadlines,
      hearer: visitor.hearer,
      onEnter: (user) => this.#visitors.set(user, visitor),
      takeTurn: (share) => this.turns.takeShare(share),
    });
  }

  /** The address that a user is connected from. */
  peerOf(user: User): string {
    return this.#visitors.get(user)?.peer ?? "";
  }

  /**
   * Says something to all rooms as the operator when its turn comes; says nothing once closed.
   *
   * @param text a text that is safe to show in a terminal
   * @param done called then, perhaps at once
   */
  announce(text: string, done = (): void => {}): void {
    const bytes = text.length + this.hall.size * BYTES_OF_A_HEARER;
    this.turns.whenRoom(bytes, (maySay) => {
      try {
        if (maySay) this.hall.announce(text);
      } finally {
        done();
      }
    });
  }

  /** Ends all waiting. There is nobody left to talk to. */
  [Symbol.dispose](): void {
    this.turns[Symbol.dispose]();
  }

  #kick(user: User, reason: string): void {
    const { counts, journal } = this.#parts;
    counts.kicked++;
    const { name } = user;
    journal.log({ level: "info", text: "kicked {name}: {reason}", properties: { name, reason } });
    const dismissal = new Dismissal(`kicked: ${reason}`, `you were kicked: ${reason}`);
    this.#visitors.get(user)?.abort(dismissal);
  }

  #renameGuest(user: User): void {
    const { hall, desk } = this;
    const { name: lost } = user;
    desk.takeGuest((granted) => {
      if (granted === undefined) return void hall.kick(user.name, "no name left");
      const { name, since } = granted;
      // The user may have left in the meantime, or taken another name.
      if (hall.findUser(lost) !== user) return desk.giveBack(name);
      hear(user, notice(`the name ${lost} belongs to a user of another server`));
      hall.rename(user, name, since);
    });
  }
}
