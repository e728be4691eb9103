/**
 * The thread that makes a connection, uses it, closes it, and watches it all the while.
 *
 * One thread does all of it, with calls that do not block, so that between any two calls it can
 * look. The main thread stays free for the keyboard and for signals.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  clientFailureKind,
  ConnectTimeoutError,
  explainConnectError,
  InterruptedError,
  messageOf,
} from "../../engine/dial/failures.ts";
import { BlockingDriver, type BlockingOptions } from "../../engine/drivers/blocking.ts";
import { isIPv6 } from "../../engine/net/address.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { nowUs, setClock } from "../../engine/values/moment.ts";
import { onAssigned } from "../../engine/workers/worker_side.ts";
import { formatAddress } from "../../protocols/address.ts";
import { type Address, type Protocol, READ } from "../../protocols/effects.ts";
import { Input } from "../../protocols/input.ts";
import { loadLoadProtocol, type LoadProtocol } from "../load/load_protocol.ts";
import { Random } from "../load/random.ts";
import { type CapturedPacket, PacketCapture } from "./capture.ts";
import type { TimelineMessage, TimelineOutcome, TimelinePlan } from "./timeline_plan.ts";
import { WatchedSockets, Witness } from "./witness.ts";

/** The first message to the thread. */
export interface TimelineAssignment {
  /** What to do. */
  readonly plan: TimelinePlan;
  /** One word: whether to end early. */
  readonly stop: SharedArrayBuffer;
}

/** The name of the thread. It names the command that an executable loads for it. */
export const TIMELINE_THREAD = "handshake observe timeline";

/** The module of the thread. */
export const TIMELINE_THREAD_URL: string = import.meta.url;

/** How many bytes a request has, where the protocol leaves that open. */
const REQUEST_BYTES = 16;

/** The limits of a conversation. */
const LIMITS: BlockingOptions = {
  readTimeoutMs: 5_000,
  sessionTimeoutMs: 0,
  computeTimeoutMs: 0,
  receiveTimeoutMs: 0,
};

/** Makes the connection and watches it. */
class Observation {
  readonly #plan: TimelinePlan;
  readonly #protocol: LoadProtocol | undefined;
  readonly #witness: Witness;
  readonly #net: Sockets;
  readonly #endsAt: number;
  readonly #context = { input: new Input(), size: REQUEST_BYTES, random: new Random(1, 64) };
  /** Where bytes go that nobody reads. */
  readonly #unwanted = new Uint8Array(64 * 1024);
  #connected: Address | undefined;
  #failure: TimelineOutcome["failure"];

  constructor(plan: TimelinePlan, protocol: LoadProtocol | undefined, witness: Witness) {
    this.#plan = plan;
    this.#protocol = protocol;
    this.#witness = witness;
    this.#net = new WatchedSockets(witness);
    this.#endsAt = plan.forMs > 0 ? performance.now() + plan.forMs : Infinity;
    // The first payload takes the longest to make. That must not stand in the timeline.
    this.#context.random.bytes(REQUEST_BYTES);
    this.#context.random.letters(REQUEST_BYTES);
  }

  /** What was connected to. */
  get connected(): Address | undefined {
    return this.#connected;
  }

  /** The first failure. */
  get failure(): TimelineOutcome["failure"] {
    return this.#failure;
  }

  /** Does it. @throws {InterruptedError} if it was stopped */
  run(): void {
    const { addresses, connectTimeoutMs } = this.#plan;
    for (const address of addresses) {
      const fd = this.#open(address, connectTimeoutMs / addresses.length);
      if (fd === undefined) continue;
      this.#connected = address;
      // An earlier address does not matter any more.
      this.#failure = undefined;
      this.#lookForItself(fd);
      let isOpen = true;
      try {
        this.#use(fd);
        isOpen = this.#finish(fd);
      } finally {
        if (isOpen) this.#net.close(fd);
      }
      return;
    }
  }

