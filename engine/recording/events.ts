/**
 * The form of a recording: what was seen of TCP and of a server, one event a line, in one time base.
 *
 * A recording is JSON lines in UTF-8. The first line is a {@linkcode Header}, each further line an
 * {@linkcode Event}. The same lines can be sent to a browser one by one. `docs/recording.schema.json`
 * describes the form for other programs, `docs/recording.md` for people.
 *
 * - **Time**: `at` and `to` are microseconds since `began_us`, which is in microseconds since 1970.
 *   They have at most three decimals. A process takes them from
 *   `performance.timeOrigin + performance.now()`, the kernel stamps packets with CLOCK_REALTIME.
 * - **Order**: an event is written when it is known. A span is known at its end, so lines are not in
 *   the order of `at`. Whoever shows them sorts them, or keeps a second or two in hand.
 * - **Names**: a thread is a number that {@linkcode ThreadEvent} gives a name. A connection is a number
 *   that {@linkcode BegunEvent} introduces; 0 is never used. A socket is its kernel's cookie. The two
 *   ends of a connection have the same addresses the other way round. That joins a server's
 *   connection (`peer`) to a socket (`remote`), where no `cookie` does.
 * - **Addresses** are `ADDRESS:PORT`, with brackets for IPv6.
 * - **Absent** means unknown or none. No number is 0 because it is unknown.
 * - **Changes**: a reader ignores types and fields that it does not know, so both may be added. When
 *   something changes its meaning, the version goes up.
 *
 * @module
 */

import type { SocketTimer, TcpState } from "../kernel/tcp_states.ts";

/** The version of the form. */
export const VERSION = 1;

/** The runtime of a recording that a simulator has made. */
export const VIRTUAL_TIME = "virtual time";

/** Which means a program had to look at TCP. */
export type Tier =
  /** What the system shows to everybody. */
  | "T0"
  /** Packets of the real loopback too. */
  | "T1"
  /** A network of its own too: the sandbox. */
  | "T2";

/** The first line. */
export interface Header {
  /** What this file is. */
  readonly type: "recording";
  /** The version of the form: {@linkcode VERSION}. */
  readonly version: number;
  /** When the recording began, in whole microseconds since 1970. All times count from it. */
  readonly began_us: number;
  /** Who has recorded: a mode or a command, for instance `threadpool` or `observe timeline`. */
  readonly by: string;
  /** The runtime and its version, for instance `deno 2.9.6`; `virtual time` in a simulation. */
  readonly runtime: string;
  /** The operating system: `linux`, `darwin` or `windows`; `none` in virtual time. */
  readonly os: string;
  /** Which means there were; absent if nothing but a server was watched. */
  readonly tier?: Tier;
}

/** What every event has. */
interface Timed {
  /** When it happened or began, in microseconds since the recording began. */
  readonly at: number;
}

/** A thread of the server, when it begins and when it is gone. */
export interface ThreadEvent extends Timed {
  readonly type: "thread";
  /** Its number, from 1. A thread that replaces another has the same name and the same number. */
  readonly thread: number;
  /** Its name, for instance `main` or `worker 3`. */
  readonly name: string;
  /** Whether it is an event loop, which serves many connections at a time. */
  readonly loop?: boolean;
  /** Whether it is gone. */
  readonly gone?: boolean;
}

/** The server takes a connection. */
export interface BegunEvent extends Timed {
  readonly type: "begun";
  /** The connection's number, from 1. */
  readonly connection: number;
  /** The client's address: the server's socket has it as `remote`. */
  readonly peer: string;
  /** The server's address, where it is known: the server's socket has it as `local`. */
  readonly local?: string;
  /** The cookie of the server's socket, where it is known. */
  readonly cookie?: string;
  /** The client's address as a PROXY header has named it: then the peer is the proxy. */
  readonly client?: string;
  /**
   * When the kernel had opened it at the latest: until it was taken it lay in the accept queue. To a
   * tick of the kernel's clock, 10 ms or less. Absent if it lay there for no longer than that, or if
   * the kernel was not asked.
   */
  readonly connected?: number;
  /** Who has opened it, if that is the page of a server's live view: then it is no client's. */
  readonly by?: "page";
}

/** A connection has waited in a queue of the server's own. */
export interface QueuedEvent extends Timed {
  readonly type: "queued";
  /** The connection's number. */
  readonly connection: number;
  /** When a thread took it, or when it was refused because the server closed. */
  readonly to: number;
}

