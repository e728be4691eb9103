/**
 * Completion: one thread tells the kernel what to do, and hears when it was done (io_uring).
 *
 * A readiness loop, as in `nonblocking`, asks which sockets are ready, and then makes a call for each
 * thing that it does with them. Here nothing is asked. The thread writes operations into a queue:
 * accept, receive, send. The kernel carries them out and writes into another queue what became of
 * them. Both queues are memory that the two share. So one system call hands over everything that one
 * turn of the loop has asked for, and waits for whatever is done next.
 *
 * An accept and a receive are asked for once, and complete again and again. Nobody says into which
 * memory to receive: the kernel takes a buffer out of a stock when bytes have come. What it may write
 * to or read from is mapped memory, which no garbage collector moves or frees.
 *
 * The loop blocks its thread in that one call, so it runs in a Worker. The main thread stays free for
 * signals. It wakes the loop through a socket of its own.
 *
 * Costs: one core, Linux 6.1, and permission: containers often forbid io_uring. CPU work goes to
 * `--offload` Workers. Use it where very many small messages come, and to see how that is done.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";
import { PolledDeadlines } from "../engine/drivers/deadlines.ts";
import { WriteWatch } from "../engine/drivers/write_watch.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { sockets } from "../engine/net/sockets.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { DescriptorSet } from "../engine/server/loops/descriptor_set.ts";
import { onLoop } from "../engine/server/loops/loop_thread.ts";
import { RingAcceptor } from "../engine/server/loops/ring_acceptor.ts";
import { RingNote } from "../engine/server/loops/ring_note.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import { OFFLOAD, type OffloadOptions } from "../engine/server/offload/offload_options.ts";
import { OPERATION, Ring } from "../engine/uring/ring.ts";
import { RingConnections } from "../engine/uring/ring_connections.ts";

/** What the main thread gives the loop. */
interface Descriptors {
  readonly listener: number;
  readonly wake: number;
  readonly open: SharedArrayBuffer;
  readonly ring: SharedArrayBuffer;
}

onLoop("completion", (thread, { listener, wake, open: memory, ring: noted }: Descriptors) => {
  const net = sockets();
  const deadlines = new PolledDeadlines({ extendsLate: true, asksBeforeItWaits: true });
  const sessions = thread.makeSessions(deadlines);
  const open = new DescriptorSet(memory);
  const note = new RingNote(noted);
  const ring = new Ring();
  note.note(ring);
  const onClose = (fd: number) => open.delete(fd);
  const connections = new RingConnections({ sockets: net, ring, deadlines, onClose });
  const { writeTimeoutMs: timeoutMs } = thread;
  const unsent = new WriteWatch(deadlines, timeoutMs, connections.unsent);
  if (timeoutMs > 0) connections.onUnsent = () => unsent.wake();

  function onConnection(fd: number, sockaddr: Uint8Array, isCounted: boolean): void {
    open.add(fd);
    // This asks the kernel to receive, again and again.
    const connection = connections.add(fd, sockaddr);
    if (sessions.admit(connection, thread.gate, isCounted)) sessions.serve(connection);
  }

  const refuses = sessions.refusesOverflow;
  const acceptor = new RingAcceptor(thread, {
    sockets: net,
    ring,
    deadlines,
    listener,
    refuses,
    onArrival: (fd) => open.add(fd),
    onConnection,
  });
  ring.watch(wake, wake);
  sessions.onParting = () => thread.leave();
  sessions.onOver = () => {
    thread.over();
    acceptor.onRoom();
  };
  thread.listening(thread.address);

  const isBusy = () => !acceptor.isEmpty || !sessions.isEmpty || connections.size > 0;
  try {
    while (!thread.gate.closing || isBusy()) {
      // The only system call. It submits all that was asked for, and waits for the next completion.
      ring.submitAndWait(deadlines.nextAt);
      thread.woke(ring.hasNews);
      // Each completion resumes a conversation, and that asks for more: the kernel hears it next turn.
      while (ring.next()) {
        switch (ring.operation) {
          case OPERATION.receive:
          case OPERATION.send:
            connections.onCompletion();
            break;
          case OPERATION.accept:
            acceptor.onCompletion();
            break;
          case OPERATION.watch:
            thread.hearAll(wake);
            if (!ring.hasMore) ring.watch(wake, wake);
            break;
        }
      }
      deadlines.expire();
      if (thread.gate.closing) {
        acceptor.close();
        sessions.hasten();
      }
      if (thread.gate.cutting) {
        acceptor.release();
        sessions.cutAll();
        connections.dropUnsent();
      }
      // Buffers that were read go back to the kernel.
      connections.endTurn();
    }
  } finally {
    // If this thread dies of an error, what was answered before that is sent all the same.
    ring.submit();
  }
  // Nothing is under way any more, so the memory can go.
  note.forget();
  ring.dispose();
  connections.dispose();
});

// Other threads do the CPU work of a protocol. Here it would hold up all connections.
onComputeThread("completion");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with a completion loop.
 *
 * @param options the address and the protocol
 * @returns the server, listening
 * @throws {RingUnavailableError} where there is no io_uring, or it is forbidden
 */
export async function serve(options: CompletionOptions = {}): Promise<Server> {
  const { LoopServer, openLoop, requireThreads } = await mainThread();
  const { requireRing } = await import("../engine/uring/requirements.ts");
  requireRing();
  const net = sockets();
  requireThreads(1);
  const makeMore = () => {
    const note = new RingNote();
    return { own: { ring: note.memory }, onGone: () => note.clean() };
  };
  const plan = openLoop({ mode: "completion", url: import.meta.url, sockets: net, makeMore });
  return await LoopServer.serve(options, plan, ["1 thread", "io_uring"]);
}

/** How to serve with a completion loop. */
export interface CompletionOptions extends ServeOptions, OffloadOptions {}

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("completion", serve, {
    summary: "a completion loop over io_uring",
    flags: [OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
