/**
 * The inside half of the sandbox: what runs there is ready, ends with the process outside, and
 * talks to it. `sandbox.ts` is the other half.
 *
 * @module
 */

import process from "node:process";
import { EXIT_DONE, EXIT_FAILED, EXIT_SIGNALLED } from "../../engine/cli/exit_status.ts";
import { readInput } from "../../engine/cli/standard_input.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { onInterrupt } from "../../engine/process/interrupts.ts";
import { parentOf } from "../../engine/process/process_status.ts";
import { whyNoCapture } from "./capture.ts";
import { raiseInterface } from "./interface.ts";
import { networkName } from "./network_name.ts";
import { PROBE, type ReadyLine, type RoleStyle } from "./sandbox.ts";
import type { Role, RoleContext } from "./role.ts";

/** How often to look whether the process outside is still there, in milliseconds. */
const LOOK_MS = 250;

/** The longest line from outside, in characters. */
const LONGEST_LINE = 1024 * 1024;

/** The roles by name. */
export type Roles = Readonly<Record<string, Role>>;

/** The role that does nothing more: that it could begin is the answer. */
const PROBING: Roles = { [PROBE]: () => Promise.resolve(EXIT_DONE) };

/**
 * Plays a role. The sandbox starts the program for it.
 *
 * @param words the arguments: the role, how it talks, the process outside, its network, the role's
 * arguments
 * @param roles the roles that there are
 * @returns the exit status
 */
export async function performInside(words: readonly string[], roles: Roles): Promise<number> {
  const [name = "", style, outside, network, ...args] = words as [
    string,
    RoleStyle,
    string,
    string,
    ...string[],
  ];
  const known = { ...PROBING, ...roles };
  const role = Object.hasOwn(known, name) ? known[name] : undefined;
  if (role === undefined) return EXIT_FAILED;
  endWith(Number(outside));
  // A role may change settings, which as root are the machine's where `unshare` does not do its part.
  const failed = networkName() === network ? SAME_NETWORK : prepare(sockets());
  if (style === "lines") say({ type: "sandbox", ...(failed && { failed }) } satisfies ReadyLine);
  if (failed !== undefined) return EXIT_FAILED;
  const context = new Conversation(args, style);
  return await role(context);
}

const SAME_NETWORK: ReadyLine["failed"] = { call: "unshare", code: "the same network" };

/** Sets the loopback up, and looks whether packets can be captured. */
function prepare(net: Sockets): ReadyLine["failed"] {
  try {
    raiseInterface(net, "lo");
  } catch (error) {
    return { call: "ioctl", code: codeOf(error) };
  }
  const error = whyNoCapture(net);
  return error && { call: "socket", code: codeOf(error) };
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

/**
 * Ends this process when the one outside is gone, however that has ended. Between the two stands
 * `unshare`, which does not notice.
 */
function endWith(outside: number): void {
  const look = () => {
    if (parentOf(process.ppid) === outside) return;
    runtime.exit(EXIT_SIGNALLED);
  };
  setInterval(look, LOOK_MS);
}

function say(line: unknown): void {
  try {
    runtime.printNow("stdout", `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody listens any more, so this process is about to end.
  }
}

/** The role's side of the talk. */
class Conversation implements RoleContext {
  readonly args: readonly string[];
  readonly #ending = new AbortController();
  readonly #lines: unknown[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  constructor(args: readonly string[], style: RoleStyle) {
    this.args = args;
    // Ctrl-C reaches this process too. It must not die of it, but end in order.
    onInterrupt(() => this.#ending.abort());
    if (style === "lines") void this.#listen().finally(() => this.#end());
    else this.#isOver = true;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  say(line: unknown): void {
    say(line);
  }

  async hear(): Promise<unknown> {
    while (this.#lines.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#lines.shift();
  }

  /** Reads at once what is said, also if the role does not ask for it: the end must be noticed. */
  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    let unfinished = "";
    for await (const piece of readInput()) {
      const lines = (unfinished + decoder.decode(piece, { stream: true })).split("\n");
      unfinished = lines.pop() as string;
      if (unfinished.length > LONGEST_LINE) return;
      for (const line of lines) this.#lines.push(JSON.parse(line));
      this.#wake();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#ending.abort();
    this.#wake();
  }
}
