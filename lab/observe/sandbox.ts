/**
 * The sandbox: this program runs itself again in a user and a network namespace of its own, where
 * any user may capture packets and change the settings of TCP. Nobody else's traffic is there, and
 * there is no way out.
 *
 * This is the outside half. A role is what the program does inside: `inside.ts` has the other half
 * and the table of the roles. They talk in lines of JSON, or the role has the terminal.
 *
 * The program is started by `unshare` (unshare(1)) and does not call unshare(2) itself, because that
 * call refuses a process with several threads, and a runtime has several.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { runtime } from "../../engine/net/runtime.ts";
import { escapeText } from "../../protocols/text.ts";
import { networkName } from "./network_name.ts";
import { ownCommand } from "./own_command.ts";
import { explainRefusal, gatherSigns, type Refusal, type SandboxSigns } from "./sandbox_signs.ts";
import { SCRIPT } from "./subcommand.ts";

/** The word that runs a role: `observe inside …`, or `quiz inside …`. It is no command for people. */
export const INSIDE = "inside";

/** The role that only tells whether there can be a sandbox. */
export const PROBE = "probe";

/** What the role talks through. */
export type RoleStyle = "lines" | "terminal";

/** The first line from inside: whether everything that a role may count on is there. */
export interface ReadyLine {
  readonly type: "sandbox";
  /** The call that has failed, and its code; absent if all is well. */
  readonly failed?: { readonly call: string; readonly code: string };
}

/** How long it may take until the program inside runs, in milliseconds. */
const START_MS = 20_000;

/** How long a role has to end when it is asked to, in milliseconds. */
const END_MS = 5_000;

/** How much of what is said on standard error is kept, in characters. */
const KEPT = 2_000;

/** What starts a program in namespaces of its own. When `unshare` is killed, so is the program. */
const UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--kill-child", "--"] as const;

/** There is no sandbox here. */
export class SandboxError extends Error {
  /** The class's name. */
  override readonly name = "SandboxError";
  /** Why. */
  readonly refusal: Refusal;
  /**
   * Whether Ctrl-C has ended it while it started. A terminal interrupts all of its programs, and
   * this process may not have noticed yet. It says nothing about sandboxes.
   */
  readonly wasInterrupted: boolean;

  /** @param refusal why @param wasInterrupted whether Ctrl-C has ended it */
  constructor(refusal: Refusal, wasInterrupted = false) {
    super(`Cannot make the sandbox: ${refusal.sentence}`);
    this.refusal = refusal;
    this.wasInterrupted = wasInterrupted;
  }
}

/** How to run a role. */
export interface RoleOptions {
  /** Its arguments. */
  readonly args?: readonly string[];
  /** How long it may run once it is inside, in milliseconds; then it is killed. @default {Infinity} */
  readonly limitMs?: number;
  /** Gives up while the role starts. What becomes of it afterwards is the caller's affair. */
  readonly signal?: AbortSignal;
  /** The path of the script that plays it. @default {"lab/observe.ts"} */
  readonly script?: string;
}

/**
 * Why there is no sandbox, found by trying to make one.
 *
 * @returns the reason; `undefined` if there can be one
 */
export async function whyNoSandbox(): Promise<Refusal | undefined> {
  try {
    await using _sandbox = await Sandbox.open(PROBE);
    return undefined;
  } catch (error) {
    if (error instanceof SandboxError) return error.refusal;
    throw error;
  }
}

/**
 * Runs a role that has the terminal: its standard streams are those of this process. An interrupt
 * from the terminal reaches the role itself.
 *
 * @param role its name
 * @param options its arguments, and how long it may run
 * @returns its exit status; `null` if it was killed
 * @throws {SandboxError} if there is no sandbox
 */
export async function runInTerminal(role: string, options?: RoleOptions): Promise<number | null> {
  const refusal = await whyNoSandbox();
  if (refusal !== undefined) throw new SandboxError(refusal);
  const { limitMs = Infinity } = options ?? {};
  const [program, ...words] = commandLine(role, "terminal", options);
  const child = spawn(program as string, words, { stdio: "inherit" });
  const kill = () => void child.kill("SIGKILL");
  const forget = [
    killAtTheEnd(child),
    // The role itself hears Ctrl-C, and decides what becomes of it.
    runtime.onSignal("SIGINT", () => {}),
    runtime.onSignal("SIGTERM", kill),
  ];
  const late = limitMs === Infinity ? undefined : setTimeout(kill, limitMs);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
  } finally {
    clearTimeout(late);
    forget.forEach((stop) => stop());
  }
}

/** A role that runs and talks in lines. */
export class Sandbox implements AsyncDisposable {
  /** Resolves when the role has ended, with its exit status; `null` if it was killed. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  /** The lines that nobody has taken yet. */
  readonly #lines: unknown[] = [];
  #wake: () => void = () => {};
  #unfinished = "";
  #said = "";
  #startCode: string | undefined;
  #wasInterrupted = false;
  #isOver = false;
  #limit: ReturnType<typeof setTimeout> | undefined;

