/**
 * Simulates the chat: the server's own rooms, outboxes, turns and farewell, in virtual time, over the
 * simulated network. Only the loop, the clock and the connections are made up.
 *
 * The same options and the same seed give the same history, to the last byte.
 *
 * @module
 */

import { Chat } from "../../../chat/host/chat.ts";
import type { HostCounts } from "../../../chat/host/counts.ts";
import { Farewell } from "../../../chat/host/farewell.ts";
import { BATCH_BYTES, Outbox, type SlowPolicy } from "../../../chat/host/outbox.ts";
import { Rounds } from "../../../chat/host/rounds.ts";
import { type VisitObservation, type Visitor, Visitors } from "../../../chat/host/visitors.ts";
import type { HallCounts } from "../../../chat/rooms/hall.ts";
import { NEWS_LIMITS } from "../../../chat/rooms/news.ts";
import type { User } from "../../../chat/rooms/room.ts";
import { Deadline, TimedDeadlines } from "../../../engine/drivers/deadlines.ts";
import { LingerSet } from "../../../engine/drivers/linger.ts";
import type { Event, Header } from "../../../engine/recording/events.ts";
import { CutError } from "../../../engine/server/core/observer.ts";
import { OPEN } from "../../../engine/server/core/door.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { SlowReaderError } from "../../../protocols/errors.ts";
import { Random } from "../../load/random.ts";
import { callServer, clientAddress, type ClientOutcome, outcomeOf, SERVER } from "../call.ts";
import { Computer } from "../conversation.ts";
import { COSTS, type Costs } from "../costs.ts";
import { History } from "../history.ts";
import { Machine } from "../machine.ts";
import { type End, Listener, type Path } from "../network.ts";
import { VirtualTime } from "../virtual_time.ts";
import { beMember, type Member, readTalk } from "./members.ts";
import { SimulatedConnection } from "./simulated_connection.ts";
import { VirtualLoop } from "./virtual_loop.ts";

/** The knobs of a simulated chat. */
export interface ChatSimulationOptions {
  /** Who comes, and what each of them types. */
  readonly members: readonly Member[];
  /**
   * The seed of all that is left to chance: what the network does, and what comes first.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * The way between the members and the server.
   *
   * @default {10 µs, nothing is lost}
   */
  readonly path?: Path;
  /** What happens to a member who reads too slowly. @default {"disconnect"} */
  readonly slow?: SlowPolicy;
  /** How many bytes may wait for a member. @default {4096} */
  readonly outboxBytes?: number;
  /** How long a member may take nothing of what waits, in milliseconds. @default {10000} */
  readonly writeTimeoutMs?: number;
  /** How many lines a room remembers for those who join it. @default {0} */
  readonly history?: number;
  /** How long it takes until a name is granted, at most, in microseconds. @default {500} */
  readonly namesUs?: number;
  /** When the operator says something to all, in milliseconds; 0 is never. @default {8} */
  readonly announcesAtMs?: number;
  /** When the operator ends the server, in milliseconds after it was ready. @default {100} */
  readonly closesAtMs?: number;
  /** How long members may talk on after that, in milliseconds. @default {20} */
  readonly drainMs?: number;
  /** What things cost, where it differs from {@linkcode COSTS}. */
  readonly costs?: Partial<Costs>;
  /** How many steps there may be in all. @default {20000000} */
  readonly mostSteps?: number;
}

/** Something that a member has done or heard. */
export interface Happening {
  /** When, in microseconds after the server was ready. */
  readonly atUs: number;
  /** Whose it is. */
  readonly member: string;
  readonly what: "types" | "hears" | "ends";
  /** The line; how it has ended. */
  readonly text: string;
}

/** What has become of a member. */
export interface MemberOutcome extends ClientOutcome {
  readonly member: Member;
  /** The lines that it has read, in order. */
  readonly heard: readonly string[];
  /** The lines of talk that it should have read: they were said in the room where it was. */
  readonly due: readonly string[];
  /** Whether the server has ended the connection in order, as the member saw it. */
  readonly hasEnded: boolean;
  /** Whether the server took it for a slow reader. */
  readonly wasSlow: boolean;
  /** Whether it has not taken the last lines in time, when the server ended. */
  readonly wasCut: boolean;
  /** Whether the server has accepted it. */
  readonly wasAccepted: boolean;
  /** Whether it was in the chat when the server said that it was about to end. */
  readonly wasThere: boolean;
}

