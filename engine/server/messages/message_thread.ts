/**
 * How a Worker becomes one that serves connections by messages.
 *
 * @module
 */

import type { MessageAssignment } from "./message_assignment.ts";
import type { FromThread, ToThread } from "./relay.ts";
import { messageThreadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";

/**
 * The worker half of a mode whose connections come as messages: serves one at a time. Does
 * nothing in any other thread than one that was started for it.
 *
 * @param mode the mode's name
 */
export function onMessageThread(mode: string): void {
  onAssigned(messageThreadName(mode), async (
    assignment: MessageAssignment,
    post: (message: FromThread) => void,
  ) => {
    // Loaded when it is needed: threads that serve by descriptor start faster without.
    const { serveMessages } = await import("./message_session.ts");
    const hear: (message: ToThread) => void = await serveMessages(assignment, post);
    return { hear };
  });
}