/** A thread begins to serve a connection. */
export interface ServedEvent extends Timed {
  readonly type: "served";
  /** The connection's number. */
  readonly connection: number;
  /** The thread's number. */
  readonly thread: number;
}

/** How a conversation ended, as its server sees it. */
export type Outcome =
  /** As its protocol intends. */
  | "done"
  /** The server ended it, because it closes. */
  | "cut"
  /** The peer ended the connection before it had sent a byte. */
  | "empty"
  /** It failed: {@linkcode OverEvent.failure} says how. */
  | "failed"
  /** Its end was not recorded. */
  | "unknown";

/** A server's conversation is over. */
export interface OverEvent extends Timed {
  readonly type: "over";
  /** The connection's number. */
  readonly connection: number;
  /** How it ended. */
  readonly outcome: Outcome;
  /** The kind of failure, for instance `peer gone`. */
  readonly failure?: string;
}

/** What a span of time was spent on. */
export type SpanName =
  /** A thread computed. */
  | "computing"
  /** A connection waited while another thread computed for it. */
  | "waiting for computing"
  /** A connection waited until its peer had taken what was sent. */
  | "writing"
  /** An event loop ran a conversation. */
  | "turn"
  /** An event loop ran several conversations, shortly one after the other. */
  | "turns";

/** Something took a span of time. */
export interface SpanEvent extends Timed {
  readonly type: "span";
  /** What the time was spent on. */
  readonly name: SpanName;
  /** When it ended. */
  readonly to: number;
  /** The thread that was busy with it; absent if none was, as while a loop's connection waits. */
  readonly thread?: number;
  /** The connection that it was for; absent if it was for none or for several. */
  readonly connection?: number;
  /** What was computed. */
  readonly task?: string;
  /** How many conversations ran in `turns`. */
  readonly count?: number;
}

/**
 * What is going on now. Only a stream has it: a file has the {@linkcode SpanEvent} when it is over.
 * It is told when a look finds something that has gone on for a while, and was not told before.
 */
export interface DoingEvent extends Timed {
  readonly type: "doing";
  /** The thread that is in the middle of it; absent if a connection only waits. */
  readonly thread?: number;
  /** The connection that it is for; absent if it is for none, or if that has no number yet. */
  readonly connection?: number;
  /** The client's address, if its connection has no number yet: it is `queued`. */
  readonly peer?: string;
  /**
   * What it is, since `at`. `queued` is that a connection waits in a queue of the server's own.
   * Without it, what was told last of this thread, or else of this connection or peer, is over.
   */
  readonly what?: Exclude<SpanName, "turns"> | "queued";
  /** What is computed. */
  readonly task?: string;
}

/** How a server is, a few times a second. What is not known is absent. Only a stream has it. */
export interface FiguresEvent extends Timed {
  readonly type: "figures";
  /** Connections that began in the last second. */
  readonly rate?: number;
  /** Of the connections that ended in the last seconds, half lasted no longer, in microseconds. */
  readonly p50_us?: number;
  /** The same for 99 of 100. */
  readonly p99_us?: number;
  /** How much of one core the server has used in the last second: its process, and those that serve. */
  readonly cpu?: number;
  /** The resident memory of the process, and of those that serve for it, in bytes. */
  readonly memory_bytes?: number;
  /** How late what is due on an event loop is, or was since the last figures, in milliseconds. */
  readonly loop_still_ms?: number;
}

/** The options of a TCP header. RFC 9293 section 3.2, RFC 7323, RFC 2018. */
export interface PacketOptions {
  /** The largest segment that the sender takes, in bytes. */
  readonly mss?: number;
  /** The sender's window scale: its later windows count in units of 2 to this power. */
  readonly window_scale?: number;
  /** Whether the sender takes selective acknowledgements. */
  readonly sack_permitted?: boolean;
  /** The sender's timestamp and the one that it echoes. */
  readonly timestamps?: readonly [value: number, echo: number];
  /** Selectively acknowledged: the first number and the one after the last, of each block. */
  readonly sack?: readonly (readonly [from: number, to: number])[];
}

/** A TCP segment on the wire. */
export interface PacketEvent extends Timed {
  readonly type: "packet";
  /** The sender's address. */
  readonly from: string;
  /** The receiver's address. */
  readonly to: string;
  /**
   * Its flags, a letter each, in this order: S SYN, F FIN, R RST, P PSH, A ACK, U URG, E ECE, C CWR.
   * So a SYN-ACK is `SA`.
   */
  readonly flags: string;
  /** The sequence number, absolute: 32 bits. */
  readonly seq: number;
  /** The acknowledgement number, absolute; present if the ACK flag is. */
  readonly ack?: number;
  /** The window as the header has it, unscaled. */
  readonly window: number;
  /** How many bytes of data it carries. */
  readonly length: number;
  /** The options of its header; absent if there are none. */
  readonly options?: PacketOptions;
  /** When it reached the other end, where that was seen apart from its leaving. */
  readonly arrived?: number;
  /** Whether the wire dropped it on purpose. */
  readonly lost?: boolean;
}

