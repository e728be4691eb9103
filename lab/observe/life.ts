/**
 * `observe life [PORT]`: every TCP connection of this machine, or of a port, as it ends.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { EXIT_DONE } from "../../engine/cli/exit_status.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { integerOption, type Option, valueOf } from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import type { Values } from "../../engine/cli/flags.ts";
import type { Duration } from "../../engine/values/durations.ts";
import {
  ConnectionLives,
  type EndedConnection,
  type Look,
} from "../../engine/kernel/connection_lives.ts";
import { messageOf } from "../../engine/dial/failures.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { connectionEvent } from "../../engine/recording/from_kernel.ts";
import { formatBytes, formatTime } from "../../engine/values/units.ts";
import { render, type Screen, screenOf } from "../report/screen.ts";
import { LineOutput } from "./line_output.ts";
import { say } from "./say.ts";
import { LineQueue } from "./line_queue.ts";
import { RECORD, SCRIPT, type Subcommand } from "./subcommand.ts";
import { type Column, Layout } from "./table.ts";
import { SocketRecording } from "./socket_recording.ts";
import { FOR, limitOf, Turns } from "./turns.ts";

const NAME = "life";

const COUNT: Option<number> = integerOption("count", {
  short: "c",
  least: 1,
  most: 1_000_000_000,
  help: "end after that many connections",
});

const INTERVAL: Option<number, Duration> = durationOption("interval", {
  short: "i",
  default: "25ms",
  help: "look at all sockets once in that time",
});

/** The command. */
export function life(): Subcommand {
  return {
    command: {
      name: NAME,
      summary: "see each TCP connection of this machine as it ends",
      positionals: [{
        name: "port",
        kind: "integer",
        least: 1,
        most: 65_535,
        help: "only connections with this port at one of their ends",
      }],
      flags: [
        { name: "json", kind: "boolean", help: "print each connection as a JSON object" },
        COUNT,
        FOR,
        INTERVAL,
        RECORD,
      ],
      example: formatRun(SCRIPT, "life 8080"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  const intervalMs = valueOf(INTERVAL, values);
  const port = values.port as number | undefined;
  const form = values.json === true ? JSON_FORM : textForm(screenOf("stdout"), port);
  using lives = openLives(port);
  using recording = SocketRecording.create(NAME, values.record as string | undefined);
  using turns = new Turns(intervalMs, limitOf(FOR, values));
  const queue = new LineQueue(new LineOutput(), () => turns.stop());
  // Whoever has read that it goes on sees all that begins after it.
  const first = lives.look();
  form.begin(queue);
  let left = limitOf(COUNT, values);
  const tell = (look: Look) => {
    const ended = look.ended.slice(0, left);
    left -= ended.length;
    if (look.missed) queue.add(form.missed(DROPPED_EVENTS));
    for (const connection of ended) queue.add(form.connection(connection));
    const dropped = queue.takeDropped();
    if (dropped > 0) queue.add(form.missed(lost(dropped)));
    if (look.missed) recording?.note(DROPPED_EVENTS);
    recording?.look(look.rows, ended);
  };
  tell(first);
  while (left > 0 && await turns.next()) tell(lives.look());
  if (left > 0) tell(lives.finish());
  if (lives.unplaced > 0) say(unplaced(lives.unplaced, port as number));
  const dropped = queue.takeDropped();
  if (dropped > 0) say(lost(dropped));
  await queue.flush(turns.interrupted());
  recording?.finish();
  return EXIT_DONE;
}

function openLives(port: number | undefined): ConnectionLives {
  const cannot = "Cannot hear how connections end";
  if (runtime.os !== "linux") throw new Error(`${cannot}: that needs Linux, not ${runtime.os}`);
  const why = whyNoKernel();
  if (why !== undefined) throw new Error(`${cannot}: ${why}`);
  try {
    return new ConnectionLives(port);
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? messageOf(cause);
    throw new Error(`${cannot}: there is no netlink here (${code}); observe watch needs none`, {
      cause,
    });
  }
}

const DROPPED_EVENTS = "the kernel dropped events, because more came than could wait";

function lost(lines: number): string {
  return lines === 1
    ? "1 line was lost: nobody read it"
    : `${lines} lines were lost: nobody read them`;
}

function unplaced(count: number, port: number): string {
  const which = count === 1 ? "1 end of a connection" : `${count} ends of connections`;
  return `left out: ${which}, reset before the other end's port was seen (was it ${port}?)`;
}

/** How the output looks. */
interface Form {
  /** Says what follows. */
  begin(queue: LineQueue): void;
  /** The line of a connection. */
  connection(connection: EndedConnection): string;
  /** The line that says that connections are missing here. */
  missed(why: string): string;
}

/** Which means there are, in one line. */
const TIER = "T0: what Linux tells any user by netlink";

const JSON_FORM: Form = {
  // Standard output has nothing but objects.
  begin: () => say(TIER),
  connection: (connection) => JSON.stringify(toJson(connection)),
  missed: (why) => JSON.stringify({ type: "missed", why }),
};

function toJson(connection: EndedConnection): object {
  const { at: _at, cookie, ...fields } = connectionEvent(connection, 0);
  const { longerThanUs, shorterThanUs, isEarlier, countsFin, bytesReceived } = connection;
  return {
    ...fields,
    ...(longerThanUs !== undefined && { longer_than_us: longerThanUs }),
    ...(shorterThanUs !== undefined && { shorter_than_us: shorterThanUs }),
    ...(isEarlier && bytesReceived !== undefined && { earlier_figures: true }),
    ...(mayCountFin({ isEarlier, countsFin }) && { may_count_fin: true }),
    cookie,
  };
}

/** Whether the number of received bytes may be one too high. */
function mayCountFin(
  { isEarlier, countsFin }: Pick<EndedConnection, "isEarlier" | "countsFin">,
): boolean {
  return !isEarlier && countsFin === undefined;
}

/** The width of `255.255.255.255:65535`. */
const ADDRESS_WIDTH = 21;

const COLUMNS: readonly Column<EndedConnection>[] = [
  {
    title: "LOCAL",
    order: 0,
    side: "left",
    width: ADDRESS_WIDTH,
    cell: ({ local }) => describeEnd(local),
  },
  {
    title: "REMOTE",
    order: 0,
    side: "left",
    width: ADDRESS_WIDTH,
    cell: ({ remote }) => describeEnd(remote),
  },
  { title: "OPENED", order: 2, side: "left", cell: ({ openedBy }) => shown(openedBy) },
  { title: "CLOSED", order: 1, side: "left", cell: ({ closedFirst }) => shown(closedFirst) },
  { title: "WITH", order: 1, side: "left", width: 5, cell: ({ endedWith }) => shown(endedWith) },
  { title: "LASTED", order: 3, side: "right", width: 8, cell: lasted },
  { title: "SENT", order: 4, side: "right", width: 9, cell: sent },
  { title: "RECEIVED", order: 4, side: "right", width: 9, cell: received },
  {
    title: "RTT",
    order: 5,
    side: "right",
    width: 7,
    cell: ({ rttUs }) => rttUs === undefined ? NONE : formatTime(rttUs),
  },
  {
    title: "RETR",
    order: 6,
    side: "right",
    cell: ({ retransmissions }) => `${retransmissions ?? NONE}`,
  },
];

/** An address, of which the kernel may have forgotten a part. */
function describeEnd({ hostname, port }: Address): string {
  const isForgotten = hostname === "0.0.0.0" || hostname === "::";
  const [, host, digits] = /^(.*):(\d+)$/.exec(formatAddress({ hostname, port })) as string[];
  return `${isForgotten ? "?" : host}:${port === 0 ? "?" : digits}`;
}

/** What stands for a figure that there is not. */
const NONE = "–";

function shown(word: string): string {
  return word === "unknown" ? "?" : word;
}

function lasted({ durationUs, longerThanUs, shorterThanUs }: EndedConnection): string {
  if (durationUs !== undefined) return formatTime(durationUs);
  if (longerThanUs !== undefined) return `>${formatTime(longerThanUs)}`;
  return shorterThanUs === undefined ? NONE : `<${formatTime(shorterThanUs)}`;
}

function sent({ bytesSent, isEarlier }: EndedConnection): string {
  return bytesSent === undefined ? NONE : `${isEarlier ? "≥" : ""}${formatBytes(bytesSent)}`;
}

function received(connection: EndedConnection): string {
  const { bytesReceived, isEarlier } = connection;
  if (bytesReceived === undefined) return NONE;
  const sign = isEarlier ? "≥" : mayCountFin(connection) ? "≤" : "";
  return sign + formatBytes(bytesReceived);
}

function textForm(screen: Screen, port: number | undefined): Form {
  const layout = new Layout(COLUMNS, screen.columns());
  const what = port === undefined ? "of this machine" : `with port ${port}`;
  return {
    begin(queue) {
      queue.add(`${TIER}. Each end of a TCP connection ${what}, as it ends.`);
      if (layout.missing.length > 0) {
        queue.add(render(screen, "faint", `no room for: ${layout.missing.join(", ")}`));
      }
      queue.add(render(screen, "bold", layout.header));
    },
    connection: (connection) => layout.row(connection),
    missed: (why) => `(some are missing here: ${why})`,
  };
}
