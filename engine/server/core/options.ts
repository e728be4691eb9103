/**
 * The options that every mode's `serve` takes. They are checked and completed here, for all modes.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { HELLO_GRACE_MS } from "../../../protocols/hello.ts";
import {
  type ProtocolDefinition,
  PROTOCOLS,
  type ProtocolSettings,
} from "../../../protocols/catalogue.ts";
import {
  booleanOption,
  choiceOption,
  integerOption,
  type Option,
  OptionError,
  stringOption,
} from "../../cli/options.ts";
import { durationOption } from "../../cli/quantity_options.ts";
import { keepAliveTimes } from "../../net/keepalive.ts";
import { parentage, runtime } from "../../net/runtime.ts";
import type { KeepAlive } from "../../net/transport.ts";
import { isUnix, stripBrackets, UNIX, whyNoUnix } from "../../net/address.ts";
import { CONSTANTS, LINUX } from "../../net/constants.ts";
import { parseNetwork } from "../../net/networks.ts";
import type { TimeLimits } from "../../drivers/limits.ts";
import { type Duration, formatDuration } from "../../values/durations.ts";
import type { Flag } from "../../cli/flags.ts";
import type { LivePage } from "../trace/live_feed.ts";
import type { AdmissionRules, ProxyRules } from "./door.ts";
import type { Handover, Predecessor, Successor } from "./handover.ts";
import { loadProtocol, locateProtocol } from "./protocol_loader.ts";
import { modeOfThread } from "../../workers/thread_names.ts";

export { OptionError };

/** What becomes of a connection for which there is no room. */
export type Overflow = "queue" | "refuse";

