/**
 * Options: each is stated once, and the flags, the library and its documentation agree on it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { program as chatServer } from "../../chat/server.ts";
import { type Command, type Flag, formatHelp, parseFlags } from "../../engine/cli/flags.ts";
import {
  booleanOption,
  choiceOption,
  integerOption,
  type Option,
  OptionError,
  stringOption,
} from "../../engine/cli/options.ts";
import { durationOption, rateOption, sizeOption } from "../../engine/cli/quantity_options.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { LOAD_FLAGS } from "../../lab/load/plan.ts";
import { MODES } from "../../modes/catalogue.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows, test } from "../kit/harness.ts";

const root = new URL("../../", import.meta.url);

// Some defaults depend on it: libc is loaded here, and not within a test, which would leak it.
whyNoSockets();

// What an option is.

const QUEUE = integerOption("queueLength", {
  short: "q",
  least: 0,
  most: 64,
  default: 16,
  help: "how many wait",
});

/** A command with these flags. */
function commandOf(...flags: readonly Flag[]): Command {
  return { name: "example", summary: "shows how", positionals: [], flags, example: "example" };
}

test("an option is a flag under a name with dashes, and its default stands in the help", () => {
  const command = commandOf(QUEUE);
  assertEquals(parseFlags(command, ["--queue-length", "7"]), { queueLength: 7 });
  assertEquals(parseFlags(command, ["-q", "7"]), { queueLength: 7 });
  assertThrows(() => parseFlags(command, ["-q", "65"]), Error, "a whole number from 0 to 64");
  assertStringIncludes(
    formatHelp(command),
    "-q, --queue-length N  how many wait (default: 16)",
  );
});

test("an option checks what the library is given, and fills in the default", () => {
  assertEquals([QUEUE.read(undefined), QUEUE.read(0), QUEUE.read(64)], [16, 0, 64]);
  for (const wrong of [-1, 65, 1.5, NaN]) {
    const { message } = assertThrows(() => QUEUE.read(wrong), OptionError);
    assertEquals(
      message,
      `Cannot use queueLength: expected a whole number from 0 to 64, current value is "${wrong}"`,
    );
  }
});

test("a default that depends on the machine is computed when it is needed, and has its own words", () => {
  let cores = 2;
  const option = integerOption("workers", {
    least: 1,
    most: 9,
    default: () => cores,
    shown: "one for each core",
    help: "how many",
  });
  assertEquals(option.read(undefined), 2);
  cores = 4;
  assertEquals(option.read(undefined), 4);
  assertStringIncludes(formatHelp(commandOf(option)), "how many (default: one for each core)");
});

test("an option without a default must be given where it is read", () => {
  const option = stringOption("file", { value: "FILE", help: "which" });
  assertEquals(option.read("x"), "x");
  assertThrows(() => option.read(undefined), OptionError, "Cannot use file: expected a value");
});

test("an option of words takes only those that can be used here", () => {
  const option = choiceOption("way", {
    choices: ["fast", "slow"],
    available: () => ["slow"],
    default: () => "slow",
    help: "how",
  });
  assertStringIncludes(formatHelp(commandOf(option)), "--way fast|slow");
  assertEquals(option.read(undefined), "slow");
  assertThrows(() => option.read("fast"), OptionError, "Cannot use way: expected slow, current");
});

test("an option that is true has a flag that turns it off", () => {
  const on = booleanOption("prime", { default: true, help: "no questions" });
  const off = booleanOption("echo", { default: false, help: "send it back" });
  assertEquals([on.name, off.name], ["no-prime", "echo"]);
  assertEquals([on.read(undefined), off.read(undefined)], [true, false]);
  assertEquals([on.read(false), off.read(true)], [false, true]);
});

test("durations, sizes and rates are read as people write them, or as numbers", () => {
  const drain = durationOption("drain", { default: "5s", help: "how long" });
  const outbox = sizeOption("outbox", { default: "256k", help: "how much" });
  const rate = rateOption("rate", { default: "20/s", help: "how often" });
  assertEquals([drain.read(undefined), drain.read("1m"), drain.read(7)], [5_000, 60_000, 7]);
  assertEquals([outbox.read(undefined), outbox.read("1k")], [262_144, 1024]);
  assertEquals([rate.read(undefined), rate.read("60/m")], [20, 1]);
  assertThrows(() => drain.read("soon"), OptionError, "Cannot use drain: expected a duration");
  assertThrows(() => outbox.read("lots"), OptionError, "Cannot use outbox: expected a size");
  assertThrows(() => rate.read("often"), OptionError, "Cannot use rate: expected a rate");
});

// What the documentation says of them.

/** A field of an interface, and what its docstring says the default is. */
interface Field {
  readonly name: string;
  /** What follows `@default`; `undefined` where there is none. */
  readonly standard: string | undefined;
}

/** The exported interfaces of a source: what each extends, and its own fields. */
function interfacesOf(code: string): Map<string, { parents: string[]; fields: Field[] }> {
  const found = new Map<string, { parents: string[]; fields: Field[] }>();
  const pattern = /^export interface (\w+)(?: extends ([\w, ]+))? \{(?:\}|(.*?)^\})/gms;
  for (const [, name = "", parents = "", body = ""] of code.matchAll(pattern)) {
    const fields: Field[] = [];
    const field = /(\/\*\*(?:(?!\*\/).)*\*\/)?\s*^ {2}readonly (\w+)\??:/gms;
    for (const [, doc = "", name = ""] of body.matchAll(field)) {
      const text = doc.replace(/\s*\*\/$/, "").replace(/^\s*\* ?/gm, "");
      const [, standard] = /@default (.*)/s.exec(text) ?? [];
      fields.push({ name, standard: standard?.trim() });
    }
    found.set(name, { parents: parents.split(", ").filter(Boolean), fields });
  }
  return found;
}

