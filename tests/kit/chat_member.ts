/**
 * Members of a chat without a network: conversations resumed by hand, and the halls they are in.
 *
 * @module
 */

import type { Bus } from "../../chat/bus/bus.ts";
import type { MemoryHub } from "../../chat/bus/memory_bus.ts";
import { Desk, registryOf } from "../../chat/host/desk.ts";
import { Rounds } from "../../chat/host/rounds.ts";
import { Turns } from "../../chat/host/turns.ts";
import { type Awaited, converse, type VisitorLimits } from "../../chat/rooms/conversation.ts";
import { Hall, type HallOptions } from "../../chat/rooms/hall.ts";
import type { Hearer, User } from "../../chat/rooms/room.ts";
import { Dismissal } from "../../chat/talk/dismissal.ts";
import { PolledDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Operation } from "../../engine/drivers/elsewhere.ts";
import type { Effect, Protocol, ReadAnswer } from "../../protocol.ts";

/** What happens to a name that somebody wants: it is granted or refused, now or later. */
export type Fate = "granted" | "refused" | "later";

/** Limits that no test reaches. */
export const UNLIMITED: VisitorLimits = { rate: 0, burst: 1, idleMs: 600_000 };

/** One server: a hall, its link to the others, and where its conversations wait. */
export class House {
  readonly hall: Hall;
  readonly bus: Bus;
  readonly desk: Desk;
  /** The time limits of its pauses, which expire only when told to. */
  readonly deadlines = new PolledDeadlines();
  /** What was said in its rooms, as in the server's log. */
  readonly log: string[] = [];
  /** Users who have lost their names. */
  readonly nameLost: User[] = [];
  readonly counts = { tooLong: 0, floodPauses: 0, idle: 0 };
  /** What happens to the next name that is claimed. */
  fate: Fate = "granted";
  /** The members in the hall, by the hall's user for each. */
  readonly members = new Map<User, Member>();
  /** Functions that grant or refuse the names to be decided later. */
  readonly #undecided = new Map<string, (isGranted: boolean) => void>();

  /** @param hub joins it to the other servers @param options the options of the hall */
  constructor(hub: MemoryHub, options: HallOptions) {
    const bus = hub.connect();
    this.bus = { ...bus, claim: (name, since) => this.#claim(bus, name, since) };
    this.hall = new Hall(options, this.bus, {
      deadlines: this.deadlines,
      onTalk: (room, line) => void this.log.push(`${room} ${line}`),
      onKick: (user, reason) => {
        const dismissal = new Dismissal(`kicked: ${reason}`, `you were kicked: ${reason}`);
        this.members.get(user)?.abort(dismissal);
      },
      onNameLost: (user) => void this.nameLost.push(user),
    });
    this.desk = new Desk(
      this.hall,
      registryOf(this.bus),
      this.deadlines,
      new Turns(Infinity, this.deadlines, new Rounds()),
    );
    void bus.start(this.hall);
  }

  /** Decides on a name that was to be decided later. */
  decide(name: string, isGranted: boolean): void {
    const decide = this.#undecided.get(name);
    this.#undecided.delete(name);
    if (decide === undefined) throw new Error(`Nobody waits for the name ${name}`);
    decide(isGranted);
  }

  async #claim(bus: Bus, name: string, since: number): Promise<boolean> {
    const { fate } = this;
    this.fate = "granted";
    if (fate === "refused" || !await bus.claim(name, since)) return false;
    if (fate === "granted") return true;
    const isGranted = await new Promise<boolean>((decide) => this.#undecided.set(name, decide));
    if (!isGranted) bus.release(name);
    return isGranted;
  }
}

/** One visitor, and the conversation with them. */
export class Member implements Hearer {
  /** The lines that the visitor has heard, without line ends. */
  heard: string[] = [];
  /** The same lines, as the bytes that the visitor was given. */
  readonly bytes: Uint8Array[] = [];
  /** The visitor as a user of the hall, while they are in it. */
  user: User | undefined;
  /** What the conversation waits for. */
  waiting: "read" | "nothing" | keyof Awaited = "nothing";
  /** How long each pause was to last, in milliseconds. */
  pauses: number[] = [];
  /** Whether pauses end at once. */
  skipsPauses = true;
  /** Whether the conversation has returned or thrown. */
  isOver = false;
  /** What it threw. */
  error: unknown;
  readonly #house: House;
  readonly #conversation: Protocol;
  /** What was sent to the conversation before it asked for it. */
  readonly #sent: ReadAnswer[] = [];
  #lent: ReadAnswer;
  #operation: Operation | undefined;

