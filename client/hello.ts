/**
 * The client of `hello`: it shakes hands, once or many times.
 *
 * @module
 */

import type { TimeLimits } from "../engine/drivers/limits.ts";
import { formatHello, HELLO_GRACE_MS } from "../protocols/hello.ts";
import type { Flag, Values } from "../engine/cli/flags.ts";
import { UsageError } from "../engine/cli/flags.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import { formatDuration } from "../engine/values/durations.ts";
import { BlockingDialer, type Dialer, EventDialer } from "../engine/dial/dialer.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";
import { type HandshakeTarget, shakeHands } from "./handshake.ts";
import type { ManyHandshakes } from "./many.ts";
import { narrator } from "./narration.ts";
import { printNote, printResult } from "./output.ts";
import { ProgressBar } from "./progress.ts";
import { type Speaker, timeoutOf } from "./speaker.ts";
import { findAddresses, type Target } from "../engine/dial/target.ts";

const INITIAL_SEQUENCE: Flag = {
  name: "initial_sequence",
  kind: "integer",
  least: -0x8000_0000,
  most: 0x7fff_ffff,
  help: "in hello: the number to begin with, 32 bits with a sign",
};

const COUNT = integerOption("count", {
  least: 1,
  most: 1_000_000_000,
  default: 1,
  help: "perform N handshakes and print a summary",
});

const CONCURRENCY = integerOption("concurrency", {
  value: "C",
  least: 1,
  most: 65_535,
  default: 1,
  help: "how many handshakes to perform at a time",
});

const HANDSHAKE_TIMEOUT = durationOption("handshakeTimeout", {
  default: "10s",
  help: "how long a handshake may take once connected",
});

const GRACE = durationOption("grace", {
  default: formatDuration(HELLO_GRACE_MS),
  help: "how long an answer without a line end waits for more; 0: line ends only",
});

/** `--protocol hello`. */
export const hello: Speaker = {
  form: { positionals: [INITIAL_SEQUENCE], required: 1 },
  flags: [
    COUNT,
    CONCURRENCY,
    HANDSHAKE_TIMEOUT,
    GRACE,
    { name: "blocking", kind: "boolean", help: "use system calls that block, one at a time" },
    { name: "verbose", kind: "boolean", help: "show each step of a handshake with its time" },
  ],
  run,
};

async function run(values: Values, server: Target): Promise<number> {
  const concurrency = valueOf(CONCURRENCY, values);
  if (values.blocking === true && concurrency > 1) {
    throw new UsageError("--blocking does one at a time: --concurrency must be 1");
  }
  const target: HandshakeTarget = { ...server, graceMs: valueOf(GRACE, values) };
  const initialSequence = values.initial_sequence as number;
  const isMany = values.count !== undefined || values.concurrency !== undefined;
  const tell = values.verbose === true ? narrator(performance.now(), "") : undefined;
  using dialer = makeDialer(values);
  const addresses = await findAddresses(target, tell);
  if (!isMany) {
    const y = await shakeHands(dialer, target, addresses, initialSequence, tell);
    printResult(formatHello(y));
    return EXIT_DONE;
  }
  // The module is loaded only when it is needed. On Bun its histogram takes as long to load as a
  // whole handshake takes.
  const { ManyHandshakes } = await import("./many.ts");
  const many = new ManyHandshakes(dialer, target, {
    count: valueOf(COUNT, values),
    concurrency,
    initialSequence,
    tellOf: (index) => tell && narrator(performance.now(), `#${index + 1} `),
  });
  return await performMany(many, addresses, tell === undefined);
}

async function performMany(
  many: ManyHandshakes,
  addresses: readonly string[],
  showProgress: boolean,
): Promise<number> {
  const startedAt = performance.now();
  {
    using _bar = showProgress ? ProgressBar.start(many.summary) : undefined;
    await many.run(addresses);
  }
  const elapsedMs = performance.now() - startedAt;
  for (const line of many.summary.examples()) printNote(`client: ${line}`);
  printResult(many.summary.format(elapsedMs));
  return many.summary.exitStatus;
}

function makeDialer(values: Values): Dialer {
  const limits: TimeLimits = {
    readTimeoutMs: timeoutOf(values),
    sessionTimeoutMs: valueOf(HANDSHAKE_TIMEOUT, values),
    computeTimeoutMs: 0,
  };
  return values.blocking === true ? new BlockingDialer(limits) : new EventDialer(limits);
}
