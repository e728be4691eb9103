/**
 * How a connection began and ended, from what was seen of it. Nothing is guessed: all stories that
 * fit what was seen are kept, and only what all of them agree on is said.
 *
 * The kernel's last figures tell more than they seem to. Sequence numbers count a SYN and a FIN as
 * one byte each (RFC 9293, section 3.4). Linux counts the acknowledged SYN only at the end that has
 * called connect(2), for the other end starts to count after its own SYN. So
 * `bytes_acked`, less the data, tells who opened the connection and whether this end has sent a FIN:
 *
 * | opened by | own FIN sent | bytes more than data |
 * | --------- | ------------ | -------------------: |
 * | local     | yes          |                    2 |
 * | local     | no           |                    1 |
 * | remote    | yes          |                    1 |
 * | remote    | no           |                    0 |
 *
 * While a connection is open it has sent no FIN, so one look at it then tells who opened it.
 *
 * @module
 */

import type { SocketRow } from "./sock_diag.ts";
import type { TcpInfo } from "./tcp_info.ts";
import type { TcpState } from "./tcp_states.ts";

/** An end of a connection: this one, or the other one. */
export type Side = "local" | "remote";

/** Who did it. */
export type Who = Side | "both" | "unknown";

/** What was seen of one end of a connection. */
export interface Traces {
  /** The states in which it was seen. */
  readonly states: ReadonlySet<TcpState>;
  /** Who opened it, if {@linkcode openedBy} could tell while it was open. */
  readonly openedBy?: Side | undefined;
  /** The last look at it. */
  readonly last?: SocketRow | undefined;
  /** What the kernel said when it freed the socket. */
  readonly event?: SocketRow | undefined;
  /**
   * What the table had of it after that: the small remainder in TIME_WAIT, or nothing. `undefined`
   * if nobody has looked.
   */
  readonly remainder?: "TIME_WAIT" | "none" | undefined;
  /** Whether a remainder was seen in FIN_WAIT2: the socket was freed before the peer's FIN came. */
  readonly isHalfClosed: boolean;
  /** Whether it was gone from the table long before its program closed it. */
  readonly isGoneFirst: boolean;
  /** The end whose address a listener of this machine has; `undefined` if it is none, or both. */
  readonly listener: Side | undefined;
  /** Whether a remainder may be missing for another reason: there were too many of them. */
  readonly isUnsure: boolean;
}

/** What is sure about a connection. */
export interface Conclusion {
  /** Who opened it. */
  readonly openedBy: Who;
  /**
   * Whose FIN or RST was the first. `local`: this end's FIN left before the peer's had arrived.
   * `both`: that is known of both ends. The reset of a connection counts as `remote` if this end's
   * program did not cause it.
   */
  readonly closedFirst: Who;
  /** Whether both ends have sent a FIN, or a reset has ended it. */
  readonly endedWith: "fin" | "reset" | "unknown";
  /** Whether `bytes_received` counts the peer's FIN; `undefined` if that is not known. */
  readonly countsFin: boolean | undefined;
}

/** A course of events that may have happened. */
interface Story {
  readonly opened: Side;
  /** Whether this end has sent a FIN. */
  readonly ownFin: boolean;
  /** Whether the peer's FIN had come when the socket was freed. */
  readonly peerFin: boolean;
  /** Who has sent the reset, if there was one. */
  readonly resetBy: Side;
}

const SIDES = ["local", "remote"] as const;
const EITHER = [false, true] as const;

const STORIES: readonly Story[] = SIDES.flatMap((opened) =>
  EITHER.flatMap((ownFin) =>
    EITHER.flatMap((peerFin) => SIDES.map((resetBy) => ({ opened, ownFin, peerFin, resetBy })))
  )
);

/** States that an end reaches only with a FIN of its own, and only with one of its peer. */
const OWN_FIN: readonly TcpState[] = ["FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK", "TIME_WAIT"];
const PEER_FIN: readonly TcpState[] = ["CLOSE_WAIT", "LAST_ACK", "CLOSING"];

/** How often stories of both ends are compared. What one rules out may rule out more. */
const ROUNDS = 3;

/**
 * Who opened a connection, from one look at it.
 *
 * @param row a socket
 * @returns `undefined` if its figures do not tell
 */
export function openedBy({ state, info }: SocketRow): Side | undefined {
  if (state === "SYN_SENT") return "local";
  if (state === "SYN_RECV") return "remote";
  if (info === undefined || info.unacked !== 0) return undefined;
  // The state that belongs to the figures, not the one that was read a moment before.
  const isOpen = info.state === "ESTABLISHED" || info.state === "CLOSE_WAIT";
  const counted = bytesBesideData(info, 0);
  const own = isOpen ? counted : info.state === "FIN_WAIT2" ? counted - 1 : NaN;
  return own === 1 ? "local" : own === 0 ? "remote" : undefined;
}

/**
 * Whether the kernel has forgotten a connection's figures and its peer's port. It does so when a
 * program closes it with a reset (`SO_LINGER` of 0), or closes the listener that it waits at.
 *
 * @param event what the kernel said when it freed the socket
 */