  /** @param house the server that the visitor comes to @param limits the visitor's limits */
  constructor(house: House, limits = UNLIMITED) {
    this.#house = house;
    const { hall, counts } = house;
    this.#conversation = converse({
      hall,
      limits,
      counts,
      clock: house.deadlines,
      hearer: this,
      onEnter: (user) => {
        this.user = user;
        house.members.set(user, this);
      },
    });
    this.#run(() => this.#conversation.next());
  }

  hear(line: Uint8Array): void {
    this.bytes.push(line);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
    if (text.indexOf("\n") !== text.length - 1) throw new Error(`Not one line: "${text}"`);
    this.heard.push(text.slice(0, -1));
  }

  /** Sends something. It is read when the conversation asks for it; `null` is FIN. */
  send(...sent: readonly (Uint8Array | string | null | undefined)[]): void {
    for (const it of sent) this.#sent.push(typeof it === "string" ? encoder.encode(it) : it);
    this.#run(undefined);
  }

  /** Throws an error into the conversation, whatever it waits for. */
  abort(error: Error): void {
    if (this.isOver) return;
    this.#operation?.cancel();
    this.#operation = undefined;
    this.#run(() => this.#conversation.throw(error));
  }

  /** Takes the lines that the visitor has heard since the last call. */
  take(): string[] {
    const { heard } = this;
    this.heard = [];
    return heard;
  }

  /** Resumes the conversation as far as it can go without waiting. */
  #run(resume: (() => IteratorResult<Effect, void>) | undefined): void {
    try {
      for (;;) {
        if (resume === undefined) {
          if (this.isOver || this.waiting !== "read" || this.#sent.length === 0) return;
          const bytes = this.#sent.shift();
          // The bytes are only lent, as a driver lends them.
          const lent = this.#lent = bytes?.slice() ?? bytes;
          resume = () => this.#conversation.next(lent);
        }
        this.waiting = "nothing";
        const step = resume();
        if (step.done === true) break;
        resume = this.#grant(step.value);
      }
    } catch (error) {
      this.error = error;
    }
    this.isOver = true;
    if (this.user !== undefined) this.#house.members.delete(this.user);
  }

  #grant(effect: Effect): (() => IteratorResult<Effect, void>) | undefined {
    switch (effect.kind) {
      case "read":
        // The lent bytes belong to the driver again.
        this.#lent?.fill(0x23);
        this.waiting = "read";
        return undefined;
      case "write":
        this.hear(effect.bytes);
        return () => this.#conversation.next();
      case "report":
      case "compute":
        throw new Error("Cannot happen: a chat reports and computes nothing");
      case "wait":
        return this.#wait(effect.event as keyof Awaited, effect.argument);
    }
  }

  #wait(
    event: keyof Awaited,
    argument: unknown,
  ): (() => IteratorResult<Effect, void>) | undefined {
    if (event === "pause") {
      this.pauses.push(argument as number);
      if (this.skipsPauses) return () => this.#conversation.next();
    }
    this.waiting = event;
    this.#operation = this.#house.desk.begin(event, argument, (error, result) => {
      this.#operation = undefined;
      this.#run(() =>
        error === undefined ? this.#conversation.next(result) : this.#conversation.throw(error)
      );
    });
    return undefined;
  }
}

const encoder = new TextEncoder();

/** Waits until all promises that need nothing from outside are settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
