/**
 * Events of a recording as lines for people.
 *
 * @module
 */

import type {
  CallEvent,
  ConnectionEvent,
  Event,
  FactEvent,
  FiguresEvent,
  ResultEvent,
  SocketEvent,
} from "../../engine/recording/events.ts";
import { escapeText } from "../../protocols/text.ts";
import { PacketLines } from "./packet_text.ts";

/** How wide the time is: enough for 10,000 seconds. */
const TIME_WIDTH = 13;

/** Describes the events of one recording. Give it events in the order of time. */
export class EventText {
  /** The names of the threads, by number. */
  readonly #threads = new Map<number, string>();
  /** The last state of each socket, by cookie. */
  readonly #states = new Map<string, string>();
  readonly #listeners = new Set<string>();
  readonly #packets = new PacketLines((address) => this.#listeners.has(address));

  /**
   * Describes an event.
   *
   * @param event the event
   * @returns one line, safe for a terminal; `undefined` if there is nothing to say
   */
  describe(event: Event): string | undefined {
    const text = this.#describe(event);
    if (text === undefined) return undefined;
    return `${milliseconds(event.at).padStart(TIME_WIDTH)}  ${escapeText(text)}`;
  }

  #describe(event: Event): string | undefined {
    switch (event.type) {
      case "thread": {
        const { thread, name, loop, gone } = event;
        this.#threads.set(thread, name);
        return `thread ${name} ${gone ? "is gone" : loop ? "begins: an event loop" : "begins"}`;
      }
      case "begun": {
        const { at, connection, peer, client, connected } = event;
        const from = client === undefined ? peer : `${client} through ${peer}`;
        const waited = connected === undefined
          ? ""
          : `, after ${milliseconds(at - connected)} in the accept queue at least`;
        return `#${connection} from ${from} is accepted${waited}`;
      }
      case "queued":
        return `#${event.connection} waits ${milliseconds(event.to - event.at)} for a thread`;
      case "served":
        return `#${event.connection} is served by ${this.#nameOf(event.thread)}`;
      case "over": {
        const { connection, outcome, failure } = event;
        return `#${connection} is over: ${failure ?? (outcome === "unknown" ? "?" : outcome)}`;
      }
      case "span": {
        const { name, at, to, thread, connection, task, count } = event;
        const who = this.#who(connection, thread);
        const what = [name, task, count !== undefined && `of ${count} connections`]
          .filter((part) => part !== false && part !== undefined).join(" ");
        return `${who}: ${what}, ${milliseconds(to - at)}`;
      }
      case "doing": {
        const { thread, connection, peer, what, task } = event;
        const who = peer ?? this.#who(connection, thread);
        if (what === undefined) return `${who}: goes on`;
        return `${who}: ${what}${task === undefined ? "" : ` ${task}`}, still`;
      }
      case "figures":
        return describeFigures(event);
      case "packet":
        return this.#packets.draw(event);
      case "socket":
        return this.#socket(event);
      case "listener": {
        const { local, waiting, limit, thread } = event;
        this.#listeners.add(local);
        if (waiting === undefined) {
          const who = thread === undefined ? "" : `: ${this.#nameOf(thread)} accepts from it`;
          return `listener ${local}${who}`;
        }
        const most = limit === undefined ? "" : ` of ${limit}`;
        return `listener ${local}: accept queue ${waiting}${most}`;
      }
      case "connection":
        return describeEnd(event);
      case "counters":
        return describeCounters(event.values);
      case "closing":
        return "the server is told to close";
      case "line":
        return `${event.peer} ${event.does} line ${event.line}`;
      case "client": {
        const { peer, at, connected, to } = event;
        return `${peer} calls: connected after ${milliseconds(connected - at)}, answered after ${
          milliseconds(to - at)
        }`;
      }
      case "note":
        return event.text;
      case "call":
        return describeCall(event);
      case "question":
        return [event.text, ...event.answers.map((text, index) => `${index + 1}) ${text}`)]
          .join("  ");
      case "fact":
        return describeFact(event);
      case "result":
        return describeResult(event);
      case "left_out":
        return `${event.count} ${event.what} were left out`;
      case "end":
        return undefined;
    }
  }

  #who(connection: number | undefined, thread: number | undefined): string {
    return [
      connection !== undefined && `#${connection}`,
      thread !== undefined && this.#nameOf(thread),
    ].filter((part) => part !== false).join(" on ");
  }

  #nameOf(thread: number): string {
    return this.#threads.get(thread) ?? `thread ${thread}`;
  }

  /** For instance `server 127.0.0.1:80 ⇄ 127.0.0.1:4711  SYN_RECV → ESTABLISHED`. */
  #socket(event: SocketEvent): string {
    const { cookie, local, remote, state, end = "socket" } = event;
    const before = this.#states.get(cookie);
    if (state === "CLOSE") this.#states.delete(cookie);
    else this.#states.set(cookie, state);
    const change = before === undefined || before === state ? state : `${before} → ${state}`;
    const details = socketDetails(event);
    return [`${end} ${local} ⇄ ${remote}  ${change}`, ...details].join(", ");
  }
}