/** A simulated chat that is over. */
export interface ChatSimulation {
  /** The seed, to see it again. */
  readonly seed: number;
  /** The way between the members and the server. */
  readonly path: Path;
  /** What the members have done and heard, in the order of time. */
  readonly happenings: readonly Happening[];
  /** What has become of them, in the order of the options. */
  readonly members: readonly MemberOutcome[];
  /** The names of those whom the server has accepted, in the order in which it did. */
  readonly accepted: readonly string[];
  /** The recording: as a server with `--record` writes it. */
  readonly recording: readonly (Header | Event)[];
  /** What the server has counted. */
  readonly counts: Readonly<HallCounts & HostCounts>;
  /** The most bytes that waited in an outbox, and how many may. */
  readonly outbox: { readonly most: number; readonly limit: number };
  /** What was left when all were gone: nothing, if nothing grows. */
  readonly left: readonly string[];
  /** When the server has ended, in microseconds after it was ready; `undefined` if it never did. */
  readonly endedUs: number | undefined;
}

/** How fast members may talk: the limits of the real chat. */
const TALK = { rate: 20, burst: 40, idleMs: 600_000 };

/** How long a line may take to come, in milliseconds: that of the real chat. */
const MESSAGE_TIMEOUT_MS = 30_000;

/** What the operator says. */
const ANNOUNCEMENT = "tea is ready";

/** A member whose conversation is simulated. */
interface Seat extends ClientOutcome {
  readonly member: Member;
  readonly heard: string[];
  readonly due: string[];
  hasEnded: boolean;
  wasSlow: boolean;
  wasCut: boolean;
  wasAccepted: boolean;
  wasThere: boolean;
}

/**
 * Simulates a chat from its start to its end.
 *
 * @param options the knobs
 * @returns what has happened
 */
export function simulateChat(options: ChatSimulationOptions): ChatSimulation {
  return new SimulatedChat(options).run();
}

