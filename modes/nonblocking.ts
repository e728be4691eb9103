/**
 * Nonblocking: one thread, sockets that do not block, and a readiness loop written out by hand.
 *
 * The thread asks the kernel which of its sockets are ready (`epoll` or `poll`). It does for each
 * of them what can be done without waiting, and asks again. Every event loop does this underneath,
 * that of `event.ts` too. Here you can read it.
 *
 * A call that would have to wait returns EAGAIN instead, and a `send` may take only a part of the
 * bytes. `engine/net/ready_connection.ts` deals with both. After EAGAIN the conversation stays
 * suspended until its socket is readable. The bytes that `send` did not take are kept, and are sent
 * when the socket is writable.
 *
 * The loop blocks its thread in one system call, so it runs in a Worker. The main thread stays free
 * for signals. It wakes the loop through a socket of its own.
 *
 * Costs: one core, and care, for nothing in the loop may wait. CPU work goes to `--offload`
 * Workers. Use it where ten thousand connections mostly wait, and to see how that is done.
 *
 * @module
 */

import { choiceOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { PolledDeadlines } from "../engine/drivers/deadlines.ts";
import { openPoller, type PollerKind, pollerKinds } from "../engine/net/poller.ts";
import { ReadyConnection, ReceiveBuffer } from "../engine/net/ready_connection.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { sockets } from "../engine/net/sockets.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { ReadyAcceptor } from "../engine/server/loops/acceptor.ts";
import { DescriptorSet } from "../engine/server/loops/descriptor_set.ts";
import { onLoop } from "../engine/server/loops/loop_thread.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import { OFFLOAD, type OffloadOptions } from "../engine/server/offload/offload_options.ts";

/** What the main thread gives the loop. */
interface Descriptors {
  readonly listener: number;
  readonly wake: number;
  readonly poller: PollerKind;
  readonly open: SharedArrayBuffer;
}

onLoop("nonblocking", (thread, { listener, wake, poller: kind, open: memory }: Descriptors) => {
  const net = sockets();
  const { POLLIN } = net.constants;
  const poller = openPoller(kind, net);
  const deadlines = new PolledDeadlines({ extendsLate: true, asksBeforeItWaits: true });
  const sessions = thread.makeSessions(deadlines);
  const connections: (ReadyConnection | undefined)[] = [];
  const open = new DescriptorSet(memory);
  const shared = { sockets: net, poller, buffer: new ReceiveBuffer(), onClose };

  function onConnection(fd: number, sockaddr: Uint8Array, isCounted: boolean): void {
    open.add(fd);
    const connection = new ReadyConnection(fd, sockaddr, shared);
    connections[fd] = connection;
    if (sessions.admit(connection, thread.gate, isCounted)) sessions.serve(connection);
  }

  function onClose(fd: number): void {
    connections[fd] = undefined;
    open.delete(fd);
  }

  // A listener is ready to read when a connection can be accepted.
  poller.add(listener, POLLIN);
  poller.add(wake, POLLIN);
  const acceptor = new ReadyAcceptor(thread, {
    sockets: net,
    poller,
    deadlines,
    listener,
    refuses: sessions.refusesOverflow,
    onConnection,
  });
  sessions.onParting = () => thread.leave();
  sessions.onOver = () => {
    thread.over();
    acceptor.onRoom();
  };
  thread.listening(thread.address);

  while (!thread.gate.closing || !acceptor.isEmpty || !sessions.isEmpty) {
    // The only call that waits. It returns when a socket is ready or the next deadline has come.
    const count = poller.wait(deadlines.msToNext);
    thread.woke(count > 0);
    let mayAccept = false;
    for (let index = 0; index < count; index++) {
      const fd = poller.fdAt(index);
      if (fd === listener) mayAccept = true;
      else if (fd === wake) thread.hearAll(wake);
      else connections[fd]?.onReady(poller.eventsAt(index));
    }
    deadlines.expire();
    // This comes last: a new connection may get the descriptor number of one that was just closed.
    if (mayAccept) acceptor.accept();
    if (thread.gate.closing) {
      acceptor.close();
      sessions.hasten();
    }
    if (thread.gate.cutting) {
      acceptor.release();
      sessions.cutAll();
    }
  }
  poller.close();
});

// Other threads do the CPU work of a protocol. Here it would hold up all connections.
onComputeThread("nonblocking");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with a readiness loop.
 *
 * @param options the address, the protocol and the system call that asks the kernel
 * @returns the server, listening
 * @throws {SocketsUnavailableError} where there are no Berkeley sockets
 */
export async function serve(options: NonblockingOptions = {}): Promise<Server> {
  const { LoopServer, openLoop, requireThreads } = await mainThread();
  const net = sockets();
  const poller = POLLER.read(options.poller);
  requireThreads(1);
  const makeMore = () => ({ own: { poller } });
  const plan = openLoop({ mode: "nonblocking", url: import.meta.url, sockets: net, makeMore });
  return await LoopServer.serve(options, plan, ["1 thread", poller]);
}

/** How to serve with a readiness loop. */
export interface NonblockingOptions extends ServeOptions, OffloadOptions {
  /**
   * Which system call asks the kernel.
   *
   * @default {"epoll"} on Linux, elsewhere `"poll"`
   */
  readonly poller?: PollerKind;
}

const POLLER: Option<PollerKind> = choiceOption("poller", {
  choices: ["epoll", "poll"],
  available: pollerKinds,
  default: () => pollerKinds()[0] as PollerKind,
  shown: "epoll on Linux",
  help: "how to ask the kernel which sockets are ready",
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("nonblocking", serve, {
    summary: "a readiness loop over epoll or poll",
    flags: [POLLER, OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