  /** Connects. @returns the descriptor; `undefined` if that fails */
  #open(address: Address, withinMs: number): number | undefined {
    const net = this.#net;
    const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK, IPPROTO_TCP, TCP_NODELAY, POLLOUT } =
      net.constants;
    const { EINPROGRESS, ECONNRESET } = net.constants.errno;
    const family = isIPv6(address.hostname) ? AF_INET6 : AF_INET;
    const fd = net.socket(family, SOCK_STREAM | SOCK_NONBLOCK);
    try {
      net.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      const sockaddr = net.writeAddress(address);
      const calledUs = nowUs();
      const result = net.connectNonBlocking(fd, sockaddr);
      if (result < 0 && result !== -EINPROGRESS) {
        throw new SocketError("connect", -result, `to ${formatAddress(address)}`);
      }
      this.#witness.follow(fd, address, calledUs);
      const limitMs = Math.min(withinMs > 0 ? withinMs : Infinity, this.#leftMs());
      if (this.#witness.wait(fd, POLLOUT, limitMs) === 0) {
        throw new ConnectTimeoutError(Math.round(limitMs));
      }
      const errno = net.getOption(fd, net.constants.SOL_SOCKET, net.constants.SO_ERROR);
      // A reset is the end of a connection that was there. To a SYN it would be a refusal.
      if (errno !== 0 && errno !== ECONNRESET) {
        throw new SocketError("connect", errno, `to ${formatAddress(address)}`);
      }
      if (errno === 0) this.#witness.connected();
      else this.#witness.reset();
      return fd;
    } catch (error) {
      net.close(fd);
      if (error instanceof InterruptedError) throw error;
      this.#witness.reset();
      const { kind, detail } = explainConnectError(error);
      this.#failure = { kind, detail: `Cannot connect to ${formatAddress(address)}: ${detail}` };
      this.#witness.note(this.#failure.detail);
      return undefined;
    }
  }

  /** A socket that has got the port that it calls meets itself, although nobody listens there. */
  #lookForItself(fd: number): void {
    let ends: string[];
    try {
      ends = [this.#net.localAddress(fd), this.#net.peerAddress(fd)].map(formatAddress);
    } catch {
      // The peer has reset the connection by now.
      return;
    }
    const [own, peer] = ends;
    if (own !== peer) return;
    const detail = `The socket got the port that it called, and met itself: nobody listens there`;
    this.#failure = { kind: "not connected", detail };
    this.#witness.note(detail);
  }

  /** Converses, or waits for a server that speaks first. Then the connection stays open. */
  #use(fd: number): void {
    const { firstByteMs, stayMs } = this.#plan;
    const { POLLIN, POLLRDHUP } = this.#net.constants;
    if (this.#protocol !== undefined) this.#converse(fd, this.#protocol);
    else if (firstByteMs > 0) {
      this.#witness.wait(fd, POLLIN | POLLRDHUP, Math.min(firstByteMs, this.#leftMs()));
    }
    this.#drain(fd);
    const endsAt = performance.now() + Math.min(stayMs, this.#leftMs());
    this.#witness.lookUntil(
      () => this.#drain(fd),
      Math.max(0, endsAt - performance.now()),
    );
  }

  #converse(fd: number, protocol: LoadProtocol): void {
    const sessionTimeoutMs = Math.max(1, this.#leftMs());
    const driver = new BlockingDriver(this.#net, { ...LIMITS, sessionTimeoutMs });
    const context = this.#context;
    try {
      if (protocol.greeting !== undefined) driver.converse(fd, protocol.greeting(context));
      driver.converse(fd, protocol.exchange(context));
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      const detail = messageOf(error);
      this.#failure ??= { kind: clientFailureKind(error), detail };
      this.#witness.note(detail);
    }
  }

  /** Closes this direction, and looks until both ends are closed. @returns whether `fd` is open */
  #finish(fd: number): boolean {
    const net = this.#net;
    if (this.#plan.reset) {
      net.closeWithReset(fd);
      this.#witness.released();
    } else net.shutdown(fd, net.constants.SHUT_WR);
    this.#witness.lookUntil(() => {
      if (!this.#plan.reset) this.#drain(fd);
      return this.#witness.isOver;
    }, Math.max(0, this.#leftMs()));
    const { leftOpen } = this.#witness;
    if (leftOpen !== undefined) this.#witness.note(`The time is over, and ${leftOpen}`);
    return !this.#plan.reset;
  }

  /** Throws away what has come. @returns whether nothing more can come */
  #drain(fd: number): boolean {
    const { MSG_DONTWAIT, errno } = this.#net.constants;
    const buffer = this.#unwanted;
    for (let left = 64; left > 0; left--) {
      const count = this.#net.recv(fd, buffer, MSG_DONTWAIT);
      if (count === -errno.EINTR) continue;
      if (count === 0) return true;
      if (count < 0) return count !== -errno.EAGAIN;
    }
    return false;
  }

  #leftMs(): number {
    return this.#endsAt - performance.now();
  }
}

function openCapture(addresses: readonly Address[]): PacketCapture | string {
  const [first] = addresses as readonly [Address, ...Address[]];
  try {
    return new PacketCapture(sockets(), { port: first.port });
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "EPERM"
      ? "to capture them needs CAP_NET_RAW, which root has"
      : messageOf(error);
  }
}

/** How often everything is done for practice. */
const REHEARSALS = 20;

/** How long one of these connections may take, in milliseconds. */
const REHEARSAL_MS = 20;

/**
 * Watches a few connections of this thread to itself, so that the code that looks is compiled when
 * it matters: the first looks of a new thread take a hundred times as long as the later ones.
 */
