/**
 * What people type: flags, durations, sizes and rates.
 *
 * @module
 */

import fc from "fast-check";
import { formatDuration, parseDuration } from "../../engine/values/durations.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import {
  type Command,
  type Flag,
  formatHelp,
  parseFlags,
  UsageError,
} from "../../engine/cli/flags.ts";
import { nearest } from "../../engine/cli/suggestion.ts";
import { parseRate, parseSize } from "../../engine/values/quantities.ts";
import { checkOptions, OptionError, type ServeOptions } from "../../engine/server/core/options.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const COMMAND: Command = {
  name: "example",
  summary: "shows how",
  positionals: [
    { name: "host", kind: "string", help: "where" },
    { name: "port", kind: "integer", least: 0, most: 65535, default: "8080", help: "which" },
  ],
  required: 1,
  flags: [
    { name: "max-threads", short: "m", kind: "integer", value: "N", least: 1, help: "how many" },
    { name: "drain", short: "d", kind: "duration", default: "5s", help: "how long" },
    { name: "outbox", kind: "size", default: "256KiB", help: "how much" },
    { name: "rate", kind: "rate", default: "20/s", help: "how often" },
    { name: "mode", kind: "choice", choices: ["fd", "message"], help: "which way" },
    { name: "name", kind: "string", help: "what" },
    { name: "quiet", kind: "boolean", help: "say little" },
  ],
  example: "example 127.0.0.1",
};

test("flags are read with = and without, before and after the arguments, in camel case", () => {
  assertEquals(
    parseFlags(COMMAND, ["--max-threads", "7", "localhost", "--drain=1m30s", "--quiet", "80"]),
    { maxThreads: 7, drain: 90_000, quiet: true, host: "localhost", port: 80 },
  );
  assertEquals(parseFlags(COMMAND, ["::1"]), { host: "::1" });
  assertEquals(parseFlags(COMMAND, ["--outbox", "64k", "--rate=120/m", "h"]), {
    outbox: 65536,
    rate: 2,
    host: "h",
  });
  assertEquals(parseFlags(COMMAND, ["--mode", "fd", "--name", "n", "h"]), {
    mode: "fd",
    name: "n",
    host: "h",
  });
});

test("a digit may be a flag's letter, and then it is no negative number", () => {
  const four: Flag = { name: "ipv4", short: "4", kind: "boolean", help: "only IPv4" };
  const command = { ...COMMAND, flags: [...COMMAND.flags, four] };
  assertEquals(parseFlags(command, ["-4", "h"]), { ipv4: true, host: "h" });
  assertEquals(parseFlags(command, ["-5"]), { host: "-5" });
  assertEquals(parseFlags(command, ["--", "-4"]), { host: "-4" });
});

test("a flag may have a letter too, and the help shows it", () => {
  assertEquals(parseFlags(COMMAND, ["h", "-m", "7"]), { maxThreads: 7, host: "h" });
  assertEquals(parseFlags(COMMAND, ["-m7", "h"]), { maxThreads: 7, host: "h" });
  // As other tools take it. Nothing after `--` is a flag.
  assertEquals(parseFlags(COMMAND, ["-d10s", "--", "-d5s"]), { drain: 10_000, host: "-d5s" });
  const { message } = assertThrows(() => parseFlags(COMMAND, ["h", "-m", "x"]), UsageError);
  assertStringIncludes(message, "wrong value for --max-threads: expected a whole number");
  assertStringIncludes(formatHelp(COMMAND), "  -m, --max-threads N");
  assertStringIncludes(formatHelp(COMMAND), "  -h, --help");
});

test("an optional value is taken if one follows", () => {
  const flag: Flag = { name: "table", kind: "string", value: "FILE", bare: "-", help: "a table" };
  const command: Command = { ...COMMAND, flags: [flag, ...COMMAND.flags] };
  const read = (...args: string[]) => parseFlags(command, args).table;
  assertEquals(read("h", "--table"), "-");
  assertEquals(read("h", "--table", "--max-threads", "3"), "-");
  assertEquals(read("--table", "-m3", "h"), "-");
  assertEquals(read("h", "--table", "--", "80"), "-");
  assertEquals(read("h", "--table", "it.md"), "it.md");
  assertEquals(read("h", "--table=it.md"), "it.md");
  assertEquals(read("h", "--table", "-"), "-");
  assertEquals(read("h"), undefined);
  assertStringIncludes(formatHelp(command), "  --table [FILE]");
});

