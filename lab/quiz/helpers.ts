/**
 * What several experiments need.
 *
 * @module
 */

import type { SocketRow } from "../../engine/kernel/sock_diag.ts";
import type { TcpState } from "../../engine/kernel/tcp_states.ts";
import { errorName } from "../../engine/net/socket_error.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { End, Listener } from "../observe/stage/ends.ts";
import type { Stage } from "../observe/stage/stage.ts";

/**
 * The rows of the kernel's table for both ends of a connection, as they are now. Its programs may have
 * closed them.
 *
 * @param stage where it is
 * @param client the client's end
 */
export function rowsOf(stage: Stage, client: End): { client?: SocketRow; server?: SocketRow } {
  const { local } = client;
  const rows = stage.look().filter(({ state }) => state !== "LISTEN");
  const own = rows.find((row) => formatAddress(row.local) === local);
  const other = rows.find((row) => formatAddress(row.remote) === local);
  return { ...(own && { client: own }), ...(other && { server: other }) };
}

/**
 * The ends of a connection that are in a state.
 *
 * @param stage where it is
 * @param client the client's end
 * @param state the state
 */
export function endsIn(stage: Stage, client: End, state: TcpState): string[] {
  const { client: own, server } = rowsOf(stage, client);
  return [
    ...own?.state === state ? ["client"] : [],
    ...server?.state === state ? ["server"] : [],
  ];
}

/** The time until the timer of a row ends, in whole seconds; `undefined` if none runs. */
export function secondsOf(row: SocketRow | undefined): number | undefined {
  return row?.timer === undefined ? undefined : Math.ceil(row.expiresMs / 1000);
}

/**
 * Receives once, and does not wait.
 *
 * @param stage where the end is
 * @param end an end
 * @param size the size of the buffer, in bytes
 * @returns how many bytes, in digits, or the name of the error
 */
export function receiveNow({ net }: Stage, { fd }: End, size = 1024): string {
  const { MSG_DONTWAIT, errno } = net.constants;
  const buffer = new Uint8Array(size);
  let count;
  do count = net.recv(fd, buffer, MSG_DONTWAIT); while (count === -errno.EINTR);
  return count < 0 ? errorName(-count) : String(count);
}

/**
 * How an attempt to connect stands.
 *
 * @param stage where it is
 * @param client an end that has begun to connect
 * @returns the name of the error, `connected`, or `nothing` while nobody has answered
 */
export async function outcomeOf(stage: Stage, client: End): Promise<string> {
  const { POLLOUT } = stage.net.constants;
  if (stage.net.poll(client.fd, POLLOUT, 0) <= 0) return "nothing";
  return await client.outcome() ?? "connected";
}

/** Connects some clients, one after another, which nobody accepts yet. */
export async function connectSome(
  stage: Stage,
  listener: Listener,
  count: number,
): Promise<readonly End[]> {
  const clients = Array.from({ length: count }, () => stage.client());
  for (const client of clients) await client.connect(listener.address);
  return clients;
}

/**
 * Sends a byte, and does not wait.
 *
 * @param end an end
 * @returns how many bytes were taken, in digits, or the name of the error
 */
export function sendNow(end: End): string {
  const count = end.sendQuietly(1);
  return count < 0 ? errorName(-count) : String(count);
}