function rehearse(captures: boolean, isStopped: () => boolean): void {
  const net = sockets();
  const { SOCK_STREAM, SOCK_NONBLOCK, AF_INET } = net.constants;
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const address = net.localAddress(listener);
  const sockaddr = net.writeAddress(address);
  const capture = captures ? new PacketCapture(net, { port: address.port }) : null;
  const nobody = { beganUs: Math.floor(nowUs()), tell: () => {}, isStopped: () => false };
  try {
    for (let round = 0; round < REHEARSALS && !isStopped(); round++) {
      using witness = new Witness({ ...nobody, capture: capture ?? undefined });
      const driver = new BlockingDriver(new WatchedSockets(witness), LIMITS);
      const fd = net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      net.connectNonBlocking(fd, sockaddr);
      if (net.poll(listener, net.constants.POLLIN, REHEARSAL_MS) <= 0) {
        // There is no port left, or a firewall is in the way, and so there is nobody to accept.
        net.close(fd);
        return;
      }
      witness.follow(fd, address, nowUs());
      witness.connected();
      const accepted = net.accept(listener);
      net.send(accepted, Uint8Array.of(1));
      driver.converse(fd, exchange());
      for (let look = 0; look < 20; look++) witness.look();
      // No remainder of these connections is to stay in TIME_WAIT.
      for (const each of [fd, accepted]) net.closeWithReset(each);
      witness.released();
      witness.finish();
    }
    if (capture !== null) awaitStamps(net, listener, capture, isStopped);
  } finally {
    capture?.[Symbol.dispose]();
    net.close(listener);
  }
}

/**
 * Waits until the kernel stamps packets when they come. It begins to do so a while after the first
 * socket has asked for stamps, on a busy machine after many milliseconds. Until then, a packet that
 * has none is stamped when it is taken.
 *
 * @param net the calls
 * @param listener a listener of this thread
 * @param capture captures its packets; another capture with stamps must stay open afterwards
 * @param isStopped whether nobody wants to wait any more
 */
function awaitStamps(
  net: Sockets,
  listener: number,
  capture: PacketCapture,
  isStopped: () => boolean,
): void {
  const address = net.localAddress(listener);
  for (const endsUs = nowUs() + STAMPS_US; nowUs() < endsUs && !isStopped();) {
    capture.take();
    const ends = [net.openConnection(address), net.accept(listener)];
    const cameUs = nowUs();
    while (nowUs() < cameUs + APART_US);
    const packets = capture.take();
    for (const fd of ends) net.closeWithReset(fd);
    const cameNs = BigInt(Math.round(cameUs + APART_US / 2)) * 1000n;
    if (packets.length > 0 && packets.every(({ stampNs }) => stampNs < cameNs)) return;
    net.poll(-1, 0, 1);
  }
}

/** How long to wait for stamps, in microseconds. */
const STAMPS_US = 500_000;

/** How long a packet lies before it is taken, to see when it is stamped, in microseconds. */
const APART_US = 200;

/** What is conversed for practice. */
function* exchange(): Protocol {
  yield { kind: "write", bytes: Uint8Array.of(1) };
  yield READ;
}

function observe(
  plan: TimelinePlan,
  protocol: LoadProtocol | undefined,
  isStopped: () => boolean,
  post: (message: TimelineMessage) => void,
): TimelineOutcome {
  setClock();
  const capture = openCapture(plan.addresses);
  const packets = typeof capture === "string" ? undefined : capture;
  try {
    rehearse(packets !== undefined, isStopped);
  } catch {
    // There may be no IPv4 here. Without practice the first looks are slower, and nothing else.
  }
  const bytesOf = (packet?: CapturedPacket) =>
    packet !== undefined && plan.wantsBytes
      ? { bytes: Buffer.from(packet.bytes).toString("base64") }
      : {};
  using _capture = packets;
  using witness = new Witness({
    beganUs: plan.beganUs,
    tell: (event, packet) => post({ kind: "seen", event, ...bytesOf(packet) }),
    isStopped,
    capture: packets,
  });
  if (typeof capture === "string") witness.note(`No packets: ${capture}`);
  const observation = new Observation(plan, protocol, witness);
  try {
    if (isStopped()) throw new InterruptedError();
    observation.run();
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    witness.note("Interrupted");
  }
  witness.finish();
  const { connected, failure } = observation;
  return {
    ...(connected !== undefined && { connected }),
    ...(failure !== undefined && { failure }),
    ...witness.precision,
  };
}

onAssigned(TIMELINE_THREAD, async (
  { plan, stop }: TimelineAssignment,
  post: (message: TimelineMessage) => void,
) => {
  const protocol = plan.protocol === undefined ? undefined : await loadLoadProtocol(plan.protocol);
  const word = new Int32Array(stop);
  return {
    play(sayReady) {
      sayReady();
      const outcome = observe(plan, protocol, () => Atomics.load(word, 0) !== 0, post);
      post({ kind: "outcome", outcome });
    },
  };
});
