/**
 * Runs a server and clients on each runtime and shows what happens.
 *
 * What is printed is a transcript: commands after `$`, what the server prints after `server |`,
 * what a client prints or receives after `client |`. It waits for the server after each step, so
 * that cause and effect stand together.
 *
 * @module
 */

import { ROOT, type RuntimeCommand, RUNTIMES } from "./runtimes.ts";

/** How long a step may take, in milliseconds. */
const STEP_MS = 10_000;

async function demonstrate(runtime: RuntimeCommand): Promise<void> {
  console.log(`\n=== ${runtime.name} ===`);
  show(runtime, "modes/threadpool.ts", "0");
  const server = start(runtime, "modes/threadpool.ts", "0");
  const watch = new Watch("server");
  const ended = Promise.all([watch.read(server.stdout), watch.read(server.stderr), server.status])
    .finally(() => watch.end());
  try {
    const [, host = "", port = ""] = await watch.until(/^Listening on (.+):(\d+) /);

    for (
      const [number, last] of [["100", "102"], ["2147483646", "-2147483648"], ["-7", "-5"]] as const
    ) {
      watch.forget();
      show(runtime, "client.ts", host, port, number);
      const client = start(runtime, "client.ts", host, port, number);
      const printed = new Watch("client");
      const [, , { code }] = await within(
        Promise.all([printed.read(client.stdout), printed.read(client.stderr), client.status]),
      );
      if (code !== 0) throw new Error(`Cannot demonstrate: the client's exit status is ${code}`);
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
  } finally {
    if (!watch.ended) {
      console.log("\n^C");
      Deno.kill(server.pid, "SIGINT");
    }
    await within(ended);
  }
  await watch.until(/ totals: accepted 4 · completed 3 · failed 1 \(mismatch 1\)/);
}

/** Prints a command as a person would type it. */
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

/** Prints lines as they come, and waits for the one that matters. */
class Watch {
  readonly #name: string;
  /** The lines since the last {@linkcode forget}. */
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

  /** Nothing more will come. */
  end(): void {
    this.ended = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Forgets the lines up to now. */
  forget(): void {
    this.#lines = [];
  }

  /** Waits for a line, or finds it among those that came since the last {@linkcode forget}. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const changed = this.#changed.promise;
      const at = this.#lines.findIndex((line) => pattern.test(line));
      const found = pattern.exec(this.#lines[at] ?? "");
      if (found !== null) return found;
      if (this.ended) throw new Error(`Cannot demonstrate: the ${this.#name} has ended`);
      await within(changed);
    }
  }
}

for (const runtime of RUNTIMES) await demonstrate(runtime);
console.log("\nAll as it should be: 3 handshakes done and 1 mistake answered on each runtime.");
