/**
 * A lesson as lines of text that are read while it runs: what is said, what the kernel does, and at
 * the end the facts and the answer. The lines fit into 80 columns.
 *
 * @module
 */

import { wrap } from "../../../engine/cli/layout.ts";
import type {
  CallEvent,
  CountersEvent,
  Event,
  FactEvent,
  ListenerEvent,
  PacketEvent,
  ResultEvent,
  SocketEvent,
  Tier,
} from "../../../engine/recording/events.ts";
import type { TcpState } from "../../../engine/kernel/tcp_states.ts";
import { escapeText } from "../../../protocols/text.ts";
import { socketDetails } from "../event_text.ts";
import { describePacket, drawArrow } from "../packet_text.ts";
import type { Lesson } from "./lesson.ts";
import { Names } from "./names.ts";

/** Says in one line which means there are. */
export const TIER_WORDS: Readonly<Record<Tier, string>> = {
  T0: "T0: states and counters, as every user may see them",
  T1: "T1: also packets, on this machine's real loopback",
  T2: "T2: also packets and own settings, in a network of its own",
};

/** The widest that text may be, in characters. */
const WIDEST = 80;

/** The width of a time and of what follows it. */
const TIME_WIDTH = 7;
const INDENT = " ".repeat(TIME_WIDTH + 5);

/** The width of an arrow: what is left of 80 columns beside a time and both names. */
const ARROW_WIDTH = 46;

/** The width of the longest state, `ESTABLISHED`, in characters. */
const STATE_WIDTH = 11;

/** Draws the events of a lesson as they come. */
export class LessonText {
  readonly #draws: NonNullable<Lesson["draws"]>;
  readonly #columns: number;
  readonly #names = new Names();
  /** The first sequence number of each sender. */
  readonly #first = new Map<string, number>();
  /** What was last said of each socket and of each listener. */
  readonly #said = new Map<string, string>();
  readonly #states = new Map<string, string>();
  readonly #counters = new Map<string, number>();
  readonly #rows: readonly string[];
  /** The states of both ends, by the numbers of the connections. */
  readonly #pairs = new Map<number, { client?: string; server?: string }>();
  readonly #listening = new Set<string>();
  #hasFacts = false;
  #beganAt = Infinity;

  /**
   * @param lesson the lesson
   * @param columns how wide the terminal is
   */
  constructor(
    { draws = "everything", rows = [] }: Pick<Lesson, "draws" | "rows">,
    columns: number,
  ) {
    this.#draws = draws;
    this.#rows = rows;
    this.#columns = Math.min(WIDEST, columns);
  }

  /**
   * Draws an event.
   *
   * @param event the next event
   * @returns lines, safe for a terminal; none if there is nothing to say
   */
  draw(event: Event): string[] {
    this.#names.see(event);
    this.#tabulate(event);
    if (event.type !== "question" && event.type !== "note") {
      this.#beganAt = Math.min(this.#beganAt, event.at);
    }
    return this.#draw(event).map(escapeText);
  }

  /**
   * The table of both ends' states, as it is now.
   *
   * @returns lines, safe for a terminal; none if the lesson has no table
   */
  table(): string[] {
    if (this.#rows.length === 0 || this.#pairs.size === 0) return [];
    const line = (client: string, server: string, what: string) =>
      `  ${client.padEnd(STATE_WIDTH)}  ${server.padEnd(STATE_WIDTH)}  ${what}`.trimEnd();
    return [
      line("client", "server", ""),
      ...[...this.#pairs].map(([number, { client = "-", server = "-" }]) =>
        line(client, server, this.#rows[number - 1] ?? "")
      ),
      `  and ${this.#listening.size} ${
        this.#listening.size === 1 ? "socket" : "sockets"
      } in LISTEN`,
    ].map(escapeText);
  }

  #tabulate(event: Event): void {
    if (event.type === "listener") this.#listening.add(event.local);
    if (event.type !== "socket" || event.end === undefined) return;
    const number = this.#names.numberOf(event);
    const pair = this.#pairs.get(number) ?? {};
    this.#pairs.set(number, pair);
    const isGone = event.state === "CLOSE" && pair[event.end] !== undefined;
    pair[event.end] = isGone ? "-" : event.state;
  }

  #draw(event: Event): string[] {
    switch (event.type) {
      case "question":
        return [
          ...this.#paragraph(event.text),
          ...event.answers.flatMap((text, index) => this.#indented(`  ${index + 1}) `, text)),
        ];
      case "note":
        return ["", ...this.#paragraph(event.text)];
      case "fact":
        return this.#fact(event);
      case "result":
        return ["", ...this.#result(event)];
      case "call":
        if (this.#draws === "table") return [];
        return this.#at(event, this.#call(event));
      case "counters":
        return this.#counted(event);
      case "packet":
        return this.#draws === "everything" ? this.#packet(event) : [];
      case "socket":
        return this.#draws === "everything" ? this.#socket(event) : [];
      case "listener":
        return this.#draws === "everything" ? this.#listener(event) : [];
      default:
        return [];
    }
  }

  #paragraph(text: string): string[] {
    return wrap(text, this.#columns);
  }

  /** A text behind a few characters; its further lines stand below its first. */
  #indented(before: string, text: string): string[] {
    return wrap(text, this.#columns - before.length).map((line, index) =>
      (index === 0 ? before : " ".repeat(before.length)) + line
    );
  }

  /** A line with its time, in milliseconds since something was first seen. */
  #at({ at }: { readonly at: number }, text: string): string[] {
    return this.#indented(
      `${((at - this.#beganAt) / 1000).toFixed(1).padStart(TIME_WIDTH)} ms  `,
      text,
    );
  }

  #call(event: CallEvent): string {
    const { call, returned, error } = event;
    const what = error ?? (call === "connect" ? "connected" : returned ?? "done");
    const words = call === "recv" && returned !== undefined
      ? returned === 0 ? "0, the peer's FIN" : `${returned} byte${returned === 1 ? "" : "s"}`
      : what;
    return `${this.#names.of(event)}: ${call} → ${words}`;
  }