/** A socket's state, when it is first seen and whenever something in it has changed. */
export interface SocketEvent extends Timed {
  readonly type: "socket";
  /** The kernel's name for it, which no other socket ever has: a 64-bit number in decimal digits. */
  readonly cookie: string;
  /** Its own address. */
  readonly local: string;
  /** The address of its peer. */
  readonly remote: string;
  /** The state as the kernel calls it. `CLOSE` means that the socket is gone. */
  readonly state: TcpState;
  /** Which end it is, if that is known. */
  readonly end?: "client" | "server";
  /** Bytes that its program has sent and its peer has not acknowledged. */
  readonly send_queue?: number;
  /** Bytes that have come and its program has not read. */
  readonly receive_queue?: number;
  /** The timer that runs. */
  readonly timer?: SocketTimer;
  /** How long that timer still runs, in microseconds. */
  readonly timer_us?: number;
  /** The smoothed round-trip time, in microseconds. */
  readonly rtt_us?: number;
  /** How many segments were sent again so far. */
  readonly retransmissions?: number;
  /** Whether it lies in the accept queue: the kernel has connected it and no program has taken it. */
  readonly waiting?: boolean;
  /**
   * If it is `waiting`: when the kernel had opened it at the latest, to a tick of the kernel's clock.
   * Absent if that is less than a tick ago, or unknown.
   */
  readonly connected?: number;
}

/** A listener's accept queue, when it is first seen and whenever it has changed. */
export interface ListenerEvent extends Timed {
  readonly type: "listener";
  /** Where it listens. */
  readonly local: string;
  /** The kernel's cookie, in decimal digits. */
  readonly cookie?: string;
  /** How many connections wait to be accepted. */
  readonly waiting?: number;
  /** The limit of the queue. Linux takes one more. */
  readonly limit?: number;
  /**
   * The thread that alone accepts from it, where each of several has a listener of its own. It is told
   * at least once of a listener, which has it until that thread is gone.
   */
  readonly thread?: number;
}

/** A connection has ended: its final figures, as `observe life` prints them. */
export interface ConnectionEvent extends Timed {
  readonly type: "connection";
  /** The cookie of the socket at this end. */
  readonly cookie?: string;
  /** The address of this end. */
  readonly local: string;
  /** The address of the other end. */
  readonly remote: string;
  /** Who opened it: never guessed. */
  readonly opened_by: "local" | "remote" | "both" | "unknown";
  /** Who sent the first FIN or RST. */
  readonly closed_first: "local" | "remote" | "both" | "unknown";
  /** How it ended. */
  readonly ended_with: "fin" | "reset" | "unknown";
  /** How long it lasted, in microseconds, if its beginning was seen. */
  readonly duration_us?: number;
  /** How many bytes of data were sent, those sent again not counted. */
  readonly bytes_sent?: number;
  /** How many bytes of data came. */
  readonly bytes_received?: number;
  /** The last smoothed round-trip time, in microseconds. */
  readonly rtt_us?: number;
  /** How many segments were sent again. */
  readonly retransmissions?: number;
}

