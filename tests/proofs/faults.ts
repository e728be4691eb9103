/**
 * Every mode and protocol, and the chat, keep to the definition through a network that cuts, delays
 * and resets.
 *
 * Through slicer and latency all conversations of the checker must pass. Through resets some clients
 * are lost on purpose; whoever is not must be served, and afterwards the server must be as it was.
 *
 * A word on the command line is a part of the names of those to be checked.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { reachedThrough, startedServer } from "../../lab/checked_server.ts";
import { callerOf } from "../../lab/conform/caller.ts";
import { honestTurns } from "../../lab/conform/cases.ts";
import { loadDefinition } from "../../lab/conform/definitions/catalogue.ts";
import { asMoves } from "../../lab/conform/framing.ts";
import { play } from "../../lab/conform/play.ts";
import { startFaults } from "../../lab/faults/proxy.ts";
import { parseToxics } from "../../lab/faults/toxic.ts";
import { assert, assertEquals } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import {
  badIn,
  type Checked,
  checkServer,
  commandLine,
  everything,
  PATIENCE_MS,
} from "./conform.ts";

/** How many servers are checked at a time. */
const AT_ONCE = 2;

/** All cases but the attacks. */
const PEACEFUL = /^(?!abuse)/;

/** Those that send a hundred thousand bytes and more, and the others. */
const SENDS_MUCH = "\\b\\d{6,} bytes|more behind it|what was answered before";
const LARGE = new RegExp(`^(?!abuse).*(${SENDS_MUCH})`);
const SMALL = new RegExp(`^(?!abuse)(?!.*(${SENDS_MUCH}))`);

/**
 * What cuts and delays, and does no harm, with the cases that go through it. A megabyte in pieces of
 * four bytes tells no more than one in larger pieces, and takes half a minute on a busy machine.
 */
const HARMLESS: readonly (readonly [toxics: string, only: RegExp])[] = [
  ["slicer:1..7", SMALL],
  ["slicer:300..900", LARGE],
  ["latency:5ms±4ms", PEACEFUL],
];

/** A whole message may take long on its way. A hello must not be taken for whole before it is. */
function commandOf({ script, args, definition }: Checked): string {
  return commandLine(script, ...args, ...(definition === "hello" ? ["--grace", "0"] : []));
}

/**
 * Checks a server through toxics that do no harm.
 *
 * @param checked the server
 * @param toxics what is wrong on the way
 * @param only the cases
 * @returns how many cases have passed
 */
export async function passThrough(
  checked: Checked,
  toxics: string,
  only: RegExp = PEACEFUL,
): Promise<number> {
  const { signal } = new AbortController();
  const way = { toxics: parseToxics(toxics), seed: 1 };
  await using server = reachedThrough(startedServer(commandOf(checked), signal), way);
  const report = await checkServer(server, checked.definition, {
    chooses: (name) => only.test(name),
    timeoutMs: PATIENCE_MS,
    clients: 8,
  });
  assertEquals(badIn(report), [], `${checked.name} through ${toxics}`);
  return report.counts.passed;
}

/**
 * Sends many clients to a server. Every other one is reset somewhere on its way.
 *
 * @param checked the server
 * @param count how many clients
 * @returns how many were reset
 */
export async function survive(checked: Checked, count: number): Promise<number> {
  const { conformance } = await loadDefinition(checked.definition);
  const { signal } = new AbortController();
  await using server = startedServer(commandOf(checked), signal);
  const target = await server.first();
  const toxics = parseToxics("up:reset:5B down:reset:3ms");
  const upstream = target.address;
  await using faults = await startFaults({ upstream, toxics, toxicity: 0.5, seed: 2 });
  const moves = asMoves(honestTurns(conformance));
  const stage = { target, conformance, timeoutMs: PATIENCE_MS, signal, clientsAtOnce: 1 };
  {
    using caller = callerOf(faults.address);
    for (let client = 0; client < count; client++) {
      const before = faults.counts.toxic;
      const { verdict, remark } = await play({ ...stage, caller }, moves);
      // A toxic one may have been faster than its reset.
      if (faults.counts.toxic === before) {
        assertEquals(verdict, "passed", `${checked.name}, client ${client}: ${remark}`);
      }
    }
  }
  using caller = callerOf(upstream);
  const { verdict, remark } = await play({ ...stage, caller }, moves);
  assertEquals(verdict, "passed", `${checked.name} afterwards: ${remark}`);
  const { toxic } = faults.counts;
  assert(toxic > 0 && toxic < count, `${toxic} of ${count} were toxic`);
  return faults.counts.cut;
}

await prove(import.meta, async () => {
  const left = everything(runtime.args[0]);
  const count = left.length;
  let [cases, resets] = [0, 0];
  const bad: string[] = [];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        for (const [toxics, only] of HARMLESS) cases += await passThrough(next, toxics, only);
        resets += await survive(next, 60);
      } catch (error) {
        // The others are tried all the same.
        bad.push(next.name);
        console.error(next.name, error);
      }
      console.error(`${next.name}: ${cases} cases, ${resets} resets so far`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assertEquals(bad, []);
  return `${count} servers, ${cases} cases passed cut and late, ${resets} clients reset`;
}, { skip: whyNoSockets() });
