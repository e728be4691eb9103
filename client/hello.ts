/**
 * The client of `hello`: it shakes hands, once or many times.
 *
 * @module
 */

import type { TimeLimits } from "../engine/drivers/limits.ts";
import { formatHello } from "../protocols/hello.ts";
import type { Flag, Values } from "../engine/cli/flags.ts";
import { UsageError } from "../engine/cli/flags.ts";
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

/** `--protocol hello`. */
export const hello: Speaker = {
  form: { positionals: [INITIAL_SEQUENCE], required: 1 },
  flags: [
    {
      name: "count",
      kind: "integer",
      value: "N",
      least: 1,
      most: 1_000_000_000,
      default: "1",
      help: "perform N handshakes and print a summary",
    },
    {
      name: "concurrency",
      kind: "integer",
      value: "C",
      least: 1,
      most: 65_535,
      default: "1",
      help: "how many handshakes to perform at a time",
    },
    {
      name: "handshake-timeout",
      kind: "duration",
      default: "10s",
      help: "how long a handshake may take once connected",
    },
    {
      name: "grace",
      kind: "duration",
      default: "20ms",
      help: "how long an answer without a line end waits for more; 0: line ends only",
    },
    { name: "blocking", kind: "boolean", help: "use system calls that block, one at a time" },
    { name: "verbose", kind: "boolean", help: "show each step of a handshake with its time" },
  ],
  run,
};

async function run(values: Values, server: Target): Promise<number> {
  const concurrency = (values.concurrency ?? 1) as number;
  if (values.blocking === true && concurrency > 1) {
    throw new UsageError("--blocking does one at a time: --concurrency must be 1");
  }
  const target: HandshakeTarget = { ...server, graceMs: (values.grace ?? 20) as number };
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
    count: (values.count ?? 1) as number,
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
    sessionTimeoutMs: (values.handshakeTimeout ?? 10_000) as number,
    computeTimeoutMs: 0,
  };
  return values.blocking === true ? new BlockingDialer(limits) : new EventDialer(limits);
}
