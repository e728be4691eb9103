/**
 * Nonblocking: one thread, sockets that do not block, and a readiness loop written out by hand.
 *
 * The thread asks the kernel which of all its sockets have something for it (`epoll`, or `poll`),
 * does for each what can be done without waiting, and asks again. A conversation is resumed when
 * its socket is ready; what the peer does not take yet is kept, and sent on when there is room.
 * That is what every event loop does underneath, `event.ts` too: here it lies open.
 *
 * The loop blocks its thread in one system call, so it runs in a Worker: the main thread stays
 * free for signals, and wakes it through a socket of its own.
 *
 * Costs: one core, and care: nothing in the loop may wait. What a protocol has to compute goes to
 * `--offload` Workers. Use it where ten thousand connections mostly wait, and to see how that is
 * done.
 *
 * @module
 */

import { PolledDeadlines } from "../engine/drivers/deadlines.ts";
import { DescriptorSet } from "../engine/server/loops/descriptor_set.ts";
import { openPoller, type PollerKind, pollerKinds } from "../engine/net/poller.ts";
import { ReadyConnection, ReceiveBuffer } from "../engine/net/ready_connection.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { sockets } from "../engine/net/sockets.ts";
import { Acceptor } from "../engine/server/loops/acceptor.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import { choiceOption } from "../engine/cli/options.ts";
import { onLoop } from "../engine/server/loops/loop_thread.ts";
import { OFFLOAD, type OffloadOptions } from "../engine/server/offload/offload_options.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";

/** How to serve with a readiness loop. */
export interface NonblockingOptions extends ServeOptions, OffloadOptions {
  /**
   * How to ask the kernel.
   *
   * @default {"epoll"} on Linux, elsewhere `"poll"`
   */
  readonly poller?: PollerKind;
}

const POLLER = choiceOption<PollerKind>("poller", {
  choices: ["epoll", "poll"],
  available: pollerKinds,
  default: () => pollerKinds()[0] ?? "poll",
  shown: "epoll on Linux",
  help: "how to ask the kernel which sockets are ready",
});

/** Loaded when it is needed: the threads start faster without. */
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
  const makePlan = openReadiness({
    mode: "nonblocking",
    url: import.meta.url,
    poller,
    sockets: net,
  });
  return await LoopServer.serve(options, makePlan, ["1 thread", poller]);
}

/** What the main thread gives the loop. */
interface Descriptors {
  readonly listener: number;
  readonly wake: number;
  readonly poller: PollerKind;
  readonly open: SharedArrayBuffer;
}

onLoop("nonblocking", (thread, own: Descriptors) => {
  const net = sockets();
  const poller = openPoller(own.poller, net);
  const deadlines = new PolledDeadlines();
  const sessions = thread.makeSessions(deadlines);
  const connections: (ReadyConnection | undefined)[] = [];
  const open = new DescriptorSet(own.open);
  const shared = {
    sockets: net,
    poller,
    buffer: new ReceiveBuffer(),
    onClose(fd: number) {
      connections[fd] = undefined;
      open.delete(fd);
    },
  };
  const acceptor = new Acceptor(thread, {
    sockets: net,
    poller,
    deadlines,
    listener: own.listener,
    onConnection(fd, sockaddr) {
      open.add(fd);
      const connection = new ReadyConnection(fd, sockaddr, shared);
      connections[fd] = connection;
      sessions.serve(connection);
    },
  });
  sessions.onOver = () => {
    thread.gate.leave();
    acceptor.onRoom();
  };
  poller.add(own.wake, net.constants.POLLIN);
  thread.listening(thread.address);

  while (!thread.gate.closing || !acceptor.isEmpty || sessions.size > 0) {
    const count = poller.wait(deadlines.msToNext);
    thread.track?.woke();
    let mayAccept = false;
    for (let index = 0; index < count; index++) {
      const fd = poller.fdAt(index);
      if (fd === own.listener) mayAccept = true;
      else if (fd === own.wake) thread.hearAll(own.wake);
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

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("nonblocking", serve, {
    summary: "a readiness loop over epoll or poll",
    flags: [POLLER, OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