const FORMS: Command = {
  ...COMMAND,
  flags: [
    { name: "protocol", kind: "choice", choices: ["hello", "echo"], help: "which" },
    ...COMMAND.flags,
  ],
  forms: {
    flag: "protocol",
    of: {
      echo: {
        positionals: COMMAND.positionals.slice(0, 1),
        required: 1,
        rest: { name: "message", kind: "string", help: "what to send" },
      },
    },
  },
};

test("a flag decides what else a command takes, wherever it stands", () => {
  assertEquals(parseFlags(FORMS, ["h", "80"]), { host: "h", port: 80 });
  assertEquals(parseFlags(FORMS, ["h", "80", "--protocol", "hello"]), {
    host: "h",
    port: 80,
    protocol: "hello",
  });
  assertEquals(parseFlags(FORMS, ["h", "80", "", "-7", "--protocol=echo", "P7"]), {
    host: "h",
    message: ["80", "", "-7", "P7"],
    protocol: "echo",
  });
  assertEquals(parseFlags(FORMS, ["h", "--protocol", "echo"]), { host: "h", protocol: "echo" });
  const { message } = assertThrows(() => parseFlags(FORMS, ["--protocol", "echo"]), UsageError);
  assertEquals(
    message,
    "missing <host>: usage: example <host> [message ...] --protocol echo [flags]",
  );
  assertThrows(() => parseFlags(FORMS, ["h", "1", "2"]), UsageError, 'unexpected argument "2"');
});

test("nothing after -- is a flag", () => {
  assertEquals(parseFlags(FORMS, ["h", "--protocol", "echo", "--", "--quiet=3", "-x", "-5"]), {
    host: "h",
    message: ["--quiet=3", "-x", "-5"],
    protocol: "echo",
  });
});

test("the help shows every form, and what each takes once", () => {
  const help = formatHelp(FORMS).split("\n");
  assert(help.includes("usage: example <host> [port] [flags]"));
  assert(help.includes("       example <host> [message ...] --protocol echo [flags]"));
  assertEquals(help.filter((line) => /^ {2}(host|port|message) /.test(line)).length, 3);
});

test("help and version need no arguments", () => {
  assertEquals(parseFlags(COMMAND, ["--help"]), { help: true });
  assertEquals(parseFlags(COMMAND, ["-h"]), { help: true });
  assertEquals(parseFlags(COMMAND, ["--version"]), { version: true });
});

const WRONG: readonly (readonly [readonly string[], string, string])[] = [
  [["h", "--frob"], "--frob", "--max-threads, --drain"],
  [["h", "--frob=1"], "--frob", "--max-threads"],
  [["h", "-x"], "-x", "--max-threads"],
  [["h", "70000"], "<port>", "a whole number from 0 to 65535"],
  [["h", "-1"], "<port>", "a whole number from 0 to 65535"],
  [["h", "8080x"], "<port>", '"8080x"'],
  [["h", "1.5"], "<port>", '"1.5"'],
  [["h", ""], "<port>", '""'],
  [["h", "1", "2"], '"2"', "usage: example <host> [port] [flags]"],
  [[], "<host>", "usage: example <host> [port] [flags]"],
  [["h", "--max-threads", "0"], "--max-threads", "a whole number from 1"],
  [["h", "--max-threads", "-3"], "--max-threads", '"-3"'],
  [["h", "--max-threads=many"], "--max-threads", '"many"'],
  [["h", "--max-threads"], "--max-threads", "a whole number from 1"],
  [["h", "--drain", "soon"], "--drain", "500ms, 5s or 1m30s"],
  [["h", "--drain", "-1s"], "--drain", "500ms, 5s or 1m30s"],
  [["h", "--outbox", "-1"], "--outbox", "65536, 64k or 256KiB"],
  [["h", "--outbox=lots"], "--outbox", "65536, 64k or 256KiB"],
  [["h", "--rate", "often"], "--rate", "20/s, 5k/s or 100/m"],
  [["h", "--mode", "pigeon"], "--mode", "fd or message"],
  [["h", "--name="], "--name", "a value"],
];

for (const [args, named, allowed] of WRONG) {
  test(`${JSON.stringify(args.join(" "))} is refused on a line that says ${allowed}`, () => {
    const { message } = assertThrows(() => parseFlags(COMMAND, args), UsageError);
    assertStringIncludes(message, named);
    assertStringIncludes(message, allowed);
    assertEquals(message.includes("\n"), false);
  });
}