  private constructor(role: string, options: RoleOptions) {
    const [program, ...words] = commandLine(role, "lines", options);
    const child = this.#child = spawn(program as string, words, {
      stdio: ["pipe", "pipe", "pipe"],
      // The reason for a refusal is recognized by its English words.
      env: { ...process.env, LC_ALL: "C" },
    });
    const forget = killAtTheEnd(child);
    child.stdin?.on("error", () => {
      // The role has ended without reading everything. Its end is reported anyway.
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-KEPT);
    });
    this.ended = new Promise((resolve) => {
      const end = (status: number | null) => {
        this.#isOver = true;
        clearTimeout(this.#limit);
        forget();
        resolve(status);
        this.#wake();
      };
      child.on("close", (status, signal) => {
        this.#wasInterrupted = signal === "SIGINT";
        end(status);
      });
      child.on("error", (error) => {
        this.#startCode = (error as { code?: string }).code ?? error.name;
        end(null);
      });
    });
  }

  /**
   * Starts a role, and waits until it is inside.
   *
   * @param role its name
   * @param options its arguments, and how long it may run
   * @throws {SandboxError} if there is no sandbox
   */
  static async open(role: string, options: RoleOptions = {}): Promise<Sandbox> {
    const { limitMs = Infinity, signal } = options;
    if (runtime.os !== "linux") throw new SandboxError(refuse({ said: "" }));
    let sandbox: Sandbox;
    try {
      sandbox = new Sandbox(role, options);
    } catch (error) {
      // Some runtimes throw what others report later.
      const startCode = (error as { code?: string }).code ?? (error as Error).name;
      throw new SandboxError(refuse({ said: "", startCode }));
    }
    sandbox.limitTo(START_MS);
    const giveUp = () => void sandbox.#child.kill("SIGKILL");
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted) giveUp();
    const ready = await sandbox.next() as ReadyLine | undefined;
    signal?.removeEventListener("abort", giveUp);
    sandbox.limitTo(limitMs);
    if (ready?.type === "sandbox" && ready.failed === undefined) return sandbox;
    await sandbox[Symbol.asyncDispose]();
    const { failed } = ready ?? {};
    throw new SandboxError(
      refuse({ said: sandbox.#said, startCode: sandbox.#startCode, inside: failed }),
      sandbox.#wasInterrupted || signal?.aborted === true,
    );
  }

  /** Whether the role has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The last words of the role on standard error, escaped; empty if there were none. */
  get lastWords(): string {
    return escapeText(this.#said.trim().split("\n").at(-1) ?? "");
  }

  /**
   * The next line of the role.
   *
   * @returns what the line says; `undefined` when the role has ended
   */
  async next(): Promise<unknown> {
    while (this.#lines.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#lines.shift();
  }

  /** All lines that are still to come, until the role ends. */
  async *lines(): AsyncGenerator<unknown> {
    for (let line = await this.next(); line !== undefined; line = await this.next()) yield line;
  }

  /**
   * Says something to the role.
   *
   * @param line what can be written as JSON
   */
  say(line: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  /** Asks the role to end in order: it hears that nothing more will be said. */
  finish(): void {
    this.#child.stdin?.end();
  }

  /** Ends the role, with time to end in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.finish();
    this.limitTo(END_MS);
    await this.ended;
  }

  /**
   * Kills the role after that time, in place of what was said before.
   *
   * @param ms from now on, in milliseconds; `Infinity` is never
   */
  limitTo(ms: number): void {
    clearTimeout(this.#limit);
    if (this.#isOver || ms === Infinity) return;
    this.#limit = setTimeout(() => this.#child.kill("SIGKILL"), ms);
  }

  #hear(text: string): void {
    const lines = (this.#unfinished + text).split("\n");
    this.#unfinished = lines.pop() as string;
    for (const line of lines) {
      try {
        this.#lines.push(JSON.parse(line));
      } catch {
        // A program that was loaded into the role's process has printed something else.
        this.#said = (this.#said + line + "\n").slice(-KEPT);
      }
    }
    this.#wake();
  }
}

/** The roles that still run. They are killed when this process exits. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A role that still runs is killed when this process exits. @returns stops that */
function killAtTheEnd(child: ChildProcess): () => void {
  // One listener for all: many sandboxes may run at the same time.
  if (running.size === 0) process.on("exit", killAll);
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killAll);
  };
}

function commandLine(
  role: string,
  style: RoleStyle,
  { args = [], script = SCRIPT }: RoleOptions = {},
): string[] {
  const words = [role, style, String(process.pid), networkName(), ...args];
  return [...UNSHARE, ...ownCommand(script, INSIDE, ...words)];
}

function refuse(tried: Pick<SandboxSigns, "startCode" | "said" | "inside">): Refusal {
  return explainRefusal(gatherSigns(tried));
}
