/**
 * What the main thread of a mode with threads needs, and its threads do not.
 *
 * Such a mode is one file, which each of its Workers loads too. It imports this module when it
 * serves, not before: without what hangs on it, a Worker of Bun starts in less than half the time.
 *
 * @module
 */

export { modeProgram } from "./command_line.ts";
export { requireDescriptors, requireThreads, threadsThatFit } from "./descriptor_limits.ts";
export { DescriptorServer } from "./descriptor_server.ts";
export { LoopServer, requireFreePort } from "./loop_server.ts";
export { serveByMessages } from "./message_server.ts";
export { openReadiness } from "./readiness.ts";
export { serveListener } from "./listener_loop.ts";
