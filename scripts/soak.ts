/**
 * Soaks servers: mixed traffic for minutes, by which nothing may be lost and nothing may rise.
 *
 * Honest clients by the thousand check every byte that is answered. Meanwhile others attack, come
 * through a network that cuts, delays and resets, and the server is restarted. A server passes if no
 * honest request has failed, if neither memory nor descriptors nor threads rise over the last half,
 * and if memory ends as it was after the warm-up.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import { RUNTIMES } from "../engine/process/runtimes.ts";
import { locateProtocol } from "../engine/server/core/protocol_loader.ts";
import { escapeText } from "../protocols/text.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import { loadDefinition } from "../lab/conform/definitions/catalogue.ts";
import { labProgram, STDOUT, untilInterrupted, writeResult } from "../lab/lab_program.ts";
import { loadLoadProtocol, MEASURABLE } from "../lab/load/load_protocol.ts";
import { PORT } from "../lab/loaded_server.ts";
import { screenOf } from "../lab/report/screen.ts";
import type { SoakReport, SoakRun } from "../lab/soak/results.ts";
import { soak, type SoakOptions } from "../lab/soak/soak.ts";
import { foreignSubject, ownSubject, type Subject } from "../lab/soak/subject.ts";
import { formatSample, formatSoak } from "../lab/soak/text_report.ts";
import { type Kind, KINDS } from "../lab/soak/traffic.ts";
import { MODE_NAMES, type ModeName } from "../modes/catalogue.ts";

/** How long the screen may show nothing new, in milliseconds. */
const TELL_MS = 10_000;

/** A minute, in milliseconds. */
const MINUTE_MS = 60_000;

/** The longest soak, in minutes: a week. */
const MOST_MINUTES = 7 * 24 * 60;

const MINUTES = "10";

const REQUESTS = integerOption("requests", {
  least: 1,
  most: 1_000_000_000,
  shown: "as many as fit",
  help: "how many honest requests there are, in place of a time",
});

const TIMEOUT = durationOption("timeout", {
  default: "1m",
  positive: true,
  help: "how long an honest client waits for its answer",
});

const RAREST = integerOption("rarest", {
  least: 10,
  most: 10_000_000,
  default: 10_000,
  help: "find one lost request in so many; with too little work for that nothing passes",
});

const SEED = integerOption("seed", {
  least: 0,
  most: 0x7fff_ffff,
  default: () => Math.floor(Math.random() * 0x7fff_ffff),
  shown: "a random one",
  help: "what all random numbers begin with: the same one gives the same traffic",
});

const COMMAND: Command = {
  name: "soak",
  summary: "mixed traffic for minutes: nothing may be lost, and nothing may rise",
  positionals: [],
  rest: {
    name: "mode",
    kind: "string",
    suggestions: MODE_NAMES,
    default: "all modes",
    help: "modes to soak, one after another",
  },
  flags: [
    {
      name: "minutes",
      kind: "string",
      value: "N",
      default: MINUTES,
      help: "how long each is soaked; 0.5 is half a minute",
    },
    REQUESTS,
    {
      name: "on",
      kind: "choice",
      choices: RUNTIMES.map(({ name }) => name),
      default: "both",
      help: "the only runtime to soak them on",
    },
    {
      name: "start",
      kind: "string",
      value: `'COMMAND ${PORT}'`,
      help: "soak another server, which is started so, and no mode",
    },
    {
      name: "protocol",
      kind: "string",
      value: "NAME|PATH",
      default: "frame",
      suggestions: MEASURABLE,
      help: `${MEASURABLE.join(", ")}, or a module with load and conformance`,
    },
    {
      name: "without",
      kind: "string",
      value: "KIND",
      repeats: true,
      suggestions: KINDS,
      help: `leave out ${KINDS.join(", ")}`,
    },
    TIMEOUT,
    RAREST,
    SEED,
    {
      name: "json",
      kind: "string",
      value: "FILE",
      bare: STDOUT,
      help: "write what was found; to standard output with - or without FILE",
    },
  ],
  notes: [
    "The exit status is 0 if every server has passed, 1 if one has failed or had too little to do, " +
    "2 if the command line is wrong, and 130 after Ctrl-C.",
  ],
  example: "deno task soak --minutes 1 threadpool event --on bun",
};

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  const values = readCommandLine(COMMAND);
  return await untilInterrupted("soak", (signal) => soakAll(values, signal));
}

