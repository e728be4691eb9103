/**
 * Handshake as a library: a protocol written once, served under every concurrency model.
 *
 * @example Serve, connect, look at the counters
 * ```ts
 * import { connect, serveThreadpool } from "./mod.ts";
 *
 * await using server = await serveThreadpool({ port: 0, workers: 2 });
 * await using connection = await connect(server.address);
 *
 * await connection.write(new TextEncoder().encode("HELLO 100\n"));
 * const answer = await connection.read();
 * console.log(new TextDecoder().decode(answer ?? undefined)); // HELLO 101
 * console.log(server.counters.accepted); // 1
 * ```
 *
 * @module
 */

// What a protocol is written in, and the protocols that come with the project.
export * from "./protocol.ts";

// The concurrency models.
export { type BerkeleyOptions, serve as serveBerkeley } from "./modes/berkeley.ts";
export { type ClusterOptions, serve as serveCluster } from "./modes/cluster.ts";
export { type EventOptions, serve as serveEvent } from "./modes/event.ts";
export { type NonblockingOptions, serve as serveNonblocking } from "./modes/nonblocking.ts";
export { serve as serveSequential } from "./modes/sequential.ts";
export { serve as serveThreaded, type ThreadedOptions } from "./modes/threaded.ts";
export { serve as serveThreadpool, type ThreadpoolOptions } from "./modes/threadpool.ts";

// What they take and what they return.
export type { Counters } from "./server/counters.ts";
export type { Duration } from "./server/durations.ts";
export type { Handoff } from "./server/handoff.ts";
export type { OffloadOptions } from "./server/offload_options.ts";
export { OptionError, type ServeOptions } from "./server/options.ts";
export type { PoolOptions } from "./server/pool_options.ts";
export type { CloseOptions, Server } from "./server/server.ts";

// TCP with promises.
export type { Listener } from "./net/listener.ts";
export { connect, listen } from "./net/tcp.ts";
export type { Connection, ConnectOptions, ListenOptions, Pulled, Sink } from "./net/transport.ts";

// Berkeley sockets.
export type { PackedAddress, SockaddrLayout } from "./net/address.ts";
export type { Constants, ErrorName } from "./net/constants.ts";
export type { PollerKind } from "./net/poller.ts";
export {
  type ConnectionCalls,
  EpollEvents,
  type ListenSocketOptions,
  PollSet,
  SocketError,
  type Sockets,
  sockets,
  SocketsUnavailableError,
} from "./net/sockets.ts";