/** A chat under simulation. */
class SimulatedChat {
  readonly #options: ChatSimulationOptions;
  readonly #seed: number;
  readonly #path: Path;
  readonly #time: VirtualTime;
  readonly #chance: Random;
  readonly #history: History;
  readonly #loop: VirtualLoop<End>;
  readonly #deadlines: TimedDeadlines;
  readonly #listener: Listener;
  readonly #chat: Chat;
  readonly #visitors: Visitors;
  readonly #farewell: Farewell;
  readonly #costs: Costs;
  readonly #counts: HallCounts & HostCounts = {
    said: 0,
    delivered: 0,
    dropped: 0,
    floodPauses: 0,
    tooLong: 0,
    idle: 0,
    kicked: 0,
    full: 0,
    perHost: 0,
    denied: 0,
    stranger: 0,
  };
  readonly #seats: readonly Seat[];
  /** The seats by the addresses of their members. */
  readonly #seatAt: ReadonlyMap<string, Seat>;
  readonly #happenings: Happening[] = [];
  readonly #accepted: string[] = [];
  #recording: readonly (Header | Event)[] | undefined;
  readonly #ends = new Map<string, End>();
  readonly #outboxes = new Set<Outbox>();
  readonly #outboxBytes: number;
  #mostBytes = 0;
  #thread = 0;
  #endedUs: number | undefined;

  constructor(options: ChatSimulationOptions) {
    this.#options = options;
    const { seed = 1, slow = "disconnect", outboxBytes = 4_096, writeTimeoutMs = 10_000 } = options;
    this.#seed = seed;
    this.#path = options.path ?? { delayUs: 10 };
    this.#outboxBytes = outboxBytes;
    this.#costs = { ...COSTS, ...options.costs };
    const time = new VirtualTime(options.mostSteps);
    const chance = new Random(seed);
    const history = new History(time);
    this.#time = time;
    this.#chance = chance;
    this.#history = history;
    const loop = new VirtualLoop<End>({
      time,
      chance,
      pollUs: this.#costs.pollUs,
      onTurn: (end, fromUs) => this.#turned(end, fromUs),
    });
    this.#loop = loop;
    const deadlines = new TimedDeadlines({ extendsLate: true, loop });
    this.#deadlines = deadlines;
    const rounds = new Rounds(loop);
    const limits = {
      hall: {
        echo: false,
        news: NEWS_LIMITS,
        history: { lines: options.history ?? 0, bytes: outboxBytes / 4 },
      },
      visitor: TALK,
      turnBytes: Math.min(BATCH_BYTES, outboxBytes / 4),
    };
    const chat = new Chat(limits, {
      // There are no other servers.
      bus: { publish() {}, send() {}, release() {} },
      names: { claim: (_name, _since, done) => this.#grant(done), release() {} },
      deadlines,
      rounds,
      loop,
      counts: this.#counts,
      journal: { report: (line) => this.#said(line), log() {} },
    });
    this.#chat = chat;
    this.#visitors = new Visitors({
      limits: {
        maxConnections: Infinity,
        rules: OPEN,
        messageTimeoutMs: MESSAGE_TIMEOUT_MS,
        outbox: { outboxBytes, writeTimeoutMs, slow },
      },
      deadlines,
      rounds,
      lingering: new LingerSet(deadlines),
      observer: { begin: ({ peer }) => this.#observe(peer) },
      door: { enter: () => undefined, leave() {} },
      counts: this.#counts,
      events: chat.desk,
      converse: (visitor) => this.#converse(visitor),
    });
    this.#farewell = new Farewell({
      visitors: this.#visitors,
      deadlines,
      onEnding: () => chat.hall.close(),
    });
    this.#listener = new Listener(SERVER, options.members.length);
    this.#seats = options.members.map((member) => ({
      ...outcomeOf(member),
      member,
      heard: [],
      due: [],
      hasEnded: false,
      wasSlow: false,
      wasCut: false,
      wasAccepted: false,
      wasThere: false,
    }));
    this.#seatAt = new Map(
      this.#seats.map((seat, index) => [formatAddress(clientAddress(index)), seat]),
    );
  }

  run(): ChatSimulation {
    const { announcesAtMs = 8, closesAtMs = 100 } = this.#options;
    const machine = new Machine(this.#time, { cores: 1, wakeUs: this.#costs.wakeUs });
    this.#thread = this.#history.thread("main", true);
    this.#history.watch(this.#listener);
    this.#listener.onChange = () => this.#loop.event(() => this.#accept());
    machine.start("main", this.#loop.run());
    this.#call();
    if (announcesAtMs > 0) this.#at(announcesAtMs, () => this.#announce());
    this.#at(closesAtMs, () => this.#close());
    this.#time.run();
    const record = () => this.#recording ??= this.#record();
    return {
      seed: this.#seed,
      path: this.#path,
      happenings: this.#happenings,
      members: this.#seats,
      accepted: this.#accepted,
      // Whoever tries thousands of seeds looks at none of their recordings.
      get recording() {
        return record();
      },
      counts: this.#counts,
      outbox: { most: this.#mostBytes, limit: this.#outboxBytes },
      left: this.#leftovers(),
      endedUs: this.#endedUs,
    };
  }

  /** Makes the recording, with the lines that were said and heard. */
  #record(): readonly (Header | Event)[] {
    const addresses = new Map(this.#seats.map(({ name }, index) => [name, clientAddress(index)]));
    /** The numbers of the lines, by what they say about themselves. */
    const numbers = new Map<string, number>();
    for (const { atUs, member, what, text } of this.#happenings) {
      // What is typed is heard with the speaker's name before it.
      const talk = readTalk(what === "types" ? `[] ${text}` : text);
      if (talk === undefined) continue;
      const key = JSON.stringify(talk);
      const number = numbers.get(key) ?? numbers.size + 1;
      numbers.set(key, number);
      const does = what === "types" ? "says" : "hears";
      this.#history.line(atUs, number, addresses.get(member) as Address, does);
    }
    return this.#history.recording("simulation of chat");
  }

  /** Lets the members call. */
  #call(): void {
    const elsewhere = new Machine(this.#time, { cores: Infinity });
    const tasks = new Computer({}, () => 0);
    for (const [index, seat] of this.#seats.entries()) {
      const call = {
        time: this.#time,
        chance: this.#chance,
        path: this.#path,
        listener: this.#listener,
        local: clientAddress(index),
        tasks,
      };
      const converse = () => this.#play(seat);
      this.#time.after(seat.atUs, () => {
        elsewhere.start(seat.name, callServer(call, { converse }, seat, 0));
      });
    }
  }

  #play(seat: Seat): ReturnType<typeof beMember> {
    return beMember(seat.member, {
      now: () => this.#time.nowUs / 1_000,
      onTyped: (line) => this.#note(seat, "types", line),
      onHeard: (line) => {
        seat.heard.push(line);
        this.#note(seat, "hears", line);
      },
      onEnd: () => {
        seat.hasEnded = true;
        this.#note(seat, "ends", "the server has closed");
      },
    });
  }

  #note({ name: member }: Seat, what: Happening["what"], text: string): void {
    this.#happenings.push({ atUs: this.#time.nowUs, member, what, text });
  }

  /** Lets the loop of the server do something at a time. */
  #at(ms: number, act: () => void): void {
    this.#time.after(ms * 1_000, () => this.#loop.event(act));
  }

  /** Takes those who wait in the accept queue. */
  #accept(): void {
    for (let end; (end = this.#listener.accept()) !== undefined;) {
      this.#history.begun(end);
      this.#history.served(end, this.#thread);
      this.#loop.spend(this.#costs.acceptUs);
      const address = formatAddress(end.remote);
      this.#ends.set(address, end);
      const seat = this.#seatAt.get(address) as Seat;
      seat.wasAccepted = true;
      this.#accepted.push(seat.name);
      this.#visitors.welcome(new SimulatedConnection(end, this.#loop, this.#costs));
    }
  }

  /** A name is granted after a while: the visitor may have left by then. */
  #grant(done: (isGranted: boolean) => void): void {
    const { namesUs = 500 } = this.#options;
    const us = this.#chance.between(0, namesUs);
    this.#time.after(us, () => this.#loop.event(() => done(true)));
  }

  #converse(visitor: Visitor): ReturnType<Chat["converse"]> {
    if (visitor.hearer instanceof Outbox) this.#outboxes.add(visitor.hearer);
    return this.#chat.converse(visitor);
  }

  #observe(peer: Address): VisitObservation {
    const address = formatAddress(peer);
    const end = this.#ends.get(address) as End;
    return {
      watch: (connection) => connection,
      enter() {},
      leave() {},
      over: (error, wasEmpty = false) => {
        const seat = this.#seatAt.get(address) as Seat;
        seat.wasSlow = error instanceof SlowReaderError;
        seat.wasCut = error instanceof CutError;
        this.#history.over({ end, error, wasEmpty }, seat.wasCut);
      },
    };
  }

  /** Somebody has said something: it is due for all who are in the room, but for who has said it. */
  #said(report: string): void {
    const room = report.slice(0, report.indexOf(" "));
    const line = report.slice(room.length + 1);
    const here = [...this.#chat.hall.users].filter((user) => user.room.name === room);
    for (const user of here) {
      const isSpeaker = line.startsWith(`[${user.name}] `);
      if (!isSpeaker || here.length === 1) this.#seatOf(user)?.due.push(line);
    }
  }

  #seatOf(user: User): Seat | undefined {
    return this.#seatAt.get(this.#chat.peerOf(user));
  }

  #announce(): void {
    this.#chat.announce(ANNOUNCEMENT, () => {
      const line = `[server] ${ANNOUNCEMENT}`;
      for (const user of this.#chat.hall.users) this.#seatOf(user)?.due.push(line);
    });
  }

  /** The operator ends the server. */
  #close(): void {
    const { drainMs = 20 } = this.#options;
    for (const user of this.#chat.hall.users) {
      const seat = this.#seatOf(user);
      if (seat !== undefined) seat.wasThere = true;
    }
    this.#history.closing();
    this.#farewell.announce(drainMs);
    // Those whom the kernel has accepted are served; nobody waits longer for them than for the others.
    const late = new Deadline(() => this.#listener.close(), true);
    this.#deadlines.set(late, this.#farewell.leftMs);
    this.#listener.onGone = () =>
      this.#loop.event(() => {
        late.lift();
        this.#farewell.seeOff(() => this.#end());
      });
    this.#listener.seal();
  }

  #end(): void {
    this.#endedUs = this.#time.nowUs;
    this.#chat[Symbol.dispose]();
    this.#deadlines[Symbol.dispose]();
  }

  #turned(end: End | undefined, fromUs: number): void {
    for (const outbox of this.#outboxes) {
      if (outbox.bytes > this.#mostBytes) this.#mostBytes = outbox.bytes;
    }
    if (end !== undefined) {
      this.#history.span("turn", fromUs, { end, thread: this.#thread });
    }
  }

  /** What should not be there any more. */
  #leftovers(): readonly string[] {
    const { hall } = this.#chat;
    const left: string[] = [];
    if (this.#visitors.open > 0) left.push(`${this.#visitors.open} connections`);
    if (hall.size > 0) left.push(`${hall.size} users`);
    for (const name of this.#names()) if (hall.isTaken(name)) left.push(`the name ${name}`);
    const bytes = [...this.#outboxes].reduce((sum, outbox) => sum + outbox.bytes, 0);
    if (bytes > 0) left.push(`${bytes} bytes in outboxes`);
    return left;
  }

  /** All names that were ever asked for. */
  *#names(): Generator<string> {
    for (let guest = 1; guest <= this.#seats.length + 1; guest++) yield `guest-${guest}`;
    for (const { member } of this.#seats) {
      for (const step of member.steps) {
        const [, name] = step.kind === "types" ? /^\/nick (\S+)/.exec(step.line) ?? [] : [];
        if (name !== undefined) yield name;
      }
    }
  }
}