/** How to serve. */
export interface ServeOptions {
  /**
   * The port to listen on; 0 picks a free one.
   *
   * @default {8080}
   */
  readonly port?: number;
  /**
   * The name or address to listen on. `unix:PATH` is a Unix domain socket, which has no port, and
   * `unix:@NAME` an abstract one of Linux. Modes with descriptors listen there: `sequential`,
   * `threaded`, `threadpool`, `berkeley`, `prefork`, `nonblocking` and `completion`.
   *
   * @default {"127.0.0.1"}
   */
  readonly host?: string;
  /**
   * The protocol to speak: its name, or the path or URL of a module whose default export is a
   * protocol. A relative path starts at the current directory.
   *
   * @default {"hello"}
   */
  readonly protocol?: string | URL;
  /** How long one read may wait; 0 means for ever. By default the protocol decides. */
  readonly readTimeout?: Duration;
  /** How long a connection may last; 0 means for ever. By default the protocol decides. */
  readonly sessionTimeout?: Duration;
  /**
   * How long the peer may say nothing between two messages; 0 means for ever. By default it is as
   * long as one read may wait.
   */
  readonly idleTimeout?: Duration;
  /**
   * How long the peer may take to send a whole message, once that has begun; 0 means for ever. A
   * protocol without messages has no such limit.
   *
   * @default {"30s"}
   */
  readonly messageTimeout?: Duration;
  /**
   * How long a write may wait while the peer takes nothing; 0 means for ever.
   *
   * @default {"10s"}
   */
  readonly writeTimeout?: Duration;
  /**
   * How long `hello` waits for the rest of a message without a line end; 0 turns this off.
   *
   * @default {"20ms"}
   */
  readonly grace?: Duration;
  /**
   * Whether a frame that begins with `P` asks whether a number is prime, in `frame`.
   *
   * @default {true}
   */
  readonly prime?: boolean;
  /**
   * How long a conversation waits for a computation; 0 means for ever.
   *
   * @default {"120s"}
   */
  readonly computeTimeout?: Duration;
  /**
   * How many connections are served or queued at a time; the others wait. 0 means no limit.
   *
   * @default {0}
   */
  readonly maxConnections?: number;
  /**
   * How many connections one host may have; more are refused. A host with an IPv6 address is its
   * whole /64. 0 means no limit.
   *
   * @default {0}
   */
  readonly maxPerHost?: number;
  /**
   * The networks whose hosts may connect, in CIDR notation: `["10.0.0.0/8", "::1"]`. By default all
   * may.
   */
  readonly allow?: readonly string[];
  /** The networks whose hosts may not connect, even if `allow` has them too. */
  readonly deny?: readonly string[];
  /**
   * What becomes of a connection for which there is no room: it waits in the accept queue
   * (`"queue"`), or is refused and told why, if the protocol has words for that (`"refuse"`).
   *
   * @default {"queue"}
   */
  readonly overflow?: Overflow;
  /**
   * Whether clients come through proxies that name them in a PROXY header, of version 1 or 2, before
   * their first byte. It must come on each connection, within the read timeout, or 10 s if there is
   * none. From then on the client's address is the one in it: for the protocol, in the log, for
   * `allow`, `deny` and `maxPerHost`.
   *
   * @default {false}
   */
  readonly proxyProtocol?: boolean;
  /**
   * The networks whose hosts are such proxies, in CIDR notation. The connections of all others are
   * closed unread. By default only this machine is one, `["127.0.0.0/8", "::1"]`. Over a Unix domain
   * socket everybody is who may connect.
   */
  readonly proxyFrom?: readonly string[];
  /**
   * How long `close` lets connections finish; 0 ends them at once.
   *
   * @default {"5s"}
   */
  readonly drain?: Duration;
  /**
   * Within which time a peer that has vanished without a word is found; 0 is never. The kernel counts
   * whole seconds: 2 s is the shortest time, 12 h the longest. It probes a connection after 2 s of
   * silence, then every second until the time is over; with more than 30 s, 20 times, and the first
   * time after a third of it or more. Bytes that nobody acknowledges are given up after the same time.
   * A kernel that does that (`TCP_USER_TIMEOUT`) finds no peer before the write timeout is over, so if
   * that is longer, it counts. Without a write timeout that option is not set.
   *
   * @default {"15s"}
   */
  readonly keepalive?: Duration;
  /**
   * The path or URL of a file for the trace: the life of each connection and each computation, as
   * events that Perfetto opens. A relative path starts at the current directory.
   */
  readonly trace?: string | URL;
  /**
   * The path or URL of a file for the recording: threads, connections and, on Linux, the states of
   * their sockets, as events that `observe replay` shows. A relative path starts at the current
   * directory.
   */
  readonly record?: string | URL;
  /**
   * What shows the server while it runs, from `openLive`: a page in a browser. The server begins to
   * collect for it when somebody reads, and closes it at its end.
   */
  readonly live?: LivePage;
  /**
   * Whether the log tells what the SYN of each connection said: TTL, MSS, window, options. Only
   * Linux keeps it, and only modes with the descriptors of their connections can read it:
   * `sequential`, `threaded`, `threadpool`, `berkeley`, `prefork`, `nonblocking` and `completion`.
   *
   * @default {false}
   */
  readonly logSyn?: boolean;
  /**
   * How often the statistics of the server are to be read; 0 is never. Its event loops then have a
   * heartbeat, from which their lag is known. `Server.statistics` tells where the figures are.
   *
   * @default {0}
   */
  readonly statsEvery?: Duration;
  /**
   * For how long an event loop may not turn, or a thread that serves one connection at a time may be
   * in its protocol's code, before that is a stall; 0 means that nobody watches. Such a thread is
   * logged, with its connection. Event loops then have a heartbeat. The command line starts a thread
   * that watches it; a program of your own can read `Server.statistics`.
   *
   * @default {0}
   */
  readonly stall?: Duration;
  /**
   * The descriptor of a listener that is there already: a service manager or a parent process has
   * opened it, and its address counts. When the server closes, it leaves the listener's queue to
   * whoever else has it. On Linux, in modes with descriptors: `sequential`, `threaded`, `threadpool`,
   * `berkeley`, `prefork`, `nonblocking` and `completion`.
   */
  readonly fd?: number;
  /**
   * The path of a socket at which the server offers its listener to the next process. If a server
   * offers one there already, this one takes that over: the other stops accepting as soon as this
   * one serves, and lets its connections finish. The folder of the path must belong to this user,
   * and nobody else may write to it. It works where `fd` does.
   */
  readonly takeover?: string;
  /**
   * Is called once, when this server is ready: before it takes another one's listener over, and before
   * anybody can take over its own. If it rejects, this server does not start, and the other one goes
   * on. It works where `fd` does.
   *
   * @param predecessor what the other one has told; empty if there is none
   * @param handover the listener of this server: here it is early enough to say what those are told who
   * take it over, and to hear of all of them
   * @returns what the other one is told
   */
  readonly beforeTakeover?: (
    predecessor: Predecessor,
    handover: Pick<Handover, "tells" | "onTakenOver">,
  ) => Promise<Successor>;
  /** Receives each message from a peer, escaped for a terminal. */
  readonly onReport?: (message: string) => void;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the option of the port, which is also an argument of the command line.
 *
 * @param standard the port if the user names none
 */
export function portOption(standard: number): Option<number> {
  return integerOption("port", {
    least: 0,
    most: 65535,
    default: standard,
    help: "port to listen on; 0 picks a free one",
  });
}

/** The port. */
export const PORT: Option<number> = portOption(8080);

/** The name or address to listen on. */
export const HOST: Option<string> = stringOption("host", {
  value: "HOST",
  default: "127.0.0.1",
  help: "name or address to listen on; unix:PATH in modes with descriptors, without a port",
});

/**
 * Makes the option of the protocol.
 *
 * @param standard the protocol if the user names none
 */
function protocolOption(standard: string): Option<string | URL> {
  const names = Object.keys(PROTOCOLS);
  return stringOption<string | URL>("protocol", {
    value: "NAME|PATH",
    suggestions: names,
    default: standard,
    help: `the protocol: ${names.join(", ")}, or your own module`,
  });
}

/** The protocol, in a mode that has no default of its own. */
const PROTOCOL = protocolOption("hello");

/** The default of a time limit, which each protocol has for itself, as the help shows it. */
function shownTimeout(limit: "readTimeoutMs" | "sessionTimeoutMs"): string {
  const limited = Object.values(PROTOCOLS).filter((protocol) => protocol[limit] > 0);
  const each = limited.map((protocol) => `${formatDuration(protocol[limit])} in ${protocol.name}`);
  return [...each, "else none"].join(", ");
}

/** How long a `hello` without a line end waits for more. */
const GRACE = durationOption("grace", {
  default: formatDuration(HELLO_GRACE_MS),
  help: "how long a hello without a line end waits for more; 0: line ends only",
});

/** How long one read may wait. */
const READ_TIMEOUT = durationOption("readTimeout", {
  shown: shownTimeout("readTimeoutMs"),
  help: "how long one read may wait",
});

/** How long a connection may last. */
const SESSION_TIMEOUT = durationOption("sessionTimeout", {
  shown: shownTimeout("sessionTimeoutMs"),
  help: "how long a connection may last",
});

/** How long the peer may say nothing between two messages. */
const IDLE_TIMEOUT = durationOption("idleTimeout", {
  shown: "as one read",
  help: "how long a peer may be silent between two messages",
});

/** How long the peer may take to send a whole message. */
export const MESSAGE_TIMEOUT: Option<number, Duration> = durationOption("messageTimeout", {
  default: "30s",
  help: "how long a message may take to come, from its first bytes on",
});

/** How long a write may wait while the peer takes nothing. */
const WRITE_TIMEOUT = durationOption("writeTimeout", {
  default: "10s",
  help: "how long a peer may take nothing of what is sent to it; 0: for ever",
});

/** How long a conversation waits for a computation. */
const COMPUTE_TIMEOUT = durationOption("computeTimeout", {
  default: "120s",
  help: "how long a conversation waits for a computation",
});

/** Whether `frame` has questions. */
const PRIME = booleanOption("prime", {
  default: true,
  help: "in frame: ^P7$ is data like any other, not a question",
});

/** How many connections are served at a time; 0 means no limit. */
const MAX_CONNECTIONS = integerOption("maxConnections", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many connections to serve at a time; --overflow says what the rest do",
});

