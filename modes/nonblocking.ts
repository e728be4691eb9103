/**
 * Nonblocking: one thread, sockets that do not block, and a readiness loop written out by hand.
 *
 * The thread asks the kernel which of all its sockets have something for it (`epoll`, or `poll`),
 * does for each what can be done without waiting, and asks again. That is what every event loop does
 * underneath, `event.ts` too: here it lies open.
 *
 * A call that would have to wait returns EAGAIN instead, and a `send` may take only a part. Both are
 * dealt with in `engine/net/ready_connection.ts`: after EAGAIN the conversation stays suspended until
 * its socket is readable; what `send` did not take is kept, and sent when the socket is writable.
 *
 * The loop blocks its thread in one system call, so it runs in a Worker. The main thread stays free
 * for signals, and wakes the loop through a socket of its own.
 *
 * Costs: one core, and care: nothing in the loop may wait. What a protocol has to compute goes to
 * `--offload` Workers. Use it where ten thousand connections mostly wait, and to see how that is
 * done.
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
import { Acceptor } from "../engine/server/loops/acceptor.ts";
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
  const deadlines = new PolledDeadlines();
  const sessions = thread.makeSessions(deadlines);
  const connections: (ReadyConnection | undefined)[] = [];
  const open = new DescriptorSet(memory);
  const shared = { sockets: net, poller, buffer: new ReceiveBuffer(), onClose };

  function onConnection(fd: number, sockaddr: Uint8Array): void {
    open.add(fd);
    const connection = new ReadyConnection(fd, sockaddr, shared);
    connections[fd] = connection;
    sessions.serve(connection);
  }

  function onClose(fd: number): void {
    connections[fd] = undefined;
    open.delete(fd);
  }

  // A listener is ready to read when a connection can be accepted.
  poller.add(listener, POLLIN);
  poller.add(wake, POLLIN);
  const acceptor = new Acceptor(thread, {
    sockets: net,
    poller,
    deadlines,
    listener,
    onConnection,
  });
  sessions.onOver = () => {
    thread.gate.leave();
    acceptor.onRoom();
  };
  thread.listening(thread.address);

  while (!thread.gate.closing || !acceptor.isEmpty || !sessions.isEmpty) {
    // The one call that waits: until a socket is ready, or the next time limit is over.
    const count = poller.wait(deadlines.msToNext);
    thread.track?.woke();
    let mayAccept = false;
    for (let index = 0; index < count; index++) {
      const fd = poller.fdAt(index);
      if (fd === listener) mayAccept = true;
      else if (fd === wake) thread.hearAll(wake);
      else connections[fd]?.onReady(poller.eventsAt(index));
    }
    deadlines.expire();
    // Last: a new connection may get the number of one that was closed just now.
    if (mayAccept) acceptor.accept();
    if (thread.gate.closing) acceptor.close();
    if (thread.gate.cutting) {
      acceptor.release();
      sessions.cutAll();
    }
  }
  poller.close();
});

// What a protocol has to compute is done by other threads: here it would hold up everybody.
onComputeThread("nonblocking");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with a readiness loop.
 *
 * @param options where to listen, what to speak, how to ask the kernel
 * @returns the server, listening
 * @throws {SocketsUnavailableError} where there are no Berkeley sockets
 */
export async function serve(options: NonblockingOptions = {}): Promise<Server> {
  const { LoopServer, openReadiness } = await mainThread();
  const net = sockets();
  const poller = POLLER.read(options.poller);
  const plan = { mode: "nonblocking", url: import.meta.url, poller, sockets: net };
  return await LoopServer.serve(options, openReadiness(plan), ["1 thread", poller]);
}

/** How to serve with a readiness loop. */
export interface NonblockingOptions extends ServeOptions, OffloadOptions {
  /**
   * How to ask the kernel.
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
