/**
 * Runs servers and clients on each runtime and shows what happens.
 *
 * It prints a transcript: commands after `$`, a server's output after `server |`, and what a client
 * prints or receives after `client |`. It waits for the server after each step, so that cause and
 * effect stand together.
 *
 * @module
 */

import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

/** How long a step may take, in milliseconds. */
const STEP_MS = 10_000;

/** A question for `frame` that takes a tenth of a second or more. */
const LONG = "P9007199254740881";

/** Four handshakes: three succeed and one fails. */
async function shakeHands(runtime: RuntimeCommand): Promise<void> {
  await serving(runtime, ["modes/threadpool.ts", "0"], async (watch, host, port) => {
    for (
      const [number, last] of [["100", "102"], ["2147483646", "-2147483648"], ["-7", "-5"]] as const
    ) {
      watch.forget();
      await runClient(runtime, host, port, number);
      await watch.until(/ done /);
      await watch.until(new RegExp(`^HELLO ${last}$`));
    }

    watch.forget();
    console.log("\nAnd one that makes a mistake, HELLO 7 and then HELLO 10 instead of HELLO 9:");
    console.log(`\n$ printf 'HELLO 7\\nHELLO 10\\n' | nc ${host} ${port}`);
    const peer = await Deno.connect({ hostname: host, port: Number(port) });
    await peer.write(new TextEncoder().encode("HELLO 7\nHELLO 10\n"));
    const answer = new Watch("client");
    await within(answer.read(peer.readable).finally(() => answer.end()));
    await answer.until(/^ERROR expected HELLO 9, got HELLO 10$/);
    await watch.until(/ failed /);
    await watch.until(/^HELLO 10$/);
  }, /accepted 4 · completed 3 · failed 1 \(mismatch 1\)/);
}

/** One client asks for a long computation, and two others ask for little. */
async function compute(runtime: RuntimeCommand): Promise<void> {
  const loop = ["modes/event.ts", "0", "--protocol", "frame"];
  const frames = ["--protocol", "frame", LONG, "echo", "P7"];
  console.log(
    "\nThree clients at once. A Worker computes, so those who ask for little need not wait:",
  );
  await serving(runtime, loop, async (watch, host, port) => {
    const answers = await runClient(runtime, host, port, ...frames);
    if (!answers.at(-1)?.startsWith(`${LONG} → prime `)) {
      throw new Error("Cannot demonstrate: the long computation was not answered last");
    }
    for (let done = 0; done < 3; done++) await watch.until(/ done /, done);
  }, /accepted 3 · completed 3 · failed 0/);
  console.log("\nThe same, but the loop computes by itself, so everybody waits for it:");
  await serving(runtime, [...loop, "--offload", "0"], async (watch, host, port) => {
    await runClient(runtime, host, port, ...frames);
    for (let done = 0; done < 3; done++) await watch.until(/ done /, done);
  }, /accepted 3 · completed 3 · failed 0/);
}

/** Starts a server, lets clients talk to it, and ends it. */
async function serving(
  runtime: RuntimeCommand,
  command: readonly string[],
  talk: (watch: Watch, host: string, port: string) => Promise<void>,
  totals: RegExp,
): Promise<void> {
  show(runtime, ...command);
  const server = start(runtime, ...command);
  const watch = new Watch("server");
  const ended = Promise.all([watch.read(server.stdout), watch.read(server.stderr), server.status])
    .finally(() => watch.end());
  try {
    const [, host = "", port = ""] = await watch.until(/^Listening on (.+):(\d+) /);
    await talk(watch, host, port);
  } finally {
    if (!watch.ended) {
      console.log("\n^C");
      Deno.kill(server.pid, "SIGINT");
    }
    await within(ended);
  }
  await watch.until(new RegExp(` totals: ${totals.source}`));
}

/** Runs the client to its end and returns the lines that it printed. */
async function runClient(
  runtime: RuntimeCommand,
  ...args: readonly string[]
): Promise<readonly string[]> {
  show(runtime, "client.ts", ...args);
  const client = start(runtime, "client.ts", ...args);
  const printed = new Watch("client");
  const [, , { code }] = await within(
    Promise.all([printed.read(client.stdout), printed.read(client.stderr), client.status]),
  );
  if (code !== 0) throw new Error(`Cannot demonstrate: the client's exit status is ${code}`);
  return printed.lines;
}

/** Prints a command as a user would type it. */
function show({ name, run }: RuntimeCommand, ...args: readonly string[]): void {
  console.log(`\n$ ${[name, ...run, ...args].join(" ")}`);
}

function start({ path, run }: RuntimeCommand, ...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(path, {
    args: [...run, ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function within<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`Cannot demonstrate: a step took longer than ${STEP_MS} ms`));
  }, STEP_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Prints lines as they arrive, and waits for a particular line. */
class Watch {
  readonly #name: string;
  #lines: string[] = [];
  #changed = Promise.withResolvers<void>();
  ended = false;

  constructor(name: string) {
    this.#name = name;
  }

  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#add(line);
    }
    if (rest !== "") this.#add(rest);
  }

  #add(line: string): void {
    console.log(`${this.#name} | ${line}`);
    this.#lines.push(line);
    this.#change();
  }

  /** Nothing more will arrive. */
  end(): void {
    this.ended = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Forgets the lines that have arrived so far. */
  forget(): void {
    this.#lines = [];
  }

  /** The lines since the last {@linkcode forget}. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /**
   * Waits for a line; it may already have arrived since the last {@linkcode forget}.
   *
   * @param pattern the pattern of the line
   * @param before how many matching lines precede it
   */
  async until(pattern: RegExp, before = 0): Promise<RegExpExecArray> {
    for (;;) {
      const changed = this.#changed.promise;
      const line = this.#lines.filter((line) => pattern.test(line))[before] ?? "";
      const found = pattern.exec(line);
      if (found !== null) return found;
      if (this.ended) throw new Error(`Cannot demonstrate: the ${this.#name} has ended`);
      await within(changed);
    }
  }
}

for (const runtime of RUNTIMES) {
  console.log(`\n=== ${runtime.name} ===`);
  await shakeHands(runtime);
  await compute(runtime);
}
console.log(
  "\nAll as it should be, on each runtime: 3 handshakes done, 1 mistake answered, 6 frames answered.",
);
