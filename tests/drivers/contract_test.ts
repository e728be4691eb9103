/**
 * The contract of the drivers: all of them grant the effects of a conversation in the same way.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import {
  type Expected,
  type Outcome,
  type Script,
  SCRIPTS,
  TOO_MUCH,
} from "../kit/driver_scripts.ts";
import { type DriverRow, DRIVERS, openBlocking, type Refusal, type Stage } from "../kit/drivers.ts";
import { assert, assertEquals, assertStringIncludes, delay, test, within } from "../kit/harness.ts";

/** How long a driver may take for a whole script, in milliseconds. */
const LONG_MS = 10_000;

/** How long a test watches a conversation that must wait, in milliseconds. */
const WAITING_MS = 40;

const noSockets = { skip: whyNoSockets() };

function shutDown(fd: number): void {
  const net = sockets();
  assertEquals(net.shutdown(fd, net.constants.SHUT_RDWR), 0);
}

/** Plays a script. Returns its outcome and what the peer has received at the end. */
async function play(
  stage: Stage,
  { peer, expected }: Script,
): Promise<{ outcome: Outcome; received: string | false }> {
  await peer?.(stage.peer, stage);
  // A peer that has gone itself receives nothing more.
  const received = expected.received !== false && await stage.peer.rest();
  return { outcome: await within(LONG_MS, "the conversation to end", stage.outcome), received };
}

function assertExpected(outcome: Outcome, received: string | false, expected: Expected): void {
  const { failure, result } = expected;
  const [kind, message = ""] = typeof failure === "string" ? [failure] : failure ?? [];
  assertEquals(
    {
      log: outcome.log,
      reports: outcome.reports,
      result: outcome.result,
      failure: outcome.failure?.kind,
      received,
    },
    {
      log: expected.log ?? [],
      reports: expected.reports ?? [],
      result,
      failure: kind,
      received: expected.received ?? "",
    },
    outcome.failure?.message,
  );
  assert(outcome.failure === undefined || outcome.failure.message.startsWith(message));
}

async function assertRefused(stage: Stage, refusal: Refusal): Promise<void> {
  if ("hasNo" in refusal) return assertEquals(stage[refusal.hasNo], undefined);
  if ("takesAll" in refusal) {
    await stage.peer.send("go");
    return assert((stage.taken?.() ?? 0) >= TOO_MUCH);
  }
  if ("waits" in refusal) {
    const first = await Promise.race([stage.outcome, delay(WAITING_MS)]);
    return assertEquals(first, undefined, "it waits");
  }
  const { log, reports, failure } = await within(LONG_MS, "the conversation to end", stage.outcome);
  if ("fails" in refusal) assertStringIncludes(failure?.message ?? "", refusal.fails);
  else if ("refuses" in refusal) assertStringIncludes(log[0] ?? "", refusal.refuses);
  else if ("abandons" in refusal) {
    assertEquals([failure?.kind, log.filter((entry) => /gone|Timeout/.test(entry))], [
      refusal.abandons,
      [],
    ]);
  } else assertEquals([failure, reports], [undefined, []]);
}

/** Plays a script that the driver must decline. The peer may wait in vain for what is refused. */
async function decline(driver: DriverRow, script: Script, refusal: Refusal): Promise<void> {
  let playing: Promise<unknown> | undefined;
  {
    await using stage = await driver.open(script);
    const { peer } = script;
    const isPlayed = !("hasNo" in refusal || "takesAll" in refusal);
    playing = isPlayed
      ? (async () => await peer?.(stage.peer, stage))().catch(() => {})
      : undefined;
    await assertRefused(stage, refusal);
  }
  await playing;
}

function refusalOf({ cannot }: DriverRow, { needs = [] }: Script): Refusal | undefined {
  const missing = needs.find((ability) => cannot[ability] !== undefined);
  return missing && cannot[missing];
}

for (const driver of DRIVERS) {
  for (const script of SCRIPTS) {
    const refusal = refusalOf(driver, script);
    const name = refusal === undefined ? script.name : `declines: ${script.name}`;
    test(`${driver.name}: ${name}`, async () => {
      if (refusal !== undefined) return await decline(driver, script, refusal);
      await using stage = await driver.open(script);
      const { outcome, received } = await play(stage, script);
      assertExpected(outcome, received, script.expected);
    }, { skip: driver.skip });
  }
}

// How a conversation ends whose thread is blocked.

function scriptNamed(name: string): Script {
  const script = SCRIPTS.find((script) => script.name === name);
  assert(script !== undefined, name);
  return script;
}

test("blocking: a shutdown by another thread ends a read that waits, as FIN does", async () => {
  const script = scriptNamed("an abort ends a read that waits, and the conversation may reply");
  await using stage = await openBlocking(script);
  await stage.peer.take("ready".length);
  shutDown(stage.fd);
  const { log } = await within(LONG_MS, "the conversation to end", stage.outcome);
  assertEquals(log[0], "FIN");
}, noSockets);

test(
  "blocking: a shutdown by another thread ends a write that waits, as a reset does",
  async () => {
    const script = scriptNamed(
      "a write waits for a peer that does not read, and no bytes are lost",
    );
    await using stage = await openBlocking(script);
    await stage.peer.take("ready".length);
    await stage.peer.send("go");
    await stage.peer.take(1);
    stage.peer.pause();
    shutDown(stage.fd);
    const { log, failure } = await within(LONG_MS, "the conversation to end", stage.outcome);
    assertEquals([log, failure?.kind], [["peer gone while sending"], "peer gone"]);
  },
  noSockets,
);
