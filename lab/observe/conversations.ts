/**
 * Finds the connections in the events of a recording: both ends with the states they went through,
 * and the packets between them.
 *
 * @module
 */

import type { Event, NoteEvent, PacketEvent, SocketEvent } from "../../engine/recording/events.ts";
import type { TcpState } from "../../engine/kernel/tcp_states.ts";

/** A state of one end, from when it was first seen until the next one was. */
export interface StateSpan {
  /** The state. */
  readonly state: TcpState;
  /** When it was first seen, in microseconds since the recording began. */
  readonly from: number;
  /** When the next state was seen; absent if this was the last one. */
  readonly to?: number;
  /** How long the kernel will keep it, in microseconds, where a timer tells: TIME_WAIT. */
  readonly keptUs?: number;
  /** Whether the connection waited to be accepted for all of that time. */
  readonly waiting: boolean;
}

/** One end of a connection. */
export interface ConnectionEnd {
  /** Its address, `ADDRESS:PORT`. */
  readonly address: string;
  /** Its states, in their order; empty if they were not seen. */
  readonly states: readonly StateSpan[];
}

/** A connection, as far as it was seen. */
export interface Conversation {
  /** The end that has connected. */
  readonly client: ConnectionEnd;
  /** The end that has listened. */
  readonly server: ConnectionEnd;
  /** The packets between them, the oldest first. */
  readonly packets: readonly PacketEvent[];
  /** When the first of all that was seen, in microseconds since the recording began. */
  readonly from: number;
  /** When the last of it was. */
  readonly to: number;
}

/** What is being gathered of a connection. */
interface Gathered {
  readonly addresses: readonly [string, string];
  readonly sockets: SocketEvent[];
  readonly packets: PacketEvent[];
}

/**
 * Finds the connections.
 *
 * @param events the events of a recording, in any order
 * @returns the connections, in the order in which they were first seen
 */
export function conversationsIn(events: readonly Event[]): Conversation[] {
  const found = new Map<string, Gathered>();
  const gather = (one: string, other: string): Gathered => {
    const key = [one, other].sort().join(" ");
    let gathered = found.get(key);
    if (gathered === undefined) {
      found.set(key, gathered = { addresses: [one, other], sockets: [], packets: [] });
    }
    return gathered;
  };
  for (const event of [...events].sort((a, b) => a.at - b.at)) {
    if (event.type === "socket") gather(event.local, event.remote).sockets.push(event);
    else if (event.type === "packet") gather(event.from, event.to).packets.push(event);
  }
  return [...found.values()].map(conversationOf);
}

/** The sentences in a recording, the oldest first. @param events its events */
export function notesIn(events: readonly Event[]): NoteEvent[] {
  return events.filter((event) => event.type === "note").sort((a, b) => a.at - b.at);
}

function conversationOf(gathered: Gathered): Conversation {
  const { addresses, sockets, packets } = gathered;
  const client = clientOf(gathered);
  const server = addresses.find((address) => address !== client) ?? client;
  // Both lists are in the order of time.
  const ends = [sockets.at(0), packets.at(0), sockets.at(-1), packets.at(-1)];
  const times = ends.flatMap((event) => event === undefined ? [] : [event.at]);
  return {
    client: { address: client, states: spansOf(sockets, client, "client") },
    server: { address: server, states: spansOf(sockets, server, "server") },
    packets,
    from: Math.min(...times),
    to: Math.max(...times),
  };
}

/** Which address is the client's: a socket or the first SYN tells, or else the first packet. */
function clientOf({ addresses, sockets, packets }: Gathered): string {
  const told = sockets.find(({ end }) => end !== undefined);
  if (told !== undefined) return told.end === "client" ? told.local : told.remote;
  const opening = packets.find(({ flags }) => flags.includes("S"));
  if (opening !== undefined) return opening.flags.includes("A") ? opening.to : opening.from;
  return packets[0]?.from ?? addresses[0];
}

function spansOf(
  sockets: readonly SocketEvent[],
  address: string,
  which: "client" | "server",
): StateSpan[] {
  const own = sockets.filter(({ local, remote, end }) =>
    // A connection to itself has the same address at both ends.
    local === address && (local !== remote || end === which)
  );
  const news = own.filter((event, index) => {
    const before = own[index - 1];
    return before?.state !== event.state || before.waiting !== event.waiting;
  });
  return news.map(({ state, at, timer, timer_us, waiting }, index) => {
    const next = news[index + 1];
    return {
      state,
      from: at,
      ...(next !== undefined && { to: next.at }),
      ...(timer === "TIME_WAIT" && timer_us !== undefined && { keptUs: timer_us }),
      waiting: waiting === true,
    };
  });
}
