/**
 * A server and a client of its own, watched: in the sandbox, or outside where there is none.
 *
 * @module
 */

import { EXIT_DONE } from "../../engine/cli/exit_status.ts";
import { MODES } from "../../modes/catalogue.ts";
import type { RoleContext } from "./role.ts";
import type { TimelineMessage, TimelineOutcome, TimelinePlan } from "./timeline_plan.ts";
import { watchConnection } from "./timeline_watch.ts";

/**
 * Starts a server, connects to it, and watches.
 *
 * @param plan what to do; its protocol is what both sides speak
 * @param tell receives what is seen
 * @param signal ends it early
 * @returns how it has ended
 */
export async function watchOwnServer(
  plan: TimelinePlan,
  tell: (message: TimelineMessage & { kind: "seen" }) => void,
  signal: AbortSignal,
): Promise<TimelineOutcome> {
  const { serve } = await MODES.event.load();
  const { protocol } = plan;
  await using server = await serve({
    host: "127.0.0.1",
    port: 0,
    ...(protocol !== undefined && { protocol }),
  });
  return await watchConnection({ ...plan, addresses: [server.address] }, tell, signal);
}

/** The role in the sandbox: it hears a plan, and tells what the thread tells. */
export async function timelineRole(context: RoleContext): Promise<number> {
  const plan = await context.hear() as TimelinePlan | undefined;
  if (plan === undefined) return EXIT_DONE;
  const outcome = await watchOwnServer(plan, (seen) => context.say(seen), context.signal);
  context.say({ kind: "outcome", outcome } satisfies TimelineMessage);
  return EXIT_DONE;
}
