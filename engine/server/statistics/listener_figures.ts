/**
 * What only the kernel knows about a server: how many connections wait to be accepted, and how
 * often the accept queue was full.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { whyNoKernel } from "../../kernel/linux.ts";
import { parseCounters, readSocketTable } from "../../kernel/proc_net.ts";
import { SockDiag, type SocketRow } from "../../kernel/sock_diag.ts";
import { isUnix, withoutZone } from "../../net/address.ts";
import type { SystemFile } from "../../net/adapter.ts";
import { runtime } from "../../net/runtime.ts";
import { readSystemFile } from "../../net/system_file.ts";
import { SocketError } from "../../net/socket_error.ts";

const COUNTERS = "/proc/net/netstat";

/** An accept queue: connections that the kernel has opened and that no program has accepted yet. */
export interface AcceptQueue {
  /** How many connections wait in it. Linux lets one more in than the limit says. */
  readonly waiting: number;
  /** Its limit, as it was given to listen(2) and the system allows; absent if it is not known. */
  readonly limit?: number;
}

/**
 * How often an accept queue of this machine was full so far; `undefined` if that is not known.
 */
export function countOverflows(): number | undefined {
  return overflowsIn(readSystemFile(COUNTERS));
}

function overflowsIn(text = ""): number | undefined {
  return parseCounters(text).get("ListenOverflows");
}

/** Asks the kernel about the listeners of one address. */
export class ListenerFigures implements Disposable {
  readonly #address: Address;
  readonly #diag: SockDiag | undefined;
  // It stays open, so that it can be read when the process has no descriptors left.
  readonly #counters: SystemFile | undefined = runtime.openSystemFile(COUNTERS);
  readonly #overflowsBefore: number | undefined;
  readonly #unknown: readonly string[];

  /**
   * @param address where the server listens
   * @param overflowsBefore what {@linkcode countOverflows} has said at the moment since which
   * overflows are told; by default they are told from now on
   */
  constructor(address: Address, overflowsBefore?: number) {
    this.#address = address;
    this.#overflowsBefore = isUnix(address.hostname)
      ? undefined
      : overflowsBefore ?? this.#readOverflows();
    const unknown: string[] = [];
    if (isUnix(address.hostname)) {
      this.#unknown = ["the accept queue is not known: the kernel tells that of TCP only"];
      return;
    }
    let why = whyNoKernel();
    try {
      if (why === undefined) this.#diag = new SockDiag();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      why = error.message;
    }
    if (this.#diag === undefined) {
      const what = this.acceptQueue === undefined ? "the accept queue" : "its limit";
      unknown.push(`${what} is not known: ${why}`);
    }
    if (this.#overflowsBefore === undefined) {
      unknown.push("overflows are not known: /proc/net/netstat cannot be read");
    }
    this.#unknown = unknown;
  }

  /** What is not known here, and why. */
  get unknown(): readonly string[] {
    return this.#unknown;
  }

  /**
   * The accept queues of all listeners on the address, taken together; `undefined` if they cannot
   * be seen, or if there is none.
   */
  get acceptQueue(): AcceptQueue | undefined {
    const { port } = this.#address;
    if (isUnix(this.#address.hostname)) return undefined;
    const hostname = withoutZone(this.#address.hostname);
    const rows = this.#listeners(port).filter(({ state, local, sendQueue }) =>
      // Only the trap of a server that closes has no room: see `trap.ts`. Nobody waits in it.
      state === "LISTEN" && local.hostname === hostname && local.port === port && sendQueue !== 0
    );
    if (rows.length === 0) return undefined;
    const sum = (part: (row: SocketRow) => number) => rows.reduce((sum, row) => sum + part(row), 0);
    const limit = sum(({ sendQueue }) => sendQueue);
    return {
      waiting: sum(({ receiveQueue }) => receiveQueue),
      ...(!Number.isNaN(limit) && { limit }),
    };
  }

  /** How often an accept queue of this machine was full since then. */
  get overflows(): number | undefined {
    const now = this.#readOverflows();
    const before = this.#overflowsBefore;
    return now === undefined || before === undefined ? undefined : now - before;
  }

  #listeners(port: number): readonly SocketRow[] {
    try {
      return this.#diag?.sockets({ port, states: ["LISTEN"] }) ?? readSocketTable(port);
    } catch (error) {
      // The kernel had no memory for the answer, or a filter of the machine forbids the question.
      if (error instanceof SocketError) return [];
      throw error;
    }
  }

  #readOverflows(): number | undefined {
    return overflowsIn(this.#counters?.read());
  }

  /** Gives the descriptors back. */
  [Symbol.dispose](): void {
    this.#diag?.[Symbol.dispose]();
    this.#counters?.close();
  }
}
