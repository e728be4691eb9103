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
import { APART_MS, SEEN_MS, SETTLE_MS, type Visitor } from "../simulator/companies.ts";

/** What a client has seen. Times are in microseconds since 1970. */
export interface Seen {
  /** What it is called. */
  readonly name: string;
  /** Its own address. */
  readonly peer: string;
  readonly calledUs: number;
  /** When it was connected; absent if it was refused. */
  readonly connectedUs?: number;
  /** When it had its answer, or was refused. */
  readonly answeredUs: number;
  /** Whether nobody listened any more. Then it has no address. */
  readonly wasRefused?: boolean;
}

/** When a server is told to close. */
export interface Closing {
  /** After how many clients. They are connected then. */
  readonly after: number;
  /** Tells it. */
  readonly tell: () => void;
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
 * @param closing when the server is told to close; whoever comes later may be refused
 * @returns what they have seen, in the order in which they came
 * @throws what the first conversation that fails has thrown
 */
export async function sendCompany(
  company: readonly Visitor[],
  address: Address,
  signal: AbortSignal,
  closing?: Closing,
): Promise<readonly Seen[]> {
  using dialer = new EventDialer(LIMITS, signal);
  const visits: Promise<Seen>[] = [];
  const connected: Promise<void>[] = [];
  for (const visitor of company) {
    const isLate = closing !== undefined && visits.length >= closing.after;
    if (closing !== undefined && visits.length === closing.after) {
      await Promise.all(connected);
      await delay(SEEN_MS);
      closing.tell();
      await delay(SETTLE_MS);
    }
    const greeted = Promise.withResolvers<void>();
    const isConnected = Promise.withResolvers<void>();
    connected.push(isConnected.promise);
    const on = { connected: isConnected.resolve, greeted: greeted.resolve };
    const seen = visit(dialer, address, visitor, on);
    visits.push(isLate ? seen.catch(asRefused(visitor.name)) : seen);
    visits.at(-1)?.catch(isConnected.resolve);
    // What fails is told by the last line.
    visits.at(-1)?.catch(greeted.resolve);
    // Only the first one is sure to be greeted before others have their answers.
    if (visits.length === 1) await greeted.promise;
    await delay(APART_MS);
  }
  return await Promise.all(visits);
}

/** What becomes of a client that comes late: to be refused is no failure. */
function asRefused(name: string): (error: Error) => Seen {
  const calledUs = nowUs();
  return (error) => {
    if ((error as { readonly code?: unknown }).code !== "ECONNREFUSED") throw error;
    return { name, peer: "", calledUs, answeredUs: nowUs(), wasRefused: true };
  };
}

async function visit(
  dialer: EventDialer,
  address: Address,
  { name, converse }: Visitor,
  on: { readonly connected: () => void; readonly greeted: () => void },
): Promise<Seen> {
  const calledUs = nowUs();
  const call = await dialer.dial(address, PATIENCE_MS);
  const connectedUs = nowUs();
  on.connected();
  const peer = formatAddress(call.localAddress);
  await call.converse(converse(on.greeted));
  return { name, peer, calledUs, connectedUs, answeredUs: nowUs() };
}
