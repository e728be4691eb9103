/**
 * The cases of a protocol: its examples in all framings, its mistakes and what follows them, and
 * clients at once.
 *
 * @module
 */

import type { Conformance, Example, Turn } from "../../protocols/conformance.ts";
import { asMoves, followedBy, type Framing, FRAMINGS, type Move, WHOLE } from "./framing.ts";
import { plain, play, type PlayOptions } from "./play.ts";
import type { Finding } from "./results.ts";
import type { Stage } from "./stage.ts";

/** One case. */
export interface Case {
  /** The section of the definition. */
  readonly section: string;
  /** What it checks, for people: the section first. */
  readonly name: string;
  /** Whether it attacks the server, which not every server may be asked to bear. */
  readonly isAbuse?: boolean;
  /** Finds out. */
  run(stage: Stage): Promise<Finding>;
}

/** The pause between two pieces of a message, in milliseconds: the server is to read both apart. */
const GAP_MS = 4;

/** The pause when a message is sent a byte at a time, in milliseconds. */
const BYTE_GAP_MS = 1;

/** The most conversations that are held side by side. */
const MOST_AT_ONCE = 16;

/** What a client sends that has not noticed its mistake: more than a server reads at once. */
const MORE = new TextEncoder().encode("more, and more\n".repeat(8_192));

/** How small the receive buffer of a client is that reads slowly, in bytes. */
const SMALL_BUFFER = 4_096;

/** The conversation of honest clients. */
export function honestTurns({ examples }: Conformance): readonly Turn[] {
  return examples[0]?.turns ?? [];
}

/**
 * All cases of a definition that are no abuse, in the order in which they are run.
 *
 * @param conformance the definition
 */
export function casesOf(conformance: Conformance): Case[] {
  const { examples, mistakes = [] } = conformance;
  const held = new Set<Example>();
  return [
    ...examples.flatMap((example) => casesOfExample(example, held)),
    partingCase(conformance),
    ...mistakes.flatMap(casesOfMistake),
    togetherCase(conformance, held),
  ];
}

function titleOf({ section, name }: Example, how?: string): string {
  return [section, name, how].filter(Boolean).join(" · ");
}

function clientsIn(turns: readonly Turn[]): number {
  return new Set(turns.map(({ client }) => client)).size;
}

/** An example in each framing that makes a difference. It is noted if the server has held it. */
function casesOfExample(example: Example, held: Set<Example>): Case[] {
  const { section, turns, framings = true, repeats = false } = example;
  const hasFramings = framings && clientsIn(turns) === 1;
  const chosen = hasFramings
    ? FRAMINGS.filter((framing) => framing.scripts(turns, repeats).length > 0)
    : [WHOLE];
  return chosen.map((framing): Case => ({
    section,
    name: titleOf(example, hasFramings ? framing.name : undefined),
    async run(stage) {
      const found = await hold(stage, framing.scripts(turns, repeats), framing);
      if (framing === WHOLE && found.verdict === "passed") held.add(example);
      return found;
    },
  }));
}

/** Holds conversations, some at a time if the server can do that; returns the worst that was found. */
async function hold(
  stage: Stage,
  scripts: readonly (readonly Move[])[],
  { name }: Framing,
): Promise<Finding> {
  const gapMs = name === "a byte at a time" ? BYTE_GAP_MS : GAP_MS;
  let remark: Finding | undefined;
  for (let at = 0; at < scripts.length;) {
    const count = Math.max(1, Math.min(MOST_AT_ONCE, stage.clientsAtOnce));
    const some = scripts.slice(at, at + count);
    at += count;
    const found = await Promise.all(some.map((moves) => play(stage, moves, { gapMs })));
    const failed = found.find(({ verdict }) => verdict === "failed");
    if (failed !== undefined) return plain(failed);
    remark ??= found.find(({ verdict }) => verdict === "not strict");
    if (stage.signal.aborted) break;
  }
  return remark === undefined ? { verdict: "passed" } : plain(remark);
}

/** After the client's FIN the server closes too. Otherwise it runs out of descriptors one day. */
function partingCase(conformance: Conformance): Case {
  return {
    section: "closing",
    name: "closing · the server closes after the client's FIN",
    async run(stage) {
      const played = await play(stage, asMoves(honestTurns(conformance)), { ends: "strictly" });
      if (played.verdict === "failed" || played.hasClosed !== false) return plain(played);
      return {
        verdict: "failed",
        remark: `the connection was still open ${stage.timeoutMs / 1000} s after FIN`,
        sent: "the whole conversation and FIN",
        expected: "FIN",
        received: "nothing",
      };
    },
  };
}

/** A mistake, the same with more behind it, and a client that comes afterwards. */
function casesOfMistake(example: Example): Case[] {
  const { section, turns, framings = true } = example;
  const after = async (stage: Stage, moves: readonly Move[], options: PlayOptions = {}) => {
    const found = await play(stage, moves, options);
    if (found.verdict === "failed") return plain(found);
    const next = await play(stage, asMoves(honestTurns(stage.conformance)));
    if (next.verdict !== "failed") return plain(found);
    return { ...plain(next), remark: `afterwards the next client is not served: ${next.remark}` };
  };
  const asItIs: Case = {
    section,
    name: titleOf(example),
    run: (stage) => after(stage, asMoves(turns)),
  };
  const isOver = turns.some(({ closes }) => closes === true);
  if (!framings || !isOver || clientsIn(turns) !== 1) return [asItIs];
  return [asItIs, {
    section,
    name: titleOf(example, "with more behind it"),
    run: (stage) => after(stage, followedBy(turns, MORE), { receiveBuffer: SMALL_BUFFER }),
  }];
}

/** How many clients are tried side by side to see that nobody gets the answers of others. */
const TOGETHER = 8;

/** Each of several clients gets its own answers, in conversations that the server has held alone. */
function togetherCase({ examples }: Conformance, held: ReadonlySet<Example>): Case {
  return {
    section: "concurrency",
    name: "concurrency · clients at once get their own answers",
    async run(stage) {
      if (stage.clientsAtOnce < 2) {
        return { verdict: "skipped", remark: "the server serves one client at a time" };
      }
      const count = Math.min(TOGETHER, stage.clientsAtOnce);
      const [first] = examples as [Example, ...Example[]];
      const known = [...held].filter(({ turns, framings = true }) =>
        framings && clientsIn(turns) === 1
      );
      const alone = known.length === 0 ? [first] : known;
      const scripts = Array.from(
        { length: count },
        (_, index) => asMoves((alone[index % alone.length] as Example).turns),
      );
      const found = await Promise.all(scripts.map((moves) => play(stage, moves, { gapMs: 0 })));
      const bad = found.find(({ verdict }) => verdict === "failed");
      return bad === undefined ? { verdict: "passed", remark: `${count} clients` } : plain(bad);
    },
  };
}
