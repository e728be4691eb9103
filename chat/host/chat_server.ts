/**
 * A chat server: it holds together the hall, the visitors and the bus to other servers.
 *
 * @module
 */

import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Counters } from "../../engine/server/core/counters.ts";
import { MainJournal } from "../../engine/server/journal/journal.ts";
import type { Server } from "../../engine/server/core/server.ts";
import type { Bus } from "../bus/bus.ts";
import { MemoryHub } from "../bus/memory_bus.ts";
import { BYTES_OF_A_HEARER, converse } from "../rooms/conversation.ts";
import { Hall, hear } from "../rooms/hall.ts";
import type { User } from "../rooms/room.ts";
import { Dismissal } from "../talk/dismissal.ts";
import { notice } from "../talk/notices.ts";
import { type ChatCounters, noCounts } from "./counts.ts";
import { Desk } from "./desk.ts";
import { type ChatOptions, checkChatOptions } from "./options.ts";
import { Rounds } from "./rounds.ts";
import { Turns } from "./turns.ts";
import type { Visitor } from "./visitors.ts";
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
  const visitorOf = new WeakMap<User, Visitor>();
  const deadlines = new TimedDeadlines({ extendsLate: true });
  const rounds = new Rounds();
  const bus = await openBus(checked.bus);

  const hall = new Hall(checked.hall, bus, {
    counts,
    deadlines,
    onTalk: (room, line) => journal.report(`${room} ${line}`),
    onKick(user, reason) {
      counts.kicked++;
      const { name } = user;
      journal.log({ level: "info", text: "kicked {name}: {reason}", properties: { name, reason } });
      const dismissal = new Dismissal(`kicked: ${reason}`, `you were kicked: ${reason}`);
      visitorOf.get(user)?.abort(dismissal);
    },
    onNameLost: (user) => void renameGuest(user).catch(() => hall.kick(user.name, "no name left")),
  });
  const turns = new Turns(checked.turnBytes, deadlines, rounds);
  const desk = new Desk(hall, bus, deadlines, turns);

  async function renameGuest(user: User): Promise<void> {
    const { name: lost } = user;
    const { name, since } = await desk.takeGuest();
    // The user may have left in the meantime, or taken another name.
    if (hall.findUser(lost) !== user) return desk.giveBack(name);
    hear(user, notice(`the name ${lost} belongs to a user of another server`));
    hall.rename(user, name, since);
  }

  try {
    await bus.start(hall, turns);
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
      events: desk,
      converse: (visitor: Visitor) =>
        converse({
          hall,
          limits: checked.visitor,
          counts,
          hearer: visitor.hearer,
          onEnter: (user) => visitorOf.set(user, visitor),
          takeTurn: (share) => turns.takeShare(share),
        }),
      count: (counters: Counters) => ({ ...counters, ...counts }),
      onEnding: () => hall.close(),
      onGone() {
        turns[Symbol.dispose]();
        return bus.close();
      },
    };
    const { server } = await serveVisitors<ChatCounters>(plan, accept);
    return Object.assign(server, {
      hall,
      bus,
      peerOf: (user: User) => visitorOf.get(user)?.peer ?? "",
      async announce(text: string) {
        const bytes = text.length + hall.size * BYTES_OF_A_HEARER;
        if (await turns.pass(bytes)) hall.announce(text);
      },
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
