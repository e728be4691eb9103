/**
 * Plays on a terminal: each key does something at once, and the whole screen shows what comes of it.
 * Whatever ends it, the terminal is as it was before.
 *
 * @module
 */

import process from "node:process";
import { EXIT_DONE, EXIT_SIGNALLED } from "../../../engine/cli/exit_status.ts";
import { runtime } from "../../../engine/net/runtime.ts";
import { onEndingSignal } from "../../../engine/process/ending_signals.ts";
import type { Event } from "../../../engine/recording/events.ts";
import type { RecordingFile } from "../../../engine/recording/recording_file.ts";
import type { WireCommand } from "./commands.ts";
import type { View } from "./game.ts";
import { describeShortly, record } from "./outcome.ts";
import type { WireOutcome } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { nextScenario } from "./scenarios.ts";
import { drawScreen, type Scene, type Size } from "./screen.ts";
import { WireSession } from "./session.ts";

/** How many games may follow each other. */
const MOST_GAMES = 100;

/** The slowness that can be chosen, in milliseconds for each packet. */
const SLOWNESS = [50, 100, 200, 500, 1000, 2000, 5000] as const;
const FIRST_SLOWNESS = 500;

/** How late a packet arrives that is delayed. */
const LATE_MS = 1000;

/** How soon a process that asks to be stopped is stopped, in milliseconds. */
const STOPS_MS = 50;

const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l";

/** How to play. */
export interface ScreenOptions {
  /** What is played first; `undefined` for a wire without a goal. */
  readonly scenario: Scenario | undefined;
  /** Where the protocol is that both ends speak. */
  readonly protocol: string | undefined;
  /** How long a game may take, in milliseconds. */
  readonly limitMs: number;
  /** How many packets the wire takes. */
  readonly mostPackets: number;
  /** Where to write a recording. */
  readonly record: string | undefined;
}

/** What kind of terminal there is. */
export interface TerminalKind {
  /** Whether keys can be read and a screen be drawn at all. */
  readonly isTerminal: boolean;
  /** Its name, as `TERM` says it. */
  readonly name: string | undefined;
}

/** The terminal of this process. */
export function ownTerminal(): TerminalKind {
  return {
    isTerminal: runtime.isTerminal("stdin") && runtime.isTerminal("stdout"),
    name: process.env.TERM,
  };
}

/**
 * Why nothing can be shown and no key be read; `undefined` if both can.
 *
 * @param terminal the terminal
 */
export function whyNoScreen({ isTerminal, name }: TerminalKind): string | undefined {
  if (!isTerminal) return "Cannot show the wire: this is no terminal";
  return name === undefined || name === "" || name === "dumb"
    ? "Cannot show the wire: this terminal cannot move its cursor (TERM=dumb)"
    : undefined;
}

/**
 * Plays until the player has had enough.
 *
 * @param options what
 * @returns the exit status
 * @throws {SandboxError} if there is no sandbox
 */
export async function playOnScreen(options: ScreenOptions): Promise<number> {
  const { limitMs } = options;
  await using session = await WireSession.open({ limitMs, games: MOST_GAMES });
  using recording = record(options.record, session.beganUs);
  const player = new Player(session, options, recording);
  using screen = new TerminalScreen();
  player.show(screen);
  const status = await player.play();
  screen[Symbol.dispose]();
  screen.print(player.summary.map((line) => `${line}\n`).join(""));
  recording?.finish();
  return status;
}