/**
 * What is worth a word about a socket besides its state.
 *
 * @param event the socket
 * @returns a few words each
 */
export function socketDetails(event: SocketEvent): string[] {
  const { state, send_queue, receive_queue, timer, retransmissions } = event;
  return [
    event.waiting === true && "waits for accept",
    (send_queue ?? 0) > 0 && `${send_queue} B not acknowledged`,
    (receive_queue ?? 0) > 0 && `${receive_queue} B not read`,
    timer !== undefined && timer !== state && `${timer} timer`,
    (retransmissions ?? 0) > 0 &&
    `${retransmissions} retransmission${retransmissions === 1 ? "" : "s"}`,
  ].filter((part) => part !== false);
}

/** For instance `figures: 12/s, half the connections last 1.2 ms, 0.3 of a core`. */
function describeFigures(event: FiguresEvent): string {
  const { rate, p50_us, p99_us, cpu, memory_bytes, loop_still_ms } = event;
  const parts = [
    rate !== undefined && `${rate}/s`,
    p50_us !== undefined && `half of the connections last ${milliseconds(p50_us)}`,
    p99_us !== undefined && `99 % ${milliseconds(p99_us)}`,
    cpu !== undefined && `${cpu} of a core`,
    memory_bytes !== undefined && `${Math.round(memory_bytes / 1e6)} MB`,
    loop_still_ms !== undefined && `a loop is ${loop_still_ms} ms late`,
  ].filter((part) => part !== false);
  return `figures: ${parts.join(", ")}`;
}

/** For instance `ended 127.0.0.1:80 ⇄ 127.0.0.1:4711 with FIN after 2.1 ms, …`. */
function describeEnd(event: ConnectionEvent): string {
  const { duration_us, bytes_sent, bytes_received, rtt_us, retransmissions } = event;
  const how = { fin: " with FIN", reset: " with RST", unknown: "" }[event.ended_with];
  const after = duration_us === undefined ? "" : ` after ${milliseconds(duration_us)}`;
  const details = [
    event.opened_by !== "unknown" && `opened by ${event.opened_by}`,
    event.closed_first !== "unknown" && `closed first by ${event.closed_first}`,
    bytes_sent !== undefined && `sent ${bytes_sent} B`,
    bytes_received !== undefined && `received ${bytes_received} B`,
    rtt_us !== undefined && `rtt ${milliseconds(rtt_us)}`,
    (retransmissions ?? 0) > 0 && `${retransmissions} retransmissions`,
  ].filter((part) => part !== false);
  return [`ended ${event.local} ⇄ ${event.remote}${how}${after}`, ...details].join(", ");
}

/** For instance `client 127.0.0.1:4711 connect: ECONNREFUSED`. */
export function describeCall({ end, local, call, returned, error }: CallEvent): string {
  const who = local === undefined ? end : `${end} ${local}`;
  return `${who} ${call}: ${error ?? returned ?? "done"}`;
}

/** For instance `fact: client, states SYN_SENT → ESTABLISHED`. */
export function describeFact({ about, fact, value }: FactEvent): string {
  const shown = typeof value === "object"
    ? value.join(fact === "together" ? ", " : " → ")
    : String(value);
  return `fact: ${about}, ${fact} ${shown}`;
}

/** For instance `answer 2 is right: …`. */
function describeResult({ given, right, why }: ResultEvent): string {
  const compared = given === undefined || given === right ? "" : `, not ${given}`;
  return `answer ${right} is right${compared}: ${why}`;
}

/** Only those that are not 0. */
function describeCounters(values: Readonly<Record<string, number>>): string {
  const counted = Object.entries(values).filter(([, value]) => value !== 0);
  if (counted.length === 0) return "counters: all are 0";
  return `counters: ${counted.map(([name, value]) => `${name} ${value}`).join(" · ")}`;
}

/** @param us microseconds */
function milliseconds(us: number): string {
  return `${(us / 1000).toFixed(3)} ms`;
}