export function isForgotten({ remote, info }: SocketRow): boolean {
  return remote.port === 0 && wasConnected(info);
}

/**
 * Whether a socket was ever connected: the kernel also tells of listeners and of failed attempts.
 *
 * @param info its figures
 */
export function wasConnected(info: TcpInfo | undefined): boolean {
  if (info === undefined) return false;
  const { bytes_acked = 0, bytes_received = 0, snd_wnd = 0, delivered = 0, min_rtt } = info;
  return bytes_acked > 0 || bytes_received > 0 || snd_wnd > 0 || delivered > 0 ||
    min_rtt !== undefined;
}

/**
 * Draws the conclusions.
 *
 * @param own what was seen of this end
 * @param peer what was seen of the other end, if that is a socket of this machine too
 */
export function conclude(own: Traces, peer?: Traces): Conclusion {
  let mine = storiesOf(own);
  let theirs = peer === undefined ? [] : storiesOf(peer);
  if (peer !== undefined) {
    mine = withFin(mine, countsFin(own, peer));
    theirs = withFin(theirs, countsFin(peer, own));
    for (let round = 0; round < ROUNDS; round++) {
      const kept = mine.filter((story) => theirs.some((other) => agree(story, other)));
      theirs = nonEmpty(
        theirs.filter((story) => mine.some((other) => agree(story, other))),
        theirs,
      );
      mine = nonEmpty(kept, mine);
    }
  }
  let closed = closedFirst(mine, own);
  let other = peer === undefined ? "unknown" : closedFirst(theirs, peer);
  if (peer !== undefined && closed === "remote" && other === "remote") {
    // Each end says that it was not the first. Somebody else has reset the connection, or removed
    // what was left of it (`ss --kill`). Then only the states that were seen count.
    closed = firstSeen(own) ?? "unknown";
    other = firstSeen(peer) ?? "unknown";
  }
  return {
    openedBy: isSimultaneous(own, peer)
      ? "both"
      : only(mine.map(({ opened }) => opened)) ?? "unknown",
    closedFirst: closed === "unknown"
      ? mirrored(other)
      : closed === "local" && other === "local"
      ? "both"
      : closed,
    endedWith: only(mine.map(({ ended }) => ended)) ?? "unknown",
    countsFin: only(mine.map(({ peerFin }) => peerFin)),
  };
}

/** All stories that fit what was seen of one end. None fits a kernel that counts otherwise. */
function storiesOf(traces: Traces): readonly JudgedStory[] {
  const { states, event, isHalfClosed, isGoneFirst, listener } = traces;
  const known = states.has("SYN_SENT")
    ? "local"
    : states.has("SYN_RECV")
    ? "remote"
    : traces.openedBy;
  const has = (list: readonly TcpState[]) => list.some((state) => states.has(state));
  const finSent = isHalfClosed || traces.remainder === "TIME_WAIT" || has(OWN_FIN);
  const figures = figuresOf(event);
  const fin = finInFigures(traces);
  const unread = event === undefined || isForgotten(event) ? undefined : event.receiveQueue;
  const fitting = STORIES.filter((story) => {
    if (known !== undefined && story.opened !== known) return false;
    if (finSent && !story.ownFin) return false;
    if (has(PEER_FIN) && !story.peerFin) return false;
    if (isHalfClosed && story.peerFin) return false;
    if (fin !== undefined && story.peerFin !== fin) return false;
    if (figures !== undefined && !fits(story, figures, event as SocketRow)) return false;
    // A program causes a reset by closing with data unread, or in the way that forgets everything.
    const nothingUnread = unread === 0 || (unread === 1 && story.peerFin);
    const isFromOutside = nothingUnread || (unread !== undefined && isGoneFirst);
    // After its own FIN, the kernel itself resets what it gets for a program that has gone.
    return !(story.resetBy === "local" && !story.ownFin && isFromOutside);
  }).map((story) => ({ ...story, ...judge(story, traces) }));
  return listener === undefined
    ? fitting
    : nonEmpty(fitting.filter(({ opened }) => opened !== listener), fitting);
}

function figuresOf(event: SocketRow | undefined): TcpInfo | undefined {
  return event === undefined || isForgotten(event) ? undefined : event.info;
}

/** Whether the last figures count what a story says: see the module's table. */
function fits(story: Story, info: TcpInfo, { sendQueue }: SocketRow): boolean {
  const counted = bytesBesideData(info, sendQueue);
  if (Number.isNaN(counted)) return true;
  const syn = story.opened === "local" ? 1 : 0;
  // A FIN may still lie behind data that was never sent.
  if ((info.notsent_bytes ?? 0) > 0) return counted === syn;
  return counted === syn + (story.ownFin ? 1 : 0);
}

/**
 * How many sequence numbers this end has used for other things than data.
 *
 * @param info its figures
 * @param queued how many bytes wait to be acknowledged or to be sent
 * @returns NaN if the kernel does not have these figures
 */
