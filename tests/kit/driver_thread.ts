/**
 * A thread that holds one conversation of `driver_scripts.ts`: with calls that block, over a
 * connection that comes as messages, or as the exchange of a load on descriptors.
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
import { runOnRuntime } from "../../lab/load/event_engine.ts";
import { runOnDescriptors } from "../../lab/load/epoll_engine.ts";
import { type EngineKind, makePlan } from "../../lab/load/plan.ts";
import { type Address, type FailureKind, type Protocol, READ } from "../../protocol.ts";
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
  | { readonly kind: "load"; readonly script: string; readonly address: Address }
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
  const mustLinger = driver.mustLinger(outcome.failure !== undefined);
  if (mustLinger) net.shutdown(fd, net.constants.SHUT_WR);
  else net.close(fd);
  post({ kind: "over", outcome });
  if (!mustLinger) return;
  // Here the thread itself may wait for its peer's FIN: it serves nobody else.
  while (net.recv(fd, driver.buffer) > 0);
  net.close(fd);
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
        // As in a server, the connection lingers on the main thread.
        lingerer: { add: () => connection.linger() },
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

/** What the load's kinds of failures are to those who converse. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  "reset": "peer gone",
  "closed": "peer gone",
  "timeout": "read timeout",
};

/**
 * Holds a conversation as the only exchange of a load.
 *
 * @param script whose conversation
 * @param address where to connect
 * @param engine how
 * @param isStopped whether it is to end early
 */
export async function holdUnderLoad(
  script: Script,
  address: Address,
  engine: EngineKind,
  isStopped: () => boolean = () => false,
): Promise<Outcome> {
  const notes = new Notes();
  let result: unknown;
  /** One that does not wait is no exchange: each begins with a word of the server. */
  function* exchange(): Protocol {
    yield READ;
    yield { kind: "write", bytes: Uint8Array.of(0x21) };
    result = yield* script.protocol(notes.write);
  }
  const plan = await makePlan({
    protocol: "echo",
    connections: 1,
    requests: 1,
    connect: true,
    threads: 1,
    engine,
    timeout: script.needs?.includes("keep limits") ? 300 : 10_000,
  });
  const share = { plan, address, thread: 0, connections: 1, requests: 1 };
  const run = engine === "runtime" ? runOnRuntime : runOnDescriptors;
  const loop = await run(share, { name: "script", exchange }, () => {}, isStopped);
  const [failure] = Object.entries(loop.tally.words);
  if (failure === undefined) return notes.returned(result);
  const [kind, message] = failure;
  return { ...notes.returned(undefined), failure: { kind: KINDS[kind] ?? "other", message } };
}

/** The name of such a thread: whoever else imports this module is none. */
export const DRIVER_THREAD = "a driver under test";

if (runtime.threadName === DRIVER_THREAD) {
  const scope = globalThis as unknown as Scope;
  const post = (message: FromDriver) => scope.postMessage(message);
  scope.onmessage = ({ data }) => {
    if (!("script" in data)) return;
    const script = SCRIPTS.find(({ name }) => name === data.script) as Script;
    if (data.kind === "block") return block(script, post);
    if (data.kind === "load") {
      const over = holdUnderLoad(script, data.address, "descriptors");
      return void over.then((outcome) => post({ kind: "over", outcome }));
    }
    const handle = relay(script, post);
    scope.onmessage = ({ data }) => handle(data);
    post({ kind: "ready" });
  };
}
