/**
 * A wire with its two ends, played by a scenario: what the player does, what the kernels do about
 * it, and who has won.
 *
 * It never waits and draws nothing. {@linkcode Game.turn} lets everything go on that can.
 *
 * @module
 */

import { isNotAfter, lengthInNumbers } from "../../../engine/kernel/packet.ts";
import { SocketChanges } from "../../../engine/recording/socket_changes.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import { type Event, roundUs, type SocketEvent } from "../../../engine/recording/events.ts";
import { packetEvent } from "../../../engine/recording/from_kernel.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Tasks } from "../../../protocols/catalogue.ts";
import type { Address, Protocol } from "../../../protocols/effects.ts";
import type { EndAction, EndName, WireCommand } from "./commands.ts";
import { ClientEnd, ServerEnd, type StreamNumbers } from "./ends.ts";
import { type Look, Looker } from "./look.ts";
import type { Ledger, Scenario, Verdict } from "./scenario.ts";
import {
  delayAll,
  type Fate,
  type PacketKind,
  Wire,
  type WireEvent,
  type WirePacket,
} from "./wire.ts";
import {
  consequences,
  describeEnd,
  describeWaiting,
  type EndView,
  nameOf,
  type PacketView,
  type Retries,
} from "./words.ts";

/** The port of the server, and of a client whose port must be known before it connects. */
const SERVER_PORT = 7000;
const CLIENT_PORT = 6000;

/** How often a kernel tries unless the scenario says otherwise: longer than anybody plays. */
const MANY_RETRIES = 20;

/** The longest text that is told as it is. */
const LONGEST_TOLD = 40;

/** The most sentences that are kept for the screen. */
const MOST_STORY = 50;

/** How to make a game. */
export interface GameOptions {
  /** The calls. */
  readonly net: Sockets;
  /** What is played. */
  readonly scenario: Scenario;
  /** Both sides of a protocol; without them, the ends do what they are told. */
  readonly conversation?: {
    readonly client: () => Protocol<unknown>;
    /** @param peer the client's address */
    readonly server: (peer: Address) => Protocol<unknown>;
    /** The CPU-bound work that the server's side may ask for. */
    readonly tasks?: Tasks | undefined;
  } | undefined;
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /**
   * Receives what happens.
   *
   * @param isSpare whether it is a packet that left the wire because nobody needed it any more
   */
  readonly tell: (event: Event, isSpare?: boolean) => void;
  /** How many packets the wire takes. */
  readonly mostPackets?: number | undefined;
  /** Which of several games of one network it is, from 0. @default {0} */
  readonly index?: number;
}

/** How far a game has come. */
export interface Score {
  /** How many packets were decided about. */
  readonly packets: number;
  /** How many of them were lost. */
  readonly lost: number;
  /** The kinds of those, each once. */
  readonly lostKinds: readonly PacketKind[];
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** All that a screen shows. */
export interface View {
  readonly client: EndView;
  readonly server: EndView;
  /** The packets on the wire: those that wait first, then those that are under way. */
  readonly packets: readonly PacketView[];
  /** What has happened, the newest last. */
  readonly story: readonly string[];
  /** How long each packet takes by itself, in milliseconds; absent while packets wait. */
  readonly runMs?: number;
  readonly score: Score;
  readonly verdict?: Verdict;
}

/** A game in progress. */
export class Game implements Disposable {
  readonly #options: GameOptions;
  readonly #scenario: Scenario;
  readonly #wire: Wire;
  readonly #looker = new Looker();
  readonly #client: ClientEnd;
  readonly #server: ServerEnd | ClientEnd;
  readonly #target: Address;
  readonly #serverAddress: Address;
  readonly #changes: SocketChanges;
  readonly #retries: Retries;
  /** The first number of each direction, by which the others are counted. */
  readonly #first = new Map<WirePacket["direction"], number>();
  /** The number after the last one that each direction has had. */
  readonly #sentUpTo = new Map<WirePacket["direction"], number>();
  /** How many copies of a packet that waits were sent meanwhile. */
  readonly #copies = new Map<WirePacket, number>();
  readonly #told: Story;
  readonly #lostKinds = new Set<PacketKind>();
  readonly #doubledKinds = new Set<PacketKind>();
  #decided = 0;
  #lost = 0;
  #runMs: number | undefined;
  /** While the connection opens by itself, before the player begins. */
  #isPreparing: boolean;
  #beganMs = performance.now();
  #endedMs: number | undefined;
  /** Whether the next packet is lost because nobody needs it, and not because the player wants it. */
  #isTidying = false;
  #isFinished = false;
  #look: Look;
  #verdict: Verdict | undefined;