for (
  const [typed, meant] of [
    ["--drian", "--drain"],
    ["--maxthreads=3", "--max-threads"],
    ["--MODE=fd", "--mode"],
    ["-q", "--quiet"],
    ["-V", "--version"],
  ] as const
) {
  test(`the error about ${typed} proposes ${meant}`, () => {
    const { message } = assertThrows(() => parseFlags(COMMAND, ["h", typed]), UsageError);
    assertStringIncludes(message, `unknown flag ${typed.split("=")[0]}: did you mean ${meant}? `);
  });
}

test("an underscore is a flag like any other that is unknown", () => {
  for (const typed of ["-_", "-_=3", "-_x", "--_", "--_=3"]) {
    const { message } = assertThrows(() => parseFlags(COMMAND, ["h", typed]), UsageError);
    assertStringIncludes(message, `unknown flag ${typed.split("=")[0]}: `);
  }
  // Behind `--` it is no flag.
  assertThrows(
    () => parseFlags(COMMAND, ["h", "--", "-_"]),
    UsageError,
    'got "-_"',
  );
});

test("the help is no wider than the terminal", () => {
  const whole = formatHelp(COMMAND).split("\n");
  for (const columns of [40, 60, 80]) {
    const lines = formatHelp(COMMAND, columns).split("\n");
    const isCommandLine = (line: string) => /^(usage|example): /.test(line);
    for (const line of lines) assert(line.length <= columns || isCommandLine(line), line);
    const words = (text: readonly string[]) => text.join(" ").split(/\s+/);
    assertEquals(words(lines), words(whole));
  }
  assertEquals(
    formatHelp({ ...COMMAND, positionals: [], flags: [] }, 40).split("\n").slice(4, 8),
    ["  -h, --help", "      show this help", "  --version", "      show the version"],
  );
});

test("on a terminal, an explanation goes on below its beginning", async () => {
  await using terminal = await Terminal.open("modes/event.ts", ["--help"], {
    columns: 70,
    rows: 60,
  });
  const screen = await terminal.shows("example: ");
  assertMatch(screen, /^ {2}--trace FILE +write what each .*\n {20,}\S/m);
  assertEquals(await terminal.end(), 0);
}, { skip: whyNoTerminal });

test("help names every flag, its choices and its default", () => {
  const help = formatHelp(COMMAND);
  for (const text of ["example <host> [port]", "--max-threads N", "fd|message", "default: 5s"]) {
    assertStringIncludes(help, text);
  }
  for (const { name } of COMMAND.flags) assertStringIncludes(help, `--${name}`);
});

test("durations are read as people write them", () => {
  const durations: Readonly<Record<string, number>> = {
    "0": 0,
    "500ms": 500,
    "5s": 5_000,
    "1m30s": 90_000,
    "2h": 7_200_000,
    "1h1m1s1ms": 3_661_001,
    "0.5s": 500,
    " 5s ": 5_000,
    "0s": 0,
  };
  for (const [text, ms] of Object.entries(durations)) assertEquals(parseDuration(text), ms);
  assertEquals(parseDuration(250), 250);
});

test("the error about a wrong duration shows how to write one", () => {
  const wrong = ["", "5", "s", "-1s", "5 s", "1s1m", "5sec", "1e3ms", "25d", "999h", -1, NaN];
  for (const text of [...wrong, Infinity, LONGEST_MS + 1]) {
    assertThrows(() => parseDuration(text), RangeError, "500ms, 5s or 1m30s");
  }
});

test("formatDuration and parseDuration are each other's inverse", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: LONGEST_MS }), (ms) => {
    assertEquals(parseDuration(formatDuration(ms)), ms);
  }));
});

test("sizes are read as people write them, in units of 1024", () => {
  const sizes: Readonly<Record<string, number>> = {
    "0": 0,
    "65536": 65536,
    "64k": 65536,
    "64K": 65536,
    "256KiB": 262_144,
    "256kib": 262_144,
    "1m": 1_048_576,
    "2MiB": 2_097_152,
    "1G": 1_073_741_824,
    " 1k ": 1024,
    "0k": 0,
  };
  for (const [text, bytes] of Object.entries(sizes)) assertEquals(parseSize(text), bytes, text);
  assertEquals(parseSize(1000), 1000);
});