/** Where the interfaces of options are. */
const SOURCES = [
  "engine/server/core/options.ts",
  "engine/server/descriptors/pool_options.ts",
  "engine/server/offload/offload_options.ts",
  "engine/server/processes/process_options.ts",
  "chat/host/options.ts",
  "lab/load/plan.ts",
  "lab/load/talk_options.ts",
  ...Object.values(MODES).map(({ script }) => script),
];

const interfaces = new Map(
  SOURCES.flatMap((path) => [...interfacesOf(readFileSync(new URL(path, root), "utf8"))]),
);

/** All fields of an interface; its own take the place of those that it extends. */
function fieldsOf(name: string): Field[] {
  const { parents, fields } = interfaces.get(name) ?? { parents: [], fields: [] };
  const byName = new Map([...parents.flatMap(fieldsOf), ...fields].map((it) => [it.name, it]));
  return [...byName.values()];
}

/** Options that deliberately have no flag: only code can give them. */
const ONLY_CODE = ["beforeTakeover", "onReport", "signal"];

/**
 * Flags that deliberately are no option of a server: they say how a command prints, and a program
 * has `exposeMetrics` and `openLive`.
 */
const ONLY_FLAGS = ["quiet", "log-format", "metrics", "live-view-only"];

function isOption(flag: Flag): flag is Option<unknown> {
  return "option" in flag;
}

/** The value that holds if nothing is given; `undefined` where there is none. */
function standardOf(option: Option<unknown>): unknown {
  try {
    return option.read(undefined);
  } catch {
    return undefined;
  }
}

/** Why a docstring and an option disagree; `undefined` if they do not. */
function disagreement({ name, standard }: Field, option: Option<unknown>): string | undefined {
  const actual = standardOf(option);
  if (standard === undefined) {
    return actual === undefined ? undefined : `${name} has the default ${actual}, and no @default`;
  }
  const [, code = "", rest = ""] = /^\{(.*?)\}(?=[\s,]|$)(.*)/s.exec(standard) ?? [];
  if (code === "") return `${name}: "@default ${standard}" is no value in braces`;
  // If it depends on the machine, the other value follows in backquotes.
  const others = [...rest.matchAll(/`(".*?")`/g)].map(([, other]) => other as string);
  const said = [code, ...others].map((text) =>
    new Function("cores", `return ${text}`)(runtime.cpus)
  );
  const expected = JSON.stringify(actual);
  return said.some((value) => JSON.stringify(option.read(value)) === expected)
    ? undefined
    : `${name} is documented as ${standard}, and is ${expected}`;
}

test("a docstring that disagrees with its option is found", () => {
  const about = (standard?: string) => disagreement({ name: "queueLength", standard }, QUEUE);
  assertEquals(about("{16}"), undefined);
  assertEquals(about('{8 + 8} on Linux, elsewhere `"x"`'), undefined);
  assertEquals(about("{17}"), "queueLength is documented as {17}, and is 16");
  assertEquals(about(), "queueLength has the default 16, and no @default");
  assertEquals(about("sixteen"), 'queueLength: "@default sixteen" is no value in braces');
  const [[, { fields }] = ["", { fields: [] }]] = interfacesOf(
    "export interface A extends B {\n  /** One. @default {1} */\n  readonly one?: number;\n" +
      "  /**\n   * Two.\n   *\n   * @default {2}\n   */\n  readonly two?: number;\n" +
      "  readonly three?: number;\n}\n",
  );
  assertEquals(fields, [
    { name: "one", standard: "{1}" },
    { name: "two", standard: "{2}" },
    { name: "three", standard: undefined },
  ]);
});

/** The interface of options that the `serve` of a script takes. */
function interfaceOf(script: string): string {
  const code = readFileSync(new URL(script, root), "utf8");
  const [, name = ""] = /export async function serve\(\s*options: (\w+)/.exec(code) ?? [];
  return name;
}

/** An interface of options, and the flags and arguments that are to be the same. */
const INTERFACES: readonly {
  readonly name: string;
  readonly of: string;
  readonly flags: () => Promise<readonly Flag[]>;
}[] = [
  ...Object.entries(MODES).map(([mode, { script, load }]) => ({
    name: mode,
    of: interfaceOf(script),
    flags: async () => flagsOf((await (await load()).program()).command),
  })),
  {
    name: "the chat server",
    of: interfaceOf("chat/server.ts"),
    flags: () => Promise.resolve(flagsOf(chatServer().command)),
  },
  { name: "the load", of: "PlanOptions", flags: () => Promise.resolve(LOAD_FLAGS) },
];

function flagsOf({ positionals, flags }: Command): readonly Flag[] {
  return [...positionals, ...flags];
}

for (const { name, of, flags } of INTERFACES) {
  test(`every option of ${name} is a flag, and every flag an option`, async () => {
    const options = (await flags()).filter((flag) => !ONLY_FLAGS.includes(flag.name)).map(
      (flag) => {
        assert(isOption(flag), `--${flag.name} is no option`);
        return flag.option;
      },
    );
    const fields = fieldsOf(of).map(({ name }) => name).filter((name) => !ONLY_CODE.includes(name));
    assertEquals(options.sort(), fields.sort(), of);
    assert(fields.length > 10, "they were found");
  });

  test(`the docstrings of the options of ${name} tell their defaults`, async () => {
    const options = new Map((await flags()).filter(isOption).map((flag) => [flag.option, flag]));
    const wrong = fieldsOf(of).filter(({ name }) => options.has(name)).map((field) =>
      disagreement(field, options.get(field.name) as Option<unknown>)
    );
    assertEquals(wrong.filter((why) => why !== undefined), [], of);
  });
}
