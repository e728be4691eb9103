/**
 * A process that works with the memory of a server, for `processes_test.ts`. It may be killed at any
 * moment.
 *
 * @module
 */

import { CommonMemory } from "../../engine/net/common_memory.ts";
import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { HostCounts } from "../../engine/server/core/host_counts.ts";
import { JournalWriter } from "../../engine/server/journal/shared_journal.ts";
import { ProcessGate } from "../../engine/server/team/process_gate.ts";
import {
  recordNumbers,
  type TeamMemory,
  threadMemory,
} from "../../engine/server/team/team_memory.ts";
import { DONE, type TrackShare, TrackWriter } from "../../engine/server/trace/timeline_track.ts";

/** What such a process is to do. */
export interface Errand {
  readonly what: keyof typeof ERRANDS;
  /** Its number, from 0. */
  readonly index: number;
  /** The memory of the server. */
  readonly memory: TeamMemory;
  /** Words of the test: see {@linkcode WORDS}. */
  readonly words: SharedArrayBuffer;
  /** Its track. */
  readonly track?: TrackShare;
}

/** The words of the test. */
export const WORDS = {
  /** How often a limit was broken. */
  broken: 0,
  /** The tests say that a process may go on. */
  go: 1,
  /** Each process has so many, after the first ones. */
  each: 16,
  // Among those: what it has done, how many connections it has, and how many of each host.
  steps: 0,
  open: 1,
  hosts: 2,
} as const;

/** Where the words of a process begin. */
export function wordsOf(index: number): number {
  return WORDS.each * (1 + index);
}

/** The limits. */
export const MOST = { open: 3, ofHost: 2 } as const;

/** The hosts. */
export const HOSTS: readonly string[] = ["10.0.0.1", "10.0.0.2", "2001:db8::1"];

/** How often one goes through the gate in a row. */
const AT_ONCE = 20;

/** How many lines a process writes, and how long they are. */
export const LINES = 20_000;
export const LINE = "x".repeat(200);

/** The descriptor that the process inherits. */
const INHERITED = 3;

const ERRANDS = { countConnections, writeLines, recordConnection };

/** Lets connections in and out, until the gate closes. */
function countConnections({ index, memory, words: memoryOfTest }: Errand): void {
  const words = new Int32Array(memoryOfTest);
  const own = wordsOf(index);
  const other = wordsOf(1 - index);
  const gate = new ProcessGate(memory.gate, index);
  const hosts = new HostCounts(memory.hosts as SharedArrayBuffer);
  const connections: number[] = [];
  const check = (word: number, most: number) => {
    if (Atomics.load(words, own + word) + Atomics.load(words, other + word) > most) {
      Atomics.add(words, WORDS.broken, 1);
    }
  };
  const leave = () => {
    const host = connections.shift() as number;
    Atomics.sub(words, own + WORDS.hosts + host, 1);
    Atomics.sub(words, own + WORDS.open, 1);
    hosts.leave(index, HOSTS[host] as string);
    gate.leave();
  };
  while (!gate.closing) {
    Atomics.add(words, own + WORDS.steps, 1);
    const host = Math.floor(Math.random() * HOSTS.length);
    // Only one of the two waits for places that the other one has, which may be stopped.
    const waits = index === 0 && connections.length === 0 && Math.random() < 0.001;
    const isIn = waits ? gate.enter() : gate.tryEnter();
    if (isIn && hosts.enter(index, HOSTS[host] as string, MOST.ofHost)) {
      connections.push(host);
      Atomics.add(words, own + WORDS.open, 1);
      Atomics.add(words, own + WORDS.hosts + host, 1);
      check(WORDS.open, MOST.open);
      check(WORDS.hosts + host, MOST.ofHost);
    } else {
      if (isIn) gate.leave();
      if (connections.length > 0) leave();
    }
    if (connections.length > 0 && Math.random() < 0.4) leave();
    // Others are at the gate at the same moment if this is all that happens.
    for (let times = 0; times < AT_ONCE && gate.tryEnter(); times++) {
      Atomics.add(words, own + WORDS.open, 1);
      check(WORDS.open, MOST.open);
      Atomics.sub(words, own + WORDS.open, 1);
      gate.leave();
    }
  }
  while (connections.length > 0) leave();
}

/** Writes numbered lines as fast as it can. */
function writeLines({ index, memory, words: memoryOfTest }: Errand): void {
  const words = new Int32Array(memoryOfTest);
  const wants = { reports: true, log: true };
  const { journalOffset } = threadMemory(memory, index);
  const journal = new JournalWriter(
    memory.journals,
    journalOffset,
    recordNumbers(memory),
    wants,
    () => Atomics.add(words, wordsOf(index) + WORDS.steps, 1),
  );
  for (let line = 0; line < LINES; line++) {
    if (line % 2 === 0) journal.report(`${line} ${LINE}`);
    else journal.log({ level: "info", text: "{line}", properties: { line, rest: LINE } });
  }
}

/** Records a connection, between two signs. */
function recordConnection({ index, words: memoryOfTest, track }: Errand): void {
  const words = new Int32Array(memoryOfTest);
  const writer = new TrackWriter(track as TrackShare);
  Atomics.store(words, wordsOf(index), 1);
  while (Atomics.load(words, WORDS.go) === 0) { /* Nobody can wake this process. */ }
  writer.end(writer.begin("10.0.0.1:1"), DONE);
  Atomics.store(words, wordsOf(index), 2);
}

function main([description]: readonly string[]): void {
  const errand = CommonMemory.open(INHERITED).find(description as string) as Errand;
  ERRANDS[errand.what](errand);
}

if (isMainModule(import.meta)) main(runtime.args);
