/**
 * Reads the CPU profile that a thread of a server has left: a file in the form that the developer
 * tools of browsers write and open.
 *
 * A runtime takes a sample at fixed intervals, whether the thread runs or waits. What a profile of a
 * server is read for is what it does, so the time that a thread waits is left out: the functions in
 * which threads only sleep altogether, and of those whose system calls may wait as much as the
 * system says that the thread has not run.
 *
 * @module
 */

/** A function, or a place where the runtime itself was at work. */
export interface Frame {
  /** For instance `recv`. */
  readonly name: string;
  /** Where it is, for instance `engine/net/sockets.ts`; empty for the runtime's own. */
  readonly where: string;
}

/** A stack that was seen, from its root to the function that ran, and for how long. */
export interface SeenStack {
  readonly frames: readonly Frame[];
  readonly ms: number;
}

/** What is known of one thread. */
export interface SeenThread {
  /** For instance `handshake threadpool`. */
  readonly thread: string;
  readonly stacks: readonly SeenStack[];
  /** How long it has run, and how long it has waited, in milliseconds. */
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** A node of the file. */
interface RawNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** The file. */
interface RawProfile {
  readonly nodes: readonly RawNode[];
  readonly samples: readonly number[];
  /** From each sample to the one before it, in microseconds. */
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
  readonly endTime: number;
  /** What our servers add. */
  readonly handshake?: {
    readonly thread: string;
    readonly ran_ms: number | null;
    readonly queued_ms: number | null;
    readonly sample_us: number;
    readonly began_ms: number;
  };
}

/** A gap between two samples that is this much longer than usual tells of no time that was seen. */
const LONGEST_GAP = 10;

/** What the runtimes call a thread that does nothing. */
const IDLE = new Set(["(idle)", "(program)", "(root)"]);

/**
 * The functions of this project in which a thread sleeps until another one wakes it: they call
 * `Atomics.wait`, which Bun names itself.
 */
const SLEEPING =
  /^(wait|(engine\/server\/descriptors\/descriptor_ring\.ts (take|waitForRoom))|(engine\/server\/team\/team_memory\.ts (enter|sleep))|(engine\/net\/(deno|bun)\.ts waitWhile))$/;

/** The functions whose system calls wait until something comes. */
const AWAITING =
  /^engine\/(net\/\S+ #?(recv|recvfrom|receiveMessage|read|accept|poll|pollAll|pollFine|epollWait|waitFine)|uring\/calls\.ts .*)$/;

/** The modules that make system calls by the foreign-function interface. */
const CALLING = /^engine\/(net\/sockets|uring\/calls)\.ts$/;

/** The part of the profiles that counts: milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a profile.
 *
 * @param text the text of the file
 * @param window when the load ran: what the server did before, to start, and afterwards is left out
 * @throws {Error} if it is no profile
 */
export function readThreadProfile(text: string, window: Window): SeenThread {
  const profile = JSON.parse(text) as RawProfile;
  const { nodes, samples, timeDeltas, startTime, endTime, handshake } = profile;
  const stacks = stacksOf(nodes);
  const mostUs = LONGEST_GAP * (handshake?.sample_us ?? 1_000);
  const began = handshake?.began_ms ?? window.from;
  const isInside = (at: number) => at >= window.from && at <= window.to;
  const inside = new Map<number, number>();
  let runningOutside = 0;
  let at = began;
  for (const [index, id] of samples.entries()) {
    const us = Math.max(0, timeDeltas[index] ?? 0);
    const ms = Math.min(mostUs, us) / 1_000;
    at += us / 1_000;
    if (isInside(at)) inside.set(id, (inside.get(id) ?? 0) + ms);
    else if (kindOf(stacks.get(id) ?? []) === "running") runningOutside += ms;
  }
  const all = [...inside].map(([id, ms]) => {
    const frames = stacks.get(id) ?? [];
    return { frames, ms, kind: kindOf(frames) };
  });
  const sum = (kind: Kind) =>
    all.reduce((total, stack) => stack.kind === kind ? total + stack.ms : total, 0);
  const [running, awaiting] = [sum("running"), sum("awaiting")];
  const { ran_ms: ran = null, queued_ms: queued = null } = handshake ?? {};
  // Where the system does not tell, calls that wait cannot be told from those that work. A thread
  // that waits outside the load takes no time for it. A sample does not show whether a thread runs or
  // waits for a processor, so both count first, and the sum is brought down to what it ran.
  const ranMs = ran === null
    ? running + awaiting
    : Math.max(0, ran + (queued ?? 0) - runningOutside);
  const shareRun = ran === null || ran <= 0 ? 1 : ran / (ran + (queued ?? 0));
  const scale: Readonly<Record<Kind, number>> = {
    sleeping: 0,
    running: running > 0 ? Math.min(1, ranMs / running) : 0,
    awaiting: awaiting > 0 ? Math.min(1, Math.max(0, ranMs - running) / awaiting) : 0,
  };
  const kept = all.map(({ frames, ms, kind }) => ({
    frames,
    ms: ms * scale[kind] * shareRun,
  }))
    .filter(({ ms }) => ms > 0);
  const keptMs = kept.reduce((total, { ms }) => total + ms, 0);
  const ended = began + (endTime - startTime) / 1_000;
  const livedMs = Math.max(0, Math.min(ended, window.to) - Math.max(began, window.from));
  return {
    thread: handshake?.thread ?? "a thread",
    stacks: kept,
    ranMs: keptMs,
    waitedMs: Math.max(0, livedMs - keptMs),
  };
}

type Kind = "running" | "awaiting" | "sleeping";

function kindOf(frames: readonly Frame[]): Kind {
  const last = frames.at(-1);
  if (last === undefined || (last.where === "" && IDLE.has(last.name))) return "sleeping";
  const word = `${last.where} ${last.name}`.trim();
  if (SLEEPING.test(word)) return "sleeping";
  return AWAITING.test(word) ? "awaiting" : "running";
}

/** The stack of each node, from the root. */
function stacksOf(nodes: readonly RawNode[]): ReadonlyMap<number, readonly Frame[]> {
  const parents = new Map<number, number>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const stacks = new Map<number, readonly Frame[]>();
  const stackOf = (id: number): readonly Frame[] => {
    const known = stacks.get(id);
    if (known !== undefined) return known;
    const node = byId.get(id) as RawNode;
    const parent = parents.get(id);
    const above = parent === undefined ? [] : stackOf(parent);
    const frame = frameOf(node);
    const last = above.at(-1);
    // The root is no function. A foreign function belongs to the one of ours that calls it.
    const isLeftOut = frame.name === "(root)" ||
      (frame.where === "" && last !== undefined && CALLING.test(last.where));
    const stack = isLeftOut ? above : [...above, frame];
    stacks.set(id, stack);
    return stack;
  };
  for (const { id } of nodes) stackOf(id);
  return stacks;
}

function frameOf({ callFrame: { functionName, url } }: RawNode): Frame {
  return { name: functionName === "" ? "(anonymous)" : functionName, where: placeOf(url) };
}

/** The folders of the project, as the paths of its modules begin. */
const OURS = /\/((?:engine|modes|protocols|chat|lab|tests|examples)\/[^?#]+)$/;

/** A place as people know it: a path in the project, or the last two parts of another one. */
function placeOf(url: string): string {
  if (url === "") return "";
  const [, ours] = OURS.exec(url) ?? [];
  return ours ?? url.replace(/[?#].*$/, "").split("/").slice(-2).join("/");
}
