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
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { onEndingSignal } from "../../engine/process/ending_signals.ts";
import { nowUs } from "../../engine/values/moment.ts";
import { type Event, roundUs, type Tier } from "../../engine/recording/events.ts";
import { makeHeader, RecordingFile } from "../../engine/recording/recording_file.ts";
import { locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import type { Address } from "../../protocols/effects.ts";
import { escapeText } from "../../protocols/text.ts";
import { loadLoadProtocol, MEASURABLE } from "../load/load_protocol.ts";
import { encodeJson } from "../report/json_line.ts";
import { formatTime } from "../../engine/values/units.ts";
import { whyNoCapture } from "./capture.ts";
import { conversationsIn, notesIn } from "./conversations.ts";
import { LineOutput } from "./line_output.ts";
import { PcapFile } from "./pcap.ts";
import { Sandbox, SandboxError, whyNoSandbox } from "./sandbox.ts";
import type { Refusal } from "./sandbox_signs.ts";
import { drawConnections } from "./sequence.ts";
import { FAMILY_FLAGS, familyOf, SERVER_ARGUMENTS, serverOf } from "./server_argument.ts";
import { say } from "./say.ts";
import { RECORD, SCRIPT, type Subcommand } from "./subcommand.ts";
import {
  NOTHING_SEEN,
  type TimelineMessage,
  type TimelineOutcome,
  type TimelinePlan,
} from "./timeline_plan.ts";
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
  RECORD,
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
      example: formatRun(SCRIPT, "timeline 127.0.0.1:8080 --hello"),
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
    using observed = new Observed(values);
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
    const outcome = await run(plan, observed, ending.signal);
    observed.finish();
    await show(values, observed, outcome, ending.signal);
    const { failure, connected } = outcome;
    if (failure !== undefined) return exitStatusOf(failure.kind);
    const isInterrupted = ending.signal.aborted || outcome === NOTHING_SEEN;
    return isInterrupted && connected === undefined ? EXIT_SIGNALLED : EXIT_DONE;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    // Its name has no address.
    say(escapeText(error.message));
    return exitStatusOf(error.kind);
  } finally {
    forget();
  }
}

async function watchHere(
  plan: TimelinePlan,
  observed: Observed,
  signal: AbortSignal,
): Promise<TimelineOutcome> {
  observed.begin(tierHere());
  return await watchConnection(plan, (message) => observed.take(message), signal);
}

/** Outside of the sandbox. */
function tierHere(): Tier {
  return whyNoCapture(sockets()) === undefined ? "T1" : "T0";
}

async function watchInSandbox(
  plan: TimelinePlan,
  observed: Observed,
  signal: AbortSignal,
): Promise<TimelineOutcome> {
  let sandbox: Sandbox;
  try {
    const limitMs = plan.forMs > 0 ? plan.forMs + ROOM_MS : Infinity;
    sandbox = await Sandbox.open("timeline", { limitMs, signal });
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    if (error.wasInterrupted) {
      observed.begin("T2");
      observed.say("Interrupted");
      return NOTHING_SEEN;
    }
    // The same server and client, outside.
    const tier = tierHere();
    observed.begin(tier);
    const rest = tier === "T0"
      ? "it goes on outside without packets: states only"
      : "it goes on outside, with the packets of the real loopback";
    observed.say(`${describeRefusal(error.refusal)}; ${rest}`);
    return await watchOwnServer(plan, (message) => observed.take(message), signal);
  }
  await using _sandbox = sandbox;
  const finish = () => sandbox.finish();
  signal.addEventListener("abort", finish, { once: true });
  observed.begin("T2");
  sandbox.say(plan);
  if (signal.aborted) finish();
  try {
    for await (const line of sandbox.lines()) {
      const message = line as TimelineMessage;
      if (message.kind === "outcome") return message.outcome;
      observed.take(message);
    }
  } finally {
    signal.removeEventListener("abort", finish);
  }
  throw new Error(`The sandbox ended too early: ${sandbox.lastWords}`);
}

/** What was observed, and the files that it goes into. */
class Observed implements Disposable {
  readonly beganUs = Math.floor(nowUs());
  readonly events: Event[] = [];
  readonly #path: string | undefined;
  readonly #packets: PcapFile | undefined;
  #recording: RecordingFile | undefined;
  #tier: Tier = "T0";

  /** @param values where to write, by `--record` and `--pcap` */
  constructor({ record, pcap }: Values) {
    this.#path = record as string | undefined;
    this.#packets = pcap === undefined ? undefined : PcapFile.create(pcap as string);
  }

