/**
 * Plays a script: a line after the other, and each as soon as it can.
 *
 * @module
 */

import { PATIENCE_MS, type ScriptLine } from "./commands.ts";
import { type Game, whatIsMissing } from "./game.ts";

/** A script that is being played. */
export class ScriptPlayer {
  readonly #game: Game;
  readonly #lines: readonly ScriptLine[];
  #next = 0;
  /** When the present line began to wait; `undefined` if it has not begun. */
  #sinceMs: number | undefined;
  #failure: string | undefined;

  /**
   * @param game what is played
   * @param lines the script
   */
  constructor(game: Game, lines: readonly ScriptLine[]) {
    this.#game = game;
    this.#lines = lines;
  }

  /** Why a line could not be done; `undefined` if all could so far. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether there is nothing more to do. */
  get isOver(): boolean {
    return this.#failure !== undefined || this.#next >= this.#lines.length;
  }

  /** Goes on as far as it can without waiting. */
  turn(): void {
    while (!this.isOver && this.#game.verdict === undefined) {
      const line = this.#lines[this.#next] as ScriptLine;
      this.#sinceMs ??= performance.now();
      if (!this.#try(line, performance.now() - this.#sinceMs)) return;
      this.#next++;
      this.#sinceMs = undefined;
    }
  }

  /** @returns whether the line is done */
  #try({ number, command }: ScriptLine, waitedMs: number): boolean {
    const game = this.#game;
    const fail = (why: string): boolean => {
      this.#failure = `line ${number}: ${why}`;
      return false;
    };
    switch (command.verb) {
      case "wait":
        return waitedMs >= command.ms;
      case "until": {
        const { state } = game.look[command.end];
        if (state === command.state) return true;
        if (waitedMs < command.ms) return false;
        return fail(`the ${command.end} is still in ${state}, not in ${command.state}`);
      }
      case "expect": {
        const { state } = game.look[command.end];
        if (state === command.state) return true;
        return fail(`the ${command.end} is in ${state}, not in ${command.state}`);
      }
      default:
        if (game.do(command)) return true;
        return waitedMs < PATIENCE_MS ? false : fail(whatIsMissing(command));
    }
  }
}
