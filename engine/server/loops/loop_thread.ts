/**
 * The inside of a Worker that is an event loop: what the Worker half of such a mode works with.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { Deadlines } from "../../drivers/deadlines.ts";
import type { LingerLimits } from "../../drivers/limits.ts";
import { runtime } from "../../net/runtime.ts";
import type { KeepAlive } from "../../net/transport.ts";
import { sockets } from "../../net/sockets.ts";
import { type Assignment, onAssignment, type Place } from "../team/assignment.ts";
import type { CounterBlock } from "../core/counters.ts";
import type { Journal } from "../journal/journal.ts";
import type { Observer } from "../core/observer.ts";
import { Rest } from "./rest.ts";
import { hostKey } from "../core/host_key.ts";
import { openDoor } from "../core/open_door.ts";
import type { SynLog } from "../core/syn_log.ts";
import { type OffloadAnswer, type OffloadRequest, PortOffload } from "../offload/offload_port.ts";
import { SessionSet, type TurnNotes } from "../core/session_set.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import { type Gate, HostNote, threadMemory } from "../team/team_memory.ts";

/** What the main thread tells each loop. */
export interface LoopData {
  /** Connects this loop and the main thread. */
  readonly port: MessagePort;
  /** The address to listen on. If its port is 0, the first loop picks the port for all. */
  readonly address: Address;
  /** When the kernel counts a silent peer as gone. */
  readonly keepAlive: KeepAlive | undefined;
  /** Whether the log tells what the SYN of each connection said. */
  readonly logSyn: boolean;
  /** Whether other threads compute. */
  readonly offloads: boolean;
  /** Whether the loop is woken through a socket, and takes its messages itself. */
  readonly isWoken: boolean;
  /** How its connections linger. */
  readonly lingering: LingerLimits;
  /** How many of them may wait for a PROXY header. */
  readonly mostExpected: number;
  /** The mode's own message to the loop. */
  readonly own: unknown;
}

/** What the main thread says later. */
export type ToLoop = OffloadAnswer | { readonly kind: "look" | "die" } | {
  /** A connection that came while newcomers were about to be kept out. */
  readonly kind: "accepted";
  readonly fd: number;
  readonly sockaddr: Uint8Array;
};

/** What a loop says to the main thread. */
export type FromLoop =
  | OffloadRequest
  | {
    readonly kind: "listening";
    readonly address: Address;
    /** Its own listener, if it has one. */
    readonly descriptor?: number;
    /** Its number in the recording, if something is recorded. */
    readonly thread?: number;
  }
  | { readonly kind: "stoppedListening" };

/** A loop, from its beginning to its end. */
export type LoopBody = (loop: LoopThread, own: never) => void | Promise<void>;

/**
 * The Worker half of a mode whose Workers are event loops. It does nothing except in a Worker that
 * was started for this mode.
 *
 * @param mode the mode's name
 * @param body the loop; it returns when the server has closed and all its conversations are over
 */
export function onLoop(mode: string, body: LoopBody): void {
  onAssignment(mode, async (assignment, place, protocol, _tell, sayReady) => {
    const loop = new LoopThread(assignment, place, protocol, sayReady);
    await loop.prepare();
    await Promise.race([body(loop, (assignment.data as LoopData).own as never), loop.doom]);
    loop.track?.flush();
    (assignment.data as LoopData).port.close();
  });
}

/** One thread with an event loop. */
export class LoopThread {
  /** The address to listen on. */
  readonly address: Address;
  /** When the kernel counts a silent peer as gone. */
  readonly keepAlive: KeepAlive | undefined;
  /** The gate where connections enter and leave. It also announces the end. */
  readonly gate: Gate;
  /** Counts for this thread. */
  readonly counters: CounterBlock;
  /** Reports what happens in this thread. */
  readonly journal: Journal;
  /** Records what happens in this thread, if a trace is written. */
  readonly track: WatchingTrack | undefined;
  /** Connects this loop and the main thread. */
  readonly port: MessagePort;
  /** Receives a connection that the main thread has accepted. */
  onAccepted: ((fd: number, sockaddr: Uint8Array) => void) | undefined;
  /** Logs what the SYN of each connection said, if anybody wants to know. */
  synLog: SynLog | undefined;
  readonly #assignment: Assignment;
  readonly #protocol: ProtocolDefinition;
  readonly #observer: Observer;
  readonly #sayReady: () => void;
  readonly #wakeBytes = new Uint8Array(64);
  readonly #offload: PortOffload | undefined;
  /** Says whose turn it is, if a thread watches the loops. */
  #turns: TurnNotes | undefined;
  /** Begins the heartbeat, if anybody wants one. */
  #startBeat: ((deadlines: Deadlines) => void) | undefined;
  /** Receives clients that come through a proxy, if they do. */
  #openReception: typeof import("../core/reception.ts").openReception | undefined;
  /** How many connections have left the gate, and their conversations are not over. */
  #left: Int32Array = new Int32Array(1);
  readonly #doomed = Promise.withResolvers<never>();
  /** Collects garbage, in a loop that has to ask for that. */
  #rest: Rest | undefined;
  /** Takes a message out of the port, in a loop that has to do that itself. */
  #take: Awaited<ReturnType<typeof runtime.messageTaker>> | undefined;

