/**
 * TCP between computers: what connections look like to the programs at their ends.
 *
 * Segments take time, and may be lost: then they are sent again, and all behind them wait. A listener
 * has an accept queue of the kernel's, and a SYN that finds it full is lost too.
 *
 * @module
 */

import { joinBytes } from "../../protocols/bytes.ts";
import type { Address } from "../../protocols/effects.ts";
import type { Random } from "../load/random.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** The way between two computers. It is the same in both directions. */
export interface Path {
  /** How long a segment is under way, in microseconds. */
  readonly delayUs: number;
  /**
   * By how much longer it may take, in microseconds. The order stays.
   *
   * @default {0}
   */
  readonly jitterUs?: number;
  /**
   * Which share of the segments is lost: 0 to 0.9.
   *
   * @default {0}
   */
  readonly loss?: number;
  /**
   * The most bytes of a segment.
   *
   * @default {1448}
   */
  readonly segment?: number;
  /**
   * Whether what is sent is cut into segments anywhere, as a program must expect it.
   *
   * @default {false}
   */
  readonly cuts?: boolean;
  /**
   * How many bytes may be sent that the other program has not taken.
   *
   * @default {262144}
   */
  readonly buffer?: number;
}

/** After how long what was lost is sent again. Then it doubles. RFC 6298; Linux has these. */
const FIRST_RETRY_US = 200_000;
const LONGEST_RETRY_US = 120_000_000;

/**
 * When a SYN is sent again, in microseconds after the first: Linux since 6.5, where the first four
 * waits are a second each (`tcp_syn_linear_timeouts`), and six times at most (`tcp_syn_retries`).
 */
const SYN_RETRIES_US: readonly number[] = [1, 2, 3, 4, 6, 10].map((s) => s * 1_000_000);
const SYN_GIVE_UP_US = 18_000_000;

/** How often a SYN-ACK is sent again (`tcp_synack_retries`); the waits double. */
const SYN_ACK_RETRIES = 5;
const SYN_ACK_RETRY_US = 1_000_000;

/** How many bytes may be sent that the other program has not taken, if nothing else is said. */
const BUFFER_BYTES = 256 * 1024;

/** The end of a direction: FIN or RST. */
export type Last = "fin" | "reset";

/** One end of a connection, as its program has it. */
export class End {
  /** Its own address. */
  readonly local: Address;
  /** The address of the other end. */
  readonly remote: Address;
  /** Called whenever something has come, or may be sent again. */
  onChange: () => void = () => {};
  /** Called once, when nothing can come or go any more: with FIN in both directions, or with RST. */
  onEnded: (how: Last, first: "local" | "remote") => void = () => {};
  #out: Direction | undefined;
  readonly #inbox: Uint8Array[] = [];
  #last: Last | undefined;
  #hasShut = false;
  #isClosed = false;
  /** Who has ended its direction first. */
  #first: "local" | "remote" | undefined;
  #hasEnded = false;

  constructor(local: Address, remote: Address) {
    this.local = local;
    this.remote = remote;
  }

  /** Joins it to the direction in which it sends. */
  join(out: Direction): void {
    this.#out = out;
  }

  /** Whether the peer has reset the connection. */
  get isReset(): boolean {
    return this.#last === "reset";
  }

  /** How many bytes were sent that the other program has not taken, as far as this end knows. */
  get pending(): number {
    return this.#out?.held ?? 0;
  }

  /** Whether bytes have come that were not taken. */
  get hasUnread(): boolean {
    return this.#inbox.length > 0;
  }

