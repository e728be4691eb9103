/**
 * `observe timeline HOST:PORT`: the states of a connection with the time spent in each, and its
 * packets, from the first SYN to the last acknowledgement.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { EXIT_DONE, EXIT_SIGNALLED } from "../../engine/cli/exit_status.ts";
import { type Flag, UsageError, type Values } from "../../engine/cli/flags.ts";
import { wrap } from "../../engine/cli/layout.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { valueOf } from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import { ConnectError, exitStatusOf } from "../../engine/dial/failures.ts";
import { CONNECT_TIMEOUT, findAddresses } from "../../engine/dial/target.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { isIPv6 } from "../../engine/net/address.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { onEndingSignal } from "../../engine/process/ending_signals.ts";
import {
  type Event,
  type Header,
  nowUs,
  roundUs,
  type Tier,
  VERSION,
} from "../../engine/recording/events.ts";
import { RecordingFile } from "../../engine/recording/recording_file.ts";
import { locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { escapeText } from "../../protocols/text.ts";
import { loadLoadProtocol, MEASURABLE } from "../load/load_protocol.ts";
import { formatTime } from "../report/units.ts";
import { notesIn } from "./conversations.ts";
import { type RawPacket, writePcap } from "./pcap.ts";
import { Sandbox, SandboxError, whyNoSandbox } from "./sandbox.ts";
import type { Refusal } from "./sandbox_signs.ts";
import { drawConnections } from "./sequence.ts";
import { FAMILY_FLAGS, familyOf, SERVER_ARGUMENTS, serverOf } from "./server_argument.ts";
import { SCRIPT, type Subcommand } from "./subcommand.ts";
import type { TimelineMessage, TimelineOutcome, TimelinePlan } from "./timeline_plan.ts";
import { watchOwnServer } from "./timeline_role.ts";
import { watchConnection } from "./timeline_watch.ts";

/** The name of the command. */
const NAME = "observe timeline";

/** The protocol of the server in the sandbox. */
const STANDARD_PROTOCOL = "hello";

/** How much longer than the timeline the sandbox may last, in milliseconds. */
const ROOM_MS = 30_000;

const FIRST_BYTE = durationOption("firstByte", {
  default: "500ms",
  help: "without --protocol: how long the server may take to say its first byte",
});

const STAY = durationOption("stay", {
  default: 0,
  help: "how long the connection then stays open, unless the server closes it",
});

const FOR = durationOption("for", {
  default: "10s",
  help: "how long everything may take together, the closing of the other end included",
});

const FLAGS: readonly Flag[] = [
  {
    name: "protocol",
    kind: "string",
    suggestions: MEASURABLE,
    default: `none; with --sandbox ${STANDARD_PROTOCOL}`,
    help: `speak it once: ${MEASURABLE.join(", ")}, or a module that exports a generator load`,
  },
  { name: "hello", kind: "boolean", help: "the same as --protocol hello" },
  {
    name: "sandbox",
    kind: "boolean",
    help: "watch a server of its own in a network of its own, packets included, without root",
  },
  CONNECT_TIMEOUT,
  FIRST_BYTE,
  STAY,
  FOR,
  ...FAMILY_FLAGS,
  { name: "rst", kind: "boolean", help: "close with a RST; without it, with a FIN" },
  { name: "absolute", kind: "boolean", help: "show sequence numbers as they are" },
  { name: "pcap", kind: "string", value: "FILE", help: "write the packets for Wireshark" },
  { name: "record", kind: "string", value: "FILE", help: "write a recording" },
  { name: "json", kind: "boolean", help: "print the recording, and draw nothing" },
];

