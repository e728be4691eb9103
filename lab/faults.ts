/**
 * Faults: a proxy for TCP that delays, cuts, holds back and resets on purpose, to see how programs
 * bear a network that is not as it should be.
 *
 * @module
 */

import { formatAddress } from "../protocols/address.ts";
import { escapeText } from "../protocols/text.ts";
import { isUnix } from "../engine/net/address.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { messageOf } from "../engine/dial/failures.ts";
import { CONNECT_TIMEOUT, findAddresses, readServer } from "../engine/dial/target.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import { valueOf } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import type { Address } from "../protocols/effects.ts";
import { type Faults, startFaults } from "./faults/proxy.ts";
import { labProgram, statusOfError } from "./lab_program.ts";
import { formatToxic, parseToxic, TOXIC_FORMS, ToxicError } from "./faults/toxic.ts";

/** The script of this module. */
const SCRIPT = "lab/faults.ts";

/** How long the toxics act. */
const FOR = durationOption("for", {
  default: 0,
  shown: "as long as it runs",
  help: "how long the toxics act; then everything passes, and what was held back too",
});

const faultsCommand = (): Command => ({
  name: "faults",
  summary: "a proxy that breaks things on purpose",
  positionals: [
    {
      name: "listen",
      kind: "string",
      help:
        "where clients connect: PORT (of 127.0.0.1), HOST:PORT or unix:PATH; port 0 is a free one",
    },
    { name: "upstream", kind: "string", help: "the server: HOST:PORT or unix:PATH" },
  ],
  required: 2,
  flags: [
    {
      name: "toxic",
      kind: "string",
      value: "TOXIC",
      repeats: true,
      suggestions: Object.keys(TOXIC_FORMS),
      help: "something that goes wrong; several act in the order in which they are given",
    },
    {
      name: "toxicity",
      kind: "string",
      value: "0..1",
      default: "1",
      help: "how likely it is that a connection meets them: 0 is never",
    },
    {
      name: "seed",
      kind: "integer",
      value: "N",
      least: 0,
      most: 0x7fff_ffff,
      default: "a random one",
      help: "what the random numbers begin with: the same one breaks the same",
    },
    FOR,
    CONNECT_TIMEOUT,
  ],
  notes: [
    ...Object.values(TOXIC_FORMS).map(([form, help]) => `${form}: ${help}.`),
    "Before each may stand up: (to the server) or down: (to the client). Without it a toxic acts on " +
    "both directions, on each by itself. A half-close is passed on as one.",
  ],
  example: formatRun(
    SCRIPT,
    "9000 127.0.0.1:8080 --toxic slicer:1..7 --toxic down:latency:50ms±10ms",
  ),
});

/** Where to listen. */
function readListen(text: string): Address {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) {
    return { hostname: "127.0.0.1", port: Number(text) };
  }
  const [, host = "", digits] = /^(?:\[([^\]]+)\]|([^:]+)):0$/.exec(text) ?? [];
  if (host !== "" || digits !== undefined) return { hostname: (host || digits) as string, port: 0 };
  const { host: hostname, port } = readServer(text, "PORT, HOST:PORT or unix:PATH");
  return { hostname, port };
}

function readToxicity(text: string): number {
  const toxicity = /^(?:0|1|0?\.\d+|[01]\.\d+)$/.test(text) ? Number(text) : NaN;
  if (toxicity >= 0 && toxicity <= 1) return toxicity;
  throw new UsageError(`wrong value for --toxicity: expected 0 to 1, got "${text}"`);
}

async function start(values: Values): Promise<Faults> {
  const toxics = ((values.toxic ?? []) as readonly string[]).map((text) => {
    try {
      return parseToxic(text);
    } catch (error) {
      if (!(error instanceof ToxicError)) throw error;
      throw new UsageError(`wrong value for --toxic: ${error.message}`, { cause: error });
    }
  });
  const listen = readListen(values.listen as string);
  const { host, port } = readServer(values.upstream as string);
  const connectTimeoutMs = valueOf(CONNECT_TIMEOUT, values);
  if (connectTimeoutMs === 0) {
    throw new UsageError("wrong value for --connect-timeout: expected more than 0");
  }
  const [hostname = host] = isUnix(host)
    ? [host]
    : await findAddresses({ host, port, connectTimeoutMs });
  const seed = values.seed as number | undefined;
  const faults = await startFaults({
    listen,
    upstream: { hostname, port },
    toxics,
    toxicity: readToxicity((values.toxicity ?? "1") as string),
    forMs: valueOf(FOR, values),
    connectTimeoutMs,
    ...(seed !== undefined && { seed }),
  });
  const details = [
    `Listening on ${formatAddress(faults.address)}`,
    "faults",
    `to ${escapeText(values.upstream as string)}`,
    ...toxics.map(formatToxic),
    `seed ${faults.seed}`,
    ...(faults.whyNoReset === undefined ? [] : [`no RST: ${faults.whyNoReset}`]),
    `${runtime.name} ${runtime.version}`,
  ];
  runtime.printNow("stdout", `${details.join(" · ")}\n`);
  return faults;
}

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  const values = readCommandLine(faultsCommand());
  const ended = Promise.withResolvers<void>();
  const forget = onEndingSignal(() => ended.resolve());
  try {
    await using faults = await start(values);
    await ended.promise;
    const { accepted, ...others } = faults.counts;
    const parts = Object.entries(others).filter(([, count]) => count > 0);
    const totals = [`accepted ${accepted}`, ...parts.map(([name, count]) => `${name} ${count}`)];
    runtime.printNow("stderr", `totals: ${totals.join(" · ")}\n`);
    return EXIT_DONE;
  } catch (error) {
    runtime.printNow("stderr", `faults: ${messageOf(error)}\n`);
    return statusOfError(error);
  } finally {
    forget();
  }
}

/** The proxy as a command. */
export function program(): Program {
  return labProgram("faults", faultsCommand(), perform);
}

if (isMainModule(import.meta)) program().run();