/** The server's counters at one moment. */
export interface CountersEvent extends Timed {
  readonly type: "counters";
  /** The numbers by name, for instance `accepted`, `live`, `queued`: as in `--stats-every`. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * The server is told to close. It keeps newcomers out, serves those who wait to be accepted, and lets
 * conversations go on for a while.
 */
export interface ClosingEvent extends Timed {
  readonly type: "closing";
}

/** A user of a chat has said a line, or one has reached a user: so the user's own end has seen it. */
export interface LineEvent extends Timed {
  readonly type: "line";
  /** The number of the line, from 1: the same for the one who says it and for all who hear it. */
  readonly line: number;
  /** The user's address: the server has it as `peer`. */
  readonly peer: string;
  /** What the user does. */
  readonly does: "says" | "hears";
}

/**
 * A client has called and has had its answer: so its own end has seen it, by its own clock. `at` is
 * when it called.
 */
export interface ClientEvent extends Timed {
  readonly type: "client";
  /** Its address: the server has it as `peer`. */
  readonly peer: string;
  /** When it knew that it was connected: the kernel had opened the connection by then. */
  readonly connected: number;
  /** When it had its answer. */
  readonly to: number;
}

/** A sentence for people, for instance what could not be seen and why. */
export interface NoteEvent extends Timed {
  readonly type: "note";
  /** The sentence. */
  readonly text: string;
}

/** A program has made a call whose answer matters, for instance one that has failed. */
export interface CallEvent extends Timed {
  readonly type: "call";
  /** Which end has made it. */
  readonly end: "client" | "server";
  /** The call, for instance `connect`. */
  readonly call: string;
  /** The socket's own address, if it has one. */
  readonly local?: string;
  /** The address of its peer, if it has one. */
  readonly remote?: string;
  /** What the call has returned, for instance how many bytes; absent if it has failed. */
  readonly returned?: number;
  /** The name of the error, for instance `ECONNRESET`. */
  readonly error?: string;
}

/** A lesson asks something, before it shows it. */
export interface QuestionEvent extends Timed {
  readonly type: "question";
  /** The name of the lesson. */
  readonly lesson: string;
  /** The question. */
  readonly text: string;
  /** The possible answers. */
  readonly answers: readonly string[];
}

/** What was established, for instance by a lesson: it follows from the events before it. */
export type FactEvent =
  & Timed
  & { readonly type: "fact"; /** What it is about. */ readonly about: string }
  & (
    | {
      /** The states that a socket was seen in, in their order. */
      readonly fact: "states";
      readonly value: readonly TcpState[];
    }
    | {
      /** The states that sockets were in at the same time. */
      readonly fact: "together";
      readonly value: readonly TcpState[];
    }
    | {
      /** What followed what. */
      readonly fact: "order";
      readonly value: readonly string[];
    }
    | {
      /** By how much a counter of the kernel has moved. */
      readonly fact: "counter";
      readonly value: number;
    }
    | {
      /** How many there were. */
      readonly fact: "count";
      readonly value: number;
    }
    | {
      /** How a call has failed: the name of the error. */
      readonly fact: "error";
      readonly value: string;
    }
  );

/** A lesson answers its question. */
export interface ResultEvent extends Timed {
  readonly type: "result";
  /** The number of the answer that was given, from 1; absent if none was. */
  readonly given?: number;
  /** The number of the right answer. */
  readonly right: number;
  /** Why it is right. */
  readonly why: string;
}

/** Something was not recorded, since the last event of this type or since the beginning. */
export interface LeftOutEvent extends Timed {
  readonly type: "left_out";
  /** How many. */
  readonly count: number;
  /** Of what: `connections`, `spans`, `packets`, `sockets` or `events`. */
  readonly what: string;
}

/** The last line. Without it, the file is not finished: its writer was killed, or still writes. */
export interface EndEvent extends Timed {
  readonly type: "end";
  /**
   * The number of the process that serves in place of the one that is shown. Only the streams of a
   * server have it.
   */
  readonly successor?: number;
  /** The address of that one's page, if it has one. */
  readonly page?: string;
}

/** An event of a recording. */
export type Event =
  | ThreadEvent
  | BegunEvent
  | QueuedEvent
  | ServedEvent
  | OverEvent
  | SpanEvent
  | DoingEvent
  | FiguresEvent
  | PacketEvent
  | SocketEvent
  | ListenerEvent
  | ConnectionEvent
  | CountersEvent
  | ClosingEvent
  | LineEvent
  | ClientEvent
  | NoteEvent
  | CallEvent
  | QuestionEvent
  | FactEvent
  | ResultEvent
  | LeftOutEvent
  | EndEvent;

/** The type of an event. */
export type EventType = Event["type"];

/**
 * Rounds a time to three decimals, as recordings have it.
 *
 * @param us microseconds since the recording began; what lies before it counts as its beginning
 */
export function roundUs(us: number): number {
  return Math.max(0, Math.round(us * 1000) / 1000);
}

/** The fields that are moments, where they are numbers: the `to` of a packet is an address. */
const MOMENTS: readonly string[] = ["at", "to", "connected", "arrived"];

/**
 * The same event on another time base.
 *
 * @param event the event
 * @param move says what a moment of the one base is on the other
 */
export function moveEvent<Moved extends Event>(event: Moved, move: (us: number) => number): Moved {
  const fields = Object.entries(event).map(([name, value]) =>
    [name, MOMENTS.includes(name) && typeof value === "number" ? move(value) : value] as const
  );
  return Object.fromEntries(fields) as unknown as Moved;
}
