/**
 * A real terminal for tests. The program runs in a window of `tmux`; tests press its keys and look
 * at its screen.
 *
 * @module
 */

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { delay, until, within } from "./harness.ts";
import { commandOf, whyNoProgram } from "./server_process.ts";

/** Why there can be no terminal here. */
export const whyNoTerminal: string | undefined = whyNoProgram("tmux");

/**
 * Runs a program, prints its exit status and keeps the terminal open. tmux can do that too, but it
 * waits for the status of some programs for ever. Ctrl-C is for the program and not for the shell.
 */
const KEEP_OPEN = 'trap : INT; "$@"; echo "ended: $?"; exec sleep 60';

/** Options for opening a terminal. */
export interface TerminalOptions {
  /** How many characters fit on a row. @default {80} */
  readonly columns?: number;
  /** How many rows it has. @default {24} */
  readonly rows?: number;
  /** Environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Who waits for the answer to a command. */
interface Asker {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A client of tmux in control mode (tmux(1)): it takes commands as lines and answers each in turn,
 * in place of a process for each command. Tests look at a screen hundreds of times.
 */
class Control {
  readonly #client: ChildProcess;
  readonly #askers: Asker[] = [];
  readonly #closed: Promise<void>;
  /** The answer that has begun, and the line that will end it. */
  #answer: { readonly end: string; readonly lines: string[] } | undefined;
  #isClosed = false;

  /** @param socket the name of the socket of the server */
  constructor(socket: string) {
    // Its own size must not count, and what programs print is looked at on the screen.
    const flags = ["-f", "ignore-size,no-output"];
    const args = ["-u", "-L", socket, "-C", "attach-session", ...flags];
    const client = this.#client = spawn("tmux", args, { stdio: ["pipe", "pipe", "ignore"] });
    client.stdin?.on("error", () => {});
    let rest = "";
    client.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) this.#take(line);
    });
    this.#closed = new Promise((resolve) => {
      const close = () => {
        this.#isClosed = true;
        for (const { reject } of this.#askers.splice(0)) reject(new Error("tmux has ended"));
        resolve();
      };
      client.on("close", close).on("error", close);
    });
  }

  /** Gives a command, and returns what it prints. */
  ask(args: readonly string[]): Promise<string> {
    if (this.#isClosed) return Promise.reject(new Error("tmux has ended"));
    return new Promise((resolve, reject) => {
      this.#askers.push({ resolve, reject });
      this.#client.stdin?.write(`${args.map(quote).join(" ")}\n`);
    });
  }

  /** Waits until the server has ended. */
  async ended(): Promise<void> {
    await within(5_000, "tmux to end", this.#closed);
  }

  #take(line: string): void {
    if (this.#answer === undefined) {
      // The answers to others' commands have other flags: the first is to the command line itself.
      const [, begun] = /^%begin (\d+ \d+ 1)$/.exec(line) ?? [];
      if (begun !== undefined) this.#answer = { end: begun, lines: [] };
      return;
    }
    const { end, lines } = this.#answer;
    const isError = line === `%error ${end}`;
    if (!isError && line !== `%end ${end}`) return void lines.push(line);
    this.#answer = undefined;
    const asker = this.#askers.shift();
    if (isError) asker?.reject(new Error(`tmux: ${lines.join("\n")}`));
    else asker?.resolve(lines.map((line) => `${line}\n`).join(""));
  }
}

