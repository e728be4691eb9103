/**
 * `observe watch PORT`: the sockets of a port as they are now, and how full its accept queue is.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import { EXIT_DONE, EXIT_NOT_CONNECTED } from "../../engine/cli/exit_status.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { type Option, valueOf } from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import type { Values } from "../../engine/cli/flags.ts";
import { ageOf } from "../../engine/kernel/age.ts";
import { readCounters } from "../../engine/kernel/proc_net.ts";
import { type SocketRow, waitsForAccept } from "../../engine/kernel/sock_diag.ts";
import { TCP_STATES } from "../../engine/kernel/tcp_states.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Duration } from "../../engine/values/durations.ts";
import { formatBytes, formatTime } from "../../engine/values/units.ts";
import {
  CLEAR_BELOW,
  CLEAR_REST,
  clip,
  NO_WRAP,
  render,
  type Screen,
  screenOf,
  WRAP,
} from "../report/screen.ts";
import { LineOutput } from "./line_output.ts";
import { LineQueue } from "./line_queue.ts";
import { say } from "./say.ts";
import { SocketRecording } from "./socket_recording.ts";
import { openSocketSource } from "./socket_source.ts";
import { RECORD, SCRIPT, type Subcommand } from "./subcommand.ts";
import { type Column, Layout } from "./table.ts";
import { FOR, limitOf, Turns } from "./turns.ts";

const NAME = "watch";

const INTERVAL: Option<number, Duration> = durationOption("interval", {
  short: "i",
  default: "500ms",
  help: "look once in that time",
});

/** The command. */
export function watch(): Subcommand {
  return {
    command: {
      name: NAME,
      summary: "see the sockets of a port, and how full its accept queue is",
      positionals: [{
        name: "port",
        kind: "integer",
        least: 1,
        most: 65_535,
        help: "the port of this machine",
      }],
      required: 1,
      flags: [
        { name: "once", kind: "boolean", help: "look once; exit status 3 if nothing listens" },
        { name: "json", kind: "boolean", help: "print each socket as a JSON object" },
        FOR,
        INTERVAL,
        RECORD,
      ],
      example: formatRun(SCRIPT, "watch 8080"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  const port = values.port as number;
  const isOnce = values.once === true;
  const intervalMs = valueOf(INTERVAL, values);
  using source = openSocketSource();
  using recording = SocketRecording.create(NAME, values.record as string | undefined);
  using turns = new Turns(intervalMs, limitOf(FOR, values));
  const queue = new LineQueue(new LineOutput(), () => turns.stop());
  const sights = new Sights(port);
  const title = `T0: what Linux tells any user by ${source.name}`;
  const screen = screenOf("stdout");
  if (values.json === true) say(title);
  using view: View = values.json === true
    ? new JsonView(queue)
    : screen.isTerminal && !isOnce
    ? new ScreenView(screen, title, () => turns.stop())
    : new TextView(queue, screen, title);
  let sight: Sight | undefined;
  while (await turns.next()) {
    const rows = source.read(port);
    sight = sights.of(rows);
    view.show(sight);
    recording?.look(rows);
    if (isOnce) break;
  }
  await queue.flush(turns.interrupted());
  recording?.finish();
  if (!isOnce || sight === undefined || sight.listeners.length > 0) return EXIT_DONE;
  if (values.json === true) say(nobody(port));
  return EXIT_NOT_CONNECTED;
}

/** A socket, and how long it is known. */
interface Seen {
  readonly row: SocketRow;
  /** In microseconds; absent where it does not matter. */
  readonly ageUs?: number;
  /** Whether it is older than that. */
  readonly isOlder: boolean;
}

/** What one look has found. */
interface Sight {
  readonly port: number;
  readonly listeners: readonly SocketRow[];
  /** The other sockets. What waits for somebody comes first. */
  readonly sockets: readonly Seen[];
  /** How many connections the machine has refused because a queue was full, since the first look. */
  readonly overflows: number;
}

/** Compares looks: a socket's age is known if an earlier look did not show it, or by the kernel. */
class Sights {
  readonly #port: number;
  readonly #overflowsBefore: number;
  #wasFull = false;
  #since: ReadonlyMap<string, { readonly at: number; readonly isOlder: boolean }> | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#overflowsBefore = countOverflows();
  }

  of(rows: readonly SocketRow[]): Sight {
    const now = performance.now();
    const before = this.#since;
    const first = { at: now, isOlder: before === undefined };
    const since = new Map(rows.map((row) => {
      const age = ageOf(row);
      const { at, isOlder } = before?.get(row.cookie) ?? first;
      return [row.cookie, {
        at: Math.min(at, now - (age?.ms ?? 0)),
        isOlder: isOlder && age?.isExact !== true,
      }];
    }));
    this.#since = since;
    const sockets = rows.filter(({ remote }) => remote.port !== 0).map((row) => {
      const { at, isOlder } = since.get(row.cookie) ?? first;
      return { row, ageUs: Math.round((now - at) * 1000), isOlder };
    });
    const listeners = rows.filter(({ state }) => state === "LISTEN");
    this.#wasFull ||= listeners.some(isFull);
    return {
      port: this.#port,
      listeners,
      sockets: sockets.sort(inOrder),
      // Other programs' queues count too. So it says something only where this one has been full.
      overflows: this.#wasFull ? countOverflows() - this.#overflowsBefore : 0,
    };
  }
}

/** Whether an accept queue takes no more. Linux takes one connection more than the limit. */
function isFull({ receiveQueue, sendQueue }: SocketRow): boolean {
  return receiveQueue > sendQueue;
}

function countOverflows(): number {
  return readCounters().get("ListenOverflows") ?? 0;
}

/** What waits for accept first, then the states in their order, and in each the oldest first. */
function inOrder(one: Seen, other: Seen): number {
  const rank = ({ row }: Seen) => waitsForAccept(row) ? -1 : TCP_STATES.indexOf(row.state);
  return rank(one) - rank(other) || (other.ageUs ?? 0) - (one.ageUs ?? 0) ||
    one.row.remote.port - other.row.remote.port;
}

/** How what was found is shown. */
interface View extends Disposable {
  show(sight: Sight): void;
}

/** What was printed about a socket: what must differ to be news, and what to say when it is gone. */
interface KnownObject {
  readonly news: string;
  readonly gone: object;
}

/** Objects: all sockets at first, and then those in which something has changed. */
class JsonView implements View {
  readonly #queue: LineQueue;
  #known: ReadonlyMap<string, KnownObject> = new Map();

  constructor(queue: LineQueue) {
    this.#queue = queue;
  }

  show({ listeners, sockets }: Sight): void {
    const known = new Map<string, KnownObject>();
    const tell = ({ cookie }: SocketRow, news: string, object: object, gone: object) => {
      known.set(cookie, { news, gone });
      if (this.#known.get(cookie)?.news !== news) this.#queue.add(JSON.stringify(object));
    };
    for (const row of listeners) {
      const object = listenerJson(row);
      tell(row, JSON.stringify(object), object, { ...object, gone: true });
    }
    for (const seen of sockets) {
      const { age_us: _, ...rest } = socketJson(seen);
      const { type, local, remote } = rest;
      tell(seen.row, JSON.stringify(rest), socketJson(seen), {
        ...{ type, local, remote },
        state: "CLOSE",
      });
    }
    for (const [cookie, { gone }] of this.#known) {
      if (!known.has(cookie)) this.#queue.add(JSON.stringify(gone));
    }
    this.#known = known;
  }

  [Symbol.dispose](): void {}
}

function listenerJson({ local, receiveQueue, sendQueue }: SocketRow): object {
  return {
    type: "listener",
    local: formatAddress(local),
    waiting: receiveQueue,
    // The tables of proc(5) do not have it.
    ...(!Number.isNaN(sendQueue) && { limit: sendQueue }),
  };
}

function socketJson({ row, ageUs, isOlder }: Seen): SocketJson {
  const retransmissions = row.info?.total_retrans;
  return {
    type: "socket",
    local: formatAddress(row.local),
    remote: formatAddress(row.remote),
    state: row.state,
    send_queue: row.sendQueue,
    receive_queue: row.receiveQueue,
    ...(ageUs !== undefined && { age_us: ageUs }),
    ...(ageUs !== undefined && isOlder && { older: true }),
    ...(retransmissions !== undefined && { retransmissions }),
    ...(waitsForAccept(row) && { waiting: true }),
  };
}

interface SocketJson {
  readonly type: "socket";
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  readonly send_queue: number;
  readonly receive_queue: number;
  readonly age_us?: number;
  readonly older?: boolean;
  readonly retransmissions?: number;
  readonly waiting?: boolean;
}

/** Tables, one after the other, each time that something has changed. */
class TextView implements View {
  readonly #queue: LineQueue;
  readonly #screen: Screen;
  readonly #title: string;
  #shown = "";

  constructor(queue: LineQueue, screen: Screen, title: string) {
    this.#queue = queue;
    this.#screen = screen;
    this.#title = title;
  }

  show(sight: Sight): void {
    const ageless = {
      ...sight,
      sockets: sight.sockets.map(({ row, isOlder }) => ({ row, isOlder })),
    };
    const news = draw(ageless, this.#screen).join("\n");
    if (news === this.#shown) return;
    this.#queue.add(this.#shown === "" ? this.#title : "");
    for (const line of draw(sight, this.#screen)) this.#queue.add(line);
    this.#shown = news;
  }

  [Symbol.dispose](): void {}
}

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** A table that is drawn again in its place. */
class ScreenView implements View {
  readonly #screen: Screen;
  readonly #title: string;
  readonly #onGone: () => void;
  /** How many lines are above the cursor. */
  #drawn = 0;
  #isGone = false;

  constructor(screen: Screen, title: string, onGone: () => void) {
    this.#screen = screen;
    this.#title = title;
    this.#onGone = onGone;
    this.#write(HIDE_CURSOR);
  }

  show(sight: Sight): void {
    // The cursor stands on the last line.
    const room = runtime.rows("stdout") - 2;
    const title = render(this.#screen, "faint", clip(this.#title, this.#screen.columns() - 1));
    const lines = [title, ...draw(sight, this.#screen, room)];
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A`;
    const text = lines.map((line) => `${line}${CLEAR_REST}\r\n`).join("");
    this.#drawn = lines.length;
    this.#write(`${up}\r${NO_WRAP}${text}${CLEAR_BELOW}${WRAP}`);
  }

  #write(text: string): void {
    if (this.#isGone) return;
    try {
      this.#screen.write(text);
    } catch {
      // The terminal was closed.
      this.#isGone = true;
      this.#onGone();
    }
  }

  [Symbol.dispose](): void {
    // The terminal has shown the `^C` that was typed.
    this.#write(`\r${CLEAR_REST}${SHOW_CURSOR}`);
  }
}

const NONE = "–";

const COLUMNS: readonly Column<Seen>[] = [
  { title: "STATE", order: 0, side: "left", width: 11, cell: ({ row }) => describeState(row) },
  {
    title: "PEER",
    order: 0,
    side: "left",
    width: 21,
    cell: ({ row }) => formatAddress(row.remote),
  },
  {
    title: "SEND-Q",
    order: 2,
    side: "right",
    width: 8,
    cell: ({ row }) => formatBytes(row.sendQueue),
  },
  {
    title: "RECV-Q",
    order: 1,
    side: "right",
    width: 8,
    cell: ({ row }) => formatBytes(row.receiveQueue),
  },
  { title: "AGE", order: 3, side: "right", width: 8, cell: describeAge },
  {
    title: "RETR",
    order: 4,
    side: "right",
    cell: ({ row }) => `${row.info?.total_retrans ?? NONE}`,
  },
  {
    title: "LOCAL",
    order: 5,
    side: "left",
    width: 21,
    cell: ({ row }) => formatAddress(row.local),
  },
];

function describeState(row: SocketRow): string {
  return waitsForAccept(row) ? "waiting for accept" : row.state;
}

function describeAge({ ageUs, isOlder }: Seen): string {
  if (ageUs === undefined || (isOlder && ageUs === 0)) return NONE;
  return `${isOlder ? "≥" : ""}${formatTime(ageUs)}`;
}

function draw(sight: Sight, screen: Screen, lines = Infinity): string[] {
  const { port, listeners, sockets, overflows } = sight;
  const room = screen.columns() - 1;
  const above = listeners.length === 0
    ? [nobody(port)]
    : listeners.map((row) => describeListener(row, room));
  if (overflows > 0) above.push(`${overflows} SYNs found a full accept queue on this machine`);
  above.push(countStates(sockets));
  const shown = above.map((line) => clip(line, room));
  if (sockets.length === 0) return shown;
  const left = Math.max(0, lines - shown.length - 1);
  const count = sockets.length <= left ? sockets.length : Math.max(0, left - 1);
  const rows = sockets.slice(0, count);
  const layout = new Layout(COLUMNS, room, rows);
  return [
    ...shown,
    render(screen, "bold", layout.header),
    ...rows.map((seen) => layout.row(seen)),
    ...(count < sockets.length ? [`and ${sockets.length - count} more`] : []),
  ];
}

function nobody(port: number): string {
  return `nothing listens on port ${port}`;
}

/**
 * For instance `127.0.0.1:8080 listens · accept queue 3 of 2: full, new clients wait`, or where that
 * does not fit `127.0.0.1:8080 · queue 3 of 2: full`.
 */
function describeListener(row: SocketRow, room: number): string {
  const { local, receiveQueue, sendQueue } = row;
  const limit = Number.isNaN(sendQueue) ? "" : ` of ${sendQueue}`;
  const [address, queue] = [formatAddress(local), `queue ${receiveQueue}${limit}`];
  const full = isFull(row) ? ": full" : "";
  const line = `${address} listens · accept ${queue}${full}${full && ", new clients wait"}`;
  return line.length <= room ? line : `${address} · ${queue}${full}`;
}

/** For instance `5 sockets: 3 waiting for accept, 2 TIME_WAIT`. */
function countStates(sockets: readonly Seen[]): string {
  const counts = new Map<string, number>();
  for (const { row } of sockets) {
    const state = describeState(row);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const parts = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
  const what = sockets.length === 1 ? "1 socket" : `${sockets.length} sockets`;
  return parts === "" ? "no connections" : `${what}: ${parts}`;
}
