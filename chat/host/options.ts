/**
 * The options of a chat server, checked and completed.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import type { Flag } from "../../engine/cli/flags.ts";
import {
  booleanOption,
  choiceOption,
  integerOption,
  OptionError,
  stringOption,
} from "../../engine/cli/options.ts";
import { durationOption, rateOption, sizeOption } from "../../engine/cli/quantity_options.ts";
import type { Duration } from "../../engine/values/durations.ts";
import { keepAliveTimes } from "../../engine/net/keepalive.ts";
import type { KeepAlive } from "../../engine/net/transport.ts";
import {
  ALLOW,
  checkAddress,
  checkNetworks,
  checkProxies,
  DENY,
  DRAIN,
  KEEPALIVE,
  MESSAGE_TIMEOUT,
  PROXY_FROM,
  PROXY_PROTOCOL,
  STATS_EVERY,
} from "../../engine/server/core/options.ts";
import type { LivePage } from "../../engine/server/trace/live_feed.ts";
import type { Rate, Size } from "../../engine/values/quantities.ts";
import { parseBusUrl } from "../bus/bus_url.ts";
import type { VisitorLimits } from "../rooms/conversation.ts";
import type { HallOptions } from "../rooms/hall.ts";
import { NEWS_LIMITS } from "../rooms/news.ts";
import { LINE_BYTES } from "../rooms/room.ts";
import { PORT } from "./command.ts";
import { BATCH_BYTES, SLOW_POLICIES, type SlowPolicy } from "./outbox.ts";
import type { AdmissionLimits } from "./visitors.ts";

/** The options for serving a chat. */
export interface ChatOptions {
  /**
   * The port to listen on; 0 picks a free one.
   *
   * @default {7878}
   */
  readonly port?: number;
  /**
   * The name or address to listen on.
   *
   * @default {"127.0.0.1"}
   */
  readonly host?: string;
  /**
   * The URL of the NATS server through which other servers share the rooms, for instance
   * `nats://127.0.0.1:4222`. By default there are no other servers.
   */
  readonly bus?: string;
  /**
   * Whether a line is also sent back to its sender. By default it is only if nobody else hears it.
   *
   * @default {false}
   */
  readonly echo?: boolean;
  /**
   * How many lines of a room are shown to those who join it; 0 is none. There are never more than
   * fit into half of an outbox, nor more than 64 KiB of them.
   *
   * @default {20}
   */
  readonly history?: number;
  /**
   * How many bytes may wait for a user who reads slowly; 0 means no limit.
   *
   * @default {"256k"}
   */
  readonly outbox?: Size;
  /**
   * How long a user may take nothing of what waits before the user counts as slow; 0 means no limit. It
   * has no effect with `slow: "drop"`.
   *
   * @default {"10s"}
   */
  readonly writeTimeout?: Duration;
  /**
   * What happens to a user who reads too slowly.
   *
   * @default {"disconnect"}
   */
  readonly slow?: SlowPolicy;
  /**
   * How many lines a user may say per second over a long time; 0 means no limit.
   *
   * @default {"20/s"}
   */
  readonly rate?: Rate;
  /**
   * How many lines a user may say at once.
   *
   * @default {40}
   */
  readonly burst?: number;
  /**
   * How long a user may say nothing; 0 means no limit.
   *
   * @default {"10m"}
   */
  readonly idleTimeout?: Duration;
  /**
   * How long a user may take to send a whole line, once it has begun; 0 means no limit.
   *
   * @default {"30s"}
   */
  readonly messageTimeout?: Duration;
  /**
   * How many connections there may be; more are refused. 0 means no limit.
   *
   * @default {0}
   */
  readonly maxConnections?: number;
  /**
   * How many connections may come from one address; 0 means no limit. All addresses of an IPv6 /64
   * count as one.
   *
   * @default {0}
   */
  readonly maxPerHost?: number;
  /** The networks whose hosts may connect, in CIDR notation. By default all may. */
  readonly allow?: readonly string[];
  /** The networks whose hosts may not connect, even if `allow` has them too. */
  readonly deny?: readonly string[];
  /**
   * Whether users come through proxies that name them in a PROXY header. It must come within 10 s.
   * See `ServeOptions.proxyProtocol`.
   *
   * @default {false}
   */
  readonly proxyProtocol?: boolean;
  /** The networks whose hosts are such proxies. By default only this machine is one. */
  readonly proxyFrom?: readonly string[];
  /**
   * How long users may still talk after the server has told them that it is about to end.
   *
   * @default {"5s"}
   */
  readonly drain?: Duration;
  /**
   * Within which time a user who has vanished without a word is found; 0 is never. See
   * `ServeOptions.keepalive`.
   *
   * @default {"15s"}
   */
  readonly keepalive?: Duration;
  /**
   * The path or URL of a file for the recording: the connections and, on Linux, the states of their
   * sockets, as events that `observe replay` shows. A relative path starts at the current directory.
   */
  readonly record?: string | URL;
  /** What shows the server while it runs: see `ServeOptions.live`. */
  readonly live?: LivePage;
  /**
   * How often the statistics of the server are to be read; 0 is never. Its event loop then has a
   * heartbeat, from which its lag is known. `Server.statistics` tells where the figures are.
   *
   * @default {0}
   */
  readonly statsEvery?: Duration;
  /** Is told each line that is said in a room. The line is safe to show in a terminal. */
  readonly onReport?: (line: string) => void;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal;
}

