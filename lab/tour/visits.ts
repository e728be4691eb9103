/**
 * Clients that come to a server together, on real sockets: the three of the tour, and others.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { EventDialer } from "../../engine/dial/dialer.ts";
import { nowUs } from "../../engine/values/moment.ts";
import { APART_MS, type Visitor } from "../simulator/companies.ts";

/** What a client has seen. Times are in microseconds since 1970. */
export interface Seen {
  /** What it is called. */
  readonly name: string;
  /** Its own address. */
  readonly peer: string;
  readonly calledUs: number;
  readonly answeredUs: number;
}

/** How long a client waits for its server, in milliseconds. */
const PATIENCE_MS = 30_000;

const LIMITS = { readTimeoutMs: PATIENCE_MS, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/**
 * Sends a company of clients. The second one comes when the first has been greeted and sends its
 * question, and the others one after another.
 *
 * @param company the clients
 * @param address the server's address
 * @param signal ends all conversations
 * @returns what they have seen, in the order in which they came
 * @throws what the first conversation that fails has thrown
 */
export async function sendCompany(
  company: readonly Visitor[],
  address: Address,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  using dialer = new EventDialer(LIMITS, signal);
  const visits: Promise<Seen>[] = [];
  for (const visitor of company) {
    const greeted = Promise.withResolvers<void>();
    visits.push(visit(dialer, address, visitor, greeted.resolve));
    // What fails is told by the last line.
    visits.at(-1)?.catch(greeted.resolve);
    // Only the first one is sure to be greeted before others have their answers.
    if (visits.length === 1) await greeted.promise;
    await delay(APART_MS);
  }
  return await Promise.all(visits);
}

async function visit(
  dialer: EventDialer,
  address: Address,
  { name, converse }: Visitor,
  greeted: () => void,
): Promise<Seen> {
  const calledUs = nowUs();
  const call = await dialer.dial(address, PATIENCE_MS);
  const peer = formatAddress(call.localAddress);
  await call.converse(converse(greeted));
  return { name, peer, calledUs, answeredUs: nowUs() };
}
