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
import { checkAddress, DRAIN } from "../../engine/server/core/options.ts";
import type { Rate, Size } from "../../engine/values/quantities.ts";
import { parseBusUrl } from "../bus/bus_url.ts";
import type { VisitorLimits } from "../rooms/conversation.ts";
import type { HallOptions } from "../rooms/hall.ts";
import { LINE_BYTES } from "../rooms/room.ts";
import { PORT } from "./command.ts";
import { BATCH_BYTES, SLOW_POLICIES, type SlowPolicy } from "./outbox.ts";
import type { AdmissionLimits } from "./visitors.ts";

/** How to serve a chat. */
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
   * The other servers that share the rooms: the URL of a NATS server, for instance
   * `nats://127.0.0.1:4222`. By default there are none.
   */
  readonly bus?: string;
  /**
   * Whether a line is sent back to who has said it, too. By default only to who is alone.
   *
   * @default {false}
   */
  readonly echo?: boolean;
  /**
   * How many lines of a room are shown to who joins it; 0 is none. At most as many as half of an
   * outbox has room for, and 64 KiB.
   *
   * @default {20}
   */
  readonly history?: number;
  /**
   * How much may wait for a user who reads slowly, in bytes; 0 is any number.
   *
   * @default {"256k"}
   */
  readonly outbox?: Size;
  /**
   * How long one write to a user may take before she counts as slow; 0 is for ever. Not with
   * `slow: "drop"`.
   *
   * @default {"10s"}
   */
  readonly writeTimeout?: Duration;
  /**
   * What becomes of who reads too slowly.
   *
   * @default {"disconnect"}
   */
  readonly slow?: SlowPolicy;
  /**
   * How many lines a user may say in a second, over a long time; 0 is any number.
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
   * How long a user may say nothing; 0 is for ever.
   *
   * @default {"10m"}
   */
  readonly idleTimeout?: Duration;
  /**
   * How many connections there may be; more are refused. 0 is any number.
   *
   * @default {0}
   */
  readonly maxConnections?: number;
  /**
   * How many of them may come from one address; 0 is any number.
   *
   * @default {0}
   */
  readonly maxPerHost?: number;
  /**
   * How long before its end the server tells its users.
   *
   * @default {"5s"}
   */
  readonly drain?: Duration;
  /** Is told of each line that is said in a room, fit for a terminal. */
  readonly onReport?: (line: string) => void;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal;
}

/** The other servers. */
const BUS = stringOption("bus", {
  value: "URL",
  shown: "none",
  help: "share rooms with other servers through NATS, for instance nats://127.0.0.1:4222",
});

/** Whether a line goes back to its sender. */
const ECHO = booleanOption("echo", {
  default: false,
  help: "send a line back to its sender even if others hear it",
});

/** How many lines of a room a newcomer is shown. */
const HISTORY = integerOption("history", {
  least: 0,
  most: 10_000,
  default: 20,
  help: "how many lines of a room to show to who joins it, if half an outbox has room for them",
});

/** How much may wait for a user. */
const OUTBOX = sizeOption("outbox", {
  default: "256k",
  help: "how much may wait for a user who reads slowly",
});

/** How long one write may take. */
const WRITE_TIMEOUT = durationOption("writeTimeout", {
  default: "10s",
  help: "how long such a user may take nothing",
});

/** What becomes of those who read too slowly. */
const SLOW = choiceOption<SlowPolicy>("slow", {
  choices: SLOW_POLICIES,
  default: "disconnect",
  help: "what becomes of such a user; drop: lines are dropped, the oldest first",
});

/** How many lines a user may say in a second. */
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

/** How many connections there may be; 0 is any number. */
const MAX_CONNECTIONS = integerOption("maxConnections", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many connections there may be; more are refused",
});

/** How many connections may come from one address; 0 is any number. */
const MAX_PER_HOST = integerOption("maxPerHost", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many of them may come from one address",
});

/** The flags of `chat/server.ts` beside those of all chat servers, in the order of the help. */
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
  MAX_CONNECTIONS,
  MAX_PER_HOST,
];

/** The options, complete. */
export interface CheckedChatOptions {
  /** Where to listen: the host may still be a name. */
  readonly address: Address;
  /** The URL of the bus, if there is one. */
  readonly bus: string | undefined;
  /** How the hall is. */
  readonly hall: HallOptions;
  /** What visitors are held to by their conversations. */
  readonly visitor: VisitorLimits;
  /** What they are held to by the server. */
  readonly limits: AdmissionLimits;
  /** How much all visitors together say in one turn of the event loop, in bytes. */
  readonly turnBytes: number;
  /** How long before its end the server tells its users, in milliseconds. */
  readonly drainMs: number;
}

/** The least that an outbox may hold: the longest line, and what comes with it. */
const LEAST_OUTBOX = 16 * 1024;

/** The most bytes of a room that are shown to who joins it. */
const HISTORY_BYTES = 64 * 1024;

/**
 * Checks options and fills in what is not given.
 *
 * @param options as the caller gave them
 * @throws {OptionError} if one is not what it may be, naming it
 */
export function checkChatOptions(options: ChatOptions): CheckedChatOptions {
  const outboxBytes = OUTBOX.read(options.outbox);
  if (outboxBytes > 0 && outboxBytes < LEAST_OUTBOX) {
    throw new OptionError(
      `Cannot use outbox: expected at least ${LEAST_OUTBOX} bytes, current value is "${options.outbox}"`,
    );
  }
  const unlimited = (count: number) => count === 0 ? Infinity : count;
  return {
    address: checkAddress(options, PORT),
    bus: checkBus(options.bus),
    hall: {
      echo: ECHO.read(options.echo),
      // Who joins a room must not be slow from the first moment: short lines cost most by their
      // number.
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
        writeTimeoutMs: WRITE_TIMEOUT.read(options.writeTimeout),
        slow: SLOW.read(options.slow),
      },
      maxConnections: unlimited(MAX_CONNECTIONS.read(options.maxConnections)),
      maxPerHost: unlimited(MAX_PER_HOST.read(options.maxPerHost)),
    },
    // No more than an outbox sends in one turn.
    turnBytes: Math.min(BATCH_BYTES, unlimited(outboxBytes) / 4),
    visitor: {
      rate: RATE.read(options.rate),
      burst: BURST.read(options.burst),
      idleMs: IDLE_TIMEOUT.read(options.idleTimeout),
    },
    drainMs: DRAIN.read(options.drain),
  };
}

/** The URL of the bus, which must be one whatever is there. */
function checkBus(url: string | undefined): string | undefined {
  try {
    if (url !== undefined) parseBusUrl(url);
    return url;
  } catch (cause) {
    throw new OptionError((cause as Error).message, { cause });
  }
}
