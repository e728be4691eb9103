/**
 * What a chat promises, checked on a simulated history: whatever the network does and whoever comes
 * first, all of it must hold.
 *
 * @module
 */

import { LOBBY } from "../../../chat/talk/names.ts";
import { GOODBYE } from "../../../chat/talk/notices.ts";
import { readTalk } from "./members.ts";
import type { ChatSimulation, MemberOutcome } from "./simulate_chat.ts";

/** Where more is lost, the last line may take longer to arrive than a server waits that ends. */
const MUCH_LOSS = 0.03;

const ENTERED = /^\* you are (?:\S+ )?in (\S+)$/;
const MISSED = /^\* you missed (\d+) lines?$/;
const ENDING = /^\* server is shutting down in /;

/** Whether a line is what somebody has said, and not what the server tells. */
function isTalk(line: string): boolean {
  return line.startsWith("[");
}

/**
 * Checks what a chat promises:
 *
 * - nobody hears a line twice, or the lines of a speaker out of their order;
 * - nobody hears what was said in a room after having left it, or anything after the goodbye;
 * - whoever is not cut off as a slow reader hears all that was said where they were, or is told how
 *   many lines were left out; whoever is cut off has heard all up to there. So a slow member loses
 *   only its own lines;
 * - whoever is there when the server ends is told so, is told goodbye, and sees FIN;
 * - when all are gone, no user, no name, no connection and no line is left, and no outbox has held
 *   more than its limit.
 *
 * @param simulation a history that is over
 * @returns what is broken, a sentence each; nothing if all holds
 */
export function brokenPromises(simulation: ChatSimulation): readonly string[] {
  const { members, outbox, left, endedUs, path: { loss = 0 } } = simulation;
  const broken = members.flatMap((member) =>
    [
      ...checkOrder(member),
      ...checkWhole(member),
      ...checkEnd(member, loss > MUCH_LOSS),
    ].map((what) => `${member.name} ${what}`)
  );
  if (endedUs === undefined) broken.push("the server has not ended");
  if (outbox.most > outbox.limit) {
    broken.push(`an outbox has held ${outbox.most} bytes, and its limit is ${outbox.limit}`);
  }
  if (left.length > 0) broken.push(`when all were gone, there were still ${left.join(", ")}`);
  return broken;
}

/** What was heard, seen by itself: each line once, in the order of its speaker, in the right room. */
function checkOrder({ name: self, heard }: MemberOutcome): string[] {
  const broken: string[] = [];
  const seen = new Set<string>();
  /** The last line that was heard of each speaker in this room. */
  let last = new Map<string, number>();
  let room = LOBBY;
  let hasGap = false;
  for (const line of heard) {
    const entered = ENTERED.exec(line)?.[1];
    if (entered !== undefined) {
      if (entered !== room) last = new Map();
      room = entered;
    }
    // Some lines before the next one were left out.
    if (MISSED.test(line)) hasGap = true;
    const talk = readTalk(line);
    if (talk === undefined) continue;
    const { name, visit, number } = talk;
    const speaker = `${name} ${visit}`;
    const key = `${speaker}.${number}`;
    if (seen.has(key)) broken.push(`has heard twice: ${line}`);
    seen.add(key);
    if (talk.room !== room) broken.push(`was in ${room} and has heard: ${line}`);
    const before = last.get(speaker);
    // Whoever is alone hears itself, and no longer does when somebody comes.
    const mayMiss = hasGap || name === self;
    const isNext = before === undefined || number === before + 1 || mayMiss && number > before;
    if (!isNext) broken.push(`has heard after line ${before} of ${name}: ${line}`);
    last.set(speaker, number);
  }
  const goodbye = heard.indexOf(GOODBYE);
  if (goodbye >= 0 && goodbye < heard.length - 1) {
    broken.push(`has heard after the goodbye: ${heard[goodbye + 1]}`);
  }
  return broken;
}

/** What was heard, compared with what was said: nothing is missing that is not told. */
function checkWhole(outcome: MemberOutcome): string[] {
  const { heard, due, member, hasEnded, wasSlow, wasCut, error } = outcome;
  const isCutOff = wasSlow || wasCut || error !== undefined && !hasEnded;
  const isPrefix = isCutOff || member.ending === "vanishes";
  let at = 0;
  /** How many lines were left out since it has heard talk, as it was told: perhaps more than once. */
  let missed = 0;
  for (const line of heard) {
    missed += Number(MISSED.exec(line)?.[1] ?? 0);
    if (!isTalk(line)) continue;
    const found = missed === 0 ? at : due.indexOf(line, at);
    if (due[found] !== line) return [`should have heard "${due[at]}", and has heard "${line}"`];
    // Notices may be among the lines that were left out.
    if (found - at > missed) return [tellMissed(missed, found - at)];
    at = found + 1;
    missed = 0;
  }
  const left = due.length - at;
  if (isPrefix || left <= missed) return [];
  if (missed > 0) return [tellMissed(missed, left)];
  return [`has heard ${heard.filter(isTalk).length} of ${due.length} lines: not "${due[at]}"`];
}

function tellMissed(told: number, missed: number): string {
  return `was told of ${told} lines that it missed, and misses ${missed}`;
}

/** How it has ended. */
function checkEnd(outcome: MemberOutcome, mayBeCut: boolean): string[] {
  const { heard, member, wasAccepted, hasEnded, wasSlow, wasCut, wasThere, error } = outcome;
  // Whoever comes too late finds nobody who listens.
  if (!wasAccepted) return [];
  if (mayBeCut && (wasCut || error !== undefined)) return [];
  if (wasSlow || member.ending === "vanishes") return [];
  if (error !== undefined) return [`has failed: ${(error as Error).message}`];
  if (!hasEnded) return ["was never told the end"];
  // Among the lines that were left out may be the last ones.
  if (MISSED.test(heard.at(-1) ?? "")) return [];
  const broken: string[] = [];
  if (heard.at(-1) !== GOODBYE) broken.push(`has heard last: ${heard.at(-1)}`);
  const isTold = heard.some((line) => ENDING.test(line) || MISSED.test(line));
  const quitsInTime = member.ending === "quits";
  if (wasThere && !isTold && !quitsInTime) broken.push("was not told that the server ends");
  return broken;
}
