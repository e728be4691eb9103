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

// The words to write a protocol, and the protocols of this project.
export * from "./protocol.ts";

// The concurrency models.
export { type BerkeleyOptions, serve as serveBerkeley } from "./modes/berkeley.ts";
export { type ClusterOptions, serve as serveCluster } from "./modes/cluster.ts";
export { type CompletionOptions, serve as serveCompletion } from "./modes/completion.ts";
export { type EventOptions, serve as serveEvent } from "./modes/event.ts";
export { type NonblockingOptions, serve as serveNonblocking } from "./modes/nonblocking.ts";
export { type PreforkOptions, serve as servePrefork } from "./modes/prefork.ts";
export { serve as serveSequential } from "./modes/sequential.ts";
export { serve as serveThreaded, type ThreadedOptions } from "./modes/threaded.ts";
export { serve as serveThreadpool, type ThreadpoolOptions } from "./modes/threadpool.ts";

// What they take and what they return.
export type { Counters } from "./engine/server/core/counters.ts";
export type { Duration } from "./engine/values/durations.ts";
export type { Handoff } from "./engine/server/descriptors/handoff.ts";
export type { OffloadOptions } from "./engine/server/offload/offload_options.ts";
export { OptionError, type Overflow, type ServeOptions } from "./engine/server/core/options.ts";
export type { PoolOptions } from "./engine/server/descriptors/pool_options.ts";
export type { ProcessHandoff, ProcessOptions } from "./engine/server/processes/process_options.ts";
export type { RuntimeName } from "./engine/process/runtimes.ts";
export type {
  Handover,
  PagePlace,
  Predecessor,
  Successor,
  TakenOver,
} from "./engine/server/core/handover.ts";
export type { CloseOptions, Server } from "./engine/server/core/server.ts";

// The statistics of a server, for any thread.
export type {
  OwnFigures,
  SharedFigure,
  SharedPulses,
  StatisticsShare,
} from "./engine/server/core/statistics_share.ts";
export type { AcceptQueue } from "./engine/server/statistics/listener_figures.ts";
export {
  type ProcessesSnapshot,
  StatisticsReader,
  type StatisticsSnapshot,
} from "./engine/server/statistics/statistics_reader.ts";
export type { OwnCounts } from "./engine/server/core/own_counts.ts";
export {
  exposeMetrics,
  type Metrics,
  type MetricsOptions,
} from "./engine/server/metrics/expose_metrics.ts";

// A page that shows a server while it runs.
export { type LiveOptions, openLive } from "./engine/server/live/open_live.ts";
export type { LivePage } from "./engine/server/trace/live_feed.ts";

// TCP with promises.
export type { DescriptorReserve } from "./engine/net/accept_policy.ts";
export type { Listener } from "./engine/net/listener.ts";
export { connect, listen } from "./engine/net/tcp.ts";
export type {
  Connection,
  ConnectOptions,
  FindDescriptor,
  KeepAlive,
  ListenOptions,
  Pulled,
  Sink,
} from "./engine/net/transport.ts";

// Berkeley sockets.
export type { PackedAddress, SockaddrLayout } from "./engine/net/address.ts";
export type { Constants, ErrorName } from "./engine/net/constants.ts";
export type { PollerKind } from "./engine/net/poller.ts";
export { type ControlMessage, MessageBuffer } from "./engine/net/message_buffer.ts";
export { EpollEvents, PollSet } from "./engine/net/poll_sets.ts";
export { SocketError, SocketsUnavailableError } from "./engine/net/socket_error.ts";
export {
  type AcceptAlarm,
  type ListenSocketOptions,
  type Sockets,
  sockets,
} from "./engine/net/sockets.ts";
