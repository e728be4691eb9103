/**
 * The states of a TCP connection (RFC 9293, section 3.3.2), with the numbers that Linux gives them.
 *
 * @module
 */

/**
 * A state of TCP, as `ss` and the kernel name it. `NEW_SYN_RECV` of the kernel counts as
 * `SYN_RECV`. `BOUND` is a socket with an address that neither listens nor connects.
 */
export type TcpState =
  | "ESTABLISHED"
  | "SYN_SENT"
  | "SYN_RECV"
  | "FIN_WAIT1"
  | "FIN_WAIT2"
  | "TIME_WAIT"
  | "CLOSE"
  | "CLOSE_WAIT"
  | "LAST_ACK"
  | "LISTEN"
  | "CLOSING"
  | "BOUND";

/** The states in the order of their numbers, which begin with 1. */
const NAMES: readonly TcpState[] = [
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "SYN_RECV",
  "BOUND",
];

/** All states, in the order in which a connection may pass them: opening, open, closing. */
export const TCP_STATES: readonly TcpState[] = [
  "LISTEN",
  "SYN_SENT",
  "SYN_RECV",
  "ESTABLISHED",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "CLOSE_WAIT",
  "CLOSING",
  "LAST_ACK",
  "TIME_WAIT",
  "CLOSE",
  "BOUND",
];

/**
 * The state with a number of the kernel.
 *
 * @param number from 1, as in `/proc/net/tcp`, TCP_INFO and netlink
 * @returns the state; `CLOSE` for a number that no kernel is known to have
 */
export function stateOf(number: number): TcpState {
  return NAMES[number - 1] ?? "CLOSE";
}

/**
 * The set of states as netlink wants it: bit N is the state with the number N.
 *
 * @param states the states to ask for
 */
export function stateMask(states: readonly TcpState[]): number {
  return NAMES.reduce(
    (mask, name, index) => states.includes(name) ? mask | (1 << (index + 1)) : mask,
    0,
  );
}

/** What the kernel is waiting for on a socket. */
export type SocketTimer = "retransmission" | "keepalive" | "TIME_WAIT" | "probe";

/** The timers by their numbers. */
const TIMERS = [undefined, "retransmission", "keepalive", "TIME_WAIT", "probe"] as const;

/**
 * The timer with a number of the kernel.
 *
 * @param number as in `/proc/net/tcp` and netlink
 * @returns `undefined` if none runs
 */
export function timerOf(number: number): SocketTimer | undefined {
  return TIMERS[number];
}
