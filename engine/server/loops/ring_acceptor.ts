/**
 * Has the kernel accept connections, where a loop works with completions.
 *
 * One operation accepts again and again, and cannot be told when to stop: it takes all that wait in the
 * accept queue. So it is used while there is far more room than that queue has places. When room is
 * scarce, of connections that are allowed or of descriptors, the kernel is asked for as many
 * connections as there is room for, and the others wait in its queue, as in every mode.
 *
 * @module
 */

import { Deadline } from "../../drivers/deadlines.ts";
import { SocketError } from "../../net/socket_error.ts";
import { ACCEPT_QUEUE } from "../../net/transport.ts";
import type { Ring } from "../../uring/ring.ts";
import { Acceptor, type AcceptorParts } from "./acceptor.ts";
import type { LoopThread } from "./loop_thread.ts";

/** How many single connections are asked for at a time at most. */
const BATCH = 64;

/** How often a server that is closing looks into its accept queue, in milliseconds. */
const LOOK_MS = 4;

/** What it works with. */
export interface RingAcceptorParts extends AcceptorParts {
  /** The loop's ring. */
  readonly ring: Ring;
  /** Called first with each descriptor: from then on somebody has to close it. */
  onArrival(fd: number): void;
}

/** Accepts connections by means of a ring. */
export class RingAcceptor extends Acceptor {
  readonly #ring: Ring;
  readonly #onArrival: (fd: number) => void;
  readonly #family: number;
  /** Wakes the loop, whose every turn looks into the accept queue while the server closes. */
  readonly #look = new Deadline(() => {}, true);
  /** Whether an operation accepts again and again, and whether it was cancelled. */
  #isSteady = false;
  #isSteadyEnding = false;
  /** Whether nobody can come any more. */
  #isShut = false;
  /** How many single connections were asked for. */
  #asked = 0;
  #areAskedEnding = false;

  /**
   * @param thread the thread of the loop
   * @param parts what it works with
   */
  constructor(thread: LoopThread, parts: RingAcceptorParts) {
    super(thread, parts);
    this.#ring = parts.ring;
    this.#onArrival = parts.onArrival;
    this.#family = parts.sockets.familyOf(thread.address);
    this.watch();
  }

  override get isEmpty(): boolean {
    return super.isEmpty && (!this.isClosing || this.stopTaking());
  }

  /** The kernel has accepted, or cannot: takes the completion that the ring has taken. */
  onCompletion(): void {
    const { result, hasMore, slot } = this.#ring;
    if (!hasMore) this.#over(slot === 1);
    if (result >= 0) this.#arrived(result);
    else this.#refused(-result);
    if (!this.isClosing && !this.isResting) this.watch();
  }

  #over(isSteady: boolean): void {
    if (isSteady) this.#isSteady = this.#isSteadyEnding = false;
    else if (--this.#asked === 0) this.#areAskedEnding = false;
  }

  #arrived(fd: number): void {
    const { sockets } = this.parts;
    this.policy.accepted(fd);
    if (!sockets.namePeer(fd, this.#family, this.sockaddr)) {
      // It is lost: nobody could say whose connection it was.
      sockets.close(fd);
      return this.thread.counters.lost();
    }
    this.#onArrival(fd);
    const mustWait = this.isClosing || !(this.refuses || this.thread.gate.tryEnter());
    if (mustWait) this.hold(fd);
    else this.serve(fd, this.sockaddr, !this.refuses);
  }

  #refused(errno: number): void {
    const { ECANCELED, EAGAIN, EINTR, EINVAL } = this.parts.sockets.constants.errno;
    if (errno === ECANCELED || errno === EAGAIN || errno === EINTR) return;
    // This is how a listener of a Unix domain socket answers after `shutdown`: the server closes.
    if (errno === EINVAL) this.#isShut = true;
    // Of several that find no descriptor one is enough to wait.
    else if (this.isClosing || this.isResting) return;
    else this.failed(new SocketError("accept", errno));
  }

  /** Asks the kernel for as many connections as there is room for. */
  protected override watch(): void {
    if (this.isClosing) return this.parts.deadlines.set(this.#look, LOOK_MS);
    if (this.#isShut) return;
    const { policy, refuses } = this;
    if (policy.isShort) return this.rest(policy.pause(), "nearly out of descriptors");
    const room = Math.min(refuses ? Infinity : this.thread.gate.room, policy.room);
    const { listener } = this.parts;
    if (room <= ACCEPT_QUEUE) {
      this.#endSteady();
      for (const most = Math.min(room, BATCH); this.#asked < most; this.#asked++) {
        this.#ring.accept(listener, false);
      }
    } else if (!this.#isSteady && this.#asked === 0) {
      this.#isSteady = true;
      this.#ring.accept(listener, true);
    }
  }

  protected override unwatch(): void {
    this.#look.lift();
    this.#endSteady();
    if (this.#asked > 0 && !this.#areAskedEnding) {
      this.#areAskedEnding = true;
      this.#ring.cancelAccepts(false);
    }
  }

  #endSteady(): void {
    if (!this.#isSteady || this.#isSteadyEnding) return;
    this.#isSteadyEnding = true;
    this.#ring.cancelAccepts(true);
  }

  /** An operation that is under way keeps the listener open, whoever closes it. */
  protected override stopTaking(): boolean {
    if (!this.#isSteady && this.#asked === 0) return true;
    this.unwatch();
    return false;
  }
}