/** The bus to other servers. */
const BUS = stringOption("bus", {
  value: "URL",
  shown: "none",
  help: "share rooms with other servers through NATS, for instance nats://127.0.0.1:4222",
});

/** Whether a line also goes back to its sender. */
const ECHO = booleanOption("echo", {
  default: false,
  help: "send a line back to its sender even if others hear it",
});

/** How many lines of a room are shown to those who join it. */
const HISTORY = integerOption("history", {
  least: 0,
  most: 10_000,
  default: 20,
  help: "how many lines of a room to show to those who join, if half an outbox has room for them",
});

/** How many bytes may wait for a user. */
const OUTBOX = sizeOption("outbox", {
  default: "256k",
  help: "how many bytes may wait for a user who reads slowly",
});

/** How long a user may take nothing of what waits. */
const WRITE_TIMEOUT = durationOption("writeTimeout", {
  default: "10s",
  help: "how long such a user may read nothing",
});

/** What happens to users who read too slowly. */
const SLOW = choiceOption<SlowPolicy>("slow", {
  choices: SLOW_POLICIES,
  default: "disconnect",
  help: "what happens to such a user; drop: lines are dropped, the oldest first",
});

/** How many lines a user may say per second over a long time. */
const RATE = rateOption("rate", {
  default: "20/s",
  help: "how many lines a user may send over a long time; more are read later",
});

/** How many lines a user may say at once. */
const BURST = integerOption("burst", {
  least: 1,
  most: 1_000_000_000,
  default: 40,
  help: "how many lines a user may send at once",
});

/** How long a user may say nothing. */
const IDLE_TIMEOUT = durationOption("idleTimeout", {
  default: "10m",
  help: "how long a user may say nothing",
});

/** How many connections there may be; 0 means no limit. */
const MAX_CONNECTIONS = integerOption("maxConnections", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many connections there may be; more are refused",
});

/** How many connections may come from one address; 0 means no limit. */
const MAX_PER_HOST = integerOption("maxPerHost", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many of them may come from one address",
});

/** The flags that only `chat/server.ts` has, in the order of its help. */
export const CHAT_FLAGS: readonly Flag[] = [
  BUS,
  ECHO,
  HISTORY,
  OUTBOX,
  WRITE_TIMEOUT,
  SLOW,
  RATE,
  BURST,
  IDLE_TIMEOUT,
  MESSAGE_TIMEOUT,
  MAX_CONNECTIONS,
  MAX_PER_HOST,
  ALLOW,
  DENY,
  PROXY_PROTOCOL,
  PROXY_FROM,
];

