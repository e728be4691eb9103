/**
 * Whether a server bears attacks. An honest client comes during each of them and decides.
 *
 * A server that serves more clients at once than the attack has connections must answer the honest
 * client while the attack lasts. One that serves fewer, above all a sequential one, cannot: there the
 * honest client waits its turn, and must be answered soon after the attack is over. So a server that
 * is slow but right passes, and one that is stuck or dead does not.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { type Attack, ATTACKS, Field, mebibytes, SHARE_BYTES } from "./attacks.ts";
import { type Case, honestTurns } from "./cases.ts";
import { asMoves } from "./framing.ts";
import { play, type Played } from "./play.ts";
import { Probe } from "./probe.ts";
import type { Finding } from "./results.ts";
import type { Stage } from "./stage.ts";

/** The section of all these cases. */
export const ABUSE = "abuse";

/** How long an attack lasts at least once it is in place, in milliseconds. */
const LEAST_MS = 300;

/** How long it lasts if the server cannot serve anybody meanwhile, in milliseconds. */
const HELD_MS = 1_000;

/** How long the last honest client may take when nobody waits for it, in milliseconds. */
const PARTING_MS = 1_000;

/** How often the server's memory is looked at, in milliseconds. */
const LOOK_MS = 50;

/** The cases of abuse, in the order in which they are run. */
export function abuseCases(): Case[] {
  return [
    ...ATTACKS.map((attack): Case => ({
      section: ABUSE,
      name: `${ABUSE} · ${attack.name}`,
      isAbuse: true,
      run: (stage) => endure(stage, attack),
    })),
    {
      section: ABUSE,
      name: `${ABUSE} · memory and descriptors afterwards`,
      isAbuse: true,
      run: weigh,
    },
  ];
}

/**
 * Attacks, and asks the honest client.
 *
 * @param stage the server
 * @param attack the attack
 * @returns whether the honest client was served
 */
export async function endure(stage: Stage, attack: Attack): Promise<Finding> {
  const { caller, clientsAtOnce, timeoutMs } = stage;
  if (attack.needsDescriptors === true && caller.whyPlain !== undefined) {
    return { verdict: "skipped", remark: `it needs descriptors: ${caller.whyPlain}` };
  }
  const mustServe = attack.connections < clientsAtOnce;
  const field = new Field(stage);
  const memory = MemoryWatch.begin(stage, attack, field);
  const probe = new Probe(stage);
  try {
    const what = await attack.begin(field) ?? undefined;
    const during = mustServe ? await probe.visit(timeoutMs) : undefined;
    await delay(mustServe ? LEAST_MS : HELD_MS);
    if (mustServe && (during === undefined || during.verdict === "failed")) {
      return notServed("while it lasted", what, during, stage);
    }
    const servedDuring = probe.served;
    field.clear();
    // The visit that is under way has waited its turn. Then another one shows that it was no chance.
    const after = await servedSoon(stage, probe);
    if (after === undefined || after.verdict === "failed") {
      return notServed("afterwards", what, after, stage);
    }
    const hoarded = memory?.finding(what ?? attack.name);
    if (hoarded !== undefined) return hoarded;
    const remark = [
      what,
      servedDuring > 0
        ? `meanwhile ${servedDuring} honest ${
          servedDuring === 1 ? "client was" : "clients were"
        } served, the slowest in ${Math.ceil(probe.slowestMs)} ms`
        : "honest clients had to wait and were served afterwards",
    ].filter(Boolean).join("; ");
    return { verdict: "passed", remark };
  } finally {
    field.clear();
    await probe.end(Math.min(timeoutMs, PARTING_MS));
  }
}

/** Waits until the honest client is served again. A server may turn it away for a moment. */
async function servedSoon(stage: Stage, probe: Probe): Promise<Played | undefined> {
  const until = performance.now() + stage.timeoutMs;
  let found: Played | undefined;
  while (performance.now() < until && !stage.signal.aborted) {
    if (stage.target.whyEnded?.() !== undefined) return found;
    found = await probe.visit(until - performance.now());
    if (found?.verdict !== "failed") return found;
  }
  return found;
}

function notServed(
  when: string,
  what: string | undefined,
  played: Played | undefined,
  { target, timeoutMs }: Stage,
): Finding {
  const { sent = "an honest request", expected = "its answer", received = "nothing" } = played ??
    {};
  const hasEnded = target.whyEnded?.() !== undefined;
  const why = played === undefined
    ? `an honest client was not served ${hasEnded ? "" : `within ${timeoutMs / 1000} s `}${when}`
    : `an honest client was not served ${when}: ${played.remark}`;
  return {
    verdict: "failed",
    remark: what === undefined ? why : `${why} (${what})`,
    sent,
    expected,
    received,
  };
}

/** The part of all that is sent, and of each share, that a server keeps before it is said to do so. */
const KEPT = 0.65;
const KEPT_OF_EACH = 0.4;

/** How many bytes at least have to be sent before that is worth a look: the kernel keeps some too. */
const LEAST_BYTES = SHARE_BYTES / 2;

