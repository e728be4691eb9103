/**
 * A chat server: it holds together the hall, the visitors and the bus to other servers.
 *
 * @module
 */

import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { THIS_LOOP } from "../../engine/drivers/event_loop.ts";
import type { Counters } from "../../engine/server/core/counters.ts";
import { MainJournal } from "../../engine/server/journal/journal.ts";
import type { Server } from "../../engine/server/core/server.ts";
import type { Bus } from "../bus/bus.ts";
import { MemoryHub } from "../bus/memory_bus.ts";
import type { Hall } from "../rooms/hall.ts";
import type { User } from "../rooms/room.ts";
import { Chat } from "./chat.ts";
import { type ChatCounters, noCounts } from "./counts.ts";
import { registryOf } from "./desk.ts";
import { type ChatOptions, checkChatOptions } from "./options.ts";
import { Rounds } from "./rounds.ts";
import { type Accept, serveVisitors } from "./visitors_server.ts";

/** A chat server that is listening. */
export interface ChatServer extends Server<ChatCounters> {
  /** The users and the rooms. */
  readonly hall: Hall;
  /** The link to other servers. */
  readonly bus: Bus;
  /** The address that a user of this server is connected from. */
  peerOf(user: User): string;
  /** Says something to all rooms as the operator when its turn comes; says nothing once closed. */
  announce(text: string): Promise<void>;
}

/**
 * Serves a chat.
 *
 * @param options where to listen, which servers to join, and the limits for users
 * @param accept takes connections from the listener until there are no more
 * @returns the server, listening
 */
export async function serveChat(options: ChatOptions, accept: Accept): Promise<ChatServer> {
  const checked = checkChatOptions(options);
  const { counts, own } = noCounts();
  const journal = new MainJournal("server", options.onReport);
  const deadlines = new TimedDeadlines({ extendsLate: true });
  const rounds = new Rounds();
  const bus = await openBus(checked.bus);
  const names = registryOf(bus);
  const loop = THIS_LOOP;
  const chat = new Chat(checked, { bus, names, deadlines, rounds, loop, counts, journal });
  const { hall } = chat;
  try {
    await bus.start(hall, chat.turns);
    const plan = {
      ...checked,
      mode: "chat",
      protocol: "rooms",
      details: bus.details.slice(0, 1),
      counts,
      own,
      signal: options.signal,
      record: options.record,
      live: options.live,
      journal,
      deadlines,
      rounds,
      events: chat.desk,
      converse: chat.converse.bind(chat),
      count: (counters: Counters) => ({ ...counters, ...counts }),
      onEnding: () => hall.close(),
      onGone() {
        chat[Symbol.dispose]();
        return bus.close();
      },
    };
    const { server } = await serveVisitors<ChatCounters>(plan, accept);
    return Object.assign(server, {
      hall,
      bus,
      peerOf: (user: User) => chat.peerOf(user),
      announce: (text: string) => new Promise<void>((done) => chat.announce(text, done)),
    });
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** The link to other servers. Without a URL there are none. */
async function openBus(url: string | undefined): Promise<Bus> {
  if (url === undefined) return new MemoryHub(true).connect();
  // The module is loaded only when it is needed, because most servers are alone.
  const { openNatsBus } = await import("../bus/nats_bus.ts");
  return await openNatsBus(url);
}