async function soakAll(values: Values, signal: AbortSignal): Promise<number> {
  const given = (values.protocol ?? "frame") as string;
  const protocol = locateProtocol(given);
  await loadLoadProtocol(protocol);
  const { name, conformance } = await loadDefinition(given);
  const subjects = readSubjects(values, protocol);
  const kinds = readKinds(values);
  const seed = valueOf(SEED, values);
  const rarest = valueOf(RAREST, values);
  const json = values.json as string | undefined;
  if (json !== undefined && json !== STDOUT) writeResult(json, "");
  const screen = screenOf(json === STDOUT ? "stderr" : "stdout");
  screen.write(`soak · ${escapeText(name)} · ${describeAmount(values)} each · seed ${seed}\n`);
  const runs: SoakRun[] = [];
  for (const { subject, isNamed } of subjects) {
    if (signal.aborted) break;
    if (subject.whyNot !== undefined) {
      runs.push(whatIsNot(subject, isNamed, subject.whyNot));
      continue;
    }
    let toldAt = -Infinity;
    const options: SoakOptions = {
      ...readAmount(values),
      protocol,
      conformance,
      timeoutMs: valueOf(TIMEOUT, values),
      seed,
      kinds,
      rarest,
      signal,
      onSample(sample, failed) {
        if (performance.now() - toldAt < TELL_MS) return;
        toldAt = performance.now();
        screen.write(formatSample(subject.name, sample, failed));
      },
    };
    runs.push(await soak(subject, options));
  }
  const report: SoakReport = { schema: "handshake-soak/1", protocol: name, seed, rarest, runs };
  screen.write(formatSoak(report, screen));
  if (json !== undefined) writeResult(json, `${JSON.stringify(report, null, 1)}\n`);
  const isGood = runs.every(({ verdict }) => verdict === "passed" || verdict === "skipped");
  return isGood && runs.some(({ verdict }) => verdict === "passed") ? EXIT_DONE : EXIT_FAILED;
}

/** How long, or how much. */
function readAmount({ minutes, ...values }: Values): Pick<SoakOptions, "ms" | "requests"> {
  if (values.requests !== undefined) {
    if (minutes !== undefined) throw new UsageError("expected --minutes or --requests, got both");
    return { requests: valueOf(REQUESTS, values) };
  }
  const text = (minutes ?? MINUTES) as string;
  const number = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (number > 0 && number <= MOST_MINUTES) return { ms: number * MINUTE_MS };
  throw new UsageError(
    `wrong value for --minutes: expected a number of minutes such as 10 or 0.5, got "${text}"`,
  );
}

function describeAmount(values: Values): string {
  const { ms = 0, requests } = readAmount(values);
  if (requests !== undefined) return `${requests.toLocaleString("en")} requests`;
  return ms === MINUTE_MS ? "1 minute" : `${ms / MINUTE_MS} minutes`;
}

function readKinds({ without = [] }: Values): Kind[] {
  const words = (without as readonly string[]).flatMap((text) => text.split(/[\s,]+/))
    .filter(Boolean);
  const unknown = words.find((word) => !(KINDS as readonly string[]).includes(word));
  if (unknown === undefined) return KINDS.filter((kind) => !words.includes(kind));
  throw new UsageError(
    `wrong value for --without: expected ${KINDS.join(", ")}, got "${unknown}"`,
  );
}

/** A server, and whether the user has named it. */
interface Asked {
  readonly subject: Subject;
  readonly isNamed: boolean;
}

function readSubjects({ mode = [], start, on }: Values, protocol: string): Asked[] {
  const named = mode as readonly string[];
  if (start !== undefined) {
    const command = start as string;
    if (!command.includes(PORT)) {
      throw new UsageError(`wrong value for --start: expected 'COMMAND ${PORT}', got "${command}"`);
    }
    if (named.length > 0 || on !== undefined) {
      throw new UsageError("expected modes or --start, got both");
    }
    return [{ subject: foreignSubject(command), isNamed: true }];
  }
  const unknown = named.find((name) => !MODE_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no mode "${unknown}": expected ${MODE_NAMES.join(", ")}`);
  }
  const modes = (named.length === 0 ? MODE_NAMES : [...new Set(named)]) as readonly ModeName[];
  const runtimes = RUNTIMES.filter(({ name }) => on === undefined || on === name);
  return modes.flatMap((name) =>
    runtimes.map((one) => ({
      subject: ownSubject(name, one, protocol),
      isNamed: named.length > 0,
    }))
  );
}

/** A server that cannot run here. Whoever has named it has not got what was asked for. */
function whatIsNot({ name }: Subject, isNamed: boolean, why: string): SoakRun {
  const nothing = { warm: null, end: null, rise: null, chance: null };
  return {
    name,
    verdict: isNamed ? "failed" : "skipped",
    reasons: [`it cannot run here: ${why}`],
    notes: [],
    seconds: 0,
    work: {
      requests: 0,
      requests_through_faults: 0,
      cases: 0,
      connections: 0,
      connections_last_half: 0,
      attacks: {},
      torn: 0,
      restarts: 0,
    },
    failed: {},
    courses: { memory_bytes: nothing, descriptors: nothing, threads: nothing },
    samples: [],
  };
}

if (isMainModule(import.meta)) labProgram("soak", COMMAND, perform).run();
