/**
 * What the main thread of a mode with threads needs and its Workers do not.
 *
 * Such a mode is one file, and each of its Workers loads that file too. The mode imports this
 * module only when it serves. Without this module and its imports, a Worker of Bun starts in less
 * than half the time.
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
export { serveByProcesses } from "./processes/process_server.ts";
export { openLoop } from "./loops/descriptor_loop.ts";
export { serveListener } from "./loops/listener_loop.ts";
