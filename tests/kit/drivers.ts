/**
 * The table of the drivers for their contract. Each row can begin a conversation with a peer.
 *
 * @module
 */

import { converseOnce } from "../../engine/drivers/datagram.ts";
import { PolledDeadlines, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { LingerSet } from "../../engine/drivers/linger.ts";
import { Session } from "../../engine/drivers/session.ts";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { openPoller, type PollerKind, pollerKinds } from "../../engine/net/poller.ts";
import { ReadyConnection, ReceiveBuffer } from "../../engine/net/ready_connection.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import { Ring } from "../../engine/uring/ring.ts";
import { RingConnections } from "../../engine/uring/ring_connections.ts";
import { Relay } from "../../engine/server/messages/relay.ts";
import { whyNoDescriptors } from "../../lab/load/plan.ts";
import { type Address, type FailureKind, PeerGoneError } from "../../protocol.ts";
import { bytesOf, Talk } from "./conversation.ts";
import { DatagramPeer } from "./datagram_peer.ts";
import {
  type Ability,
  eventsFor,
  type Handle,
  type Outcome,
  type Script,
  type ScriptPeer,
  TASKS,
  textOf,
} from "./driver_scripts.ts";
import {
  DRIVER_THREAD,
  type FromDriver,
  holdUnderLoad,
  NO_LIMITS,
  Notes,
  type ToDriver,
} from "./driver_thread.ts";
import { assert, within } from "./harness.ts";
import { Peer } from "./peer.ts";

/** A conversation under way. */
export interface Stage extends Handle, AsyncDisposable {
  readonly peer: ScriptPeer;
  readonly outcome: Promise<Outcome>;
  /** How many bytes were written, for a driver whose peer need not read them. */
  taken?(): number;
}

/** What a driver does if it does not have an ability that a script needs. */
export type Refusal =
  /** The conversation fails, and the message contains this. */
  | { readonly fails: string }
  /** The conversation fails with this kind, and the error is not thrown into it. */
  | { readonly abandons: FailureKind }
  /** The effect is refused, and the conversation may go on. What it logs contains this. */
  | { readonly refuses: string }
  /** The driver has no such call. */
  | { readonly hasNo: "abort" | "cut" }
  /** The conversation goes on waiting. */
  | { readonly waits: true }
  /** The effect has no consequence. */
  | { readonly ignores: "report" }
  /** All writes are taken at once. */
  | { readonly takesAll: true };

/** One driver, over one kind of connection. */
export interface DriverRow {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skip?: string | undefined;
  /** The abilities that it does not have, and what it does instead. */
  readonly cannot: Partial<Record<Ability, Refusal>>;
  /** Begins a conversation. */
  open(script: Script): Promise<Stage>;
}

const LOOPBACK: Address = { hostname: "127.0.0.1", port: 0 };

// The event-driven driver, over each kind of connection.

/** Begins the conversation of a script over a connection of this thread. */
function beginSession(connection: Connection, script: Script) {
  const notes = new Notes();
  const deadlines = new TimedDeadlines();
  const lingering = new LingerSet(deadlines);
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const session: Session<unknown> = new Session(
    connection,
    script.protocol(notes.write),
    {
      ...NO_LIMITS,
      ...script.limits,
      deadlines,
      lingerer: lingering,
      tasks: TASKS,
      events: script.hasEvents ? eventsFor(notes.write) : undefined,
      onReport: notes.report,
    },
    (error, result) => resolve(error === undefined ? notes.returned(result) : notes.threw(error)),
  );
  session.start();
  return {
    outcome,
    abort: (error: Error) => session.abort(error),
    cut: (error: Error) => session.cut(error),
    end() {
      session.cut(new Error("The test is over"));
      lingering.close();
      deadlines[Symbol.dispose]();
    },
  };
}

async function openOnRuntime(script: Script): Promise<Stage> {
  const listener = await runtime.listen(LOOPBACK);
  const [peer, { value: connection }] = await within(
    5_000,
    "a connection",
    Promise.all([Peer.connect(listener.address), listener.next()]),
  );
  const { end, ...session } = beginSession(connection as Connection, script);
  return {
    ...session,
    peer,
    async [Symbol.asyncDispose]() {
      end();
      await peer[Symbol.asyncDispose]();
      listener.close();
    },
  };
}

/** A peer that has connected, and the other end of its connection. */
async function acceptByNumber() {
  const net = sockets();
  const listener = net.openListener(LOOPBACK, { nonBlocking: true });
  const peer = await Peer.connect(net.localAddress(listener));
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  const fd = net.acceptNonBlocking(listener, sockaddr);
  assert(fd >= 0, "the peer that has connected waits to be accepted");
  net.close(listener);
  return { net, peer, fd, sockaddr };
}

async function openWithRing(script: Script): Promise<Stage> {
  const { net, peer, fd, sockaddr } = await acceptByNumber();
  const ring = new Ring();
  const deadlines = new PolledDeadlines();
  const connections = new RingConnections({ sockets: net, ring, deadlines, onClose() {} });
  const connection = connections.add(fd, sockaddr);
  const { end, ...session } = beginSession(connection, script);
  const turn = () => {
    ring.submit();
    while (ring.next()) connections.onCompletion();
    deadlines.expire();
    connections.endTurn();
  };
  const turning = setInterval(turn, 1);
  return {
    ...session,
    peer,
    async [Symbol.asyncDispose]() {
      end();
      connection.reset();
      clearInterval(turning);
      while (connections.size > 0) turn();
      ring.dispose();
      connections.dispose();
      await peer[Symbol.asyncDispose]();
    },
  };
}

async function openWithPoller(kind: PollerKind, script: Script): Promise<Stage> {
  const { net, peer, fd, sockaddr } = await acceptByNumber();
  const poller = openPoller(kind, net);
  let connection: ReadyConnection | undefined;
  const loop = {
    sockets: net,
    poller,
    buffer: new ReceiveBuffer(),
    onClose: () => connection = undefined,
  };
  connection = new ReadyConnection(fd, sockaddr, loop);
  const { end, ...session } = beginSession(connection, script);
  const turn = () => {
    const count = poller.wait(0);
    for (let index = 0; index < count; index++) {
      if (poller.fdAt(index) === fd) connection?.onReady(poller.eventsAt(index));
    }
  };
  const turning = setInterval(turn, 1);
  return {
    ...session,
    peer,
    async [Symbol.asyncDispose]() {
      end();
      clearInterval(turning);
      connection?.close();
      poller.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

// In another thread.

/** Starts a thread. `hear` receives all its messages. */
function startThread(hear: (message: FromDriver) => void) {
  const url = new URL("./driver_thread.ts", import.meta.url).href;
  const worker = runtime.startThread(url, DRIVER_THREAD);
  worker.onmessage = ({ data }) => hear(data as FromDriver);
  return {
    post: (message: ToDriver) => worker.postMessage(message),
    end: () => worker.terminate(),
  };
}

async function openRelayed(script: Script): Promise<Stage> {
  const listener = await runtime.listen(LOOPBACK);
  const ready = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<Outcome>();
  const thread = startThread((said) => {
    if (said.kind === "ready") ready.resolve();
    else if (said.kind === "relayed") relay.handle(said.message);
    else if (said.kind === "over") outcome.resolve(said.outcome);
  });
  thread.post({ kind: "relay", script: script.name });
  const [peer, { value: connection }] = await within(
    10_000,
    "a thread and a connection",
    Promise.all([Peer.connect(listener.address), listener.next(), ready.promise]),
  );
  const deadlines = new TimedDeadlines();
  const lingering = new LingerSet(deadlines);
  const relay = new Relay(connection as Connection, 1, lingering, (message) => {
    thread.post({ kind: "relayed", message });
  });
  relay.start(0);
  return {
    peer,
    outcome: outcome.promise,
    abort: ({ message }) => thread.post({ kind: "abort", message }),
    cut: ({ message }) => thread.post({ kind: "cut", message }),
    async [Symbol.asyncDispose]() {
      using _limits = deadlines;
      relay.close();
      lingering.close();
      thread.end();
      await peer[Symbol.asyncDispose]();
      listener.close();
    },
  };
}

/** A conversation with blocking calls, and its descriptor. */
export interface BlockingStage extends Stage {
  readonly fd: number;
}

/** Begins a conversation whose driver blocks its thread. */
export async function openBlocking(script: Script): Promise<BlockingStage> {
  const listening = Promise.withResolvers<Address>();
  const serving = Promise.withResolvers<number>();
  const outcome = Promise.withResolvers<Outcome>();
  const thread = startThread((said) => {
    if (said.kind === "listening") listening.resolve(said.address);
    else if (said.kind === "serving") serving.resolve(said.fd);
    else if (said.kind === "over") outcome.resolve(said.outcome);
  });
  thread.post({ kind: "block", script: script.name });
  const address = await within(10_000, "a thread that listens", listening.promise);
  const peer = await Peer.connect(address);
  return {
    peer,
    outcome: outcome.promise,
    fd: await within(10_000, "a thread that serves", serving.promise),
    async [Symbol.asyncDispose]() {
      // A conversation that still reads gets FIN and ends. Then the thread can be ended.
      await peer[Symbol.asyncDispose]();
      await within(10_000, "the conversation to end", outcome.promise);
      thread.end();
    },
  };
}

// Datagrams: one that begins the conversation, and one for the answer.

function openDatagrams(script: Script): Promise<Stage> {
  const net = sockets();
  const { AF_INET, SOCK_DGRAM, MSG_DONTWAIT } = net.constants;
  const fd = net.socket(AF_INET, SOCK_DGRAM);
  net.bind(fd, LOOPBACK);
  const client = new DatagramPeer(net.localAddress(fd));
  const notes = new Notes();
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  assert(client.send("begin"));
  assert(net.recvfrom(fd, new Uint8Array(64), sockaddr, MSG_DONTWAIT) === 5);
  const { computeTimeoutMs } = { ...NO_LIMITS, ...script.limits };
  let outcome: Outcome;
  try {
    const options = { computeTimeoutMs, tasks: TASKS, onReport: notes.report };
    const result = converseOnce(script.protocol(notes.write), options, (bytes) => {
      net.sendto(fd, bytes, sockaddr);
    });
    outcome = notes.returned(result);
  } catch (error) {
    outcome = notes.threw(error);
  }
  const take = () => textOf(client.take() ?? new Uint8Array(0));
  const peer: ScriptPeer = {
    send: (text) => Promise.resolve(client.send(text)),
    // If there is an answer, it is there already.
    take: () => Promise.resolve(take()),
    rest: () => Promise.resolve(take()),
    gone: () => Promise.resolve(),
    // A datagram has no connection that could end.
    finish() {},
    reset() {},
    pause() {},
    resume() {},
  };
  return Promise.resolve({
    peer,
    outcome: Promise.resolve(outcome),
    [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      net.close(fd);
      return Promise.resolve();
    },
  });
}

// The load: conversations from the client's side.

/** Begins an exchange of the load on the runtime's sockets, in this thread. */
async function openLoad(script: Script): Promise<Stage> {
  const { address, peer: arriving } = await Peer.listen();
  let isStopped = false;
  const outcome = holdUnderLoad(script, address, "runtime", () => isStopped);
  const peer = await greet(arriving);
  return {
    peer,
    outcome,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await peer[Symbol.asyncDispose]();
      await within(10_000, "the load to end", outcome);
    },
  };
}

/** Begins one on descriptors, in a thread of its own. */
async function openLoadOnDescriptors(script: Script): Promise<Stage> {
  const { address, peer: arriving } = await Peer.listen();
  const outcome = Promise.withResolvers<Outcome>();
  const thread = startThread((said) => {
    if (said.kind === "over") outcome.resolve(said.outcome);
  });
  thread.post({ kind: "load", script: script.name, address });
  const peer = await greet(arriving);
  return {
    peer,
    outcome: outcome.promise,
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
      // Its thread is blocked until then.
      await within(10_000, "the load to end", outcome.promise);
      thread.end();
    },
  };
}

/** Says the word with which each exchange begins. */
async function greet(arriving: Promise<Peer>): Promise<Peer> {
  const peer = await arriving;
  await peer.send("begin");
  await peer.take(1);
  return peer;
}

// By hand.

/** The peer of a conversation without a network. It resumes the conversation itself. */
class TalkPeer implements ScriptPeer {
  readonly #talk: Talk;
  readonly #sent: (Uint8Array | null)[] = [];
  #taken = 0;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  send(text: string): Promise<void> {
    this.#sent.push(bytesOf(text));
    this.#answer();
    return Promise.resolve();
  }

  finish(): void {
    this.#sent.push(null);
    this.#answer();
  }

  reset(): void {
    if (!this.#talk.over) this.#talk.throw(new PeerGoneError("receiving"));
  }

  take(count: number): Promise<string> {
    while (this.#talk.text.length < this.#taken + count && this.#pass());
    const taken = this.#talk.text.slice(this.#taken, this.#taken += count);
    if (taken.length < count) return Promise.reject(new Error(`it said only "${taken}"`));
    return Promise.resolve(taken);
  }

  rest(): Promise<string> {
    while (this.#pass());
    return Promise.resolve(this.#talk.text.slice(this.#taken));
  }

  gone(): Promise<void> {
    while (this.#pass());
    return Promise.resolve();
  }

  // Writes arrive at once, so there is nothing to pause.
  pause(): void {}
  resume(): void {}

  /** Lets the time of a read pass, or a FIN be read again. Returns whether anything happened. */
  #pass(): boolean {
    if (this.#talk.over) return false;
    if (this.#talk.withinMs === undefined && this.#sent[0] === undefined) return false;
    if (this.#sent.length > 0) this.#answer();
    else this.#talk.answer(undefined);
    return true;
  }

  #answer(): void {
    while (!this.#talk.over && this.#sent.length > 0) {
      const [next] = this.#sent as [Uint8Array | null];
      // After FIN nothing else comes.
      if (next !== null) this.#sent.shift();
      this.#talk.answer(next);
    }
  }
}

function openTalk(script: Script): Promise<Stage> {
  const notes = new Notes();
  const talk = new Talk(script.protocol(notes.write), TASKS, script.limits?.computeTimeoutMs);
  const over = Promise.withResolvers<Outcome>();
  const peer = new TalkPeer(talk);
  const looking = setInterval(() => {
    if (!talk.over) return;
    const reports = talk.events.filter((event) => event.startsWith("report "))
      .map((event) => event.slice("report ".length));
    const outcome = talk.error === undefined
      ? notes.returned(talk.result)
      : notes.threw(talk.error);
    over.resolve({ ...outcome, reports });
  }, 1);
  return Promise.resolve({
    peer,
    outcome: over.promise,
    abort: (error) => talk.over || talk.throw(error),
    taken: () => talk.written.reduce((sum, bytes) => sum + bytes.length, 0),
    [Symbol.asyncDispose]() {
      clearInterval(looking);
      return Promise.resolve();
    },
  });
}

/** What the load, which measures others, does without. */
const LOAD_CANNOT: DriverRow["cannot"] = {
  "wait": { refuses: "TypeError: Cannot wait: nothing happens here" },
  "compute": { refuses: "TypeError: Cannot compute" },
  // What is measured is told by those who measure.
  "report": { ignores: "report" },
  "abort": { hasNo: "abort" },
  "cut": { hasNo: "cut" },
  "tell of failure": { abandons: "peer gone" },
  // One limit for the whole of a request is all it has.
  "keep limits": { abandons: "read timeout" },
  "linger": { abandons: "other" },
};

/** All of them. */
export const DRIVERS: readonly DriverRow[] = [
  {
    name: "blocking",
    skip: whyNoSockets(),
    cannot: {
      // It can be reached only through its descriptor: see its own tests.
      abort: { hasNo: "abort" },
      cut: { hasNo: "cut" },
      wait: { refuses: "TypeError: Cannot wait: nothing happens here" },
    },
    open: openBlocking,
  },
  {
    name: `event-driven over ${runtime.name}'s sockets`,
    // Deno tells of a reset only those who read, and after FIN there is nothing to read.
    cannot: runtime.name === "deno" ? { "watch past FIN": { waits: true } } : {},
    open: openOnRuntime,
  },
  ...pollerKinds().map((kind) => ({
    name: `event-driven with ${kind}`,
    cannot: {},
    open: (script: Script) => openWithPoller(kind, script),
  })),
  {
    name: "event-driven over io_uring",
    skip: whyNoRing(),
    cannot: {},
    open: openWithRing,
  },
  {
    name: "event-driven by messages",
    // Its thread computes in place, and cannot notice anything meanwhile.
    cannot: { watch: { waits: true } },
    open: openRelayed,
  },
  {
    name: "datagram",
    skip: whyNoSockets(),
    cannot: {
      "wait": { refuses: "TypeError: Cannot wait: nothing happens here" },
      "read": { fails: "Cannot read: a datagram comes whole and has one answer" },
      "write on": { fails: "Cannot write: a datagram comes whole and has one answer" },
      "wait to write": { fails: "Cannot write: a datagram comes whole and has one answer" },
      "abort": { hasNo: "abort" },
      "cut": { hasNo: "cut" },
    },
    open: openDatagrams,
  },
  {
    name: `load over ${runtime.name}'s sockets`,
    cannot: LOAD_CANNOT,
    open: openLoad,
  },
  {
    name: "load on descriptors",
    skip: whyNoDescriptors(),
    cannot: LOAD_CANNOT,
    open: openLoadOnDescriptors,
  },
  {
    name: "by hand",
    cannot: {
      "wait": { refuses: "TypeError: Cannot wait: nothing happens here" },
      "cut": { hasNo: "cut" },
      // There is no clock and no connection. The test itself throws errors.
      "keep limits": { waits: true },
      "end": { waits: true },
      "wait to write": { takesAll: true },
    },
    open: openTalk,
  },
];
