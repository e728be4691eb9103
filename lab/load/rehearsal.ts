/**
 * The rehearsal of a load: it warms up the thread that makes the load, before the first request
 * that counts.
 *
 * Code is compiled while it runs, and the first runs of a function take a hundred times as long as
 * later ones. In a load, that would count as the server's time. So each thread first loads a server
 * of its own, in the same thread and for a moment, twice. The server that is measured sees nothing of
 * it: it gets precisely the requests that were asked for.
 *
 * @module
 */

import { beginConversation } from "../../engine/drivers/conversation.ts";
import { type Deadlines, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { Session } from "../../engine/drivers/session.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { findProtocol, type ProtocolDefinition, PROTOCOLS } from "../../protocols/catalogue.ts";
import { EpollEngine } from "./epoll_engine.ts";
import { runOnRuntime } from "./event_engine.ts";
import { loadLoadProtocol, type LoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import { protocolOf, serverOf, shortTalk, type Talk } from "./talk.ts";

/** The longest that each part of the rehearsal takes, in milliseconds. */
const LONGEST_MS = 400;

/** How many requests it makes; fewer if each takes a connection, because that uses up ports. */
const REQUESTS = 2_000;
const CONNECTING_REQUESTS = 200;

/** How many requests are due each second in the rehearsal of an open model, and for how long. */
const RATE = 20_000;
const RATED_MS = 40;

/** How many connections it has. */
const CONNECTIONS = 4;

/** The longest payload. More bytes need no other code. */
const LONGEST = 1_024;

/** Where it takes place. */
const STAGE = { hostname: "127.0.0.1", port: 0 } as const;

/** What is needed for a rehearsal. */
interface Script {
  readonly client: LoadProtocol;
  readonly server: ProtocolDefinition;
}

/**
 * Rehearses a load.
 *
 * @param share the thread's share of the load
 * @param protocol the protocol of the load
 * @param isStopped whether the load is to end early
 */
export async function rehearse(
  share: Share,
  protocol: LoadProtocol,
  isStopped: () => boolean,
): Promise<void> {
  const { talk, protocol: location } = share.plan;
  // What the server's side of somebody's own protocol does, beside answering, is not known.
  const script = talk !== undefined
    ? talkScript(talk)
    : Object.hasOwn(PROTOCOLS, location)
    ? { client: protocol, server: findProtocol(location) }
    : { client: await loadLoadProtocol("echo"), server: findProtocol("echo") };
  const run = share.plan.engine === "descriptors" ? onDescriptors : onRuntime;
  try {
    await run(shortened(share, script, null, LONGEST_MS), script, isStopped);
    if (share.plan.rate === null || isStopped()) return;
    await run(shortened(share, script, RATE, RATED_MS), script, isStopped);
  } catch {
    // A load that was not rehearsed is a load all the same.
  }
}

function talkScript(talk: Talk): Script {
  const short = shortTalk(talk);
  return { client: protocolOf(short), server: serverOf(short) };
}

function shortened(
  share: Share,
  { client }: Script,
  rate: number | null,
  durationMs: number,
): Share {
  const connect = share.plan.connect || client.connects === true;
  const connections = Math.min(CONNECTIONS, share.connections);
  const requests = connect ? CONNECTING_REQUESTS : REQUESTS;
  const [least, most] = share.plan.size;
  return {
    ...share,
    thread: 0,
    connections,
    requests,
    plan: {
      ...share.plan,
      connect,
      connections,
      requests,
      rate,
      rateParts: null,
      arrivals: "even",
      durationMs,
      thinkMs: 0,
      rampMs: 0,
      size: [Math.min(LONGEST, least), Math.min(LONGEST, most)],
      timeoutMs: LONGEST_MS,
      threads: 1,
      sources: [],
    },
  };
}

/** Holds the server's side of one conversation. */
function serve(connection: Connection, server: ProtocolDefinition, deadlines: Deadlines): void {
  const { signal } = new AbortController();
  const conversation = beginConversation(server, { peer: STAGE, signal }, {});
  const limits = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0, deadlines };
  new Session(connection, conversation, limits, () => {}).start();
}

function onDescriptors(share: Share, { client, server }: Script, isStopped: () => boolean): void {
  const net = sockets();
  const listener = net.openListener(STAGE, { nonBlocking: true });
  const engine = new EpollEngine(
    { ...share, address: net.localAddress(listener) },
    client,
    () => {},
  );
  const served: Connection[] = [];
  const sockaddr = net.writeAddress(STAGE);
  engine.watch(listener, {
    onReady() {
      for (;;) {
        const fd = net.acceptNonBlocking(listener, sockaddr);
        if (fd < 0) return;
        const connection = engine.adopt(fd, sockaddr);
        served.push(connection);
        serve(connection, server, engine.deadlines);
      }
    },
  });
  try {
    engine.open(isStopped);
    engine.run(isStopped);
  } finally {
    engine.close();
    for (const connection of served) connection.close();
    net.close(listener);
  }
}

async function onRuntime(
  share: Share,
  { client, server }: Script,
  isStopped: () => boolean,
): Promise<void> {
  if (!runtime.mayListen(STAGE.hostname)) return;
  using deadlines = new TimedDeadlines();
  const served: Connection[] = [];
  const listener = await listen(STAGE);
  const accepting = acceptAll(listener, (connection) => {
    served.push(connection);
    serve(connection, server, deadlines);
  });
  try {
    await runOnRuntime({ ...share, address: listener.address }, client, () => {}, isStopped);
  } finally {
    listener.close();
    await accepting;
    for (const connection of served) connection.close();
  }
}

async function acceptAll(
  listener: Listener,
  onConnection: (connection: Connection) => void,
): Promise<void> {
  for await (const connection of listener) onConnection(connection);
}
