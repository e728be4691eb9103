/**
 * Which states a connection must have passed between two that were seen: the state machine of
 * RFC 9293, section 3.3.2, as far as no reset cuts it short.
 *
 * @module
 */

import type { TcpState } from "../../engine/kernel/tcp_states.ts";

/** From each state, those that can follow it. */
const NEXT: Readonly<Partial<Record<TcpState, readonly TcpState[]>>> = {
  SYN_SENT: ["ESTABLISHED", "SYN_RECV"],
  SYN_RECV: ["ESTABLISHED", "FIN_WAIT1"],
  ESTABLISHED: ["FIN_WAIT1", "CLOSE_WAIT"],
  FIN_WAIT1: ["FIN_WAIT2", "CLOSING", "TIME_WAIT"],
  FIN_WAIT2: ["TIME_WAIT"],
  CLOSING: ["TIME_WAIT"],
  CLOSE_WAIT: ["LAST_ACK"],
  LAST_ACK: ["CLOSE"],
  TIME_WAIT: ["CLOSE"],
};

/**
 * The states that lie on every way from one state to another.
 *
 * @param from a state that was seen
 * @param to the next one that was seen
 * @returns those between them, in their order; empty if there is a way without any, or no way
 */
export function passedUnseen(from: TcpState, to: TcpState): TcpState[] {
  const ways = waysBetween(from, to);
  const [first = []] = ways;
  return first.filter((state) => ways.every((way) => way.includes(state)));
}

/** All ways, each as the states between its ends. The states form no circle. */
function waysBetween(from: TcpState, to: TcpState): TcpState[][] {
  return (NEXT[from] ?? []).flatMap((next) =>
    next === to ? [[]] : waysBetween(next, to).map((way) => [next, ...way])
  );
}