  /**
   * @param assignment from the main thread
   * @param place its place in the team
   * @param protocol the protocol
   * @param sayReady tells the main thread that the loop listens
   */
  constructor(
    assignment: Assignment,
    place: Place,
    protocol: ProtocolDefinition,
    sayReady: () => void,
  ) {
    const { port, address, keepAlive, offloads } = assignment.data as LoopData;
    const { gate, counters, journal, track, observer } = place;
    this.address = address;
    this.keepAlive = keepAlive;
    this.port = port;
    this.#assignment = assignment;
    this.#protocol = protocol;
    this.#sayReady = sayReady;
    this.gate = gate;
    this.counters = counters;
    this.journal = journal;
    this.track = track;
    this.#observer = observer;
    this.#offload = offloads ? new PortOffload((request) => this.say(request), track) : undefined;
  }

  /** Rejects if this loop is to die. */
  get doom(): Promise<never> {
    return this.#doomed.promise;
  }

  /** How long a write may wait while the peer takes nothing, in milliseconds; 0 is for ever. */
  get writeTimeoutMs(): number {
    return this.#assignment.settings.writeTimeoutMs ?? 0;
  }

  /** Loads what only some servers want. A Worker starts faster without. */
  async prepare(): Promise<void> {
    const { memory: { beats }, index, settings: { admission } } = this.#assignment;
    const { logSyn, isWoken } = this.#assignment.data as LoopData;
    if (beats !== undefined) {
      const { Heartbeat, noteTurns } = await import("../statistics/heartbeat.ts");
      this.#startBeat = (deadlines) => void new Heartbeat(beats, index, deadlines);
      this.#turns = noteTurns(beats, index);
    }
    if (isWoken) this.#take = await runtime.messageTaker();
    if (admission?.proxies !== undefined) {
      ({ openReception: this.#openReception } = await import("../core/reception.ts"));
    }
    if (logSyn) {
      const { SynLog } = await import("../core/syn_log.ts");
      this.synLog = new SynLog(sockets(), this.journal);
    }
  }

  /**
   * Makes the set of this loop's conversations, and begins the loop's heartbeat.
   *
   * @param deadlines keeps their time limits
   */
  makeSessions(deadlines: Deadlines): SessionSet {
    this.#startBeat?.(deadlines);
    const { isWoken } = this.#assignment.data as LoopData;
    const { collectGarbage } = runtime;
    if (isWoken && collectGarbage !== undefined) this.#rest = new Rest(deadlines, collectGarbage);
    const protocol = this.#protocol;
    const { settings } = this.#assignment;
    const options = { protocol, settings };
    const { lingering, mostExpected: most } = this.#assignment.data as LoopData;
    const { memory, index } = this.#assignment;
    const { admission: rules } = settings;
    const { counters, journal } = this;
    const door = openDoor({ rules, counters, journal, protocol, table: index }, memory);
    const sessions = new SessionSet(
      options,
      this.#observer,
      deadlines,
      this.#offload,
      this.track,
      lingering,
      door,
      this.#openReception?.({ door, observer: this.#observer, deadlines, most }),
    );
    sessions.noteTurns(this.#turns);
    const { host, left } = threadMemory(memory, index);
    this.#left = left;
    const note = new HostNote(host);
    sessions.onHost = (hostname) =>
      note.note(hostname === undefined ? undefined : hostKey(hostname));
    return sessions;
  }

  /**
   * A loop that waits by itself has waited, and goes on.
   *
   * @param hasNews whether something has happened, and not only a limit was reached
   */
  woke(hasNews: boolean): void {
    this.track?.woke();
    if (hasNews) this.#rest?.turn();
  }

  /** A connection ends, and its peer cannot see that yet: its place is free. */
  leave(): void {
    this.#left[0]!++;
    this.gate.leave();
  }

  /** The conversation of a connection that has left is over. */
  over(): void {
    this.#left[0]!--;
  }

  /**
   * Tells the main thread that the loop listens.
   *
   * @param address where
   * @param descriptor the descriptor of its own listener, if it has one
   */
  listening(address: Address, descriptor?: number): void {
    this.say({
      kind: "listening",
      address,
      ...(descriptor !== undefined && { descriptor }),
      ...(this.track !== undefined && { thread: this.track.number }),
    });
    this.#sayReady();
  }

  /** Tells the main thread that the loop accepts nobody any more, and never will again. */
  stoppedListening(): void {
    this.say({ kind: "stoppedListening" });
  }

  /** Sends a message to the main thread. */
  say(message: FromLoop): void {
    this.port.postMessage(message);
  }

  /**
   * Receives all messages from the main thread, in a thread without a runtime's event loop.
   *
   * @param wake the socket that woke this thread
   */
  hearAll(wake: number): void {
    const net = sockets();
    while (net.recv(wake, this.#wakeBytes, net.constants.MSG_DONTWAIT) > 0);
    for (;;) {
      const taken = this.#take?.(this.port);
      if (taken === undefined) return;
      this.hear(taken.message as ToLoop);
    }
  }

  /** Handles a message from the main thread. */
  hear(message: ToLoop): void {
    if (message.kind === "computed") this.#offload?.handle(message);
    else if (message.kind === "accepted") this.onAccepted?.(message.fd, message.sockaddr);
    else if (message.kind === "die") {
      this.#doomed.reject(new Error("It was ended from the live page"));
    }
  }
}
