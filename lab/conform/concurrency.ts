/**
 * How many clients a server serves at once. One is no mistake: some servers are sequential on
 * purpose. But all other cases must know it, because a client of such a server has to wait its turn.
 *
 * @module
 */

import type { Conformance, Turn } from "../../protocols/conformance.ts";
import { AnswerJudge, bytesOf } from "./answer.ts";
import { asMoves } from "./framing.ts";
import { honestTurns } from "./cases.ts";
import { play } from "./play.ts";
import type { Stage } from "./stage.ts";
import { Talk } from "./talk.ts";

/** How long to wait for one more client to be served, in milliseconds. */
const PATIENCE_MS = 700;

/** What was found out. */
export interface Concurrency {
  /** How many clients were served at once; 0 if not even one was. */
  readonly clients: number;
  /** Whether all who were tried were served, so that it may be more. */
  readonly mayBeMore: boolean;
}

/**
 * Counts how many clients are served at once, while all of them stay.
 *
 * @param stage the server
 * @param most how many to try
 */
export async function countClients(stage: Stage, most: number): Promise<Concurrency> {
  const stays = staysOf(stage.conformance);
  const greeting = stage.conformance.greeting ?? [];
  const count = Math.max(1, Math.min(most, stage.caller.most));
  return [...greeting, ...stays].some(({ expect }) => expect !== undefined)
    ? await countAnswered(stage, [...greeting, ...stays], count)
    : await countBeside(stage, stays, count);
}

/** What a client does to be served and to stay. */
export function staysOf(conformance: Conformance): readonly Turn[] {
  if (conformance.stays !== undefined) return conformance.stays;
  const turns = honestTurns(conformance);
  const first = turns.findIndex(({ send, expect }) => send !== undefined && expect !== undefined);
  return turns.slice(0, first + 1).map(({ closes: _, ...turn }) => turn);
}

/** Opens more and more connections that stay, and counts those that are answered. */
async function countAnswered(
  stage: Stage,
  turns: readonly Turn[],
  count: number,
): Promise<Concurrency> {
  const talks: Talk[] = [];
  let served = 0;
  try {
    for (let wanted = 1; served === talks.length && talks.length < count; wanted *= 2) {
      const more = Math.min(wanted, count) - talks.length;
      const opened = await Promise.allSettled(
        Array.from({ length: more }, () => Talk.open(stage.caller, { withinMs: stage.timeoutMs })),
      );
      const fresh = opened.flatMap((found) => found.status === "fulfilled" ? [found.value] : []);
      talks.push(...fresh);
      // The first client has as long as every other case gives it: perhaps the server is slow.
      const patienceMs = served === 0 ? stage.timeoutMs : PATIENCE_MS;
      served += await countOf(stage, fresh, turns, patienceMs);
      if (fresh.length < more) break;
    }
    return { clients: served, mayBeMore: served === count };
  } finally {
    for (const talk of talks) talk.close();
  }
}

/** How many of these clients are answered. Whoever is answered gives the others more time. */
async function countOf(
  { conformance: { ignores }, signal }: Stage,
  talks: readonly Talk[],
  turns: readonly Turn[],
  patienceMs: number,
): Promise<number> {
  const waiting = new Set(talks);
  let until = performance.now() + patienceMs;
  const converse = async (talk: Talk) => {
    for (const turn of turns) {
      if (turn.send !== undefined) await talk.send([bytesOf(turn.send)]);
      if (turn.expect === undefined) continue;
      const judge = new AnswerJudge(turn, ignores);
      for (;;) {
        const answer = judge.judge(talk.inbox.unread, talk.inbox.ending, false);
        if (answer.progress === "impossible") return;
        if (answer.progress === "whole") {
          talk.inbox.take(answer.length);
          break;
        }
        if (signal.aborted || performance.now() >= until) return;
        await talk.inbox.change(until - performance.now());
      }
    }
    waiting.delete(talk);
    until = performance.now() + patienceMs;
  };
  await Promise.all(talks.map(converse));
  return talks.length - waiting.size;
}

/** Where clients get no answer: how many others may stay while one is served to the end. */
async function countBeside(
  stage: Stage,
  stays: readonly Turn[],
  count: number,
): Promise<Concurrency> {
  const talks: Talk[] = [];
  const honest = asMoves(honestTurns(stage.conformance));
  try {
    for (let others = 0;; others = others * 2 + 1) {
      while (talks.length < Math.min(others, count - 1)) {
        const talk = await Talk.open(stage.caller, { withinMs: stage.timeoutMs });
        talks.push(talk);
        for (const { send } of stays) if (send !== undefined) await talk.send([bytesOf(send)]);
      }
      const timeoutMs = others === 0 ? stage.timeoutMs : Math.min(PATIENCE_MS, stage.timeoutMs);
      const { verdict } = await play(stage, honest, { timeoutMs });
      if (verdict === "failed") {
        return { clients: others === 0 ? 0 : (others + 1) / 2, mayBeMore: false };
      }
      if (talks.length >= count - 1) return { clients: talks.length + 1, mayBeMore: true };
    }
  } finally {
    for (const talk of talks) talk.close();
  }
}