  #packet(packet: PacketEvent): string[] {
    const isRight = this.#names.isFromClient(packet);
    const sender = this.#names.senderOf(packet);
    const receiver = this.#names.receiverOf(packet);
    const [client, server] = isRight ? [sender, receiver] : [receiver, sender];
    const { flags, seq, ack } = packet;
    if (flags.includes("S") || !this.#first.has(sender)) this.#first.set(sender, seq);
    if (ack !== undefined && !this.#first.has(receiver)) this.#first.set(receiver, ack - 1);
    const nameOf = (side: string) => side === packet.from ? sender : receiver;
    const { head, options } = describePacket(
      packet,
      (side, number) => (number - (this.#first.get(nameOf(side)) ?? 0)) >>> 0,
    );
    // The window is of no interest here, and there is little room.
    const words = head.filter((word) => !word.startsWith("win="));
    const arrow = drawArrow(words.join(" "), {
      isRight,
      isLost: packet.lost === true,
      width: ARROW_WIDTH,
    });
    const lines = this.#at(packet, `${client} ${arrow} ${server}`);
    const more = options.filter((word) => !word.startsWith("timestamps"));
    return more.length === 0 ? lines : [...lines, `${INDENT}${more.join(", ")}`];
  }

  #socket(event: SocketEvent): string[] {
    const { cookie, state } = event;
    const before = this.#states.get(cookie);
    this.#states.set(cookie, state);
    const change = before === undefined || before === state ? state : `${before} → ${state}`;
    // An end that its program has closed is kept in FIN_WAIT2 by the same timer.
    const kept = event.timer === "TIME_WAIT" && event.timer_us !== undefined
      ? [`for ${Math.ceil(event.timer_us / 1e6)} s`]
      : [];
    // A timer of retransmission runs whenever something is on its way.
    const details = socketDetails(withoutFlags(event))
      .filter((text) => text !== "retransmission timer");
    const text = [change, ...kept, ...details].join(", ");
    if (this.#said.get(cookie) === [state, ...details].join()) return [];
    this.#said.set(cookie, [state, ...details].join());
    if (state === "CLOSE") this.#said.delete(cookie);
    return this.#at(event, `${this.#names.of(event)} is in ${text}`);
  }

  #listener(event: ListenerEvent): string[] {
    const { local, waiting = 0, limit = 0 } = event;
    const before = this.#said.get(local);
    this.#said.set(local, String(waiting));
    if (before === undefined || before === String(waiting)) return [];
    return this.#at(event, `accept queue: ${waiting} of ${limit}`);
  }

  /** What has moved since the last look; a number that is new is told as it is. */
  #counted(event: CountersEvent): string[] {
    const moved = Object.entries(event.values).flatMap(([name, value]) => {
      const before = this.#counters.get(name);
      this.#counters.set(name, value);
      // Only the kernel's counters begin with a capital.
      if (!/^[A-Z]/.test(name)) return [`${name}: ${value}`];
      return before === undefined || before === value ? [] : [`${name} +${value - before}`];
    });
    return moved.length === 0 ? [] : this.#at(event, moved.join(" · "));
  }

  #fact({ about, fact, value }: FactEvent): string[] {
    const shown = typeof value === "object"
      ? value.join(fact === "together" ? ", " : " → ")
      : fact === "counter" && Number(value) > 0
      ? `+${value}`
      : String(value);
    const title = this.#hasFacts ? [] : ["", "What was seen:"];
    this.#hasFacts = true;
    return [...title, ...this.#indented("  ", `${about}: ${shown}`)];
  }

  #result({ given, right, why }: ResultEvent): string[] {
    const verdict = given === undefined
      ? `Answer ${right} is right.`
      : given === right
      ? `Your answer ${given} is right.`
      : `Your answer was ${given}, but ${right} is right.`;
    return this.#paragraph(`${verdict} ${why}`);
  }
}

/** The states in which the kernel counts a SYN or a FIN as a byte that is not acknowledged. */
const COUNTS_OWN: readonly TcpState[] = ["SYN_SENT", "FIN_WAIT1", "CLOSING", "LAST_ACK"];

/** A socket without the SYN, the FIN and the timer that its state already tells of. */
function withoutFlags(event: SocketEvent): SocketEvent {
  const { state, send_queue = 0, receive_queue = 0, timer, ...rest } = event;
  return {
    ...rest,
    state,
    send_queue: COUNTS_OWN.includes(state) ? Math.max(0, send_queue - 1) : send_queue,
    receive_queue: state === "CLOSE_WAIT" ? Math.max(0, receive_queue - 1) : receive_queue,
    ...(timer !== undefined && timer !== "TIME_WAIT" && { timer }),
  };
}