test("the error about a wrong size shows how to write one", () => {
  const wrong = [
    "",
    "k",
    "-1",
    "1.5m",
    "64 k",
    "64kb",
    "64b",
    "64KiBs",
    "1e3",
    "9".repeat(20),
    "1t",
  ];
  for (const size of [...wrong, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => parseSize(size), RangeError, "65536, 64k or 256KiB");
  }
});

test("rates are read as a number a second", () => {
  const rates: Readonly<Record<string, number>> = {
    "0": 0,
    "20": 20,
    "20/s": 20,
    "90/m": 1.5,
    "36/h": 0.01,
    "20k": 20_000,
    "1.5k/s": 1_500,
    "6K/m": 100,
    "0.5/s": 0.5,
    " 20/s ": 20,
    "0/m": 0,
  };
  for (const [text, rate] of Object.entries(rates)) assertEquals(parseRate(text), rate, text);
  assertEquals(parseRate(2.5), 2.5);
});

test("a rate can be written as the bench prints it", () => {
  const rates = [["10M/s", 1e7], ["10.0 M/s", 1e7], ["20 /s", 20], ["41.2 k/s", 41_200]] as const;
  for (const [text, rate] of [...rates, ["6 /min", 0.1], ["0.5G/s", 5e8]] as const) {
    assertEquals(parseRate(text), rate);
  }
});

test("a letter without a value may be followed by others", () => {
  const flags = [{ name: "loud", short: "l", kind: "boolean", help: "aloud" }] as const;
  const command = { name: "it", summary: "does it", positionals: [], flags, example: "it" };
  assertEquals(parseFlags(command, ["-h5"]), { help: true });
  assertEquals(parseFlags(command, ["-lh"]), { loud: true, help: true });
  assertThrows(() => parseFlags(command, ["-l5"]), UsageError, 'unexpected argument "-5"');
});

test("a word is suggested only if it is near", () => {
  const words = ["threadpool", "threaded", "event", "--version", "--pid", "--protocol", "--help"];
  const near = [
    ["thredpool", "threadpool"],
    ["evnet", "event"],
    ["--prot", "--protocol"],
    ["-v", "--version"],
    ["--quickly", undefined],
    ["zebra", undefined],
    ["--xyz", undefined],
    ["-", undefined],
  ] as const;
  for (const [typed, meant] of near) assertEquals(nearest(typed, words), meant, typed);
});

test("the error about a wrong rate shows how to write one", () => {
  const wrong = [
    "",
    "/s",
    "-1",
    "20/",
    "20  /s",
    "20 m/s",
    "20/d",
    "20/ms",
    "1e3",
    "s",
    "k",
    "5kk",
    "5/k",
    "2000000000",
  ];
  for (const rate of [...wrong, -1, NaN, Infinity]) {
    assertThrows(() => parseRate(rate), RangeError, "20/s, 5k/s or 100/m");
  }
});

test("the time limits of hello are the defaults of the options", async () => {
  const { address, settings, maxConnections, drainMs } = await checkOptions({});
  assertEquals(address, { hostname: "127.0.0.1", port: 8080 });
  assertEquals(settings, {
    protocol: "hello",
    protocolSettings: { graceMs: 20, prime: true },
    readTimeoutMs: 5_000,
    messageTimeoutMs: 30_000,
    writeTimeoutMs: 10_000,
    sessionTimeoutMs: 30_000,
    computeTimeoutMs: 120_000,
  });
  assertEquals([maxConnections, drainMs], [Infinity, 5_000]);
});

test("the error about a wrong option names it", async () => {
  const wrong: readonly ServeOptions[] = [
    { port: -1 },
    { port: 65536 },
    { port: 1.5 },
    { host: "" },
    { maxConnections: -1 },
    { readTimeout: "soon" },
    { idleTimeout: "soon" },
    { messageTimeout: -1 },
    { writeTimeout: "x" },
    { maxPerHost: -1 },
    { allow: ["10.0.0.0/8", "10.0.0.1/8"] },
    { deny: ["localhost"] },
    { overflow: "drop" as "queue" },
    { sessionTimeout: -1 },
    { grace: "x" },
    { drain: NaN },
  ];
  for (const options of wrong) {
    const name = Object.keys(options)[0] as string;
    const { message } = await assertRejects(() => checkOptions(options), OptionError);
    assertStringIncludes(message, name);
  }
  await assertRejects(() => checkOptions({ protocol: "hallo" }), RangeError, "hello");
  assertEquals((await checkOptions({ host: "[::1]" })).address.hostname, "::1");
});
