/**
 * Every mode and protocol, and the chat, pass all cases of the checker, the attacks among them.
 *
 * Each server is one that the checker starts and ends itself. No case may fail, and none may be
 * right but not strict.
 *
 * A word on the command line is a part of the names of those to be checked.
 *
 * @module
 */

import { quoteWord } from "../../engine/cli/invocation.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES, scriptCommand } from "../../engine/process/runtimes.ts";
import { type CheckedServer, startedServer } from "../../lab/checked_server.ts";
import { loadDefinition } from "../../lab/conform/definitions/catalogue.ts";
import type { Report } from "../../lab/conform/results.ts";
import { check } from "../../lab/conform/runner.ts";
import { assertEquals } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { ROWS } from "../kit/rows.ts";

/** How many servers are checked at a time. */
const AT_ONCE = 2;

/**
 * How long to wait when nothing comes, in milliseconds. A server that is stuck is so for longer, and
 * one on a busy machine, to which an attacker has just made thousands of connections, is not.
 */
export const PATIENCE_MS = 30_000;

/** A server and the definition that it is checked against. */
export interface Checked {
  readonly name: string;
  /** Its script, and what follows the port. */
  readonly script: string;
  readonly args: readonly string[];
  readonly definition: string;
}

/** How to check. */
export interface CheckedOptions {
  /** The cases, by parts of their names. @default all */
  readonly only?: readonly string[];
  /** The same by a function. */
  readonly chooses?: (name: string) => boolean;
  /** How long to wait when nothing comes, in milliseconds. @default {10_000} */
  readonly timeoutMs?: number;
  /** How many clients at once are tried. @default {64} */
  readonly clients?: number;
}

/** The words of a shell that start a script on this runtime, on the port `{port}`. */
export function commandLine(script: string, ...args: readonly string[]): string {
  const own = RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
  return [...scriptCommand(own, script).map(quoteWord), "{port}", ...args.map(quoteWord)].join(" ");
}

/** Checks a server that is started for it. */
export async function checkStarted(
  command: string,
  definition: string,
  options: CheckedOptions = {},
): Promise<Report> {
  await using server = startedServer(command, new AbortController().signal);
  return await checkServer(server, definition, options);
}

/** Checks a server. */
export async function checkServer(
  server: CheckedServer,
  definition: string,
  { only, chooses, timeoutMs = 10_000, clients = 64 }: CheckedOptions = {},
): Promise<Report> {
  const { name, conformance } = await loadDefinition(definition);
  return await check(server, {
    protocol: name,
    conformance,
    timeoutMs,
    clients,
    signal: new AbortController().signal,
    whySkip: () => undefined,
    isChosen: (one) => chooses?.(one.name) ?? only?.some((text) => one.name.includes(text)) ?? true,
  });
}

/** What a report holds that is not as it should be. */
export function badIn({ results }: Report): unknown[] {
  return results.filter(({ verdict }) => verdict === "failed" || verdict === "not strict");
}

/**
 * Every row with every protocol, and the chat.
 *
 * @param only a part of their names
 */
export function everything(only = ""): Checked[] {
  const rows = ROWS.filter((row) => row.skip === undefined);
  const protocols = [
    ["hello", "hello"],
    ["frame", "frame"],
    ["echo", "echo"],
    ["print", "print"],
    ["./examples/kv.ts", "./examples/kv_conformance.ts"],
  ] as const;
  const all: Checked[] = [
    ...rows.flatMap((row) =>
      protocols.map(([protocol, definition]): Checked => ({
        name: `${row.name} · ${protocol}`,
        script: `modes/${row.mode}.ts`,
        // A thread of Deno takes 7 MiB, and two hundred slow clients would each get one.
        args: [
          ...row.args,
          "--protocol",
          protocol,
          ...(row.mode === "threaded" ? ["--max-threads", "32"] : []),
        ],
        definition,
      }))
    ),
    { name: "chat", script: "chat/server.ts", args: [], definition: "chat" },
  ];
  return all.filter(({ name }) => name.includes(only));
}

await prove(import.meta, async () => {
  const left = everything(runtime.args[0]);
  const count = left.length;
  let cases = 0;
  const bad: unknown[] = [];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { name, script, args, definition } = next;
      const report = await checkStarted(commandLine(script, ...args), definition, {
        timeoutMs: PATIENCE_MS,
      });
      for (const result of badIn(report)) {
        bad.push({ name, result });
        console.error(`${name}: ${JSON.stringify(result)}`);
      }
      cases += report.counts.passed;
      console.error(`${name}: ${report.counts.passed} passed, ${report.seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assertEquals(bad, []);
  return `${count} servers, ${cases} cases passed, none failed and none was lax`;
}, { skip: whyNoSockets() });
