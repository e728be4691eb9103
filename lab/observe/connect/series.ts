/**
 * A series of attempts: when each is due, and what each calls. The name is looked up apart from the
 * attempts, and the user may end everything at any moment.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { canonicalHost } from "../../../engine/net/address.ts";
import { ZoneNotFoundError } from "../../../engine/net/zones.ts";
import { HostNotFoundError, isNumeric, resolveHosts } from "../../../engine/net/resolve.ts";
import type { Failure } from "./failure.ts";
import { type Interrupt, INTERRUPTED } from "./interrupt.ts";
import type { Outcome, Prober } from "./probe.ts";
import { alternate } from "./race.ts";
import type { Attempt } from "./report.ts";
import { ConnectStatistics, type Figures } from "./statistics.ts";

/** How much earlier than the next attempt the last connection stops waiting for its peer, in ms. */
const CLOSE_AHEAD_MS = 2;

/** What to attempt. */
export interface SeriesPlan {
  /** The server as the user named it. */
  readonly server: Address;
  /** The only family that is wanted. */
  readonly family: 4 | 6 | undefined;
  /** How many attempts; perhaps `Infinity`. */
  readonly count: number;
  /** The time from the beginning of an attempt to that of the next, in milliseconds. */
  readonly intervalMs: number;
  /** How long a lookup, then connecting, then HELLO may take, in milliseconds; 0 is no limit. */
  readonly timeoutMs: number;
  /** How long the first byte may take, in milliseconds; 0 does not wait. */
  readonly firstByteMs: number;
  /** Whether to shake hands as the protocol `hello` does. */
  readonly hello: boolean;
  /** Whether to close with a RST. */
  readonly rst: boolean;
  /** The address to call from. */
  readonly source: string | undefined;
  /** After which time the name is looked up again, in milliseconds; 0 is never. */
  readonly resolveEveryMs: number;
}

/** What a lookup has found. */
export interface Lookup {
  /** The addresses in the order in which to try them; none if it failed. */
  readonly addresses: readonly Address[];
  /** How long it took, in microseconds. */
  readonly us?: number;
  /** Why it failed. */
  readonly failure?: Failure;
}

/** A series of attempts. */
export class Series {
  readonly #plan: SeriesPlan;
  readonly #prober: Prober;
  readonly #interrupt: Interrupt;
  readonly #statistics = new ConnectStatistics();
  #addresses: readonly Address[] = [];
  #lookedUpAt = -Infinity;

  /**
   * @param plan what to attempt
   * @param prober makes the attempts
   * @param interrupt ends it
   */
  constructor(plan: SeriesPlan, prober: Prober, interrupt: Interrupt) {
    this.#plan = plan;
    this.#prober = prober;
    this.#interrupt = interrupt;
  }

  /** What is known so far. */
  get figures(): Figures {
    return this.#statistics.figures;
  }

  /** Makes the attempts. It ends after the last one, or when the user wants to end. */
  async *attempts(): AsyncGenerator<Attempt> {
    const { count, intervalMs, resolveEveryMs } = this.#plan;
    const startedAt = performance.now();
    let slot = 0;
    for (let number = 1; number <= count; number++) {
      if (!await this.#waitUntil(startedAt + slot * intervalMs)) return;
      const beganAt = performance.now();
      this.#statistics.begin(beganAt);
      const made = await this.#attempt(beganAt);
      if (made === INTERRUPTED) return;
      const endedAt = performance.now();
      const { failure, outcome } = made;
      this.#statistics.end(
        endedAt,
        failure === undefined
          ? { connectUs: outcome?.connectUs as number }
          : { failure: failure.kind },
      );
      yield { number, at: Math.round(performance.timeOrigin + beganAt), ...made };
      // Nobody adds the name while the command waits for it.
      if (failure?.kind === "name_not_found" && resolveEveryMs === 0) return;
      // The times that are due do not drift. Those that a long attempt has missed are left out.
      const passed = intervalMs === 0 ? 0 : (performance.now() - startedAt) / intervalMs;
      slot = Math.max(slot + 1, Math.ceil(passed));
    }
  }

  async #attempt(
    beganAt: number,
  ): Promise<Omit<Attempt, "number" | "at"> | typeof INTERRUPTED> {
    const { timeoutMs, firstByteMs, hello, rst, source, intervalMs, resolveEveryMs } = this.#plan;
    const isStale = resolveEveryMs > 0 && beganAt - this.#lookedUpAt >= resolveEveryMs;
    let resolve: { readonly resolveUs?: number } = {};
    if (this.#addresses.length === 0 || isStale) {
      const found = await this.#interrupt.race(lookUp(this.#plan));
      if (found === INTERRUPTED) return INTERRUPTED;
      this.#lookedUpAt = performance.now();
      resolve = found.us === undefined ? {} : { resolveUs: found.us };
      if (found.failure !== undefined) return { ...resolve, failure: found.failure };
      this.#addresses = found.addresses;
    }
    const outcome: Outcome | typeof INTERRUPTED = await this.#interrupt.race(
      this.#prober.probe({
        addresses: this.#addresses,
        timeoutMs,
        firstByteMs,
        hello,
        rst,
        source,
        closeWithinMs: Math.max(0, intervalMs - CLOSE_AHEAD_MS),
      }),
    );
    if (outcome === INTERRUPTED) return INTERRUPTED;
    const { failure } = outcome;
    return { ...resolve, outcome, ...(failure !== undefined && { failure }) };
  }

  /** Waits for a moment on the clock of `performance.now()`; `false` if the user ends it. */
  async #waitUntil(at: number): Promise<boolean> {
    const leftMs = at - performance.now();
    if (leftMs <= 0) return !this.#interrupt.isOver;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Timers count in whole milliseconds, and would end too early.
    const due = new Promise<void>((resolve) => timer = setTimeout(resolve, Math.ceil(leftMs)));
    const ended = await this.#interrupt.race(due);
    clearTimeout(timer);
    return ended !== INTERRUPTED;
  }
}

/**
 * Looks a server up, by the system's resolver, which knows the file of hosts too.
 *
 * @param plan the server, the family, and how long it may take
 */
export async function lookUp(
  { server, family, timeoutMs }: Pick<SeriesPlan, "server" | "family" | "timeoutMs">,
): Promise<Lookup> {
  const { hostname, port } = server;
  const began = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    if (timeoutMs > 0) timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  const found = await Promise.race([
    resolveHosts(hostname, { family, order: "system" }).catch((error: Error) => error),
    late,
  ]);
  clearTimeout(timer);
  const us = (performance.now() - began) * 1000;
  if (Array.isArray(found)) {
    if (isNumeric(hostname)) {
      return { addresses: [{ hostname: canonicalHost(found[0] as string), port }] };
    }
    return { addresses: alternate(found).map((hostname) => ({ hostname, port })), us };
  }
  return { addresses: [], us, failure: lookupFailure(found, us / 1000) };
}

function lookupFailure(error: Error | "late", afterMs: number): Failure {
  if (error === "late") return { kind: "name_timeout", afterMs };
  if (error instanceof ZoneNotFoundError) {
    return { kind: "failed", code: "ENODEV", detail: error.reason };
  }
  const { cause, message } = error as { readonly cause?: { code?: unknown }; message: string };
  if (!(error instanceof HostNotFoundError) || cause?.code === "EPERM") {
    return { kind: "failed", code: String(cause?.code ?? "lookup"), detail: message };
  }
  return { kind: error.code === "EAI_AGAIN" ? "name_unresolved" : "name_not_found" };
}
