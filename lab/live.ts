/**
 * What others learn of a measurement while it goes on: an object a second (`--live-json`), metrics
 * over HTTP (`--metrics`), and the conditions that end it early (`--abort-on`).
 *
 * @module
 */

import { VERSION } from "../engine/cli/build_info.ts";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import type { HttpRequest, Resource } from "../engine/http/http.ts";
import { HttpServer } from "../engine/http/http_server.ts";
import { listenOption } from "../engine/http/listen_option.ts";
import type { HttpReply } from "../engine/http/reply.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { runtime } from "../engine/net/runtime.ts";
import { chooseFormat, CONTENT_TYPES, formatMetrics } from "../engine/server/metrics/exposition.ts";
import { formatAddress } from "../protocols/address.ts";
import { escapeText } from "../protocols/text.ts";
import { STDOUT } from "./lab_program.ts";
import { isPipe, OutputFile, sayUnwritten, tryOutput } from "./output_file.ts";
import { measure, type MeasureOptions, type SoFar } from "./load/measure.ts";
import { loadOf, type Plan } from "./load/plan.ts";
import type { Run, Second } from "./load/results.ts";
import { encodeJson } from "./report/json_line.ts";
import { labelsOf, LiveMetrics } from "./report/live_metrics.ts";
import { parseThreshold, type Threshold } from "./report/thresholds.ts";

/** The version of the form of the objects. */
const LIVE_SCHEMA = "handshake-bench-live/1";

/** Where metrics are told. */
const METRICS = listenOption("metrics", {
  shown: "nowhere",
  help: "tell how it goes at /metrics (OpenMetrics), over HTTP, while it measures",
});

/** The flags. */
export const LIVE_FLAGS: readonly Flag[] = [
  {
    name: "live-json",
    kind: "string",
    value: "FILE",
    bare: STDOUT,
    help: "write an object on a line each second, while it measures",
  },
  METRICS,
  {
    name: "abort-on",
    kind: "string",
    value: "'errors>5%'",
    repeats: true,
    help:
      "end a run early, and exit with 99, if this holds of all that it has measured so far; as " +
      "in --threshold",
  },
];

/** What is done while a measurement goes on. */
export class Live implements AsyncDisposable {
  readonly #conditions: readonly Threshold[];
  readonly #metrics = new LiveMetrics();
  readonly #path: string | undefined;
  readonly #onNote: (text: string) => void;
  /** The file, once there is something to write. */
  #file: OutputFile | undefined;
  /** The conditions of which nothing was measured so far, each with the reason. */
  readonly #unjudged = new Map<string, string>();
  readonly #judged = new Set<string>();
  /** Whether something could not be written. Then nothing more is. */
  #isUnwritten = false;
  #http: HttpServer | undefined;

  private constructor(values: Values, onNote: (text: string) => void) {
    const conditions = (values.abortOn ?? []) as readonly string[];
    this.#conditions = conditions.map((text) => parseThreshold(text, "abort-on"));
    this.#path = values.liveJson as string | undefined;
    this.#onNote = onNote;
  }