  /**
   * Begins a game: the client connects.
   *
   * @param options what it needs
   * @throws {DeviceError} where there can be no wire
   */
  constructor(options: GameOptions) {
    const { net, scenario, index = 0, mostPackets, conversation } = options;
    this.#options = options;
    this.#scenario = scenario;
    this.#isPreparing = scenario.begins === "open";
    this.#wire = new Wire({
      net,
      serverPort: SERVER_PORT,
      index,
      policy: (packet) => this.#receive(packet),
      tell: (event) => this.#happened(event),
      ...(mostPackets !== undefined && { most: mostPackets }),
    });
    const { synRetries = MANY_RETRIES, synAckRetries = MANY_RETRIES } = scenario;
    this.#retries = { syn: synRetries, synAck: synAckRetries };
    const hostname = this.#wire.serverAddress;
    this.#serverAddress = { hostname, port: SERVER_PORT };
    this.#target = { hostname: this.#wire.target, port: SERVER_PORT };
    const crosses = scenario.begins === "crossing";
    const serverOptions = {
      net,
      local: this.#serverAddress,
      retries: crosses ? synRetries : synAckRetries,
      conversation: conversation &&
        (() => conversation.server(this.#client.address as Address)),
      tasks: conversation?.tasks,
      receiveBuffer: scenario.receiveBuffer,
    };
    this.#server = crosses ? new ClientEnd(serverOptions) : new ServerEnd(serverOptions);
    this.#server.setReading(scenario.serverReads ?? true);
    this.#client = new ClientEnd({
      net,
      local: { hostname, port: crosses ? CLIENT_PORT : 0 },
      retries: synRetries,
      conversation: conversation?.client,
    });
    this.#changes = new SocketChanges(({ local }) =>
      local.port === SERVER_PORT ? "server" : "client"
    );
    this.#told = new Story((text) => this.#tell({ type: "note", at: this.#at(), text }));
    this.#client.connect(this.#target);
    if (this.#server instanceof ClientEnd) {
      this.#server.connect({ hostname: this.#wire.target, port: CLIENT_PORT });
    }
    this.#look = this.#takeLook();
  }

  /** Both ends, as they were last seen. */
  get look(): Look {
    return this.#look;
  }

  /** Who has won; `undefined` while it goes on. Without a goal nobody wins. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** Whether the player may begin. */
  get isReady(): boolean {
    return !this.#isPreparing;
  }

  /** Whether more packets have come than the wire takes. */
  get isOverfull(): boolean {
    return this.#wire.isOverfull;
  }

  /** Whether both ends have had a connection and have ended it, and nothing is on the wire. */
  get isOver(): boolean {
    const { client, server } = this.#look;
    const isDone = ({ state, wasThere }: Look["client"]) =>
      wasThere && (state === "CLOSE" || state === "TIME_WAIT");
    return isDone(client) && isDone(server) && this.#wire.held.length === 0 &&
      this.#wire.underWay.length === 0;
  }

  /** How far it has come. */
  get score(): Score {
    const ms = (this.#endedMs ?? performance.now()) - this.#beganMs;
    return {
      packets: this.#decided,
      lost: this.#lost,
      lostKinds: [...this.#lostKinds],
      ms: Math.round(ms),
    };
  }

  /**
   * The first packet that waits.
   *
   * @param kind only one of that kind
   */
  waiting(kind?: PacketKind): WirePacket | undefined {
    return this.#wire.held.find((packet) => kind === undefined || packet.kind === kind);
  }

  /** Lets everything go on that can, and looks at both ends. @returns whether anything happened */
  turn(): boolean {
    const happened = this.#wire.turn();
    this.#client.turn();
    this.#server.turn();
    this.#observe();
    return happened;
  }

  /**
   * Does what the player wants. What needs time, such as `wait`, is not done here.
   *
   * @param command what
   * @returns whether there was anything to do it with
   */
  do(command: WireCommand): boolean {
    switch (command.verb) {
      case "deliver":
        return this.#decide(command.packet, { kind: "deliver" });
      case "lose":
        return this.#decide(command.packet, { kind: "lose" });
      case "double":
        return this.#decide(command.packet, { kind: "twice" });
      case "delay":
        return this.#decide(command.packet, { kind: "deliver", afterMs: command.ms });
      case "reorder": {
        const [first, second] = this.#wire.held;
        if (first === undefined || second === undefined) return false;
        this.#wire.putBehind(first);
        this.#told.say(`The first ${nameOf(first)} now waits behind the others`);
        return true;
      }
      case "run":
        this.#run(command.ms);
        return true;
      case "pause":
        this.#runMs = undefined;
        return true;
      case "act":
        return this.#act(command.end, command.action, command.text);
      default:
        return false;
    }
  }

  /**
   * Does what a key of the player stands for, and says so where that is nothing.
   *
   * @param command what
   */
  press(command: WireCommand): void {
    // A person may press faster than turns are taken: the answer to the key before has come.
    this.turn();
    if (this.#verdict !== undefined || this.do(command)) return;
    this.#told.sayOnce(`That key does nothing now: ${whatIsMissing(command)}`);
  }

  /** All that a screen shows. */
  view(): View {
    const clientAddress = this.#client.address as Address;
    const { client, server } = this.#look;
    const now = performance.now();
    const show = (packet: WirePacket, dueMs?: number) =>
      describeWaiting(packet, (side, number) => this.#count(side, number), {
        copies: this.#copies.get(packet) ?? 0,
        ...(dueMs !== undefined && { dueMs }),
      });
    return {
      client: describeEnd(
        client,
        formatAddress(clientAddress),
        this.#numbersOf(this.#client.numbers(), "to server", "to client"),
        this.#retries,
      ),
      server: describeEnd(
        server,
        formatAddress(this.#target),
        this.#numbersOf(this.#server.numbers(), "to client", "to server"),
        this.#retries,
      ),
      packets: [
        ...this.#wire.held.map((packet) => show(packet)),
        ...this.#wire.underWay.map(({ packet, atMs }) => show(packet, Math.max(0, atMs - now))),
      ],
      story: this.#told.sentences,
      ...(this.#runMs !== undefined && { runMs: this.#runMs }),
      score: this.score,
      ...(this.#verdict !== undefined && { verdict: this.#verdict }),
    };
  }

  /**
   * The game is over: what is still on the wire is told, and lost.
   *
   * @param how how it has ended, as a sentence without its full stop
   */
  finish(how: string | undefined): void {
    // What has led to this may have been seen before the packet that goes with it.
    this.#wire.turn();
    if (how !== undefined) this.#told.say(how);
    const count = this.#wire.held.length + this.#wire.underWay.length;
    this.#isFinished = true;
    this.#wire.clear();
    if (count > 0) this.#told.say(`What is still on the wire is lost with it: ${packets(count)}`);
  }

  /** Ends both ends and the wire. */
  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
    this.#client[Symbol.dispose]();
    this.#server[Symbol.dispose]();
    this.#looker[Symbol.dispose]();
  }

  /** The policy of the wire. */
  #receive(packet: WirePacket): Fate {
    const { direction, segment, kind } = packet;
    if (kind === "SYN" || kind === "SYN-ACK" || !this.#first.has(direction)) {
      this.#first.set(direction, segment.seq);
    }
    const isAgain = this.#wasSentBefore(packet);
    if (this.#isPreparing) return { kind: "deliver" };
    const original = this.#wire.held.find((other) => isCopy(other, packet));
    if (original !== undefined) {
      const copies = (this.#copies.get(original) ?? 0) + 1;
      this.#copies.set(original, copies);
      this.#told.say(
        `The ${senderOf(packet)}'s kernel has sent its ${
          nameOf(packet)
        } again, because no answer has come; the ` +
          "first one still waits here, so the copy is not needed",
      );
      this.#isTidying = true;
      return { kind: "lose" };
    }
    if (isAgain) {
      this.#told.say(`The ${senderOf(packet)}'s kernel has sent its ${nameOf(packet)} again`);
    }
    if (this.#runMs === undefined) return { kind: "hold" };
    this.#decided++;
    return { kind: "deliver", afterMs: this.#runMs };
  }

  /** Whether everything in a packet was sent before, by the numbers of its sender. */
  #wasSentBefore(packet: WirePacket): boolean {
    const { direction, segment, kind, ordinal } = packet;
    const length = lengthInNumbers(packet.segment);
    if (length === 0) return false;
    const end = (segment.seq + length) >>> 0;
    const before = this.#sentUpTo.get(direction);
    if (before === undefined || !isNotAfter(end, before)) {
      this.#sentUpTo.set(direction, end);
      return false;
    }
    // Where both connect, the first SYN-ACK has the number of the SYN that went before it.
    return kind !== "SYN-ACK" || ordinal > 1;
  }

  /** Writes down what has become of a packet. */
  #happened({ packet, what, us }: WireEvent): void {
    if (what === "held") return;
    const event = packetEvent(packet.segment, this.#atUs(packet.sentUs));
    if (what === "lost") {
      this.#options.tell({ ...event, lost: true }, this.#isTidying || this.#isFinished);
    } else this.#tell({ ...event, arrived: this.#atUs(us) });
    this.#copies.delete(packet);
    this.#isTidying = false;
    if (what !== "delivered") return;
    // What it has changed is seen before its answer is taken from the kernel.
    this.#observe();
    this.#removeAnswered(packet);
  }

  /** What a packet has acknowledged need not arrive any more. */
  #removeAnswered({ direction, segment }: WirePacket): void {
    if (!segment.flags.includes("A")) return;
    const answered = this.#wire.held.filter((other) =>
      other.direction !== direction && lengthInNumbers(other.segment) > 0 &&
      isNotAfter(other.segment.seq + lengthInNumbers(other.segment), segment.ack)
    );
    for (const packet of answered) {
      this.#told.say(
        `The ${packet.kind} of the ${
          senderOf(packet)
        } that still waited is answered already, and ` +
          "leaves the wire",
      );
      this.#isTidying = true;
      this.#wire.decide(packet, { kind: "lose" });
    }
  }

  #decide(kind: PacketKind | undefined, fate: Fate): boolean {
    const packet = this.waiting(kind);
    if (packet === undefined) return false;
    this.#decided++;
    const copies = this.#copies.get(packet) ?? 0;
    if (fate.kind === "lose") {
      this.#lost++;
      this.#lostKinds.add(packet.kind);
    }
    if (fate.kind === "twice") this.#doubledKinds.add(packet.kind);
    this.#wire.decide(packet, fate);
    const name = `${nameOf(packet)} to the ${receiverOf(packet)}`;
    if (fate.kind === "lose") {
      const them = copies > 0 ? " with its copies" : "";
      this.#told.say(
        `The ${name} is lost${them}, and nobody is told: ${
          consequences(this.#look, this.#retries)
        }`,
      );
    } else if (fate.kind === "deliver" && (fate.afterMs ?? 0) > 0) {
      this.#told.say(`The ${name} is under way`);
    } else if (fate.kind === "twice") this.#told.say(`The ${name} has arrived twice`);
    return true;
  }

  #run(ms: number): void {
    this.#runMs = ms;
    this.#wire.setPolicy((packet) => this.#receive(packet));
    for (const packet of [...this.#wire.held]) {
      this.#decided++;
      this.#wire.decide(packet, delayAll(ms)(packet));
    }
  }

  #act(name: EndName, action: EndAction, text = ""): boolean {
    const end = name === "client" ? this.#client : this.#server;
    const did = this.#perform(end, action, text);
    if (did) {
      const what: Readonly<Record<EndAction, string>> = {
        close: "closes its direction",
        reset: "gives up the connection",
        send: text.length <= LONGEST_TOLD
          ? `sends "${text}"`
          : `sends ${new TextEncoder().encode(text).length} bytes`,
        read: "reads again",
        stop: "stops reading",
      };
      this.#told.say(`The ${name}'s program ${what[action]}`);
    }
    return did;
  }

  #perform(end: ClientEnd | ServerEnd, action: EndAction, text: string): boolean {
    switch (action) {
      case "close":
        return end.close();
      case "reset":
        return end.reset();
      case "send":
        return end.send(new TextEncoder().encode(text));
      case "read":
      case "stop":
        end.setReading(action === "read");
        return true;
    }
  }

  /** Looks at both ends, tells what has changed, and lets the scenario decide. */
  #observe(): void {
    const before = this.#look;
    this.#look = this.#takeLook();
    const { client, server } = this.#look;
    const rows = [client.row, server.row].filter((row) => row !== undefined);
    for (const event of this.#changes.look(rows, this.#at())) {
      if (event.type === "socket") this.#tell(this.#asClientSees(event));
    }
    for (const name of ["client", "server"] as const) {
      const [from, to] = [before[name].state, this.#look[name].state];
      if (from !== to) this.#told.say(`The ${name}: ${from} → ${to}`);
    }
    if (this.#isPreparing) {
      if (client.state !== "ESTABLISHED" || !this.#server.hasConnection) return;
      this.#isPreparing = false;
      this.#told.clear();
      this.#beganMs = performance.now();
      return;
    }
    if (this.#verdict !== undefined) return;
    this.#verdict = this.#scenario.judge(this.#look, this.#ledger());
    if (this.#verdict !== undefined) this.#endedMs = performance.now();
  }

  #ledger(): Ledger {
    return {
      decided: this.#decided,
      lost: this.#lost,
      lostKinds: this.#lostKinds,
      doubledKinds: this.#doubledKinds,
    };
  }

  #takeLook(): Look {
    return this.#looker.look({
      client: this.#client.address,
      target: this.#target,
      server: this.#serverAddress,
      listens: this.#server instanceof ServerEnd,
      failures: { client: this.#client.failure, server: this.#server.failure },
    });
  }

  /** The server's socket has the two addresses the other way round: see `device.ts`. */
  #asClientSees(event: SocketEvent): SocketEvent {
    if (event.end !== "server") return event;
    return {
      ...event,
      local: formatAddress(this.#target),
      remote: formatAddress(this.#client.address as Address),
    };
  }

  /** Where an end is, counted from the first number of each side. */
  #numbersOf(
    numbers: StreamNumbers | undefined,
    own: WirePacket["direction"],
    other: WirePacket["direction"],
  ): string | undefined {
    const [first, peers] = [this.#first.get(own), this.#first.get(other)];
    if (numbers === undefined || first === undefined) return undefined;
    const next = (numbers.next - first) >>> 0;
    const isKnown = peers !== undefined && numbers.expected !== 0;
    return `next seq ${next}, expects ${isKnown ? (numbers.expected - peers) >>> 0 : "any"}`;
  }

  #count(side: string, number: number): number {
    const direction = side === formatAddress(this.#target) ? "to client" : "to server";
    return (number - (this.#first.get(direction) ?? 0)) >>> 0;
  }

  #tell(event: Event): void {
    this.#options.tell(event);
  }

  #at(): number {
    return this.#atUs(nowUs());
  }

  #atUs(us: number): number {
    return roundUs(us - this.#options.beganUs);
  }
}

