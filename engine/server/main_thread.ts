/**
 * What the main thread of a mode needs and its Workers do not.
 *
 * A mode with threads is one file, and each of its Workers loads that file too. The mode imports this
 * module only when it serves. Without this module and its imports, a Worker of Bun starts in less
 * than half the time.
 *
 * A mode opens one kind of server. The others would be two thirds of all modules, and a quarter of the
 * time in which a server starts on Deno. So each kind is loaded when it is opened.
 *
 * @module
 */

import type { DescriptorServer as Descriptors } from "./descriptors/descriptor_server.ts";
import type { openLoop as OpenLoop } from "./loops/descriptor_loop.ts";
import type { serveByProcesses as ServeByProcesses } from "./processes/process_server.ts";
import type { serveListener as ServeListener } from "./loops/listener_loop.ts";
import type {
  LoopServer as Loops,
  requireFreePort as RequireFreePort,
} from "./loops/loop_server.ts";
import type { serveByMessages as ServeByMessages } from "./messages/message_server.ts";

export { modeProgram } from "./command.ts";
export {
  requireDescriptors,
  requireThreads,
  threadsThatFit,
} from "../workers/descriptor_limits.ts";
export { startOnDemand } from "./descriptors/start_on_demand.ts";

const descriptors = () => import("./descriptors/descriptor_server.ts");
const loops = () => import("./loops/loop_server.ts");

/** Threads that block, and get connections as descriptors. */
export const DescriptorServer: { readonly open: typeof Descriptors.open } = {
  open: async (...given) => (await descriptors()).DescriptorServer.open(...given),
};

/** Event loops in Workers. */
export const LoopServer: { readonly serve: typeof Loops.serve } = {
  serve: async (...given) => (await loops()).LoopServer.serve(...given),
};

/** Makes sure that the loops of a {@linkcode LoopServer} can listen. */
export const requireFreePort: typeof RequireFreePort = async (...given) =>
  (await loops()).requireFreePort(...given);

/** A loop of a {@linkcode LoopServer} that has the listener as a descriptor. */
export const openLoop: typeof OpenLoop = (options) => async (...given) =>
  (await import("./loops/descriptor_loop.ts")).openLoop(options)(...given);

/** Threads that block, and get the bytes of their connections as messages. */
export const serveByMessages: typeof ServeByMessages = async (...given) =>
  (await import("./messages/message_server.ts")).serveByMessages(...given);

/** The event loop of the main thread. */
export const serveListener: typeof ServeListener = async (...given) =>
  (await import("./loops/listener_loop.ts")).serveListener(...given);

/** Processes. */
export const serveByProcesses: typeof ServeByProcesses = async (...given) =>
  (await import("./processes/process_server.ts")).serveByProcesses(...given);
