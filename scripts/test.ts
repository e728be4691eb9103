/**
 * Runs the tests on both runtimes and adds up what their runners count.
 *
 * The last line of standard output is `N passed, N failed`. The exit status is 0 only if every
 * runner ran something, counted no failure and said that all is well.
 *
 * @module
 */

import { ROOT, type RuntimeCommand, RUNTIMES } from "./runtimes.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How much of a runner's output is kept to find its summary, in characters. */
const KEPT = 4096;

const files = Deno.args.length > 0 ? Deno.args : ["./tests/"];
const counts: Count[] = [];
for (const runtime of RUNTIMES) {
  console.log(`\n--- ${runtime.name} test ---\n`);
  counts.push(await runTests(runtime));
}

console.log();
counts.forEach(({ passed, failed, skipped }, index) => {
  console.log(`${RUNTIMES[index]?.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
});
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

async function runTests({ name, path, test }: RuntimeCommand): Promise<Count> {
  const child = new Deno.Command(path, {
    args: [...test, ...files],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, stderr, { success }] = await Promise.all([
    copy(child.stdout, Deno.stdout),
    copy(child.stderr, Deno.stderr),
    child.status,
  ]);
  const count = name === "deno" ? readDeno(stdout) : readBun(stderr);
  // A runner that fails without a failed test, or that ran nothing, has failed all the same.
  const sound = success && count.passed > 0;
  return { ...count, failed: sound ? count.failed : Math.max(1, count.failed) };
}

/** Passes a runner's output on as it comes, and returns the end of it without colours. */
async function copy(from: ReadableStream<Uint8Array>, to: typeof Deno.stdout): Promise<string> {
  const decoder = new TextDecoder();
  let end = "";
  for await (const chunk of from) {
    for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
    end = (end + decoder.decode(chunk, { stream: true })).slice(-KEPT);
  }
  // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
  return end.replaceAll(/\u001b\[[0-9;]*m/g, "");
}

/** For instance `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`. */
function readDeno(output: string): Count {
  const summary = output.split("\n").findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  return {
    passed: numberIn(summary, /(\d+) passed/),
    failed: numberIn(summary, /(\d+) failed/),
    skipped: numberIn(summary, /(\d+) ignored/),
  };
}

/** For instance ` 12 pass`, ` 1 skip`, ` 0 fail`, each on a line. */
function readBun(output: string): Count {
  return {
    passed: numberIn(output, /^ *(\d+) pass$/m),
    failed: numberIn(output, /^ *(\d+) fail$/m),
    skipped: numberIn(output, /^ *(\d+) skip$/m) + numberIn(output, /^ *(\d+) todo$/m),
  };
}

function numberIn(text: string | undefined, pattern: RegExp): number {
  return Number(pattern.exec(text ?? "")?.[1] ?? 0);
}