/** How many connections one host may have; 0 means no limit. */
const MAX_PER_HOST = integerOption("maxPerHost", {
  least: 0,
  most: 1_000_000_000,
  default: 0,
  shown: "none",
  help: "how many of them one host may have; an IPv6 /64 is one host",
});

/** The networks whose hosts may connect. */
export const ALLOW: Option<readonly string[]> = networksOption(
  "allow",
  "a network whose hosts may connect; without it, all may",
);

/** The networks whose hosts may not. */
export const DENY: Option<readonly string[]> = networksOption(
  "deny",
  "a network whose hosts may not, even if they are allowed",
);

/** Whether clients come through proxies. */
export const PROXY_PROTOCOL: Option<boolean> = booleanOption("proxyProtocol", {
  default: false,
  help: "clients come through proxies, which name them in a PROXY header, v1 or v2",
});

/** The networks whose hosts are proxies. */
export const PROXY_FROM: Option<readonly string[]> = networksOption(
  "proxyFrom",
  "a network whose hosts are such proxies",
  "loopback",
);

/** The proxies if nobody says who they are: this machine. */
const OWN_PROXIES = ["127.0.0.0/8", "::1"];

/** How long a PROXY header may take to come where a read may take for ever, in milliseconds. */
const HEADER_MS = 10_000;

