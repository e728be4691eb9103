/**
 * Conform: checks any server, in any language, against the definition of its protocol. It knows
 * nothing of the server but its address.
 *
 * @module
 */

import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import { reachedThrough, runningServer, startedServer } from "./checked_server.ts";
import type { Case } from "./conform/cases.ts";
import { DEFINITIONS, loadDefinition } from "./conform/definitions/catalogue.ts";
import { formatJunit } from "./conform/junit.ts";
import type { Report } from "./conform/results.ts";
import { allCases, check } from "./conform/runner.ts";
import { formatResult, formatSummary } from "./conform/text_report.ts";
import { labProgram, STDOUT, untilInterrupted, writeResult } from "./lab_program.ts";
import { PORT } from "./loaded_server.ts";
import { screenOf } from "./report/screen.ts";
import { readWay, THROUGH_FLAGS } from "./through.ts";

/** The script of this module. */
const SCRIPT = "lab/conform.ts";

/** How long to wait when nothing comes. */
const TIMEOUT = durationOption("timeout", {
  default: "5s",
  help: "how long to wait when nothing comes",
});

/** How many clients at once are tried. */
const CLIENTS = integerOption("clients", {
  least: 1,
  most: 4096,
  default: 64,
  help: "how many clients at once are tried",
});

const conformCommand = (): Command => ({
  name: "conform",
  summary: "check any server against the definition of its protocol",
  positionals: [{
    name: "server",
    kind: "string",
    help: "its address, HOST:PORT or unix:PATH; left out with --start",
  }],
  flags: [
    {
      name: "protocol",
      kind: "string",
      value: "NAME|PATH",
      default: "hello",
      suggestions: Object.keys(DEFINITIONS),
      help: `${Object.keys(DEFINITIONS).join(", ")}, or a module with cases of its own`,
    },
    {
      name: "start",
      kind: "string",
      value: `'COMMAND ${PORT}'`,
      help: "start the server, and end it afterwards with all that it has started",
    },
    { name: "list", kind: "boolean", help: "say which cases there are, and run none" },
    {
      name: "only",
      kind: "string",
      value: "TEXT",
      repeats: true,
      help: "run only the cases whose names contain TEXT",
    },
    {
      name: "skip",
      kind: "string",
      value: "TEXT",
      repeats: true,
      help: "do not run the cases whose names contain TEXT",
    },
    TIMEOUT,
    CLIENTS,
    ...THROUGH_FLAGS,
    {
      name: "abuse",
      kind: "string",
      value: "HOST",
      help: "attack a server that is not on this machine: HOST repeats its address",
    },
    { name: "strict", kind: "boolean", help: "count what is right but not strict as failed" },
    {
      name: "json",
      kind: "string",
      value: "FILE",
      bare: STDOUT,
      help: "write what was found; to standard output with - or without FILE",
    },
    { name: "junit", kind: "string", value: "FILE", help: "write what was found as JUnit's XML" },
  ],
  notes: [
    "--protocol ./own.ts: the module exports `conformance = { examples: [{ section, name, turns: " +
    "[{ send, expect }] }], mistakes }`: in each turn, what is sent and what must come, as text, or as a " +
    "regular expression for a line. The module need not hold the server.",
    "The exit status is 0 if no case has failed, 1 if one has, 2 if the command line is wrong, and " +
    "3 if there is no server.",
  ],
  example: formatRun(SCRIPT, "127.0.0.1:8080 --protocol hello"),
});

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  const values = readCommandLine(conformCommand());
  return await untilInterrupted("conform", (signal) => conform(values, signal));
}

async function conform(values: Values, signal: AbortSignal): Promise<number> {
  const { name: protocol, conformance } = await loadDefinition(
    (values.protocol ?? "hello") as string,
  );
  const [only, skip] = [values.only, values.skip].map((given) =>
    ((given ?? []) as readonly string[]).map((text) => text.toLowerCase())
  ) as [string[], string[]];
  const has = ({ name }: Pick<Case, "name">, texts: readonly string[]) =>
    texts.some((text) => name.toLowerCase().includes(text));
  const isChosen = (one: Case) => only.length === 0 || has(one, only);
  const chosen = allCases(conformance).filter(isChosen);
  if (chosen.length === 0) {
    throw new UsageError(
      `wrong value for --only: no case of ${protocol} has that name: see --list`,
    );
  }
  if (values.list === true) {
    runtime.printNow("stdout", chosen.map(({ name }) => `${name}\n`).join(""));
    return EXIT_DONE;
  }
  const { server, start, junit } = values as Readonly<Record<string, string | undefined>>;
  if ((server === undefined) === (start === undefined)) {
    throw new UsageError(
      server === undefined
        ? `missing <server>: its address, or --start 'COMMAND ${PORT}'`
        : "expected an address or --start, got both",
    );
  }
  if (start !== undefined && !start.includes(PORT)) {
    throw new UsageError(`wrong value for --start: expected 'COMMAND ${PORT}', got "${start}"`);
  }
  const timeoutMs = valueOf(TIMEOUT, values);
  if (timeoutMs === 0) throw new UsageError("wrong value for --timeout: expected more than 0");
  const json = values.json as string | undefined;
  for (const path of [json, junit]) {
    if (path !== undefined && path !== STDOUT) writeResult(path, "");
  }
  const screen = screenOf(json === STDOUT || junit === STDOUT ? "stderr" : "stdout");
  const way = readWay(values);
  await using source = reachedThrough(
    start === undefined
      ? await runningServer(server as string, timeoutMs, signal)
      : startedServer(start, signal),
    way,
  );
  const whyNoAbuse = source.whyNoAbuse(values.abuse as string | undefined);
  const report = await check(source, {
    protocol,
    conformance,
    timeoutMs,
    clients: valueOf(CLIENTS, values),
    isChosen,
    whySkip: (one) => has(one, skip) ? "--skip" : one.isAbuse === true ? whyNoAbuse : undefined,
    signal,
    onResult: (result) => screen.write(formatResult(result, screen)),
  });
  screen.write(formatSummary(report));
  if (json !== undefined) writeResult(json, `${JSON.stringify(report, null, 1)}\n`);
  if (junit !== undefined) writeResult(junit, formatJunit(report));
  return statusOf(report, values.strict === true);
}

function statusOf({ counts }: Report, isStrict: boolean): number {
  const failed = counts.failed + (isStrict ? counts["not strict"] : 0);
  return failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

/** The checker as a command. */
export function program(): Program {
  return labProgram("conform", conformCommand(), perform);
}

if (isMainModule(import.meta)) program().run();