/** `observe timeline`. */
export function timeline(): Subcommand {
  return {
    command: {
      name: NAME,
      summary: "the states of one connection, and its packets",
      positionals: SERVER_ARGUMENTS,
      flags: FLAGS,
      example: formatRun(SCRIPT, "127.0.0.1:8080 --hello"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  const why = whyNoKernel();
  if (why !== undefined) throw new Error(`The timeline needs Linux with foreign functions: ${why}`);
  const isSandbox = values.sandbox === true;
  if (isSandbox !== (values.server === undefined)) {
    throw new UsageError(isSandbox ? "--sandbox has a server of its own" : "missing <server>");
  }
  const protocol = await protocolOf(values, isSandbox);
  const ending = new AbortController();
  const forget = onEndingSignal(() => ending.abort());
  try {
    const observed = new Observed(values.record as string | undefined);
    const plan: TimelinePlan = {
      beganUs: observed.beganUs,
      addresses: isSandbox ? [] : await addressesOf(values, ending.signal),
      connectTimeoutMs: valueOf(CONNECT_TIMEOUT, values),
      firstByteMs: valueOf(FIRST_BYTE, values),
      stayMs: valueOf(STAY, values),
      forMs: valueOf(FOR, values),
      reset: values.rst === true,
      wantsBytes: values.pcap !== undefined,
      ...(protocol !== undefined && { protocol }),
    };
    if (!isSandbox && plan.addresses.length === 0) return EXIT_SIGNALLED;
    const run = isSandbox ? watchInSandbox : watchHere;
    const { outcome, refusal } = await run(plan, observed, ending.signal);
    return await conclude(values, observed, outcome, refusal, ending.signal.aborted);
  } finally {
    forget();
  }
}

/** How it went, and why there was no sandbox if one was wanted. */
interface Watched {
  readonly outcome: TimelineOutcome;
  readonly refusal?: Refusal;
}

async function watchHere(
  plan: TimelinePlan,
  observed: Observed,
  signal: AbortSignal,
): Promise<Watched> {
  const outcome = await watchConnection(plan, (message) => observed.take(message), signal);
  observed.tier = outcome.whyNoPackets === undefined ? "T1" : "T0";
  return { outcome };
}

async function watchInSandbox(
  plan: TimelinePlan,
  observed: Observed,
  signal: AbortSignal,
): Promise<Watched> {
  let sandbox: Sandbox;
  try {
    const limitMs = plan.forMs > 0 ? plan.forMs + ROOM_MS : Infinity;
    sandbox = await Sandbox.open("timeline", { limitMs });
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    // The same server and client, outside.
    const outcome = await watchOwnServer(plan, (message) => observed.take(message), signal);
    observed.tier = outcome.whyNoPackets === undefined ? "T1" : "T0";
    return { outcome, refusal: error.refusal };
  }
  await using _sandbox = sandbox;
  const finish = () => sandbox.finish();
  signal.addEventListener("abort", finish, { once: true });
  observed.tier = "T2";
  sandbox.say(plan);
  if (signal.aborted) finish();
  try {
    for await (const line of sandbox.lines()) {
      const message = line as TimelineMessage;
      if (message.kind === "outcome") return { outcome: message.outcome };
      observed.take(message);
    }
  } finally {
    signal.removeEventListener("abort", finish);
  }
  throw new Error(`The sandbox ended too early: ${sandbox.lastWords}`);
}

/** What was observed. */
class Observed {
  readonly beganUs = Math.floor(nowUs());
  readonly events: Event[] = [];
  readonly packets: RawPacket[] = [];
  readonly #path: string | undefined;
  /** The means that there were. */
  tier: Tier = "T0";

  /** @param path where to write the recording, if that is wanted */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Takes what the thread tells. */
  take({ event, bytes }: TimelineMessage & { readonly kind: "seen" }): void {
    this.events.push(event);
    if (bytes === undefined) return;
    const stampNs = BigInt(this.beganUs) * 1000n + BigInt(Math.round(event.at * 1000));
    this.packets.push({ stampNs, bytes: Buffer.from(bytes, "base64") });
  }

  /** Puts everything in order, and writes the recording if one is wanted. */
  finish(): void {
    this.events.sort((a, b) => a.at - b.at);
    this.packets.sort((a, b) => Number(a.stampNs - b.stampNs));
    if (this.#path === undefined) return;
    using file = RecordingFile.create(this.#path, {
      by: NAME,
      tier: this.tier,
      beganUs: this.beganUs,
    });
    for (const event of this.events) file.add(event);
    file.flush();
    if (file.failure !== undefined) {
      throw new Error(`Cannot write the recording ${this.#path}: ${file.failure.message}`);
    }
  }

  /** The recording as lines. */
  lines(): string[] {
    const header: Header = {
      type: "recording",
      version: VERSION,
      began_us: this.beganUs,
      by: NAME,
      runtime: `${runtime.name} ${runtime.version}`,
      os: runtime.os,
      tier: this.tier,
    };
    const end: Event = { type: "end", at: roundUs(nowUs() - this.beganUs) };
    return [header, ...this.events, end].map((line) => JSON.stringify(line));
  }
}

/** Writes and prints what was observed. */
async function conclude(
  values: Values,
  observed: Observed,
  outcome: TimelineOutcome,
  refusal: Refusal | undefined,
  isInterrupted: boolean,
): Promise<number> {
  observed.finish();
  if (values.pcap !== undefined) writePcap(values.pcap as string, observed.packets);
  if (values.json === true) print(observed.lines());
  else {
    const { events } = observed;
    const options = { columns: runtime.columns("stdout"), absolute: values.absolute === true };
    const drawing = drawConnections(events, options);
    const remarks = [
      ...notesIn(events).map(({ text }) => text),
      ...events.flatMap((event) =>
        event.type === "left_out"
          ? [`${event.count} ${event.what} are missing: they came faster than they were taken`]
          : []
      ),
      describePrecision(outcome),
    ];
    print([
      await describeTier(observed.tier, outcome, refusal),
      ...(drawing.length > 0 ? ["", ...drawing] : []),
      "",
      ...remarks.flatMap((text) => wrap(`${escapeText(text)}.`, options.columns)),
    ]);
  }
  const { failure, connected } = outcome;
  if (failure !== undefined) return exitStatusOf(failure.kind);
  return isInterrupted && connected === undefined ? EXIT_SIGNALLED : EXIT_DONE;
}

/** Says in one line which means there were, and why there were no more. */
async function describeTier(
  tier: Tier,
  { whyNoPackets }: TimelineOutcome,
  refusal: Refusal | undefined,
): Promise<string> {
  const withPackets = "states and packets";
  switch (tier) {
    case "T2":
      return `T2: ${withPackets}, of a server and a client in a network of their own`;
    case "T1":
      return `T1: ${withPackets}, of this machine's real network` +
        (refusal === undefined ? "" : `; no sandbox: ${refusal.sentence}`);
    case "T0": {
      // A sandbox is only offered where there is one.
      const why = refusal ?? await whyNoSandbox();
      const elsewhere = why === undefined
        ? `\`${formatRun(SCRIPT)} --sandbox\` shows those of a server of its own`
        : `no sandbox either: ${why.sentence}`;
      return `T0: states only; ${whyNoPackets}; ${elsewhere}`;
    }
  }
}

function describePrecision({ samples, worstUs }: TimelineOutcome): string {
  const often = `The client's state was sampled ${samples} times`;
  const close = worstUs > 0 ? `, at the changes at most ${formatTime(worstUs)} apart` : "";
  return `${often}${close}; the server's more rarely`;
}

/** The location of the protocol to speak; `undefined` for none. */
async function protocolOf(values: Values, isSandbox: boolean): Promise<string | undefined> {
  const { protocol, hello } = values;
  if (hello === true && protocol !== undefined && protocol !== "hello") {
    throw new UsageError("--hello and --protocol exclude each other");
  }
  const name = (protocol ?? (hello === true ? "hello" : undefined)) as string | undefined;
  const given = name ?? (isSandbox ? STANDARD_PROTOCOL : undefined);
  if (given === undefined) return undefined;
  const location = locateProtocol(given);
  // What cannot be spoken is refused before anything is done.
  await loadLoadProtocol(location);
  return location;
}

/** The server's addresses; none if the search was interrupted. */
async function addressesOf(values: Values, signal: AbortSignal): Promise<readonly Address[]> {
  const { hostname: host, port } = serverOf(values);
  const family = familyOf(values);
  const target = { host, port, connectTimeoutMs: valueOf(CONNECT_TIMEOUT, values) };
  const interrupted = new Promise<readonly string[]>((resolve) => {
    if (signal.aborted) resolve([]);
    signal.addEventListener("abort", () => resolve([]), { once: true });
  });
  const found = await Promise.race([findAddresses(target), interrupted]);
  const wanted = found.filter((address) =>
    family === undefined || isIPv6(address) === (family === 6)
  );
  if (found.length > 0 && wanted.length === 0) {
    const shown = escapeText(formatAddress({ hostname: host, port }));
    throw new ConnectError("name not found", shown, `it has no address of IPv${family}`);
  }
  return wanted.map((hostname) => ({ hostname, port }));
}

function print(lines: readonly string[]): void {
  try {
    runtime.printNow("stdout", `${lines.join("\n")}\n`);
  } catch (error) {
    // Whoever reads has read enough, as in `… | head -1`.
    if ((error as { code?: unknown }).code !== "EPIPE") throw error;
  }
}
