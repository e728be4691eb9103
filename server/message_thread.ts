/**
 * The inside of a Worker that serves connections by messages.
 *
 * @module
 */

import type { ProtocolDefinition } from "../protocols/catalogue.ts";
import { failureKind } from "../protocols/errors.ts";
import { beginConversation } from "../drivers/conversation.ts";
import { TimedDeadlines } from "../drivers/deadlines.ts";
import { Session } from "../drivers/session.ts";
import { runtime } from "../net/runtime.ts";
import { LazyContext } from "./context.ts";
import { CutError, describeError } from "./observer.ts";
import type { ServiceSettings } from "./options.ts";
import { loadProtocol } from "./protocol_loader.ts";
import { type FromThread, RelayedConnection, type ToThread } from "./relay.ts";

/** What the main thread tells such a thread first. */
export interface MessageAssignment {
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether anybody wants to hear of each message received. */
  readonly wantsReports: boolean;
}

/** What the thread says when it can serve. */
export interface ReadyMessage {
  readonly kind: "ready";
}

interface WorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: FromThread | ReadyMessage): void;
}

/** The name of the Workers of a mode that hand over messages. */
export function messageThreadName(mode: string): string {
  return `handshake ${mode} by messages`;
}

/**
 * The worker half of a mode whose connections come as messages: serves one at a time. Does
 * nothing in any other thread than one that was started for it.
 *
 * @param mode the mode's name
 */
export function onMessageThread(mode: string): void {
  if (runtime.threadName !== messageThreadName(mode)) return;
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data }) => {
    const assignment = data as MessageAssignment;
    const protocol = await loadProtocol(assignment.settings.protocol);
    const serve = server(assignment, protocol, (message) => scope.postMessage(message));
    scope.onmessage = ({ data }) => serve(data as ToThread);
    scope.postMessage({ kind: "ready" });
  };
}

function server(
  { settings, wantsReports }: MessageAssignment,
  protocol: ProtocolDefinition,
  post: (message: FromThread) => void,
): (message: ToThread) => void {
  const deadlines = new TimedDeadlines();
  let current: { id: number; session: Session<void>; connection: RelayedConnection } | undefined;

  function open(message: ToThread & { kind: "open" }): void {
    const { id } = message;
    const connection = new RelayedConnection(message, post);
    const context = new LazyContext(connection);
    const session = new Session(
      connection,
      beginConversation(protocol, context, settings.protocolSettings),
      {
        readTimeoutMs: settings.readTimeoutMs,
        sessionTimeoutMs: settings.sessionTimeoutMs,
        computeTimeoutMs: settings.computeTimeoutMs,
        deadlines,
        tasks: protocol.tasks,
        onReport: wantsReports ? (message) => post({ kind: "report", id, message }) : undefined,
      },
      (error) => {
        current = undefined;
        context.end();
        post({ kind: "over", id, failure: error === undefined ? undefined : asFailure(error) });
      },
    );
    current = { id, session, connection };
    session.start();
  }

  return (message) => {
    if (message.kind === "open") return open(message);
    // What was under way when a conversation ended belongs to nobody.
    if (message.id !== current?.id) return;
    if (message.kind === "cut") current.session.cut(new CutError());
    else current.connection.handle(message);
  };
}

function asFailure(
  error: unknown,
): { kind: ReturnType<typeof failureKind> | "cut"; message: string } {
  return {
    kind: error instanceof CutError ? "cut" : failureKind(error),
    message: describeError(error),
  };
}