  /**
   * Takes what has come.
   *
   * @returns bytes; `null` at the peer's FIN; `undefined` when nothing has come
   */
  receive(): Uint8Array | null | undefined {
    if (this.#inbox.length > 0) {
      const bytes = this.#inbox.length === 1
        ? this.#inbox[0] as Uint8Array
        : joinBytes(this.#inbox);
      this.#inbox.length = 0;
      this.#other?.taken(bytes.length);
      return bytes;
    }
    return this.#last === "fin" ? null : undefined;
  }

  /**
   * Sends as many bytes as there is room for.
   *
   * @returns how many were taken
   */
  send(bytes: Uint8Array): number {
    if (this.#hasShut || this.isReset) return bytes.length;
    return this.#out?.send(bytes) ?? 0;
  }

  /** Sends FIN. Bytes can still come. */
  closeWrite(): void {
    if (this.#hasShut || this.isReset) return;
    this.#hasShut = true;
    this.#out?.finish("fin");
    this.#first ??= "local";
    if (this.#last === "fin") this.#end("fin");
  }

  /** Closes it: with FIN, or with RST if bytes were not taken. RFC 2525, section 2.17. */
  close(): void {
    if (this.#isClosed) return;
    if (this.hasUnread) this.reset();
    else this.closeWrite();
    this.#isClosed = true;
  }

  /** Closes it with RST. */
  reset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.isReset) return;
    this.#hasShut = true;
    this.#out?.finish("reset");
    this.#first ??= "local";
    this.#end("reset");
  }

  /** The direction from which it receives. */
  #other: Direction | undefined;

  /** Joins it to the direction from which it receives. */
  hear(from: Direction): void {
    this.#other = from;
  }

  /** Bytes have come. */
  arrive(bytes: Uint8Array): void {
    // Nobody will take them: the kernel answers with RST.
    if (this.#isClosed) {
      this.#out?.finish("reset");
      this.#end("reset");
      return;
    }
    this.#inbox.push(bytes);
    this.onChange();
  }

  /** The peer's FIN or RST has come. */
  arriveLast(last: Last): void {
    if (this.#last === "reset") return;
    this.#last = last;
    if (last === "reset") this.#inbox.length = 0;
    this.#first ??= "remote";
    if (last === "reset" || this.#hasShut) this.#end(last);
    this.onChange();
  }

  #end(how: Last): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.onEnded(how, this.#first as "local" | "remote");
  }

  /** There is room to send again. */
  drained(): void {
    this.onChange();
  }
}

/** One direction of a connection: bytes from one end to the other, in order. */
export class Direction {
  readonly #time: VirtualTime;
  readonly #path: Path;
  readonly #chance: Random;
  readonly #from: End;
  readonly #to: End;
  /** Bytes that were sent and not taken. */
  #held = 0;
  /** When the last segment arrives. */
  #lastUs = 0;
  #last: Last | undefined;
  #isFull = false;

  constructor(time: VirtualTime, path: Path, chance: Random, from: End, to: End) {
    this.#time = time;
    this.#path = path;
    this.#chance = chance;
    this.#from = from;
    this.#to = to;
    from.join(this);
    to.hear(this);
  }

  /** How many bytes were sent and not taken. */
  get held(): number {
    return this.#held;
  }

  /** Sends as many bytes as there is room for. Returns how many. */
  send(bytes: Uint8Array): number {
    const { buffer = BUFFER_BYTES } = this.#path;
    const taken = Math.min(bytes.length, buffer - this.#held);
    this.#isFull = taken < bytes.length;
    this.#held += taken;
    for (let at = 0; at < taken;) {
      const length = Math.min(this.#segment(), taken - at);
      // The program may use its bytes again.
      const segment = bytes.slice(at, at + length);
      this.#deliver(() => this.#to.arrive(segment));
      at += length;
    }
    return taken;
  }

  /** Sends FIN or RST behind all bytes. */
  finish(last: Last): void {
    if (this.#last === last || this.#last === "reset") return;
    this.#last = last;
    this.#deliver(() => this.#to.arriveLast(last));
  }

  /** The other end has taken bytes. Its acknowledgement takes as long as any segment. */
  taken(count: number): void {
    this.#time.after(wayUs(this.#path, this.#chance), () => {
      this.#held -= count;
      if (!this.#isFull) return;
      this.#isFull = false;
      this.#from.drained();
    });
  }

  #segment(): number {
    const { segment = 1448, cuts = false } = this.#path;
    return cuts ? this.#chance.between(1, segment) : segment;
  }

  #deliver(arrive: () => void): void {
    const { nowUs } = this.#time;
    let us = wayUs(this.#path, this.#chance);
    for (let retryUs = FIRST_RETRY_US; isLost(this.#path, this.#chance);) {
      us += retryUs;
      retryUs = Math.min(retryUs * 2, LONGEST_RETRY_US);
    }
    this.#lastUs = Math.max(this.#lastUs, nowUs + us);
    this.#time.at(this.#lastUs, arrive);
  }
}

/** How long a segment is under way this time. */
function wayUs({ delayUs, jitterUs = 0 }: Path, chance: Random): number {
  return jitterUs === 0 ? delayUs : delayUs + chance.between(0, Math.round(jitterUs));
}

function isLost({ loss = 0 }: Path, chance: Random): boolean {
  return loss > 0 && chance.next() / 2 ** 32 < Math.min(loss, 0.9);
}

/** A listening socket with its accept queue. */
export class Listener {
  /** Where it listens. */
  readonly address: Address;
  /** The limit of its queue, as `listen` was given it. Linux takes one more. */
  readonly backlog: number;
  /** Called whenever a connection has come into the queue. */
  onChange: () => void = () => {};
  /** Called whenever the queue has changed, with the connection that came or went. */
  onQueue: (end: End, isWaiting: boolean) => void = () => {};
  /** Called once, when it is closed and gone. */
  onGone: () => void = () => {};
  readonly #queue: End[] = [];
  /** How many SYNs and ACKs it has dropped because the queue was full. */
  dropped = 0;
  /** Whether newcomers are refused. Those who have come so far are in the queue. */
  isClosed = false;
  #isGone = false;
  /** Whether it closes as soon as nobody waits any more. */
  #isSealed = false;
  /** Handshakes that it has answered and that are not over. */
  #underWay = 0;

  constructor(address: Address, backlog: number) {
    this.address = address;
    this.backlog = backlog;
  }

  /** How many connections wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether no other connection finds room. */
  get isFull(): boolean {
    return this.#queue.length > this.backlog;
  }

  /** Whether newcomers hear nothing. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Whether it is closed and gone: whoever is still in a handshake is reset. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Keeps newcomers out, and closes when the queue is empty and no handshake is under way. */
  seal(): void {
    this.#isSealed = true;
    this.#closeIfEmpty();
  }

  /** Closes: the kernel resets all that wait. */
  close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.isClosed = true;
    for (let end = this.accept(); end !== undefined; end = this.accept()) end.reset();
    this.onGone();
  }

  /** It has answered a SYN. */
  answered(): void {
    this.#underWay++;
  }

  /** That handshake is over, whatever became of it. */
  handshakeOver(): void {
    this.#underWay--;
    this.#closeIfEmpty();
  }

  #closeIfEmpty(): void {
    if (this.#isSealed && this.#queue.length === 0 && this.#underWay === 0) this.close();
  }

  /** Puts a connection into the queue. Returns false if that is full. */
  offer(end: End): boolean {
    if (this.isFull) {
      this.dropped++;
      return false;
    }
    this.#queue.push(end);
    this.onQueue(end, true);
    this.onChange();
    return true;
  }

  /** Takes the connection that has waited longest, if there is one: accept(2). */
  accept(): End | undefined {
    const end = this.#queue.shift();
    if (end === undefined) return undefined;
    this.onQueue(end, false);
    this.#closeIfEmpty();
    return end;
  }
}

/** A connection that a client opens. */
export class Dial {
  /** The client's end: usable when it is connected. */
  readonly end: End;
  /** What has become of it. */
  state: "connecting" | "connected" | "refused" | "timed out" = "connecting";
  /** Called when that changes. */
  onChange: () => void = () => {};

  constructor(end: End) {
    this.end = end;
  }
}

/**
 * Opens a connection: SYN, SYN-ACK, ACK.
 *
 * @param time the clock
 * @param chance what is lost, and when what arrives
 * @param path the way
 * @param listener whom to connect to
 * @param local the client's address
 */
export function dial(
  time: VirtualTime,
  chance: Random,
  path: Path,
  listener: Listener,
  local: Address,
): Dial {
  const client = new End(local, listener.address);
  const server = new End(listener.address, local);
  new Direction(time, path, chance, client, server);
  new Direction(time, path, chance, server, client);
  const dialled = new Dial(client);

  /** The client's ACK reaches the server, or its next try. */
  const establish = (tries: number) => {
    if (listener.isGone) server.reset();
    else if (!listener.offer(server) && tries < SYN_ACK_RETRIES) {
      time.after(SYN_ACK_RETRY_US * 2 ** tries, () => establish(tries + 1));
      return;
    }
    listener.handshakeOver();
  };
  /** A SYN reaches the server. */
  const synArrives = () => {
    if (dialled.state !== "connecting") return;
    if (listener.isClosed) {
      time.after(wayUs(path, chance), () => {
        if (dialled.state !== "connecting") return;
        dialled.state = "refused";
        dialled.onChange();
      });
      return;
    }
    if (listener.isSealed) return;
    if (listener.isFull) {
      listener.dropped++;
      return;
    }
    listener.answered();
    time.after(wayUs(path, chance), () => {
      // The answer to a SYN that was sent again.
      if (dialled.state !== "connecting") return listener.handshakeOver();
      dialled.state = "connected";
      time.after(wayUs(path, chance), () => establish(0));
      dialled.onChange();
    });
  };
  const sendSyn = () => {
    if (!isLost(path, chance)) time.after(wayUs(path, chance), synArrives);
  };
  sendSyn();
  for (const us of SYN_RETRIES_US) {
    time.after(us, () => {
      if (dialled.state === "connecting") sendSyn();
    });
  }
  time.after(SYN_GIVE_UP_US, () => {
    if (dialled.state !== "connecting") return;
    dialled.state = "timed out";
    dialled.onChange();
  });
  return dialled;
}
