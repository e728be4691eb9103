/**
 * The worker half of a mode whose connections come as messages.
 *
 * @module
 */

import type { MessageAssignment } from "./message_assignment.ts";
import type { FromThread, ToThread } from "./relay.ts";
import { messageThreadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";

/**
 * The worker half of a mode whose connections come as messages. It serves one connection at a time.
 * In a thread that was not started for this it does nothing.
 *
 * @param mode the mode's name
 */
export function onMessageThread(mode: string): void {
  onAssigned(messageThreadName(mode), async (
    assignment: MessageAssignment,
    post: (message: FromThread) => void,
  ) => {
    // This module is loaded only when it is needed. Threads that serve by descriptor start faster
    // without it.
    const { serveMessages } = await import("./message_session.ts");
    const hear: (message: ToThread) => void = await serveMessages(assignment, post);
    return { hear };
  });
}