/** What becomes of a connection for which there is no room. */
const OVERFLOW = choiceOption<Overflow>("overflow", {
  choices: ["queue", "refuse"],
  default: "queue",
  help: "what becomes of connections for which there is no room",
});

/** Makes an option that is a list of networks. */
function networksOption(
  option: string,
  help: string,
  shown = "none",
): Option<readonly string[]> {
  const details = { value: "CIDR", shown, repeats: true, help };
  const any = stringOption<readonly string[]>(option, details);
  return {
    ...any,
    read(given) {
      const networks = any.read(given);
      for (const network of networks) {
        try {
          parseNetwork(network);
        } catch (cause) {
          throw new OptionError(`Cannot use ${option}: ${(cause as Error).message}`, { cause });
        }
      }
      return networks;
    },
  };
}

/** How long connections may finish. */
export const DRAIN: Option<number, Duration> = durationOption("drain", {
  default: "5s",
  help: "how long connections may take to finish after a signal; 0: no time",
});

const KEEPALIVE_TIME = durationOption("keepalive", {
  default: "15s",
  help: "how soon a vanished peer is found, 2s to 12h, but not before --write-timeout; 0: never",
});

/** The longest time for keepalive, in milliseconds: the kernel counts up to 32,767 s of silence. */
const LONGEST_KEEPALIVE_MS = 12 * 3_600_000;

/** Within which time a vanished peer is found, in milliseconds; 0 means never. */
export const KEEPALIVE: Option<number, Duration> = {
  ...KEEPALIVE_TIME,
  read(given) {
    const ms = KEEPALIVE_TIME.read(given);
    if (ms <= LONGEST_KEEPALIVE_MS) return ms;
    const longest = formatDuration(LONGEST_KEEPALIVE_MS);
    throw outOfRange("keepalive", `expected ${longest} at most`, ms);
  },
};

/** A duration is out of the range of its option. */
function outOfRange(option: string, expected: string, ms: number): OptionError {
  return new OptionError(
    `Cannot use ${option}: ${expected}, current value is "${formatDuration(ms)}"`,
  );
}

/** The file of the trace. */
const TRACE = stringOption<string | URL>("trace", {
  value: "FILE",
  help: "write what each thread does, and when, into a file for ui.perfetto.dev",
});

/** The file of the recording. */
export const RECORD: Option<string | URL> = stringOption<string | URL>("record", {
  value: "FILE",
  help: "write threads, connections and the states of sockets into a file for observe replay",
});

/** Whether the log tells what each SYN said. */
const LOG_SYN = booleanOption("logSyn", {
  default: false,
  help: "log what the SYN of each connection said; on Linux, in modes with descriptors",
});

/** A listener that is there already. */
export const FD: Option<number> = integerOption("fd", {
  least: 0,
  most: 1_073_741_816,
  shown: "LISTEN_FDS, as from systemd",
  help: "serve the listener that this descriptor is, whose address counts",
});

/** Where the listener is offered, and taken over. */
export const TAKEOVER: Option<string> = stringOption("takeover", {
  value: "PATH",
  help: "take the listener over that is offered at this socket, and offer it there",
});

/** How often the statistics are to be read. */
const EVERY: Option<number, Duration> = durationOption("statsEvery", {
  default: 0,
  shown: "never",
  help: "how often to write a line of statistics to standard error",
});

/** The shortest time between two readings of the statistics, in milliseconds. */
const SHORTEST_MS = 10;

/** How often the statistics are to be read, in milliseconds; 0 means never. */
export const STATS_EVERY: Option<number, Duration> = {
  ...EVERY,
  read(given) {
    const ms = EVERY.read(given);
    if (ms === 0 || ms >= SHORTEST_MS) return ms;
    throw outOfRange("statsEvery", `expected at least ${SHORTEST_MS} ms or 0`, ms);
  },
};

