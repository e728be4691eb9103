/**
 * One attempt to reach a server: what is asked for, and what it finds. There are two ways to make
 * it, and both run the same race between the server's addresses.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { TcpInfo } from "../../../engine/kernel/tcp_info.ts";
import { type Failure, mostTelling } from "./failure.ts";

/** The number that `--hello` begins with. */
export const HELLO_NUMBER = 1;

/** What an attempt does. */
export interface ProbeRequest {
  /** The addresses of the server, in the order in which they are tried. */
  readonly addresses: readonly Address[];
  /** How long connecting may take, and then the HELLO handshake, in milliseconds; 0 is no limit. */
  readonly timeoutMs: number;
  /** How long the server may take to say its first byte, in milliseconds; 0 does not wait. */
  readonly firstByteMs: number;
  /** Whether to shake hands as the protocol `hello` does. */
  readonly hello: boolean;
  /** Whether to close with a RST and not with a FIN. */
  readonly rst: boolean;
  /** The address to call from. */
  readonly source: string | undefined;
  /**
   * How long the connection may still wait for the peer's FIN once it is closed, counted from the
   * beginning of the attempt, in milliseconds. The next attempt must not wait for that.
   */
  readonly closeWithinMs: number;
}

/** What became of an attempt at one address. */
export type Fate =
  | "connected"
  /** It was still under way when another one had connected. */
  | "under way"
  /** It was not begun: another one had connected before. */
  | "not tried"
  | Failure;

/** What became of an address. */
export interface AddressFate {
  readonly address: Address;
  readonly fate: Fate;
  /** How long it took, in microseconds. */
  readonly us?: number;
}

/** What the server did when it had accepted: it spoke first, was silent, or closed. */
export type Beginning = "spoke" | "silent" | "closed";

/** What an attempt has found. */
export interface Outcome {
  /** The addresses in the order in which they were tried. */
  readonly fates: readonly AddressFate[];
  /** The address that connected, or else the one whose failure tells most. */
  readonly address: Address;
  /** The own address of the connection. */
  readonly local?: Address;
  /** How long the handshake of TCP took, or how long it took to fail, in microseconds. */
  readonly connectUs?: number;
  /** When it was connected, in milliseconds since 1970. */
  readonly connectedAt?: number;
  /** What the server did within the time for the first byte. */
  readonly beginning?: Beginning;
  /** How long the first byte took once connected, in microseconds. */
  readonly firstByteUs?: number;
  /** How long the HELLO handshake took, in microseconds. */
  readonly helloUs?: number;
  /** What the kernel knows of the connection. */
  readonly info?: TcpInfo;
  /** The kernel's name for the socket. */
  readonly cookie?: string;
  /** Why the attempt failed. */
  readonly failure?: Failure;
}

/** A way to make attempts, one at a time. */
export interface Prober {
  /** Makes an attempt. It never rejects because of the server. */
  probe(request: ProbeRequest): Promise<Outcome>;
  /** Waits for the peers of the last connections for a moment, so that they end with FINs. */
  finish(): Promise<void>;
}

/** Keeps what becomes of the addresses while an attempt runs. */
export class Fates {
  readonly #fates: AddressFate[];

  /** @param addresses those of the attempt */
  constructor(addresses: readonly Address[]) {
    this.#fates = addresses.map((address) => ({ address, fate: "not tried" }));
  }

  /** Notes what became of an address. */
  set(index: number, fate: Fate, us?: number): void {
    const { address } = this.#fates[index] as AddressFate;
    this.#fates[index] = { address, fate, ...(us !== undefined && { us }) };
  }

  /** What is known of all of them. */
  get all(): readonly AddressFate[] {
    return this.#fates;
  }

  /** The outcome when no address has connected. */
  lost(): Outcome {
    const failed = this.#fates.filter(({ fate }) => typeof fate === "object");
    const telling = failed[mostTelling(failed.map(({ fate }) => fate as Failure))] as AddressFate;
    return {
      fates: this.#fates,
      address: telling.address,
      failure: telling.fate as Failure,
      ...(telling.us !== undefined && { connectUs: telling.us }),
    };
  }
}