/** A word of a command as tmux reads it, with all that could mean something to it in octal. */
function quote(word: string): string {
  const safe = word.replace(
    // deno-lint-ignore no-control-regex -- a line feed would end the command
    /[\x00-\x1f\x7f"$\\~`]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"${safe}"`;
}

let count = 0;

/** The terminals that are still open. They are ended if the tests themselves are. */
const running = new Set<string>();
process.on("exit", () => {
  for (const socket of running) execFileSync("tmux", ["-L", socket, "kill-server"]);
});

/** A terminal with one program in it. */
export class Terminal implements AsyncDisposable {
  readonly #socket = `handshake-${process.pid}-${++count}`;
  #control: Control | undefined;

  private constructor() {
    running.add(this.#socket);
  }

  /**
   * Runs a script of this project with the runtime that runs the tests.
   *
   * @param script its path
   * @param args its arguments
   * @param options the options of the terminal
   */
  static async open(
    script: string,
    args: readonly string[],
    options: TerminalOptions = {},
  ): Promise<Terminal> {
    return await Terminal.#start(
      ["sh", "-c", KEEP_OPEN, "sh", ...commandOf(script, args)],
      options,
    );
  }

  /** Opens a shell that can stop and continue its jobs. Its prompt is `$`. */
  static async openShell(options: TerminalOptions = {}): Promise<Terminal> {
    const environment = { ...options.environment, PS1: "$ ", HISTFILE: "" };
    return await Terminal.#start(["bash", "--norc", "-i"], { ...options, environment });
  }

  static async #start(
    command: readonly string[],
    { columns = 80, rows = 24, environment = {} }: TerminalOptions,
  ): Promise<Terminal> {
    const terminal = new Terminal();
    await run("tmux", [
      ...["-L", terminal.#socket, "-u", "-f", "/dev/null"],
      ...["new-session", "-d", "-x", `${columns}`, "-y", `${rows}`],
      ...["-c", fileURLToPath(new URL("../../", import.meta.url))],
      ...Object.entries(environment).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...["--", ...command],
    ]);
    terminal.#control = new Control(terminal.#socket);
    return terminal;
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text);
  }

  /**
   * Pastes text, all of it at once.
   *
   * @param text the text
   * @param isMarked whether the terminal tells programs that want to know it that this was pasted
   */
  async paste(text: string, isMarked = false): Promise<void> {
    // tmux does not take commands of more than 16 KiB.
    for (const piece of text.match(/.{1,4000}/gs) ?? []) {
      await this.#tmux("set-buffer", "-a", "-b", "pasted", "--", piece);
    }
    await this.#tmux("paste-buffer", ...(isMarked ? ["-p"] : []), "-d", "-b", "pasted");
  }

  /** Presses keys. They have the names that tmux gives them, for instance `Enter`, `Up`, `C-d`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** The rows of the screen, without the empty ones at its end. */
  async screen(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd().split("\n");
  }

  /** The screen with its escape sequences for colours and the like; `␛` stands for escape. */
  async styledScreen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-e")).replaceAll("\x1b", "␛");
  }

  /** Waits until the screen shows this, and returns its text. An error contains the text too. */
  async shows(what: string | RegExp): Promise<string> {
    let text = "";
    await until(`the screen to show ${what}`, async () => {
      text = (await this.screen()).join("\n");
      return typeof what === "string" ? text.includes(what) : what.test(text);
    }, 15_000).catch((error) => {
      throw new Error(`${error.message}\n${text}`, { cause: error });
    });
    return text;
  }

  /** Whether the cursor can be seen. */
  async hasCursor(): Promise<boolean> {
    return (await this.#tmux("display-message", "-p", "#{cursor_flag}")).trim() === "1";
  }

  /** Changes the width. */
  async resize(columns: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`);
    const tty = (await this.#tmux("display-message", "-p", "#{pane_tty}")).trim();
    // tmux wraps the lines on its screen anew, and tells the program a moment later.
    await until(`the terminal to be ${columns} columns wide`, async () => {
      const size = await run("sh", ["-c", 'exec stty size < "$0"', tty]);
      if (size.trim().endsWith(` ${columns}`)) return true;
      await delay(20);
      return false;
    });
  }

  /**
   * Continues the program as a shell does after it has stopped it: the terminal has the mode of the
   * shell, and shows what the shell has printed.
   */
  async continueFromShell(): Promise<void> {
    const asked = await this.#tmux("display-message", "-p", "#{pane_tty} #{pane_pid}");
    const [tty, group] = asked.trim().split(" ");
    const shell = 'stty sane < "$0"; printf "\\033[2J\\033[H$ fg" > "$0"';
    await run("sh", ["-c", shell, tty as string]);
    process.kill(-Number(group), "SIGCONT");
  }

  /** Waits until the program has ended, and returns its exit status. */
  async end(): Promise<number> {
    const text = await this.shows(/^ended: \d+$/m);
    return Number(/^ended: (\d+)$/m.exec(text)?.[1]);
  }

  /** Ends the terminal, and with it the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
    await this.#control?.ended();
    running.delete(this.#socket);
  }

  #tmux(...args: readonly string[]): Promise<string> {
    return (this.#control as Control).ask(args);
  }
}

/** Runs a command, and returns what it prints. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")}: ${stderr}`, { cause: error }));
    });
  });
}