/** The `--stall` of a command that is given none. */
export const STALL_OF_COMMANDS = "5s";

/** For how long a loop or a thread may be stuck. In a library nobody watches unless asked. */
export const STALL: Option<number, Duration> = durationOption("stall", {
  default: 0,
  shown: STALL_OF_COMMANDS,
  help:
    "log a loop that has not turned, or a thread stuck in its protocol's code, for this long; " +
    "0: nobody watches",
});

/**
 * The options of {@linkcode ServeOptions} that are flags, in the order of the help. The port is an
 * argument and not among them.
 *
 * @param protocol the protocol if the user names none
 */
export function serveFlags(protocol: string): readonly Flag[] {
  return [
    HOST,
    protocolOption(protocol),
    GRACE,
    READ_TIMEOUT,
    IDLE_TIMEOUT,
    MESSAGE_TIMEOUT,
    WRITE_TIMEOUT,
    SESSION_TIMEOUT,
    COMPUTE_TIMEOUT,
    PRIME,
    MAX_CONNECTIONS,
    MAX_PER_HOST,
    ALLOW,
    DENY,
    PROXY_PROTOCOL,
    PROXY_FROM,
    OVERFLOW,
    DRAIN,
    KEEPALIVE,
    TRACE,
    RECORD,
    LOG_SYN,
    FD,
    TAKEOVER,
  ];
}

/** The options of one server, complete. Plain data: it travels to Workers. */
export interface ServiceSettings extends TimeLimits {
  /**
   * The location of the protocol: see `protocol_loader.ts`. If the server has its own protocol,
   * this is only its name.
   */
  readonly protocol: string;
  /** The protocol's own settings. */
  readonly protocolSettings: ProtocolSettings;
  /** Who may come in; absent if anybody may, and nobody is refused. */
  readonly admission?: AdmissionRules;
}

/** The checked options of a server. */
export interface CheckedOptions {
  /** The address to listen on. The host may still be a name. */
  readonly address: Address;
  /** The protocol to speak. */
  readonly protocol: ProtocolDefinition;
  /** What the server's threads need to know. */
  readonly settings: ServiceSettings;
  /** The most connections at a time; `Infinity` if there is no limit. */
  readonly maxConnections: number;
  /** How long `close` lets connections finish, in milliseconds. */
  readonly drainMs: number;
  /** When the kernel counts a silent peer as gone; `undefined` is never. */
  readonly keepAlive: KeepAlive | undefined;
  /** Whether the log tells what each SYN said. */
  readonly logSyn: boolean;
  /** How often the statistics are to be read, in milliseconds; 0 means never. */
  readonly statsEveryMs: number;
  /** After how long a loop or a thread that is stuck is logged, in milliseconds; 0 is never. */
  readonly stallMs: number;
  /** The descriptor of a listener that is there already. */
  readonly fd: number | undefined;
  /** Where the listener is offered, and taken over. */
  readonly takeover: string | undefined;
  /** What the caller has said about the address, if anything. */
  readonly asked: Pick<ServeOptions, "host" | "port" | "beforeTakeover">;
}

/**
 * Checks options and fills in what is missing.
 *
 * @param options the options from the caller
 * @param own the server's own protocol, if the caller cannot choose one
 * @throws {OptionError} that names the option, if one has a wrong value
 * @throws {Error} in a Worker that a server has started
 */
