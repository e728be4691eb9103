/**
 * The role in the sandbox: it has the wires and their ends, plays what it is told to play, and tells
 * what comes of it.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { EXIT_DONE, EXIT_FAILED } from "../../../engine/cli/exit_status.ts";
import { sockets } from "../../../engine/net/sockets.ts";
import { loadProtocol } from "../../../engine/server/core/protocol_loader.ts";
import { Input } from "../../../protocols/input.ts";
import type { Protocol } from "../../../protocols/effects.ts";
import { loadLoadProtocol, type LoadProtocol } from "../../load/load_protocol.ts";
import { Random } from "../../load/random.ts";
import type { RoleContext } from "../role.ts";
import { DeviceError } from "./device.ts";
import { Game, type GameOptions, packets } from "./game.ts";
import type { WireCommand } from "./commands.ts";
import type { Order, Play, Report, WireOutcome } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { findScenario } from "./scenarios.ts";
import { ScriptPlayer } from "./script_player.ts";

/**
 * Settings of this network: every timer follows one simple rule, so that it can be foretold. They
 * are not the machine's own.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Each silence after a SYN is twice as long as the one before, from the first.
  tcp_syn_linear_timeouts: "0",
  // Data and FINs are sent again after a second at the earliest, so that a person can follow.
  tcp_rto_min_us: "1000000",
  // Nothing is sent again before its timer ends, only to see whether something was lost.
  tcp_early_retrans: "0",
};

/** The pause between two turns: while something happens, and while nothing does. In milliseconds. */
const BUSY_MS = 2;
const IDLE_MS = 10;

/** How long after something has happened the pauses stay short, in milliseconds. */
const STAYS_BUSY_MS = 100;

/** How often a screen is told what to show, in milliseconds. */
const VIEW_MS = 100;

/** How many bytes the payload of a request has, where a protocol has one. */
const PAYLOAD_BYTES = 16;

/** A wire without a goal. */
const FREE: Scenario = {
  name: "free",
  title: "a wire without a goal",
  goal: "Do what you like.",
  hints: [],
  moral: "",
  begins: "connecting",
  actions: [],
  least: 0,
  judge: () => undefined,
  win: "",
  lose: "",
};

