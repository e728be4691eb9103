/**
 * `observe wire`: the command line.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { EXIT_DONE, EXIT_FAILED, EXIT_SIGNALLED } from "../../../engine/cli/exit_status.ts";
import { type Flag, UsageError, type Values } from "../../../engine/cli/flags.ts";
import { formatRun } from "../../../engine/cli/invocation.ts";
import { formatRows, wrap } from "../../../engine/cli/layout.ts";
import { integerOption, valueOf } from "../../../engine/cli/options.ts";
import { durationOption } from "../../../engine/cli/quantity_options.ts";
import { nearest } from "../../../engine/cli/suggestion.ts";
import { describeSystemError } from "../../../engine/net/constants.ts";
import { runtime } from "../../../engine/net/runtime.ts";
import { onEndingSignal } from "../../../engine/process/ending_signals.ts";
import type { Event } from "../../../engine/recording/events.ts";
import { LONGEST_MS } from "../../../engine/values/durations.ts";
import { makeHeader } from "../../../engine/recording/recording_file.ts";
import { loadProtocol, locateProtocol } from "../../../engine/server/core/protocol_loader.ts";
import { escapeText } from "../../../protocols/text.ts";
import { loadLoadProtocol, MEASURABLE } from "../../load/load_protocol.ts";
import { conversationsIn } from "../conversations.ts";
import { LineOutput } from "../line_output.ts";
import { SandboxError } from "../sandbox.ts";
import { drawSequence } from "../sequence.ts";
import { RECORD, SCRIPT, type Subcommand } from "../subcommand.ts";
import { COMMAND_HELP, parseScript, ScriptError, type ScriptLine } from "./commands.ts";
import type { Play, WireOutcome } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { findScenario, FIRST_SCENARIO, SCENARIOS } from "./scenarios.ts";
import { type Asked, inOrder, WireSession } from "./session.ts";
import { describeOutcome, NAME, record } from "./outcome.ts";
import { ownTerminal, playOnScreen, whyNoScreen } from "./terminal.ts";
import { MOST_PACKETS } from "./wire.ts";

/** The names of a scenario's own scripts. */
const OWN_SCRIPTS = ["win", "lose"] as const;

/** The largest script, in bytes. */
const MOST_SCRIPT = 256 * 1024;

/** How long the own scripts of the scenarios may take, in milliseconds. */
const CHECK_MS = 60_000;

const FOR = durationOption("for", {
  default: "10m",
  help: "how long a game may take",
});

const PACKETS = integerOption("packets", {
  least: 1,
  most: 10_000,
  default: MOST_PACKETS,
  help: "how many packets the wire carries at most",
});

const FLAGS: readonly Flag[] = [
  { name: "list", kind: "boolean", help: "name the scenarios" },
  {
    name: "script",
    kind: "string",
    value: "FILE",
    suggestions: [...OWN_SCRIPTS],
    help: "play a script; win and lose are the scenario's own, and - is standard input",
  },
  {
    name: "script-of",
    kind: "choice",
    choices: OWN_SCRIPTS,
    help: "print the scenario's own script that wins or loses",
  },
  {
    name: "check",
    kind: "boolean",
    help: "play the own scripts of all scenarios, all at the same time",
  },
  {
    name: "protocol",
    kind: "string",
    suggestions: MEASURABLE,
    help: `without a goal: both ends speak ${MEASURABLE.join(", ")}, or a module with a load`,
  },
  FOR,
  PACKETS,
  RECORD,
  { name: "json", kind: "boolean", help: "print lines for programs; with --list and with scripts" },
];

