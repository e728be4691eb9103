/**
 * The bench reaches at least 0.8 of the rate of a load client in C, and its lag is known at 50 %, 80 %
 * and 100 % of what it reaches.
 *
 * `HANDSHAKE_C` names a folder with `load.c`, the client (`load HOST PORT CONNECTIONS SECONDS PROTOCOL`
 * prints `rate=N`), and `baseline.c`, a server for both (`baseline epoll PORT PROTOCOL`). They are
 * compiled for the proof. Client and bench take turns, and the median of their ratios decides. It takes
 * two minutes a runtime on a machine that does nothing else. `--seconds 1` makes shorter runs, and
 * `--rounds 3` fewer of them.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { measure } from "../../lab/load/measure.ts";
import { makePlan } from "../../lab/load/plan.ts";
import type { Run } from "../../lab/load/results.ts";
import { LoadedServer } from "../../lab/loaded_server.ts";
import { median } from "../../lab/report/statistics.ts";
import { formatRate, formatTime } from "../../engine/values/units.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { Program, whyNoProgram } from "../kit/server_process.ts";

/** The share of the client's rate that the bench must reach. */
const SHARE = 0.8;

/** How many connections there are. */
const CONNECTIONS = 50;

/** The shares of what the bench reaches at which its lag is measured. */
const SHARES = [0.5, 0.8, 1] as const;

/** Where the sources are. */
const sources = process.env.HANDSHAKE_C ?? "";

/** Why it cannot run here. */
const whyNot = whyNoSockets() ?? whyNoProgram("cc") ??
  (existsSync(join(sources, "load.c")) && existsSync(join(sources, "baseline.c"))
    ? undefined
    : "HANDSHAKE_C names no folder with load.c and baseline.c");

/** Compiles a program; returns its path. */
function compile(folder: Folder, name: string): string {
  const path = folder.path(name);
  execFileSync("cc", ["-O2", "-o", path, join(sources, `${name}.c`), "-lpthread"]);
  return path;
}

/** Loads the server with the client in C; returns the rate. */
async function loadInC(client: string, port: number, protocol: string, seconds: number) {
  const args = ["127.0.0.1", String(port), String(CONNECTIONS), String(seconds), protocol];
  await using program = new Program([client, ...args]);
  const { code, stdout } = await program.end((seconds + 30) * 1_000);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, / err=0$/m);
  return Number(/^rate=(\d+) /.exec(stdout)?.[1]);
}

/** Loads the server with the bench. */
async function loadHere(
  address: LoadedServer["address"],
  protocol: string,
  seconds: number,
  rate = 0,
): Promise<Run> {
  const plan = await makePlan({
    protocol,
    connections: CONNECTIONS,
    duration: seconds * 1_000,
    rate,
    engine: "descriptors",
  });
  const run = await measure(plan, { address, name: protocol });
  assertEquals(run.errors, {});
  return run;
}

/** What was measured with one protocol. */
interface Proved {
  readonly ratio: number;
  /** The same with the lag, in a few words. */
  readonly figure: string;
}

/** Measures with one protocol. */
async function proveOne(
  [client, server]: readonly [string, string],
  protocol: string,
  seconds: number,
  rounds: number,
): Promise<Proved> {
  await using served = await LoadedServer.startAny(`${server} epoll {port} ${protocol}`);
  const { address } = served;
  const rates: number[] = [];
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const inC = await loadInC(client, address.port, protocol, seconds);
    const { rate } = await loadHere(address, protocol, seconds);
    rates.push(rate);
    ratios.push(rate / inC);
    console.error(
      `${protocol} ${round} of ${rounds}: ${formatRate(rate)}, ${formatRate(inC)} in C`,
    );
  }
  const limit = median(rates);
  const lags: string[] = [];
  for (const share of SHARES) {
    const { lag_us: lag, rate } = await loadHere(address, protocol, seconds, share * limit);
    const [usual, late] = [formatTime(lag.p50), formatTime(lag.p99)];
    lags.push(`${share * 100} % p50 ${usual}, p99 ${late}`);
    console.error(`${protocol} at ${share * 100} %: ${formatRate(rate)}, lag ${lags.at(-1)}`);
  }
  const ratio = median(ratios);
  const figure = `${protocol} ${ratio.toFixed(2)} of C (${formatRate(limit)}), lag at ${
    lags.join("; ")
  }`;
  return { ratio, figure };
}

await prove(import.meta, async () => {
  const args = process.argv.slice(2);
  const valueOf = (name: string, usual: number) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? usual : Number(args[at + 1]);
  };
  using folder = new Folder("engine-");
  const programs = [compile(folder, "load"), compile(folder, "baseline")] as const;
  const proved: Proved[] = [];
  for (const protocol of ["frame", "echo"]) {
    proved.push(await proveOne(programs, protocol, valueOf("seconds", 3), valueOf("rounds", 7)));
  }
  const figures = proved.map(({ figure }) => figure).join("; ");
  for (const { ratio } of proved) assert(ratio >= SHARE, figures);
  return figures;
}, { skip: whyNot });