export async function checkOptions(
  options: ServeOptions,
  own?: ProtocolDefinition,
): Promise<CheckedOptions> {
  checkFiles(options);
  refuseInThread();
  const location = own?.name ?? locateProtocol(PROTOCOL.read(options.protocol));
  const protocol = own ?? await loadProtocol(location);
  const maxConnections = MAX_CONNECTIONS.read(options.maxConnections);
  const writeTimeoutMs = WRITE_TIMEOUT.read(options.writeTimeout);
  const readTimeoutMs = READ_TIMEOUT.read(options.readTimeout ?? protocol.readTimeoutMs);
  return {
    address: checkAddress(options, PORT),
    protocol,
    settings: {
      protocol: location,
      protocolSettings: {
        graceMs: GRACE.read(options.grace),
        prime: PRIME.read(options.prime),
      },
      ...checkAdmission(options, readTimeoutMs),
      readTimeoutMs,
      ...(options.idleTimeout !== undefined && {
        idleTimeoutMs: IDLE_TIMEOUT.read(options.idleTimeout),
      }),
      messageTimeoutMs: MESSAGE_TIMEOUT.read(options.messageTimeout),
      writeTimeoutMs,
      sessionTimeoutMs: SESSION_TIMEOUT.read(options.sessionTimeout ?? protocol.sessionTimeoutMs),
      computeTimeoutMs: COMPUTE_TIMEOUT.read(options.computeTimeout),
    },
    maxConnections: maxConnections === 0 ? Infinity : maxConnections,
    drainMs: DRAIN.read(options.drain),
    keepAlive: keepAliveTimes(KEEPALIVE.read(options.keepalive), writeTimeoutMs),
    logSyn: checkLogSyn(options),
    statsEveryMs: STATS_EVERY.read(options.statsEvery),
    stallMs: STALL.read(options.stall),
    ...checkListener(options),
    asked: options,
  };
}

/** Checks the options about a listener that is there already. */
function checkListener({ fd, takeover }: ServeOptions): Pick<CheckedOptions, "fd" | "takeover"> {
  const option = fd !== undefined ? "fd" : "takeover";
  if ((fd !== undefined || takeover !== undefined) && runtime.os !== "linux") {
    throw new OptionError(`Cannot use ${option}: a listener can be passed on on Linux only`);
  }
  const why = takeover === undefined ? undefined : whyNoUnix(`${UNIX}${takeover}`, LINUX);
  if (why !== undefined || takeover?.startsWith("@") === true) {
    throw new OptionError(`Cannot use takeover: ${why ?? "expected a path"}`);
  }
  return { fd: fd === undefined ? undefined : FD.read(fd), takeover };
}

/** The modes that have the descriptor of their listener, in words. */
export const BY_DESCRIPTOR =
  "sequential, threaded, threadpool, berkeley, prefork, nonblocking and completion, with descriptors,";

/**
 * Refuses to take a listener that is there already, where the server has the runtime's own.
 *
 * @param options the checked options
 * @param where the mode, and what is special about it here
 * @throws {OptionError} if the caller wants that
 */
export function refuseListener(
  { fd, takeover }: Pick<CheckedOptions, "fd" | "takeover">,
  where: string,
): void {
  if (fd === undefined && takeover === undefined) return;
  const option = fd === undefined ? "takeover" : `fd ${fd}, a listener that is there already`;
  throw new OptionError(
    `Cannot use ${option}: ${where} has the runtime's own listener, and only ${BY_DESCRIPTOR} can ` +
      "take another one",
  );
}

/**
 * Checks the lists of networks.
 *
 * @param options the options from the caller
 * @throws {OptionError} if something in them is no network
 */
export function checkNetworks(
  { allow, deny }: Pick<ServeOptions, "allow" | "deny">,
): Pick<AdmissionRules, "allow" | "deny"> {
  return {
    allow: allow === undefined ? [] : ALLOW.read(allow),
    deny: deny === undefined ? [] : DENY.read(deny),
  };
}

/**
 * Checks whether clients come through proxies.
 *
 * @param options the options from the caller
 * @param readTimeoutMs how long one read may wait, in milliseconds; 0 means for ever
 * @throws {OptionError} if something in the list is no network, or nobody asks for it
 */
export function checkProxies(
  { host = "", proxyProtocol, proxyFrom }: Pick<
    ServeOptions,
    "host" | "proxyProtocol" | "proxyFrom"
  >,
  readTimeoutMs: number,
): { readonly proxies?: ProxyRules } {
  const from = proxyFrom === undefined ? undefined : PROXY_FROM.read(proxyFrom);
  if (!PROXY_PROTOCOL.read(proxyProtocol)) {
    if (from === undefined) return {};
    throw new OptionError("Cannot use proxyFrom: there are no proxies without proxyProtocol");
  }
  if (from !== undefined && isUnix(host)) {
    throw new OptionError(
      "Cannot use proxyFrom: the file of a Unix domain socket says who may connect",
    );
  }
  return { proxies: { from: from ?? OWN_PROXIES, headerMs: readTimeoutMs || HEADER_MS } };
}