/** How many shares of bytes tell that. The first one is for the server to get warm. */
const TELLING = 3;

/**
 * Watches whether the memory of a server grows with what it is sent. In a language with a collector
 * memory grows anyway until the collector thinks that it is enough. So the first share of bytes does
 * not count, and only growth with each of the others tells that the server keeps them.
 */
class MemoryWatch {
  /** The memory after each share of bytes. */
  readonly #marks: number[] = [];

  static begin(
    { target: { status } }: Stage,
    { weighs = false }: Attack,
    field: Field,
  ): MemoryWatch | undefined {
    if (!weighs || status?.isAlive !== true) return undefined;
    const watch = new MemoryWatch();
    const before = status.memory;
    field.isSuspect = () =>
      field.sent > LEAST_BYTES && status.memory - before > field.sent * KEPT_OF_EACH;
    field.onShare = () => watch.#marks.push(status.memory);
    return watch;
  }

  /** What is wrong with it, if something is. */
  finding(what: string): Finding | undefined {
    const grown = this.#marks.slice(1).map((mark, index) => mark - (this.#marks[index] as number));
    const total = grown.reduce((sum, bytes) => sum + bytes, 0);
    const most = grown.length * SHARE_BYTES * KEPT;
    const isSteady = grown.every((bytes) => bytes > SHARE_BYTES * KEPT_OF_EACH);
    if (grown.length < TELLING || !isSteady || total <= most) return undefined;
    return {
      verdict: "failed",
      remark: `the server keeps what it is sent: its memory grew by ${mebibytes(total)}`,
      sent: what,
      expected: `less than ${mebibytes(most)} more memory`,
      received: `${grown.map(mebibytes).join(", ")} more memory for each ${mebibytes(SHARE_BYTES)}`,
    };
  }
}

/** How many connections come to see whether each leaves something behind. */
const ROUND = 200;

/** How many descriptors more there may be after that. */
const SPARE = 8;

/** How long a server has to tidy up, in milliseconds. */
const SETTLE_MS = 6_000;

/** Compares memory and descriptors before and after many connections of all kinds. */
async function weigh(stage: Stage): Promise<Finding> {
  const { status } = stage.target;
  if (status?.isAlive !== true) {
    return {
      verdict: "skipped",
      remark: "only of a server that was started with --start, and on Linux",
    };
  }
  await mixed(stage, ROUND);
  const before = { descriptors: await settled(() => status.descriptors), memory: status.memory };
  await mixed(stage, ROUND);
  const most = before.descriptors + SPARE;
  const descriptors = await settled(() => status.descriptors, {
    enough: most,
    quietMs: SETTLE_MS,
  });
  const remark = `descriptors ${before.descriptors} → ${descriptors}, memory ${
    mebibytes(before.memory)
  } → ${mebibytes(status.memory)}, over ${ROUND} connections`;
  if (descriptors <= most) return { verdict: "passed", remark };
  return {
    verdict: "failed",
    remark: `descriptors leak: ${remark}`,
    sent: `${ROUND} connections: honest ones, half messages, FIN, RST`,
    expected: `at most ${most} descriptors`,
    received: `${descriptors} descriptors`,
  };
}

/** Connections of all kinds, one after another. */
async function mixed(stage: Stage, count: number): Promise<void> {
  const field = new Field(stage);
  const honest = asMoves(honestTurns(stage.conformance));
  const half = honest.find(({ pieces }) => pieces.length > 0)?.pieces[0] ?? new Uint8Array(1);
  try {
    for (let at = 0; at < count && !field.isEnough; at++) {
      if (at % 4 === 0) {
        await play(stage, honest);
        continue;
      }
      const talk = await field.open();
      if (talk === undefined) continue;
      if (at % 4 !== 1) await talk.send([half.subarray(0, Math.ceil(half.length / 2))]);
      field.drop(talk, at % 4 === 3 ? "RST" : "FIN");
    }
  } finally {
    field.clear();
  }
}

/** How long to wait for a figure. */
export interface Settling {
  /** It need not be waited for any longer when it is no higher than this. @default {-Infinity} */
  readonly enough?: number;
  /** For how long it must not change otherwise, in milliseconds. @default {500} */
  readonly quietMs?: number;
  /** How long at most, in milliseconds. @default {6_000} */
  readonly withinMs?: number;
}

/**
 * Waits until a figure is low enough, or no longer changes.
 *
 * @param figure reads it
 * @param options how long to wait
 * @returns the figure
 */
export async function settled(
  figure: () => number,
  { enough = -Infinity, quietMs = 10 * LOOK_MS, withinMs = SETTLE_MS }: Settling = {},
): Promise<number> {
  const until = performance.now() + withinMs;
  let last = figure();
  let since = performance.now();
  while (last > enough && performance.now() < until) {
    await delay(Math.min(LOOK_MS, quietMs / 4));
    const now = figure();
    if (now !== last) since = performance.now();
    last = now;
    if (performance.now() - since >= quietMs) break;
  }
  return last;
}
