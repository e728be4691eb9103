/**
 * The runtime's own CPU profile of a thread, for `bench compare --profile`.
 *
 * An environment variable names a folder. Each thread that serves then has itself profiled, with
 * `node:inspector`, from when it is ready to its end, and leaves a file there that the developer
 * tools of browsers open. The variable is handed on to child processes, so they do the same.
 *
 * A sample is taken at fixed intervals whether or not the thread runs. So beside the samples the
 * file says for how long the thread has run, if the system tells: the rest of the time it has waited.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import process from "node:process";
import { runtime } from "../net/runtime.ts";
import { type OwnTime, ownTime } from "./own_time.ts";

/** The time between two samples by default, in microseconds. */
const SAMPLE_US = 1_000;

/** How the names of the files end. Developer tools know them by that. */
export const PROFILE_SUFFIX = ".cpuprofile";

/** What the file says beyond the form of the developer tools, which ignore it. */
export interface ProfiledThread {
  /** For instance `handshake threadpool`; `main` for the main thread. */
  readonly thread: string;
  /**
   * How long it has run, and how long it could have run but had no processor, in milliseconds; `null`
   * if the system does not tell.
   */
  readonly ran_ms: number | null;
  readonly queued_ms: number | null;
  /** The time between two samples, in microseconds. */
  readonly sample_us: number;
  /** When the profile began, in milliseconds since 1970. */
  readonly began_ms: number;
}

/** A profile that is being taken of this thread. */
export class ThreadProfile {
  readonly #session = new Session();
  readonly #folder: string;
  readonly #thread: string;
  readonly #sampleUs: number;
  #before: OwnTime | undefined;
  #beganMs = 0;
  #ended: Promise<void> | undefined;

  private constructor(folder: string, thread: string, sampleUs: number) {
    this.#folder = folder;
    this.#thread = thread;
    this.#sampleUs = sampleUs;
  }

  /**
   * Begins.
   *
   * @param folder the folder of the file
   * @param sampleUs the time between two samples, in microseconds
   * @throws {Error} if this thread cannot be profiled
   */
  static async begin(folder: string, sampleUs = SAMPLE_US): Promise<ThreadProfile> {
    const profile = new ThreadProfile(folder, runtime.threadName ?? "main", sampleUs);
    profile.#session.connect();
    await profile.#ask("Profiler.enable");
    await profile.#ask("Profiler.setSamplingInterval", { interval: sampleUs });
    profile.#before = ownTime();
    profile.#beganMs = Date.now();
    await profile.#ask("Profiler.start");
    return profile;
  }

  /** Ends and writes the file. It may be called again. Whatever goes wrong is said on standard error. */
  end(): Promise<void> {
    return this.#ended ??= this.#write().catch((error: Error) =>
      runtime.printNow("stderr", `No profile of ${this.#thread}: ${error.message}\n`)
    );
  }

  async #write(): Promise<void> {
    const after = ownTime();
    const { profile } = await this.#ask("Profiler.stop") as { readonly profile: object };
    this.#session.disconnect();
    const before = this.#before;
    const since = (field: keyof OwnTime) =>
      before === undefined || after === undefined ? null : after[field] - before[field];
    const about: ProfiledThread = {
      thread: this.#thread,
      ran_ms: since("ranMs"),
      queued_ms: since("waitedMs"),
      sample_us: this.#sampleUs,
      began_ms: this.#beganMs,
    };
    const words = this.#thread.replaceAll(/[^\w]+/g, "-");
    const unique = crypto.randomUUID().slice(0, 8);
    const path = `${this.#folder}/${words}-${process.pid}-${unique}${PROFILE_SUFFIX}`;
    writeFileSync(path, JSON.stringify({ ...profile, handshake: about }), { flag: "wx" });
  }

  #ask(method: string, parameters: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#session.post(method, parameters, (error: unknown, result: unknown) => {
        if (error === null || error === undefined) resolve(result);
        else reject(new Error((error as { message?: string }).message ?? String(error)));
      })
    );
  }
}
