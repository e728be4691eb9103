/**
 * Twenty comparisons of identical servers claim no difference, and a difference of 10 % in rate, or
 * of 2 ms, is found in nineteen of twenty.
 *
 * The bench compares with its default repeats, and is asked only for shorter runs. It takes about 25
 * minutes a runtime on a machine that does nothing else, and proves nothing on another one: what is
 * not quiet differs indeed. `--times 2` makes two comparisons of each kind in place of twenty, and
 * the words `identical`, `rate` and `delay` are the kinds to make.
 *
 * @module
 */

import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { parseJson } from "../../lab/report/json.ts";
import { Folder } from "../kit/folder.ts";
import { assertEquals } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { Script } from "../kit/server_process.ts";
import { commandLine } from "./conform.ts";

/** How many comparisons of each kind there are. */
const TIMES = 20;

/** One in so many differences may be missed. */
const MISSED_ONE_IN = 20;

/** How long a comparison may take, in milliseconds. */
const LIMIT_MS = 180_000;

/** Two servers, how they are loaded, and what the bench must say of them. */
interface Kind {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly load: readonly string[];
  /** What must be among the claims; `undefined` if there must be none at all. */
  readonly claim: RegExp | undefined;
}

/** The kinds of comparisons. */
const KINDS: Readonly<Record<string, Kind>> = {
  identical: { a: [], b: [], load: ["-c", "20", "-d", "1s"], claim: undefined },
  rate: {
    a: ["rate", "1000"],
    b: ["rate", "900"],
    load: ["-c", "50", "-d", "1s"],
    claim: /^A \([^)]*\) answers most: .* times as much as B \(/,
  },
  delay: {
    a: ["delay", "10"],
    b: ["delay", "12"],
    load: ["-c", "50", "--rate", "1000/s", "-d", "1200ms"],
    claim: /^A \([^)]*\) has the lowest p(?:50|99): B \(.* times as much/,
  },
};

/**
 * The sentences that claim a difference.
 *
 * @param findings what the bench has found
 */
export function claimsIn(findings: readonly string[]): string[] {
  return findings.filter((sentence) => sentence.includes(" times as much"));
}

/** Compares two servers once; returns what was claimed. */
async function compareOnce({ a, b, load }: Kind): Promise<string[]> {
  using folder = new Folder("comparisons-");
  const server = (name: string, args: readonly string[]) =>
    ["--against", `${name}=${commandLine("tests/kit/paced_server.ts", ...args)}`] as const;
  await using script = new Script("lab/bench.ts", [
    ...["compare", "--modes", "none", ...server("A", a), ...server("B", b)],
    ...["--protocols", "echo", "--warm-up", "500ms", "--no-floor"],
    ...[...load, "--json", folder.path("it.json")],
  ]);
  const { code, stderr } = await script.end(LIMIT_MS);
  assertEquals(code, 0, stderr);
  return claimsIn(parseJson(folder.text("it.json"), "it.json").findings);
}

/**
 * Makes comparisons of one kind.
 *
 * @param name the kind
 * @param times how many
 * @returns how many of them were right
 */
async function compareTimes(name: string, times: number): Promise<number> {
  const kind = KINDS[name] as Kind;
  let right = 0;
  for (let time = 1; time <= times; time++) {
    const claims = await compareOnce(kind);
    const { claim } = kind;
    const isRight = claim === undefined
      ? claims.length === 0
      : claims.some((sentence) => claim.test(sentence));
    if (isRight) right++;
    // Whoever waits for so long sees how far it is.
    const said = claims.join(" ") || "nothing is claimed";
    console.error(`${name} ${time} of ${times}, ${isRight ? "right" : "WRONG"}: ${said}`);
  }
  return right;
}

await prove(import.meta, async () => {
  const args = process.argv.slice(2);
  const at = args.indexOf("--times");
  const times = at < 0 ? TIMES : Number(args[at + 1]);
  const named = Object.keys(KINDS).filter((name) => args.includes(name));
  const figures: string[] = [];
  const wrong: string[] = [];
  for (const name of named.length > 0 ? named : Object.keys(KINDS)) {
    const right = await compareTimes(name, times);
    const isIdentical = KINDS[name]?.claim === undefined;
    const missed = isIdentical ? 0 : Math.floor(times / MISSED_ONE_IN);
    figures.push(`${name} ${right} of ${times}`);
    if (right < times - missed) wrong.push(name);
  }
  if (wrong.length > 0) throw new Error(`Wrong: ${wrong.join(", ")}: ${figures.join(", ")}`);
  return `right in ${figures.join(", ")}`;
}, { skip: runtime.os === "linux" ? whyNoSockets() : "the figures of processes are Linux's" });