/** The keys and the whole screen of a terminal. */
class TerminalScreen implements Disposable {
  /** Receives each key: what the terminal sends for it. */
  onKey: (key: string) => void = () => {};
  /** Is called when the size has changed. */
  onResize: () => void = () => {};
  /** Is called when the terminal itself has gone: its window is closed, its connection has ended. */
  onGone: () => void = () => {};
  #shown: string[] = [];
  #size: Size = { columns: 0, rows: 0 };
  /** Whether this screen is shown, and not what was there before it. */
  #isShown = false;
  #isLeft = false;
  readonly #hear = (bytes: Uint8Array) => {
    for (const key of keysIn(new TextDecoder().decode(bytes))) this.onKey(key);
  };
  readonly #leave = () => this[Symbol.dispose]();
  readonly #resize = () => this.onResize();
  readonly #continue = () => {
    if (!this.#isLeft) this.#show();
  };

  constructor() {
    // Whatever ends the process, the terminal is given back.
    process.on("exit", this.#leave);
    process.on("SIGCONT", this.#continue);
    process.stdin.on("data", this.#hear);
    process.stdout.on("resize", this.#resize);
    this.#show();
  }

  /** Stops this process, as Ctrl-Z does where keys are not read one by one. */
  stop(): void {
    this.#hide();
    process.kill(process.pid, "SIGTSTP");
    // Without a shell that could continue it, the kernel does not stop it, and there is no SIGCONT.
    setTimeout(this.#continue, STOPS_MS);
  }

  /** Draws what has changed. @param draw draws for a size */
  draw(draw: (size: Size) => string[]): void {
    if (!this.#isShown) return;
    const size = sizeOfTerminal();
    const isNew = size.columns !== this.#size.columns || size.rows !== this.#size.rows;
    const lines = draw(size);
    const changed = lines.flatMap((line, row) =>
      isNew || line !== this.#shown[row] ? [`\x1b[${row + 1};1H${line}\x1b[K`] : []
    );
    this.#shown = lines;
    this.#size = size;
    if (changed.length === 0) return;
    this.print((isNew ? "\x1b[2J" : "") + changed.join(""));
  }

  /** Prints, if the terminal is still there. */
  print(text: string): void {
    this.#try(() => runtime.printNow("stdout", text));
  }

  /** Gives the terminal back. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    process.off("exit", this.#leave);
    process.off("SIGCONT", this.#continue);
    process.stdout.off("resize", this.#resize);
    process.stdin.off("data", this.#hear);
    if (this.#isShown) this.#hide();
    process.stdin.pause();
  }

  /** Takes the terminal. After a stop, the shell has changed its mode, and perhaps what it shows. */
  #show(): void {
    this.#try(() => {
      process.stdin.setRawMode(false);
      process.stdin.setRawMode(true);
    });
    process.stdin.resume();
    if (!this.#isShown) this.print(ENTER_SCREEN);
    this.#isShown = true;
    // A size that no terminal has: all lines are drawn anew.
    this.#size = { columns: 0, rows: 0 };
    this.onResize();
  }

  #hide(): void {
    this.#isShown = false;
    this.#try(() => process.stdin.setRawMode(false));
    this.print(LEAVE_SCREEN);
  }

  /** Does something that fails when the terminal has gone. */
  #try(act: () => void): void {
    try {
      act();
    } catch {
      this.onGone();
    }
  }
}

function sizeOfTerminal(): Size {
  const { columns, rows } = process.stdout;
  // A terminal that tells no size is as large as the first ones were.
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/** Takes keys apart that have come together. Those that begin with escape are none of ours. */
function keysIn(text: string): string[] {
  // deno-lint-ignore no-control-regex -- a terminal sends these for arrows and the like
  return [...text.replace(/\x1b(\[[0-9;?]*[ -/]*[@-~]|O.|.)?/g, "")];
}

/** A player, and the game that is on. */
class Player {
  readonly #session: WireSession;
  readonly #options: ScreenOptions;
  readonly #recording: RecordingFile | undefined;
  readonly #ended = Promise.withResolvers<number>();
  readonly #summary: string[] = [];
  #screen: TerminalScreen | undefined;
  #scenario: Scenario | undefined;
  #game = -1;
  #games = 0;
  #view: View | undefined;
  #events: Event[] = [];
  #outcome: WireOutcome | undefined;
  #hints = 0;
  #hint: string | undefined;
  #runMs: number = FIRST_SLOWNESS;
  #isRunning = false;

  constructor(
    session: WireSession,
    options: ScreenOptions,
    recording: RecordingFile | undefined,
  ) {
    this.#session = session;
    this.#options = options;
    this.#recording = recording;
    this.#begin(options.scenario);
  }

  /** What was played, a line each. */
  get summary(): readonly string[] {
    return this.#summary;
  }

  /** Takes the keys of a screen, and draws on it. */
  show(screen: TerminalScreen): void {
    this.#screen = screen;
    screen.onKey = (key) => this.#press(key);
    screen.onResize = () => this.#draw();
    screen.onGone = () => this.#ended.resolve(EXIT_SIGNALLED);
    this.#draw();
  }

  /** @returns the exit status, when the player has had enough */
  async play(): Promise<number> {
    const forget = onEndingSignal(() => this.#ended.resolve(EXIT_SIGNALLED));
    try {
      return await Promise.race([this.#ended.promise, this.#listen()]);
    } finally {
      forget();
    }
  }

  async #listen(): Promise<never> {
    while (true) {
      const report = await this.#session.next();
      // What an earlier game still says is of no interest.
      if (report.kind === "failed" || report.game !== this.#game) continue;
      switch (report.kind) {
        case "event":
          if (report.isSpare !== true) this.#events.push(report.event);
          this.#recording?.add(report.event);
          break;
        case "view":
          this.#view = report.view;
          this.#draw();
          break;
        case "over":
          this.#outcome = report.outcome;
          this.#recording?.flush();
          this.#summarize(report.outcome);
          this.#draw();
      }
    }
  }

  #begin(scenario: Scenario | undefined): void {
    this.#session.say({ kind: "leave", game: this.#game });
    const { protocol, limitMs, mostPackets } = this.#options;
    this.#scenario = scenario;
    this.#view = undefined;
    this.#events = [];
    this.#outcome = undefined;
    this.#hints = 0;
    this.#hint = undefined;
    this.#isRunning = false;
    this.#games++;
    this.#game = this.#session.begin({
      ...(scenario !== undefined && { scenario: scenario.name }),
      ...(protocol !== undefined && { protocol }),
      wantsEvents: true,
      wantsViews: true,
      limitMs,
      mostPackets,
    }).game;
    this.#draw();
  }

  #press(key: string): void {
    if (key === "\x03") return this.#ended.resolve(EXIT_SIGNALLED);
    if (key === "q" || key === "\x04") return this.#ended.resolve(EXIT_DONE);
    if (key === "\x1a") return this.#screen?.stop();
    if (key === "a" && this.#games < MOST_GAMES) return this.#begin(this.#scenario);
    if (this.#outcome !== undefined) {
      const next = this.#next;
      if (key === "n" && next !== undefined && this.#games < MOST_GAMES) this.#begin(next);
      return;
    }
    if (key === "h") this.#giveHint();
    else if (key === "+" || key === "-") this.#changeSlowness(key === "+" ? 1 : -1);
    else {
      const commands = this.#commandsFor(key);
      if (commands.length > 0) this.#hint = undefined;
      for (const command of commands) this.#do(command);
    }
    this.#draw();
  }

  #commandsFor(key: string): readonly WireCommand[] {
    switch (key) {
      case " ":
      case "\r":
      case "\n":
        return [{ verb: "deliver" }];
      case "l":
        return [{ verb: "lose" }];
      case "d":
        return [{ verb: "double" }];
      case "w":
        return [{ verb: "delay", ms: LATE_MS }];
      case "o":
        return [{ verb: "reorder" }];
      case "r":
        this.#isRunning = !this.#isRunning;
        return [this.#isRunning ? { verb: "run", ms: this.#runMs } : { verb: "pause" }];
    }
    const action = this.#scenario?.actions.find((each) => each.key === key);
    if (action === undefined) return [];
    const { end, action: what, texts = [undefined] } = action;
    return texts.map((text) => ({
      verb: "act",
      end,
      action: what,
      ...(text !== undefined && { text }),
    }));
  }

  #do(command: WireCommand): void {
    this.#session.say({ kind: "do", game: this.#game, command });
  }

  #giveHint(): void {
    const hints = this.#scenario?.hints ?? [];
    if (hints.length === 0) return;
    const number = Math.min(this.#hints, hints.length - 1);
    const more = number + 1 < hints.length ? " (h: the next hint)" : "";
    this.#hint = `${hints[number]}${more}`;
    this.#hints++;
  }

  #changeSlowness(step: 1 | -1): void {
    const at = SLOWNESS.findIndex((ms) => ms === this.#runMs) + step;
    this.#runMs = SLOWNESS[at] ?? this.#runMs;
    if (this.#isRunning) this.#do({ verb: "run", ms: this.#runMs });
  }

  get #next(): Scenario | undefined {
    return this.#scenario && nextScenario(this.#scenario.name);
  }

  #summarize(outcome: WireOutcome): void {
    const name = this.#scenario?.name ?? "wire";
    this.#summary.push(`${name}: ${describeShortly(outcome, this.#scenario)}.`);
  }

  #draw(): void {
    const scene: Scene = {
      scenario: this.#scenario,
      protocol: this.#options.protocol,
      view: this.#view,
      events: this.#events,
      hint: this.#hint,
      runMs: this.#runMs,
      outcome: this.#outcome,
      hasNext: this.#next !== undefined,
    };
    this.#screen?.draw((size) => drawScreen(scene, size));
  }
}
