/**
 * In which order and when the addresses of a server are tried: RFC 8305, "Happy Eyeballs". It knows
 * no sockets and no clock.
 *
 * @module
 */

import { isIPv6 } from "../../../engine/net/address.ts";

/** How long an attempt has a head start, in milliseconds: RFC 8305, section 8. */
export const STAGGER_MS = 250;

/**
 * Orders addresses so that the families alternate, beginning with the family of the first one
 * (RFC 8305, section 4).
 *
 * @param addresses numeric addresses in the order of the system
 */
export function alternate(addresses: readonly string[]): string[] {
  const [first] = addresses;
  if (first === undefined) return [];
  const isFirst = (address: string) => isIPv6(address) === isIPv6(first);
  const [preferred, others] = [
    addresses.filter(isFirst),
    addresses.filter((address) => !isFirst(address)),
  ];
  return Array.from({ length: Math.max(preferred.length, others.length) }, (_, index) => index)
    .flatMap((index) => [...preferred.slice(index, index + 1), ...others.slice(index, index + 1)]);
}

/** A race between the addresses of a server. All times are in milliseconds, on one clock. */
export class Race {
  readonly #count: number;
  readonly #timeoutMs: number;
  #endsAt = Infinity;
  #begun = 0;
  #open = 0;
  /** When the next attempt may begin, whatever becomes of the others. */
  #nextAt = -Infinity;

  /**
   * Makes a race.
   *
   * @param count how many addresses there are
   * @param timeoutMs how long all of it may take from the first attempt on; `Infinity` for no limit
   */
  constructor(count: number, timeoutMs: number) {
    this.#count = count;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Takes the next address that is to be tried now.
   *
   * @param now the time
   * @returns its index; `undefined` if none is due
   */
  next(now: number): number | undefined {
    if (this.#begun === this.#count || now < this.#nextAt || this.isLate(now)) return undefined;
    this.#nextAt = now + STAGGER_MS;
    this.#open++;
    return this.#begun++;
  }

  /**
   * An attempt has called `connect`. The limit counts from the first one: what comes before it, such
   * as making a socket, is not the server's time.
   *
   * @param at when it did
   */
  called(at: number): void {
    if (this.#endsAt === Infinity) this.#endsAt = at + this.#timeoutMs;
  }

  /** An attempt has failed. The next one need not wait. */
  failed(): void {
    this.#open--;
    this.#nextAt = -Infinity;
  }

  /** Whether nothing is left to be tried or to be waited for. */
  get isLost(): boolean {
    return this.#open === 0 && this.#begun === this.#count;
  }

  /** Whether the time is over. */
  isLate(now: number): boolean {
    return now >= this.#endsAt;
  }

  /** How long there is nothing to do but to wait for the attempts; perhaps `Infinity`. */
  waitMs(now: number): number {
    const nextAt = this.#begun < this.#count ? this.#nextAt : Infinity;
    return Math.max(0, Math.min(nextAt, this.#endsAt) - now);
  }
}