/** The role: see {@linkcode Order} and {@linkcode Report}. */
export async function wireRole(context: RoleContext): Promise<number> {
  applySettings();
  const tell = (report: Report) => context.say(report);
  const tables = new Map<number, Table>();
  let failed = false;
  const listening = listen(context, async (order) => {
    if (order.kind !== "play") {
      return tables.get(order.game)?.hear(order);
    }
    try {
      tables.set(order.play.game, await Table.open(order.play, tell));
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      failed = true;
      tell({ kind: "failed", message: error.message });
    }
  });
  try {
    let isOver = false;
    let busyUntil = 0;
    void listening.finally(() => isOver = true);
    while (!failed && (tables.size > 0 || !isOver && !context.signal.aborted)) {
      for (const [number, table] of tables) {
        if (context.signal.aborted) table.hear({ kind: "leave", game: number });
        if (table.turn()) busyUntil = performance.now() + STAYS_BUSY_MS;
        if (!table.isOver) continue;
        tables.delete(number);
        table[Symbol.dispose]();
      }
      const pauseMs = performance.now() < busyUntil ? BUSY_MS : IDLE_MS;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    for (const table of tables.values()) table[Symbol.dispose]();
  }
  return failed ? EXIT_FAILED : EXIT_DONE;
}

async function listen(
  context: RoleContext,
  take: (order: Order) => Promise<void> | void,
): Promise<void> {
  for (let line = await context.hear(); line !== undefined; line = await context.hear()) {
    await take(line as Order);
  }
}

function applySettings(): void {
  for (const [name, value] of Object.entries(SETTINGS)) {
    try {
      writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
    } catch {
      // An older kernel has no such setting. Its timers are a little different then.
    }
  }
}

/** How long the ends have to tell what has become of them when a script is over, in milliseconds. */
const SETTLE_MS = 300;

/** A game, and who plays it. */
class Table implements Disposable {
  readonly #play: Play;
  readonly #tell: (report: Report) => void;
  readonly #game: Game;
  readonly #script: ScriptPlayer | undefined;
  readonly #endsMs: number;
  /** What the player has pressed and was not done yet: keys may come before the game is ready. */
  #pressed: WireCommand[] = [];
  #viewedMs = -Infinity;
  /** When the script was over. */
  #scriptOverMs: number | undefined;
  #hasLeft = false;
  #isOver = false;

  private constructor(play: Play, tell: (report: Report) => void, options: GameOptions) {
    this.#play = play;
    this.#tell = tell;
    this.#game = new Game(options);
    this.#script = play.script && new ScriptPlayer(this.#game, play.script);
    this.#endsMs = performance.now() + play.limitMs;
  }

  static async open(play: Play, tell: (report: Report) => void): Promise<Table> {
    const { game, scenario, protocol, beganUs, mostPackets, wantsEvents } = play;
    return new Table(play, tell, {
      net: sockets(),
      scenario: scenario === undefined ? FREE : findScenario(scenario) ?? FREE,
      index: game,
      beganUs,
      mostPackets,
      conversation: protocol === undefined ? undefined : await conversationOf(protocol),
      tell: (event, isSpare) => {
        if (wantsEvents) tell({ kind: "event", game, event, ...(isSpare && { isSpare }) });
      },
    });
  }

  /** Whether it has ended, and its end was told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Does what the player wants. */
  hear(order: Exclude<Order, { readonly kind: "play" }>): void {
    if (order.kind === "leave") this.#hasLeft = true;
    else this.#pressed.push(order.command);
  }

  /** @returns whether anything has happened */
  turn(): boolean {
    const game = this.#game;
    const pressed = game.isReady ? this.#pressed.splice(0) : [];
    for (const command of pressed) game.press(command);
    // A view shows what was pressed together with the kernels' answer.
    const happened = game.turn() || pressed.length > 0;
    if (game.isReady) this.#script?.turn();
    const outcome = this.#outcome();
    const now = performance.now();
    if (this.#play.wantsViews && (happened || outcome || now - this.#viewedMs >= VIEW_MS)) {
      this.#viewedMs = now;
      this.#tell({ kind: "view", game: this.#play.game, view: game.view() });
    }
    if (outcome === undefined) return happened;
    this.#isOver = true;
    const { won, why } = outcome;
    game.finish(won === undefined ? undefined : won ? "Won" : `Lost: ${why}`);
    this.#tell({ kind: "over", game: this.#play.game, outcome });
    return true;
  }

  [Symbol.dispose](): void {
    this.#game[Symbol.dispose]();
  }

  /**
   * Whether the script has been over for a while. A program hears of the end of its connection a
   * moment after the state is gone, and the goal may be that it hears.
   */
  #hasSettled(): boolean {
    this.#scriptOverMs ??= performance.now();
    return performance.now() - this.#scriptOverMs >= SETTLE_MS;
  }

  /** How it has ended; `undefined` while it goes on. */
  #outcome(): WireOutcome | undefined {
    const game = this.#game;
    const { verdict, look, score } = game;
    const end = (how: Pick<WireOutcome, "won" | "why">): WireOutcome => ({
      ...how,
      client: look.client.state,
      server: look.server.state,
      score,
    });
    const hasGoal = this.#play.scenario !== undefined;
    if (verdict !== undefined) return end(verdict.won ? { won: true } : { ...verdict });
    const failure = this.#script?.failure;
    if (failure !== undefined) return end({ won: false, why: failure });
    if (this.#script?.isOver === true && this.#hasSettled()) {
      return end(
        hasGoal ? { won: false, why: "the script is over, and the goal not reached" } : {},
      );
    }
    if (!hasGoal && game.isOver) return end({});
    if (this.#hasLeft) return end({});
    const limit = game.isOverfull
      ? `the wire has carried ${packets(this.#play.mostPackets)}, and takes no more`
      : performance.now() >= this.#endsMs
      ? "the time is over"
      : undefined;
    if (limit === undefined) return undefined;
    return end(hasGoal ? { won: false, why: limit } : { why: limit });
  }
}

/** Both sides of a protocol. @param location where it is */
async function conversationOf(location: string): Promise<GameOptions["conversation"]> {
  const [server, client] = await Promise.all([loadProtocol(location), loadLoadProtocol(location)]);
  const { signal } = new AbortController();
  return {
    server: (peer) => server.serve({ peer, signal }, {}),
    client: () => clientSide(client),
    tasks: server.tasks,
  };
}

/** One exchange, and the words before it. */
function* clientSide({ greeting, exchange }: LoadProtocol): Protocol {
  const context = { input: new Input(), size: PAYLOAD_BYTES, random: new Random(1, PAYLOAD_BYTES) };
  if (greeting !== undefined) yield* greeting(context);
  yield* exchange(context);
}