/** `observe wire`. */
export function wire(): Subcommand {
  return {
    command: {
      name: NAME,
      summary: "be the wire between two real ends: deliver, lose, double or delay each packet",
      positionals: [{
        name: "scenario",
        kind: "string",
        suggestions: SCENARIOS.map(({ name }) => name),
        default: FIRST_SCENARIO.name,
        help: "what is to be reached; --list names all",
      }],
      flags: FLAGS,
      example: formatRun(SCRIPT, "wire losses"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  if (values.list === true) return await list(values.json === true);
  if (values.check === true) return await check(values);
  const asked = await whatToPlay(values);
  const { scenario } = asked;
  const own = values.scriptOf as typeof OWN_SCRIPTS[number] | undefined;
  if (own !== undefined) {
    if (scenario === undefined) throw new UsageError("--protocol has no script of its own");
    await new LineOutput().write(tidy(scenario[own]));
    return EXIT_DONE;
  }
  const isScripted = values.script !== undefined;
  const script = isScripted ? readScript(values.script as string, scenario) : undefined;
  if (!isScripted) {
    if (values.json === true) throw new UsageError("--json needs --list or --script");
    const why = whyNoScreen(ownTerminal());
    if (why !== undefined) {
      throw new Error(`${why}; --script FILE plays without one, and --list names the scenarios`);
    }
  }
  try {
    return script === undefined
      ? await playOnScreen({
        ...asked,
        limitMs: limitOf(values),
        mostPackets: valueOf(PACKETS, values),
        record: values.record as string | undefined,
      })
      : await playScript(values, asked, script);
  } catch (error) {
    throw explained(error);
  }
}

/** There is nothing that goes on without a sandbox: that is the message. */
function explained(error: unknown): unknown {
  if (!(error instanceof SandboxError)) return error;
  return new Error(`No wire: ${error.refusal.sentence}`, { cause: error });
}

/** What the command line asks for. */
interface Wanted {
  /** The scenario; `undefined` for a wire without a goal. */
  readonly scenario: Scenario | undefined;
  /** Where the protocol is. */
  readonly protocol: string | undefined;
}

async function whatToPlay(values: Values): Promise<Wanted> {
  const name = values.scenario as string | undefined;
  const given = values.protocol as string | undefined;
  if (given !== undefined) {
    if (name !== undefined) throw new UsageError("a scenario and --protocol exclude each other");
    const protocol = locateProtocol(given);
    // What cannot be spoken is refused before anything is done.
    await Promise.all([loadProtocol(protocol), loadLoadProtocol(protocol)]);
    return { scenario: undefined, protocol };
  }
  if (name === undefined) return { scenario: FIRST_SCENARIO, protocol: undefined };
  const scenario = findScenario(name);
  if (scenario !== undefined) return { scenario, protocol: undefined };
  const names = SCENARIOS.map((each) => each.name);
  const close = names.find((each) => each.startsWith(name)) ?? nearest(name, names);
  const hint = close === undefined ? "--list names them" : `did you mean ${close}?`;
  throw new UsageError(`no such scenario: "${escapeText(name)}"; ${hint}`);
}

async function list(isJson: boolean): Promise<number> {
  const output = new LineOutput();
  if (isJson) {
    await output.write(
      SCENARIOS.map(({ name, title, goal, hints, least }) =>
        JSON.stringify({ type: "scenario", name, title, goal, hints, least_packets: least })
      ),
    );
    return EXIT_DONE;
  }
  const columns = Math.min(100, runtime.columns("stdout"));
  const rows = SCENARIOS.map(({ name, title, goal }) => [name, `${title}: ${goal}`] as const);
  await output.write([
    ...formatRows(rows, columns),
    "",
    "A script has one of these on each line; # begins a comment:",
    ...formatRows(COMMAND_HELP.map(([command, meaning]) => [`  ${command}`, meaning]), columns),
  ]);
  return EXIT_DONE;
}

/** A script of a scenario's own, without the indent that it has in the source. */
function tidy(script: string): string[] {
  return script.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function readScript(path: string, scenario: Scenario | undefined): ScriptLine[] {
  const own = OWN_SCRIPTS.find((name) => name === path);
  if (own !== undefined && scenario !== undefined) return parseScript(scenario[own]);
  const source = path === "-" ? "standard input" : escapeText(path);
  let text: string | undefined;
  try {
    text = readText(path);
  } catch (cause) {
    throw new UsageError(`cannot read the script ${source}: ${describeSystemError(cause)}`);
  }
  if (text === undefined) throw new UsageError(`the script ${source} is too long`);
  try {
    return parseScript(text);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    throw new UsageError(`wrong script ${source}: ${error.message}`);
  }
}

/**
 * Reads a script. It stops where the script is too long: some files have no end.
 *
 * @param path the file; `-` is standard input
 * @returns `undefined` if it is too long
 */
function readText(path: string): string | undefined {
  const file = path === "-" ? 0 : openSync(path, "r");
  try {
    const bytes = new Uint8Array(MOST_SCRIPT + 1);
    let length = 0;
    let count: number;
    do {
      count = readSync(file, bytes, length, bytes.length - length, null);
      length += count;
    } while (count > 0 && length < bytes.length);
    return length > MOST_SCRIPT ? undefined : new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    if (path !== "-") closeSync(file);
  }
}

/** How long a game may take, in milliseconds; 0 on the command line is for ever. */
function limitOf(values: Values): number {
  return valueOf(FOR, values) || LONGEST_MS;
}

function askedFor({ scenario, protocol }: Wanted, values: Values): Omit<Asked, "script"> {
  return {
    ...(scenario !== undefined && { scenario: scenario.name }),
    ...(protocol !== undefined && { protocol }),
    wantsEvents: true,
    wantsViews: false,
    limitMs: limitOf(values),
    mostPackets: valueOf(PACKETS, values),
  };
}

async function playScript(
  values: Values,
  wanted: Wanted,
  script: readonly ScriptLine[],
): Promise<number> {
  const limitMs = limitOf(values);
  await using session = await WireSession.open({ limitMs });
  const play = session.begin({ ...askedFor(wanted, values), script });
  using recording = record(values.record as string | undefined, play.beganUs);
  let isInterrupted = false;
  const forget = onEndingSignal(() => {
    isInterrupted = true;
    session.say({ kind: "leave", game: play.game });
  });
  const events: Event[] = [];
  let outcome: WireOutcome | undefined;
  try {
    while (outcome === undefined) {
      const report = await session.next();
      if (report.kind === "over") outcome = report.outcome;
      if (report.kind !== "event") continue;
      events.push(report.event);
      recording?.add(report.event);
    }
  } finally {
    forget();
  }
  const output = new LineOutput();
  await output.write(
    values.json === true
      ? linesFor(play, wanted, inOrder(events), outcome)
      : textFor(wanted, inOrder(events), outcome),
  );
  recording?.finish();
  if (isInterrupted) return EXIT_SIGNALLED;
  return outcome.won === false ? EXIT_FAILED : EXIT_DONE;
}

function linesFor(
  { beganUs }: Play,
  { scenario }: Wanted,
  events: readonly Event[],
  outcome: WireOutcome,
): string[] {
  const { won, why, client, server, score } = outcome;
  const result = {
    type: "result",
    ...(scenario !== undefined && { scenario: scenario.name }),
    ...(won !== undefined && { won }),
    ...(why !== undefined && { why }),
    client,
    server,
    packets: score.packets,
    lost: score.lost,
    duration_us: score.ms * 1000,
  };
  return [makeHeader(NAME, beganUs, "T2"), ...events, result].map((line) => JSON.stringify(line));
}

function textFor(
  { scenario, protocol }: Wanted,
  events: readonly Event[],
  outcome: WireOutcome,
): string[] {
  const columns = runtime.columns("stdout");
  const width = Math.min(columns, 100);
  const notes = events.flatMap((event) => event.type === "note" ? [event] : []);
  const story = notes.map(({ at, text }) =>
    [`${(at / 1e6).toFixed(3)} s`.padStart(10), `${escapeText(text)}.`] as const
  );
  const [conversation] = conversationsIn(events);
  return [
    "T2: a server and a client in a network of their own, and this program is the wire",
    ...(scenario === undefined
      ? [`Both ends speak ${escapeText(protocol ?? "nothing")}.`]
      : wrap(`${scenario.name}: ${scenario.title}. ${scenario.goal}`, width)),
    "",
    ...formatRows(story, width),
    ...(conversation === undefined
      ? []
      : ["", ...drawSequence(conversation, { columns, milliseconds: true })]),
    "",
    ...wrap(describeOutcome(outcome, scenario), width),
  ];
}

/** Plays all own scripts at the same time, and says what came of them. */
async function check(values: Values): Promise<number> {
  const others = ["scenario", "script", "scriptOf", "protocol", "record"];
  if (others.some((name) => values[name] !== undefined)) {
    throw new UsageError("--check plays all scenarios with their own scripts, and records nothing");
  }
  const limitMs = Math.min(limitOf(values), CHECK_MS);
  try {
    await using session = await WireSession.open({ limitMs });
    const plays = SCENARIOS.flatMap((scenario) =>
      OWN_SCRIPTS.map((which) => {
        const asked = askedFor({ scenario, protocol: undefined }, values);
        const script = parseScript(scenario[which]);
        const play = session.begin({ ...asked, wantsEvents: false, limitMs, script });
        return { scenario, which, game: play.game };
      })
    );
    const outcomes = new Map<number, WireOutcome>();
    while (outcomes.size < plays.length) {
      const report = await session.next();
      if (report.kind === "over") outcomes.set(report.game, report.outcome);
    }
    const results = plays.map(({ scenario, which, game }) => ({
      name: scenario.name,
      which,
      outcome: outcomes.get(game) as WireOutcome,
      isRight: outcomes.get(game)?.won === (which === "win"),
    }));
    await new LineOutput().write(
      results.map(({ name, which, outcome, isRight }) =>
        values.json === true
          ? JSON.stringify({
            type: "check",
            scenario: name,
            script: which,
            right: isRight,
            won: outcome.won,
            why: outcome.why,
            client: outcome.client,
            server: outcome.server,
            packets: outcome.score.packets,
            lost: outcome.score.lost,
          })
          : [
            isRight ? "right" : "WRONG",
            name.padEnd(10),
            which.padEnd(4),
            outcome.won ? "won " : "lost",
            `${outcome.client} / ${outcome.server}`.padEnd(25),
            outcome.why ?? "",
          ].join("  ").trimEnd()
      ),
    );
    return results.every(({ isRight }) => isRight) ? EXIT_DONE : EXIT_FAILED;
  } catch (error) {
    throw explained(error);
  }
}