/**
 * Checks who may come in.
 *
 * @param options the options from the caller
 * @param readTimeoutMs how long one read may wait, in milliseconds; 0 means for ever
 * @returns nothing if anybody may, and nobody is refused
 * @throws {OptionError} if one of them has a wrong value
 */
export function checkAdmission(
  options: Pick<
    ServeOptions,
    "allow" | "deny" | "maxPerHost" | "overflow" | "host" | "proxyProtocol" | "proxyFrom"
  >,
  readTimeoutMs: number,
): { readonly admission?: AdmissionRules } {
  const admission = {
    ...checkNetworks(options),
    maxPerHost: MAX_PER_HOST.read(options.maxPerHost),
    refusesOverflow: OVERFLOW.read(options.overflow) === "refuse",
    ...checkProxies(options, readTimeoutMs),
  };
  const { allow, deny, maxPerHost, refusesOverflow, proxies } = admission;
  const isOpen = allow.length + deny.length + maxPerHost === 0 && !refusesOverflow &&
    proxies === undefined;
  return isOpen ? {} : { admission };
}

/** Refuses to write two files into one. */
function checkFiles({ trace, record }: ServeOptions): void {
  if (trace === undefined || record === undefined || urlOf(trace) !== urlOf(record)) return;
  throw new OptionError("Cannot use record: the trace is written into the same file");
}

function urlOf(file: string | URL): string {
  return typeof file === "string" ? runtime.fileUrl(file).href : file.href;
}

function checkLogSyn(options: ServeOptions): boolean {
  const isWanted = LOG_SYN.read(options.logSyn);
  if (isWanted && isUnix(options.host ?? "")) {
    throw new OptionError("Cannot use logSyn: a Unix domain socket has no SYN");
  }
  if (!isWanted || runtime.os === "linux") return isWanted;
  throw new OptionError("Cannot use logSyn: only Linux keeps the SYN of a connection");
}

/**
 * Refuses a Unix domain socket where the server has no descriptors.
 *
 * @param address the address to listen on
 * @throws {OptionError} if it is that of a Unix domain socket
 */
export function refuseUnix(address: Address): void {
  if (!isUnix(address.hostname)) return;
  throw new OptionError(
    `Cannot use host ${
      formatAddress(address)
    }: this server has the runtime's own listener, and only ${BY_DESCRIPTOR} listen there`,
  );
}

/**
 * Refuses to log SYNs where the server has no descriptors to ask the kernel with.
 *
 * @param options the checked options
 * @param where the mode, and what is special about it here
 * @throws {OptionError} if the caller wants them logged
 */
export function refuseLogSyn({ logSyn }: CheckedOptions, where: string): void {
  if (!logSyn) return;
  throw new OptionError(`Cannot use logSyn: ${where} has no descriptors of its connections`);
}

/**
 * When a bundler has put a program and this library into one file, a Worker runs the program from
 * its beginning. It would start a server, whose Workers would each start a server, without end. The
 * same holds for the processes of a server in an executable.
 */
function refuseInThread(): void {
  if (parentage !== undefined) {
    throw new Error(`Cannot serve in a process that ${parentage.mode} has started`);
  }
  const mode = modeOfThread();
  if (mode === undefined) return;
  throw new Error(
    `Cannot serve in a Worker of ${mode}: in one file with the library, serve in the main thread only`,
  );
}

/**
 * Checks the address to listen on.
 *
 * @param options the options from the caller
 * @param portOption the option of the port, with its default
 * @throws {OptionError} if it is not an address to listen on
 */
export function checkAddress(
  { host, port }: Pick<ServeOptions, "host" | "port">,
  portOption: Option<number>,
): Address {
  const hostname = stripBrackets(HOST.read(host));
  if (hostname === "") throw new OptionError(`Cannot use host: expected a name or address, got ""`);
  if (!isUnix(hostname)) return { hostname, port: portOption.read(port) };
  const address = { hostname, port: 0 };
  const why = whyNoUnix(hostname, CONSTANTS[runtime.os] ?? LINUX);
  if (why !== undefined) throw new OptionError(`Cannot use host ${formatAddress(address)}: ${why}`);
  if (port === undefined || port === 0) return address;
  throw new OptionError(`Cannot use port with host ${formatAddress(address)}: it has none`);
}