/** The options, checked and complete. */
export interface CheckedChatOptions {
  /** Where to listen. The host may still be a name. */
  readonly address: Address;
  /** The URL of the bus, if there is one. */
  readonly bus: string | undefined;
  /** The options of the hall. */
  readonly hall: HallOptions;
  /** The limits that conversations enforce. */
  readonly visitor: VisitorLimits;
  /** The limits that the server enforces. */
  readonly limits: AdmissionLimits;
  /** How many bytes all visitors together may say in one turn of the event loop. */
  readonly turnBytes: number;
  /** How long users may still talk once the server is about to end, in milliseconds. */
  readonly drainMs: number;
  /** When the kernel counts a silent peer as gone; `undefined` is never. */
  readonly keepAlive: KeepAlive | undefined;
  /** How often the statistics are to be read, in milliseconds; 0 means never. */
  readonly statsEveryMs: number;
}

/** The smallest limit of an outbox, in bytes: the longest line, and what comes with it. */
const LEAST_OUTBOX = 16 * 1024;

/** The most bytes of a room's history that are shown to those who join it. */
const HISTORY_BYTES = 64 * 1024;

/**
 * Checks the options and fills in the defaults.
 *
 * @param options the options as the caller gave them
 * @throws {OptionError} if an option is invalid; the message names it
 */
export function checkChatOptions(options: ChatOptions): CheckedChatOptions {
  const outboxBytes = OUTBOX.read(options.outbox);
  if (outboxBytes > 0 && outboxBytes < LEAST_OUTBOX) {
    throw new OptionError(
      `Cannot use outbox: expected at least ${LEAST_OUTBOX} bytes, current value is "${options.outbox}"`,
    );
  }
  const unlimited = (count: number) => count === 0 ? Infinity : count;
  const writeTimeoutMs = WRITE_TIMEOUT.read(options.writeTimeout);
  const slow = SLOW.read(options.slow);
  return {
    address: checkAddress(options, PORT),
    bus: checkBus(options.bus),
    hall: {
      echo: ECHO.read(options.echo),
      news: NEWS_LIMITS,
      // The history must not make a user who joins a room slow from the start. What short lines
      // cost depends mostly on their number.
      history: {
        lines: Math.min(
          HISTORY.read(options.history),
          Math.floor(unlimited(outboxBytes) / 2 / LINE_BYTES),
        ),
        bytes: Math.min(HISTORY_BYTES, unlimited(outboxBytes) / 4),
      },
    },
    limits: {
      outbox: {
        outboxBytes,
        writeTimeoutMs,
        slow,
      },
      maxConnections: unlimited(MAX_CONNECTIONS.read(options.maxConnections)),
      rules: {
        ...checkNetworks(options),
        maxPerHost: MAX_PER_HOST.read(options.maxPerHost),
        refusesOverflow: true,
        ...checkProxies(options, 0),
      },
      messageTimeoutMs: MESSAGE_TIMEOUT.read(options.messageTimeout),
    },
    // Not more than an outbox sends in one turn.
    turnBytes: Math.min(BATCH_BYTES, unlimited(outboxBytes) / 4),
    visitor: {
      rate: RATE.read(options.rate),
      burst: BURST.read(options.burst),
      idleMs: IDLE_TIMEOUT.read(options.idleTimeout),
    },
    drainMs: DRAIN.read(options.drain),
    // Those who may read as slowly as they like must not be given up by the kernel either.
    keepAlive: keepAliveTimes(
      KEEPALIVE.read(options.keepalive),
      slow === "disconnect" ? writeTimeoutMs : 0,
    ),
    statsEveryMs: STATS_EVERY.read(options.statsEvery),
  };
}

/** Checks the syntax of the URL of the bus. Whether a server is there is found out later. */
function checkBus(url: string | undefined): string | undefined {
  try {
    if (url !== undefined) parseBusUrl(url);
    return url;
  } catch (cause) {
    throw new OptionError((cause as Error).message, { cause });
  }
}