  /**
   * Reads the flags, and begins.
   *
   * @param values the flags
   * @param onNote receives what the user should know
   * @throws {UsageError} if a flag has a wrong value, or a file cannot be written
   * @throws {ListenError} if there can be no metrics at that address
   */
  static async start(values: Values, onNote: (text: string) => void): Promise<Live> {
    const live = new Live(values, onNote);
    const path = live.#path;
    if (path !== undefined && path !== STDOUT) {
      try {
        // What an earlier run has written stays if this one does not begin.
        if (isPipe(path)) live.#file = new OutputFile(path);
        else tryOutput(path);
      } catch (error) {
        throw new UsageError(
          `cannot write --live-json ${escapeText(path)}: ${sayUnwritten(error)}`,
        );
      }
    }
    if (values.metrics === undefined) return live;
    const address = METRICS.read(values.metrics as string);
    const metrics: Resource = { GET: (request) => live.#tell(request) };
    const find = (path: string) => path === "/metrics" ? metrics : undefined;
    live.#http = await HttpServer.listen({ address, site: { find } });
    onNote(`metrics at http://${formatAddress(live.#http.address)}/metrics`);
    return live;
  }

  /** Which conditions could not be judged in any run, one sentence each. */
  get unjudged(): readonly string[] {
    return [...this.#unjudged].filter(([text]) => !this.#judged.has(text))
      .map(([text, why]) => `--abort-on ${text} was never judged: ${why}`);
  }

  /** Whether something could not be written. */
  get isUnwritten(): boolean {
    return this.#isUnwritten;
  }

  /**
   * Measures a server, as {@linkcode measure} does, and tells it meanwhile. If a condition of
   * `--abort-on` holds, the run ends early and says so.
   *
   * @param plan the load
   * @param options the server
   */
  async measure(plan: Plan, options: MeasureOptions): Promise<Run> {
    const ending = new AbortController();
    const { name, repeat = 1, signal, onSecond } = options;
    const load = loadOf(plan);
    const which = { name, repeat, target_rate: load.target_rate };
    const labels = labelsOf(name, load, repeat);
    let aborted: string | null = null;
    this.#say({ kind: "begin", ...which, load, at: new Date().toISOString() });
    this.#metrics.begin(labels);
    const tellsWaiting = this.#conditions.length > 0;
    const run = await measure({ ...plan, tellsWaiting }, {
      ...options,
      signal: signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]),
      onSecond: (second: Second, soFar: SoFar) => {
        const { histogram: _, ...figures } = second;
        this.#say({ kind: "second", ...which, ...figures, requests: soFar.requests });
        this.#metrics.add(labels, second, soFar);
        onSecond?.(second, soFar);
        aborted ??= this.#whyAborted(soFar);
        if (aborted !== null) ending.abort();
      },
    });
    const { requests, duration_s, interrupted } = run;
    // It had its whole time all the same if the condition held only of its last second.
    const ended: Run = {
      ...run,
      aborted: interrupted || signal?.aborted === true ? aborted : null,
    };
    const { aborted: why } = ended;
    this.#say({ kind: "end", ...which, requests, duration_s, interrupted, aborted: why });
    this.#metrics.end();
    if (why !== null) {
      this.#onNote(
        `${name}: the run was ended after ${duration_s.toFixed(1)} s by --abort-on ${why}`,
      );
    }
    return ended;
  }

  /**
   * The first condition that holds, with what was measured. Of a server that answers nothing any
   * more, nothing is measured: how long its requests have waited so far is the least that they will
   * take.
   */
  #whyAborted(soFar: SoFar): string | null {
    if (this.#conditions.length === 0) return null;
    const run = soFar.run();
    for (const { text, of, holds } of this.#conditions) {
      const figure = of(run);
      if (typeof figure === "string") this.#unjudged.set(text, figure);
      else this.#judged.add(text);
      const measured = holds(run);
      if (measured !== undefined) return `${text} (${measured})`;
    }
    const waiting = this.#conditions.some(({ isUpwards }) => isUpwards)
      ? soFar.runWithWaiting()
      : undefined;
    for (const { text, isUpwards, holds } of waiting === undefined ? [] : this.#conditions) {
      const measured = isUpwards ? holds(waiting as Run) : undefined;
      if (measured !== undefined) {
        return `${text} (${measured}, with the requests that still wait)`;
      }
    }
    return null;
  }

  #tell({ fields }: HttpRequest): HttpReply {
    const format = chooseFormat(fields.get("accept"));
    const about = { version: VERSION, runtime: runtime.name, runtime_version: runtime.version };
    return {
      fields: { "Content-Type": CONTENT_TYPES[format], Vary: "Accept" },
      content: formatMetrics(this.#metrics.all(about), format),
    };
  }

  #say(object: Readonly<Record<string, unknown>>): void {
    if (this.#path === undefined || this.#isUnwritten) return;
    const line = `${encodeJson({ schema: LIVE_SCHEMA, ...object })}\n`;
    try {
      if (this.#path === STDOUT) runtime.printNow("stdout", line);
      else (this.#file ??= new OutputFile(this.#path)).write(line);
    } catch (error) {
      // Whoever reads it may have gone. What is measured is in no way worse for that.
      this.#isUnwritten = true;
      const path = this.#path === STDOUT ? "" : ` ${escapeText(this.#path)}`;
      this.#onNote(`--live-json${path} ends here: ${describeSystemError(error)}`);
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.[Symbol.dispose]();
    await this.#http?.close();
  }
}