function bytesBesideData(info: TcpInfo, queued: number): number {
  const { bytes_acked, bytes_sent, bytes_retrans, notsent_bytes } = info;
  const sent = queued === 0 ? 0 : queued - (notsent_bytes ?? NaN);
  return (bytes_acked ?? NaN) + sent - ((bytes_sent ?? NaN) - (bytes_retrans ?? NaN));
}

/** Whether the last figures count a FIN, where no data has come since it was surely not counted. */
function finInFigures({ last, event }: Traces): boolean | undefined {
  const after = figuresOf(event);
  if (after?.data_segs_in === undefined || after.bytes_received === undefined) return undefined;
  if (after.bytes_received === 0) return false;
  if (after.data_segs_in === 0) return true;
  const before = last?.info;
  const isBefore = before !== undefined && before.data_segs_in === after.data_segs_in &&
    ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2"].includes(before.state);
  // A segment is counted a moment before its bytes, so the last look may have come in between.
  const more = isBefore ? after.bytes_received - (before.bytes_received as number) : NaN;
  return more === 0 || more === 1 ? more === 1 : undefined;
}

/** Whether this end's figures count the peer's FIN, from how much the peer has sent. */
function countsFin(own: Traces, peer: Traces): boolean | undefined {
  const received = figuresOf(own.event)?.bytes_received;
  const { bytes_sent, bytes_retrans } = figuresOf(peer.event) ?? {};
  if (received === undefined || bytes_sent === undefined || peer.event?.sendQueue !== 0) {
    return undefined;
  }
  const more = received - (bytes_sent - (bytes_retrans ?? 0));
  return more === 0 || more === 1 ? more === 1 : undefined;
}

/** Whether the stories of both ends can be true together. */
function agree(story: JudgedStory, other: JudgedStory): boolean {
  if (story.opened === other.opened) return false;
  if ((story.peerFin && !other.ownFin) || (other.peerFin && !story.ownFin)) return false;
  const isReset = story.ended === "reset" && other.ended === "reset";
  return !isReset || story.resetBy !== other.resetBy;
}

/** Whether both ends have called connect(2): RFC 9293, section 3.5, figure 7. */
function isSimultaneous(own: Traces, peer: Traces | undefined): boolean {
  return own.openedBy === "local" && peer?.openedBy === "local";
}

interface Verdict {
  readonly closed: Who;
  readonly ended: "fin" | "reset" | "unknown";
}

type JudgedStory = Story & Verdict;

/** How a story ends. */
function judge({ ownFin, peerFin, resetBy }: Story, traces: Traces): Verdict {
  const { event, last, remainder, isGoneFirst, isUnsure } = traces;
  const seen = firstSeen(traces);
  if (remainder === "TIME_WAIT") return { closed: seen ?? "local", ended: "fin" };
  if (event === undefined) return { closed: seen ?? "unknown", ended: "unknown" };
  const figures = figuresOf(event);
  if (ownFin && figures !== undefined && event.sendQueue === 0) {
    // Its FIN was acknowledged, and no TIME_WAIT followed: it was in LAST_ACK, or a reset came.
    return peerFin
      ? { closed: seen ?? (isUnsure ? "unknown" : "remote"), ended: "fin" }
      : { closed: seen ?? "local", ended: isUnsure ? "unknown" : "reset" };
  }
  const { retransmits = 0, probes = 0 } = figures ?? last?.info ?? {};
  const timedOut = retransmits > 0 || probes > 0;
  const closed = ownFin === peerFin
    ? ownFin || timedOut ? "unknown" : resetBy
    : ownFin
    ? "local"
    : "remote";
  // A program may also close what has already ended in the way that forgets everything.
  const isOver = timedOut || (figures === undefined && isGoneFirst);
  return { closed: seen ?? closed, ended: isOver ? "unknown" : "reset" };
}

/** Who closed first, from the states that were seen. */
function firstSeen({ states, isHalfClosed }: Traces): Exclude<Who, "unknown"> | undefined {
  // Nobody gets from CLOSE_WAIT to CLOSING. So its FIN waited behind data when the peer's came.
  if (states.has("CLOSING")) return states.has("CLOSE_WAIT") ? "remote" : "both";
  if (isHalfClosed || states.has("FIN_WAIT1") || states.has("FIN_WAIT2")) return "local";
  return states.has("CLOSE_WAIT") || states.has("LAST_ACK") ? "remote" : undefined;
}

function closedFirst(stories: readonly JudgedStory[], traces: Traces): Who {
  return only(stories.map(({ closed }) => closed)) ?? firstSeen(traces) ?? "unknown";
}

function mirrored(who: Who): Who {
  return who === "local" ? "remote" : who === "remote" ? "local" : who;
}

function withFin(
  stories: readonly JudgedStory[],
  fin: boolean | undefined,
): readonly JudgedStory[] {
  if (fin === undefined) return stories;
  return nonEmpty(stories.filter(({ peerFin }) => peerFin === fin), stories);
}

function nonEmpty<Kind>(some: readonly Kind[], all: readonly Kind[]): readonly Kind[] {
  return some.length > 0 ? some : all;
}

/** The value that all agree on. */
function only<Value>(values: readonly Value[]): Value | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}
