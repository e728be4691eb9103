/**
 * The conversations of a Worker whose connections come as messages.
 *
 * @module
 */

import { failureKind } from "../../../protocols/errors.ts";
import { beginConversation } from "../../drivers/conversation.ts";
import { TimedDeadlines } from "../../drivers/deadlines.ts";
import { limitsIn } from "../../drivers/limits.ts";
import { Pulse } from "../../drivers/pulse.ts";
import { Session } from "../../drivers/session.ts";
import { LazyContext } from "../core/context.ts";
import type { MessageAssignment } from "./message_assignment.ts";
import { CutError } from "../core/observer.ts";
import { describeWithPlace } from "../../values/places.ts";
import { describeError } from "../../values/thrown.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { type Failure, type FromThread, RelayedConnection, type ToThread } from "./relay.ts";
import { openTrack } from "../trace/open_track.ts";

/**
 * Begins to serve connections, one at a time.
 *
 * @param assignment the first message from the main thread
 * @param post sends a message to the main thread
 * @returns a function that handles each further message from the main thread
 * @throws {OptionError} if the protocol cannot be imported
 */
export async function serveMessages(
  { settings, wantsReports, pulse: word, track: share }: MessageAssignment,
  post: (message: FromThread) => void,
): Promise<(message: ToThread) => void> {
  const protocol = await loadProtocol(settings.protocol);
  const deadlines = new TimedDeadlines({ extendsLate: true });
  const pulse = new Pulse(word);
  const track = await openTrack(share);
  const tasks = track === undefined ? protocol.tasks : track.watchTasks(protocol.tasks);
  let current: { id: number; session: Session<void>; connection: RelayedConnection } | undefined;

  function open(message: ToThread & { kind: "open" }): void {
    const { id, recordedAs } = message;
    const connection = new RelayedConnection(message, post);
    const context = new LazyContext(connection);
    if (track !== undefined) track.current = recordedAs;
    const session: Session<void> = new Session(
      track === undefined || recordedAs === 0
        ? connection
        : track.watchConnection(connection, recordedAs),
      beginConversation(protocol, context, settings.protocolSettings),
      {
        // The main thread sees whether a write gets any further.
        ...limitsIn(settings),
        deadlines,
        // The connection lingers on the main thread.
        lingerer: { add: () => connection.linger() },
        tasks,
        hasSlicedTasks: protocol.hasSlicedTasks,
        pulse,
        onReport: wantsReports ? (message) => post({ kind: "report", id, message }) : undefined,
      },
      (failed) => {
        current = undefined;
        const thrown = context.end();
        const error = failed ?? thrown;
        const failure = error === undefined ? undefined : asFailure(error);
        post({ kind: "over", id, failure, wasEmpty: session.wasEmpty });
      },
    );
    current = { id, session, connection };
    session.start();
  }

  function hear(message: ToThread): void {
    if (message.kind === "open") return open(message);
    // The message was under way when its conversation ended. It concerns nobody now.
    if (message.id !== current?.id) return;
    if (message.kind === "cut") current.session.cut(new CutError());
    else current.connection.handle(message);
  }

  // All that happens in a conversation happens because of a message, except that its time is over.
  return (message) => {
    pulse.works();
    try {
      hear(message);
    } finally {
      pulse.rests();
    }
  };
}

function asFailure(error: unknown): Failure {
  const kind = error instanceof CutError ? "cut" : failureKind(error);
  // The message is for the log, and only this thread knows the place.
  return { kind, message: kind === "other" ? describeWithPlace(error) : describeError(error) };
}
