/**
 * A thread that holds one conversation of `driver_scripts.ts`, with blocking calls or over a
 * connection that comes as messages.
 *
 * @module
 */

import { BlockingDriver } from "../../engine/drivers/blocking.ts";
import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { TimeLimits } from "../../engine/drivers/limits.ts";
import { Session } from "../../engine/drivers/session.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import {
  type FromThread,
  RelayedConnection,
  type ToThread,
} from "../../engine/server/messages/relay.ts";
import type { Address } from "../../protocol.ts";
import {
  eventsFor,
  failureOf,
  type Outcome,
  type Script,
  SCRIPTS,
  TASKS,
} from "./driver_scripts.ts";

/** A message to the thread. */
export type ToDriver =
  | { readonly kind: "block"; readonly script: string }
  | { readonly kind: "relay"; readonly script: string }
  | { readonly kind: "relayed"; readonly message: ToThread }
  | { readonly kind: "abort" | "cut"; readonly message: string };

/** A message from the thread. */
export type FromDriver =
  | { readonly kind: "ready" }
  | { readonly kind: "listening"; readonly address: Address }
  | { readonly kind: "serving"; readonly fd: number }
  | { readonly kind: "relayed"; readonly message: FromThread }
  | { readonly kind: "over"; readonly outcome: Outcome };

/** No limits, except for those that a script names. */
export const NO_LIMITS: TimeLimits = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

interface Scope {
  onmessage: ((event: { data: ToDriver }) => void) | null;
  postMessage(message: FromDriver): void;
}

/** Records what a conversation does. */
export class Notes {
  readonly log: string[] = [];
  readonly reports: string[] = [];
  readonly write = (entry: string): void => void this.log.push(entry);
  readonly report = (message: string): void => void this.reports.push(message);

  /** The outcome of a conversation that has succeeded. */
  returned(result: unknown): Outcome {
    const { log, reports } = this;
    return { log, reports, ...(result !== undefined && { result }) };
  }

  /** The outcome of a conversation that has failed. */
  threw(error: unknown): Outcome {
    const { log, reports } = this;
    return { log, reports, failure: failureOf(error) };
  }
}

function block(script: Script, post: (message: FromDriver) => void): void {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  post({ kind: "listening", address: net.localAddress(listener) });
  const fd = net.accept(listener);
  net.close(listener);
  post({ kind: "serving", fd });
  const notes = new Notes();
  const driver = new BlockingDriver(net, {
    ...NO_LIMITS,
    ...script.limits,
    receiveTimeoutMs: 0,
    tasks: TASKS,
    onReport: notes.report,
  });
  let outcome: Outcome;
  try {
    outcome = notes.returned(driver.converse(fd, script.protocol(notes.write)));
  } catch (error) {
    outcome = notes.threw(error);
  }
  net.close(fd);
  post({ kind: "over", outcome });
}

function relay(script: Script, post: (message: FromDriver) => void): (message: ToDriver) => void {
  const notes = new Notes();
  const deadlines = new TimedDeadlines();
  let connection: RelayedConnection;
  let session: Session<unknown>;
  return (told) => {
    if (told.kind === "abort") return session.abort(new Error(told.message));
    if (told.kind === "cut") return session.cut(new Error(told.message));
    if (told.kind !== "relayed") return;
    const { message } = told;
    if (message.kind !== "open") return connection.handle(message);
    connection = new RelayedConnection(message, (message) => post({ kind: "relayed", message }));
    session = new Session(
      connection,
      script.protocol(notes.write),
      {
        ...NO_LIMITS,
        ...script.limits,
        deadlines,
        tasks: TASKS,
        events: script.hasEvents ? eventsFor(notes.write) : undefined,
        onReport: notes.report,
      },
      (error, result) => {
        const outcome = error === undefined ? notes.returned(result) : notes.threw(error);
        post({ kind: "over", outcome });
      },
    );
    session.start();
  };
}

/** The name of such a thread. Other threads that import this module have other names. */
export const DRIVER_THREAD = "a driver under test";

if (runtime.threadName === DRIVER_THREAD) {
  const scope = globalThis as unknown as Scope;
  const post = (message: FromDriver) => scope.postMessage(message);
  scope.onmessage = ({ data }) => {
    if (data.kind !== "block" && data.kind !== "relay") return;
    const script = SCRIPTS.find(({ name }) => name === data.script) as Script;
    if (data.kind === "block") return block(script, post);
    const handle = relay(script, post);
    scope.onmessage = ({ data }) => handle(data);
    post({ kind: "ready" });
  };
}
