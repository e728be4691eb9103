/**
 * What the main thread of a mode with threads needs, and its threads do not.
 *
 * Such a mode is one file, which each of its Workers loads too. It imports this module when it
 * serves, not before: without what hangs on it, a Worker of Bun starts in less than half the time.
 *
 * @module
 */

export { modeProgram } from "./command.ts";
export {
  requireDescriptors,
  requireThreads,
  threadsThatFit,
} from "../workers/descriptor_limits.ts";
export { DescriptorServer } from "./descriptors/descriptor_server.ts";
export { startOnDemand } from "./descriptors/start_on_demand.ts";
export { LoopServer, requireFreePort } from "./loops/loop_server.ts";
export { serveByMessages } from "./messages/message_server.ts";
export { openReadiness } from "./loops/readiness.ts";
export { serveListener } from "./loops/listener_loop.ts";
