/**
 * The servers with which the quiz decides its questions: each runs for a moment, on this runtime.
 *
 * @module
 */

import { InterruptedError } from "../engine/dial/failures.ts";
import { runtime } from "../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";
import type { ModeName } from "../modes/catalogue.ts";
import { whyNoMode } from "./mode_command.ts";
import { Guests } from "./quiz/guests.ts";
import type { RunningServer, ServerPlan, Servers, Visited } from "./quiz/question.ts";
import type { ServerRecording } from "./quiz/quiz_recording.ts";
import { RecordingFolder } from "./recording_folder.ts";
import type { Visitor } from "./simulator/companies.ts";
import { recordServer, visitServer } from "./visited_server.ts";

/** How long an experiment with a server may take, in milliseconds. */
const LIMIT_MS = 20_000;

/** Starts servers. */
export class QuizServers implements Servers, Disposable {
  readonly #signal: AbortSignal;
  readonly #on: RuntimeCommand;
  readonly #onRecorded: (recording: ServerRecording) => void;
  #folder: RecordingFolder | undefined;
  #recordings = 0;

  /** @param signal ends everything early @param onRecorded is given what each server has recorded */
  constructor(signal: AbortSignal, onRecorded = (_recording: ServerRecording): void => {}) {
    this.#signal = signal;
    this.#onRecorded = onRecorded;
    this.#on = RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
  }

  /** Why a mode cannot be started here. @param mode its name */
  whyNot(mode: ModeName): string | undefined {
    return whyNoMode(mode);
  }

  /** Sends clients to a server. @param plan the server @param company the clients */
  visit({ mode, flags = [] }: ServerPlan, company: readonly Visitor[]): Promise<Visited> {
    return this.#within(async (signal) => {
      const visit = { mode, flags, company };
      const visited = await visitServer(visit, this.#on, this.#file(mode), signal);
      this.#onRecorded(visited);
      return visited;
    });
  }

  /** Uses a server. @param plan the server @param use what is done with it */
  use<Result>(
    { mode, flags = [] }: ServerPlan,
    use: (server: RunningServer) => Promise<Result>,
  ): ReturnType<typeof recordServer<Result>> {
    return this.#within(async (signal) => {
      const plan = { mode, flags };
      const used = await recordServer(plan, this.#on, this.#file(mode), signal, async (server) => {
        using guests = new Guests(server.address, signal);
        return await use({ guests, status: server.status });
      });
      this.#onRecorded(used);
      return used;
    });
  }

  /** Removes the recordings. */
  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]();
    this.#folder = undefined;
  }

  #file(mode: ModeName): string {
    this.#folder ??= new RecordingFolder("quiz");
    return this.#folder.path(`${++this.#recordings}-${mode}.jsonl`);
  }

  /** Does something that ends after a while in any case. */
  async #within<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const ending = new AbortController();
    const end = () => ending.abort();
    this.#signal.addEventListener("abort", end);
    if (this.#signal.aborted) end();
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      end();
    }, LIMIT_MS);
    try {
      return await work(ending.signal);
    } catch (error) {
      if (!isLate || !(error instanceof InterruptedError)) throw error;
      throw new Error(`It took longer than ${LIMIT_MS / 1000} s`);
    } finally {
      clearTimeout(late);
      this.#signal.removeEventListener("abort", end);
    }
  }
}