  /** The means that there were. */
  get tier(): Tier {
    return this.#tier;
  }

  /** Begins, with the means that there are. @throws {Error} if the recording cannot be written */
  begin(tier: Tier): void {
    this.#tier = tier;
    if (this.#path === undefined) return;
    const { beganUs } = this;
    this.#recording = RecordingFile.create(this.#path, { by: NAME, tier, beganUs });
  }

  /** Takes what the thread tells. */
  take({ event, bytes }: TimelineMessage & { readonly kind: "seen" }): void {
    this.events.push(event);
    this.#recording?.add(event);
    // Who reads the file meanwhile sees what happens.
    this.#recording?.flush();
    if (bytes === undefined) return;
    const stampNs = BigInt(this.beganUs) * 1000n + BigInt(Math.round(event.at * 1000));
    this.#packets?.add({ stampNs, bytes: Buffer.from(bytes, "base64") });
  }

  /** Says a sentence, without its full stop. */
  say(text: string): void {
    this.take({ kind: "seen", event: { type: "note", at: roundUs(nowUs() - this.beganUs), text } });
  }

  /** Nothing more will come. @throws {Error} if the recording could not be written */
  finish(): void {
    this.events.sort((a, b) => a.at - b.at);
    this[Symbol.dispose]();
    this.#recording?.finish();
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#recording?.[Symbol.dispose]();
    this.#packets?.[Symbol.dispose]();
  }

  /** The recording as lines. */
  lines(): string[] {
    const header = makeHeader(NAME, this.beganUs, this.#tier);
    const end: Event = { type: "end", at: roundUs(nowUs() - this.beganUs) };
    return [header, ...this.events, end].map(encodeJson);
  }
}

/** Prints what was observed. */
async function show(
  values: Values,
  observed: Observed,
  outcome: TimelineOutcome,
  signal: AbortSignal,
): Promise<void> {
  const output = new LineOutput();
  const wantedSandbox = values.sandbox === true;
  if (values.json === true) return await output.write(observed.lines());
  const { events, tier } = observed;
  const columns = runtime.columns("stdout");
  const drawing = drawConnections(events, { columns, absolute: values.absolute === true });
  const remarks = [
    ...notesIn(events).map(({ text }) => text),
    ...events.flatMap((event) =>
      event.type === "left_out"
        ? [`${event.count} ${event.what} are missing: they came faster than they were taken`]
        : []
    ),
    describePrecision(
      outcome,
      conversationsIn(events).some(({ server }) => server.states.length > 0),
    ),
    // To find out whether there is a sandbox takes too long for somebody who wants to end.
    ...(tier === "T0" && !wantedSandbox && !signal.aborted ? [await offerSandbox()] : []),
  ];
  await output.write([
    TIERS[tier],
    ...(drawing.length > 0 ? ["", ...drawing] : []),
    "",
    ...remarks.flatMap((text) => wrap(sentence(escapeText(text)), columns)),
  ]);
}

/** Ends a sentence, if it has no end yet. */
function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** Says in one line which means there were. */
const TIERS: Readonly<Record<Tier, string>> = {
  T0: "T0: states only, as every user may see them",
  T1: "T1: states and packets, of this machine's real network",
  T2: "T2: states and packets, of a server and a client in a network of their own",
};

/** Says how packets could be seen. A sandbox is only offered where there is one. */
async function offerSandbox(): Promise<string> {
  const refusal = await whyNoSandbox();
  return refusal === undefined
    ? `\`${formatRun(SCRIPT)} --sandbox\` shows the packets of a server of its own`
    : describeRefusal(refusal);
}

function describeRefusal({ sentence }: Refusal): string {
  return `No sandbox: ${sentence}`;
}

function describePrecision({ samples, worstUs }: TimelineOutcome, hasServer: boolean): string {
  const often = `The client's state was sampled ${samples} times`;
  const close = worstUs > 0 ? `, at the changes at most ${formatTime(worstUs)} apart` : "";
  return `${often}${close}${hasServer ? "; the server's more rarely" : ""}`;
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
  const server = serverOf(values);
  const { hostname: host, port } = server;
  const connectTimeoutMs = valueOf(CONNECT_TIMEOUT, values);
  const target = { host, port, connectTimeoutMs, family: familyOf(values, server) };
  const interrupted = new Promise<readonly string[]>((resolve) => {
    if (signal.aborted) resolve([]);
    signal.addEventListener("abort", () => resolve([]), { once: true });
  });
  const found = await Promise.race([findAddresses(target), interrupted]);
  return found.map((hostname) => ({ hostname, port }));
}