/** What has happened, in sentences. */
class Story {
  readonly #tell: (text: string) => void;
  #sentences: string[] = [];

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  get sentences(): readonly string[] {
    return this.#sentences;
  }

  say(text: string): void {
    this.#sentences = [...this.#sentences, text].slice(-MOST_STORY);
    this.#tell(text);
  }

  /** Says something, unless it was the last thing that was said. */
  sayOnce(text: string): void {
    if (this.#sentences.at(-1) !== text) this.say(text);
  }

  clear(): void {
    this.#sentences = [];
  }
}

/**
 * Why a command can do nothing.
 *
 * @param command what
 * @returns a sentence without its full stop
 */
export function whatIsMissing(command: WireCommand): string {
  switch (command.verb) {
    case "act":
      return `the ${command.end} cannot ${command.action}: its side of the connection is not open`;
    case "reorder":
      return "no two packets wait";
    default: {
      const what = "packet" in command && command.packet !== undefined ? command.packet : "packet";
      return `no ${what} has come`;
    }
  }
}

/**
 * Whether a packet is the same as one that waits: its sender has sent it again. An ACK of its own is
 * never sent again, and each one says something.
 */
function isCopy(waiting: WirePacket, { direction, kind, segment }: WirePacket): boolean {
  const { segment: other } = waiting;
  return kind !== "ACK" && waiting.kind === kind && waiting.direction === direction &&
    other.seq === segment.seq && other.length === segment.length;
}

/**
 * A number of packets, in words.
 *
 * @param count how many
 */
export function packets(count: number): string {
  return `${count} ${count === 1 ? "packet" : "packets"}`;
}

function senderOf({ direction }: WirePacket): EndName {
  return direction === "to server" ? "client" : "server";
}

function receiverOf({ direction }: WirePacket): EndName {
  return direction === "to server" ? "server" : "client";
}
