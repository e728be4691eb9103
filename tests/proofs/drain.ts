/**
 * A server that gets SIGTERM loses none of 100,000 clients whose `connect` had succeeded.
 *
 * Clients connect, ask and read in a loop, and the server is stopped, again and again. A reset, an
 * end without a byte and no answer at all are losses. To be refused afterwards is none.
 *
 * Most of them are on this machine. A tenth come over a path with delay, on which a handshake is
 * under way for so long that nearly every stop falls into some of them.
 *
 * Words on the command line say what is proved: a part of the name of a row, how many connections,
 * and an address. In its place `late` is the path with delay.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { type Asked, AskingClients } from "../kit/asking_clients.ts";
import { assert, assertEquals, until } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { inOwnNetwork, whyNoNetwork } from "../kit/network.ts";
import { computesInPlace, ROWS } from "../kit/rows.ts";
import { ServerProcess } from "../kit/server_process.ts";

/** How many clients ask at a time. */
const CLIENTS = 50;

/** How many are answered before the signal: another moment each time. */
const ANSWERED = [200, 500, 1_000, 2_500];

/** How long these may take on an idle machine, in milliseconds. */
const ANSWERS_MS = 40_000;

/** A server that closes while clients ask. */
export interface Asking {
  readonly name: string;
  /** The path of its script, as {@linkcode ServerProcess.start} takes it. */
  readonly path: string;
  readonly args: readonly string[];
  /** What a client sends. Each of these servers answers at once. */
  readonly question: string;
}

const ECHO = ["--protocol", "echo"];

/** All modes, and the chat, which closes its listener in the same way. */
export const ASKED: readonly Asking[] = [
  ...ROWS.filter((row) => row.skip === undefined && !computesInPlace(row)).map(
    ({ name, mode, args }) => ({
      name,
      path: mode as string,
      // The last one counts.
      args: [...args.filter((word) => word !== "--protocol" && word !== "hello"), ...ECHO],
      question: "ping\n",
    }),
  ),
  { name: "chat", path: "chat/server", args: [], question: "ann\n" },
];

/** How to ask a server, and when to stop it. */
export interface StopPlan {
  /** Where it listens. */
  readonly hostname: string;
  /** The host to which clients connect. @default where it listens */
  readonly to?: string;
  /** How many clients are answered before. */
  readonly answered: number;
  /** How many there are at a time. @default {50} */
  readonly clients?: number;
  /** See `AskingPlan`. */
  readonly isNear?: boolean;
}

/**
 * Stops a server once while clients ask.
 *
 * @param server what to start
 * @param plan how it is asked
 */
export async function stopOnce(
  { path, args, question }: Asking,
  { hostname, to = hostname, answered, clients = CLIENTS, isNear = false }: StopPlan,
): Promise<Asked> {
  await using server = await ServerProcess.start(path, [
    ...args,
    ...["--host", hostname, "--quiet", "--drain", "20s"],
  ]);
  const address = { hostname: to, port: server.address.port };
  await using asking = new AskingClients({ address, question, clients, isNear });
  await until("the answers", () => asking.asked.answered >= answered, ANSWERS_MS);
  const ending = await server.stop();
  const asked = await asking.finish();
  assertEquals(ending.code, 0, ending.stderr);
  return asked;
}

/** How many clients were lost. */
export function lostOf({ reset, ended, unanswered }: Asked): number {
  return reset + ended + unanswered;
}

/** What became of the clients of several stops. */
export interface AskedSum {
  readonly stops: number;
  readonly asked: Asked;
}

/**
 * Stops a server again and again.
 *
 * @param server what to start
 * @param plan how it is asked; each time the stop comes at another moment
 * @param most how many clients must have been answered
 * @param moments how many are answered before each stop, in turn
 */
export async function stopOften(
  server: Asking,
  plan: Omit<StopPlan, "answered">,
  most: number,
  moments: readonly number[] = ANSWERED,
): Promise<AskedSum> {
  const sum: Record<string, number> = {};
  let stops = 0;
  do {
    const answered = Math.min(most, moments[stops++ % moments.length] as number);
    const asked = await stopOnce(server, { ...plan, answered });
    for (const [name, count] of Object.entries(asked)) sum[name] = (sum[name] ?? 0) + count;
  } while ((sum.answered as number) < most);
  return { stops, asked: sum as unknown as Asked };
}

/**
 * The same over a path with delay, half of it in each family.
 *
 * @param only the names of the servers
 * @param most how many clients of each must have been answered
 * @param limitMs how long that may take
 * @param clients how many ask at a time
 */
export async function stopLate(
  only: readonly string[],
  most: number,
  limitMs: number,
  clients = CLIENTS,
): Promise<Readonly<Record<string, AskedSum>>> {
  const args = [`${most}`, `${clients}`, ...only];
  return JSON.parse(await inOwnNetwork("tests/kit/late_stops.ts", { args, limitMs }));
}

/** How long a proof of one server over the path with delay may take, in milliseconds. */
const LATE_MS = 600_000;

/** Over which ways clients come, and how many in a hundred. */
const WAYS: Readonly<Record<string, number>> = { "127.0.0.1": 45, "::1": 45, late: 10 };

await prove(import.meta, async () => {
  const [only = "", most = "100000", one] = runtime.args;
  const whyNotLate = whyNoNetwork();
  let [answers, stops] = [0, 0];
  const subjects = ASKED.filter(({ name }) => name.includes(only));
  for (const subject of subjects) {
    for (const [way, percent] of one === undefined ? Object.entries(WAYS) : [[one, 100] as const]) {
      const share = Number(most) * percent / 100;
      if (way === "late" && whyNotLate !== undefined) {
        runtime.printNow("stdout", `no path with delay: ${whyNotLate}\n`);
        continue;
      }
      const sum = way === "late"
        ? (await stopLate([subject.name], share, LATE_MS))[subject.name] as AskedSum
        : await stopOften(subject, { hostname: way }, share);
      stops += sum.stops;
      answers += sum.asked.answered;
      const figures = Object.entries(sum.asked).map(([name, count]) => `${name} ${count}`);
      const line = [subject.name, way, `${sum.stops} stops`, ...figures].join(" · ");
      runtime.printNow("stdout", `${line}\n`);
      assert(lostOf(sum.asked) === 0, line);
    }
  }
  return `${answers} of ${answers} clients answered, ${stops} stops, in ${subjects.length} rows`;
});
