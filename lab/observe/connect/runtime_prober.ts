/**
 * Makes attempts with the runtime's own sockets, for systems other than Linux and for processes that
 * may not call foreign functions. The kernel cannot be asked for its figures and for evidence.
 *
 * @module
 */

import { moment } from "../../../engine/values/moment.ts";
import type { Address } from "../../../protocols/effects.ts";
import { helloClient } from "../../../protocols/hello.ts";
import { trueConnectError } from "../../../engine/dial/diagnosis.ts";
import { TimedDeadlines } from "../../../engine/drivers/deadlines.ts";
import { Session } from "../../../engine/drivers/session.ts";
import { runtime } from "../../../engine/net/runtime.ts";
import type { Connection } from "../../../engine/net/transport.ts";
import { type Failure, failureOf } from "./failure.ts";
import { helloFailure } from "./hello_failure.ts";
import { Fates, HELLO_NUMBER, type Outcome, type Prober, type ProbeRequest } from "./probe.ts";
import { Race } from "./race.ts";

/** How long a closed connection waits for the peer's FIN, in milliseconds. */
const CLOSE_MS = 250;

/** Makes attempts, one at a time. */
export class RuntimeProber implements Prober {
  #closing = new Set<Promise<void>>();

  /** Makes an attempt. `source` and `rst` are not for this prober. */
  async probe(request: ProbeRequest): Promise<Outcome> {
    const { addresses, timeoutMs } = request;
    const fates = new Fates(addresses);
    const race = new Race(addresses.length, timeoutMs || Infinity);
    const won = await this.#race(request, fates, race);
    return won === undefined ? fates.lost() : await this.#use(won, request, fates);
  }

  /** Waits until the last connections are closed. */
  async finish(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** Runs the race, and returns the connection that has won it. */
  #race(request: ProbeRequest, fates: Fates, race: Race): Promise<Won | undefined> {
    const { promise, resolve } = Promise.withResolvers<Won | undefined>();
    const open = new Map<number, { readonly beganAt: number; readonly abort: AbortController }>();
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (won: Won | undefined, fateOf: (beganAt: number) => Failure | "under way") => {
      isOver = true;
      clearTimeout(timer);
      for (const [index, { beganAt, abort }] of open) {
        fates.set(index, fateOf(beganAt), (performance.now() - beganAt) * 1000);
        abort.abort();
      }
      resolve(won);
    };
    const step = () => {
      if (isOver) return;
      clearTimeout(timer);
      for (let next = race.next(performance.now()); next !== undefined;) {
        begin(next);
        next = race.next(performance.now());
      }
      const now = performance.now();
      if (race.isLost) return end(undefined, () => "under way");
      if (race.isLate(now)) {
        return end(
          undefined,
          (beganAt) => ({ kind: "timeout", afterMs: now - beganAt, byKernel: false }),
        );
      }
      const waitMs = race.waitMs(now);
      if (waitMs !== Infinity) timer = setTimeout(step, Math.ceil(waitMs));
    };
    const begin = (index: number) => {
      const address = request.addresses[index] as Address;
      const abort = new AbortController();
      const beganAt = performance.now();
      open.set(index, { beganAt, abort });
      race.called(beganAt);
      runtime.connect({ ...address, signal: abort.signal }).then((connection) => {
        const us = (performance.now() - beganAt) * 1000;
        if (isOver) return connection.close();
        open.delete(index);
        fates.set(index, "connected", us);
        end({ connection, address, us }, () => "under way");
      }, async (error) => {
        const afterMs = performance.now() - beganAt;
        const cause = isOver ? error : await trueConnectError(address, error, abort.signal);
        if (isOver) return;
        open.delete(index);
        fates.set(index, explain(cause, afterMs), afterMs * 1000);
        race.failed();
        step();
      });
    };
    step();
    return promise;
  }

  async #use(
    { connection, address, us }: Won,
    request: ProbeRequest,
    fates: Fates,
  ): Promise<Outcome> {
    const local = connection.localAddress;
    const connectedAt = moment();
    const outcome = { fates: fates.all, address, local, connectUs: us, connectedAt };
    if (local.hostname === address.hostname && local.port === address.port) {
      connection.close();
      return { ...outcome, failure: { kind: "self" } };
    }
    // A byte cannot be left where it is here, and HELLO would miss it.
    const done = request.hello
      ? await shakeHands(connection, request.timeoutMs)
      : request.firstByteMs > 0
      ? await listen(connection, request.firstByteMs)
      : {};
    this.#close(connection);
    return { ...outcome, ...done };
  }

  /** Sends FIN, and reads until the peer's FIN, so that nothing is reset. */
  #close(connection: Connection): void {
    connection.closeWrite();
    const closed = drain(connection).finally(() => {
      connection.close();
      this.#closing.delete(closed);
    });
    this.#closing.add(closed);
  }
}

interface Won {
  readonly connection: Connection;
  readonly address: Address;
  readonly us: number;
}

function explain(error: unknown, afterMs: number): Failure {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const failure = failureOf({ code: code ?? "unknown", afterMs });
  return failure.kind === "failed" && failure.detail === ""
    ? { ...failure, detail: message ?? String(error) }
    : failure;
}

/** Waits for the first byte. */
async function listen(
  connection: Connection,
  withinMs: number,
): Promise<Pick<Outcome, "beginning" | "firstByteUs" | "failure">> {
  const began = performance.now();
  const first = await withTimeout(connection.read(), withinMs).catch(() => "reset" as const);
  const us = (performance.now() - began) * 1000;
  if (first === "reset") return { failure: { kind: "reset", during: "first byte" } };
  if (first === undefined) {
    connection.unpull();
    return { beginning: "silent" };
  }
  return first === null ? { beginning: "closed" } : { beginning: "spoke", firstByteUs: us };
}

function shakeHands(
  connection: Connection,
  timeoutMs: number,
): Promise<Pick<Outcome, "helloUs" | "failure">> {
  const began = performance.now();
  const deadlines = new TimedDeadlines();
  const limits = { readTimeoutMs: 0, sessionTimeoutMs: timeoutMs, computeTimeoutMs: 0 };
  return new Promise((resolve) => {
    const options = { ...limits, deadlines, keepOpen: true };
    new Session(connection, helloClient(HELLO_NUMBER), options, (error) => {
      deadlines[Symbol.dispose]();
      const afterMs = performance.now() - began;
      resolve(
        error === undefined
          ? { helloUs: afterMs * 1000 }
          : { failure: helloFailure(error, afterMs) },
      );
    }).start();
  });
}

async function drain(connection: Connection): Promise<void> {
  const endsAt = performance.now() + CLOSE_MS;
  try {
    for (;;) {
      const bytes = await withTimeout(connection.read(), endsAt - performance.now());
      if (bytes === null || bytes === undefined) return;
    }
  } catch {
    // The peer has reset the connection, so it is over.
  }
}

/** What a promise resolves to; `undefined` if it takes too long. */
async function withTimeout<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
