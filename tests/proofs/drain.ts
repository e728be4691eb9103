/**
 * A server that gets SIGTERM loses none of 100,000 clients whose `connect` had succeeded.
 *
 * Clients connect, ask and read in a loop, and the server is stopped, again and again. A reset, an
 * end without a byte and no answer at all are losses. To be refused afterwards is none.
 *
 * Words on the command line say what is proved: a part of the name of a row, how many connections,
 * and an address.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { runtime } from "../../engine/net/runtime.ts";
import { type Asked, AskingClients } from "../kit/asking_clients.ts";
import { assert, assertEquals, until } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { computesInPlace, ROWS } from "../kit/rows.ts";
import { ServerProcess } from "../kit/server_process.ts";

/** How many clients ask at a time. */
const CLIENTS = 50;

/** How long they ask before the signal, in milliseconds: another moment each time. */
const LOAD_MS = [60, 150, 260, 390];

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

/**
 * Stops a server once while clients ask.
 *
 * @param server what to start
 * @param hostname where it listens
 * @param loadMs how long clients ask before
 * @param clients how many there are at a time
 * @param isNear see `AskingPlan`
 */
export async function stopOnce(
  { path, args, question }: Asking,
  hostname: string,
  loadMs: number,
  clients = CLIENTS,
  isNear = false,
): Promise<Asked> {
  await using server = await ServerProcess.start(path, [
    ...args,
    ...["--host", hostname, "--quiet", "--drain", "20s"],
  ]);
  const address = { hostname, port: server.address.port };
  await using asking = new AskingClients({ address, question, clients, isNear });
  await until("the first answer", () => asking.asked.answered > 0);
  await delay(loadMs);
  const ending = await server.stop();
  const asked = await asking.finish();
  assertEquals(ending.code, 0, ending.stderr);
  return asked;
}

/** How many clients were lost. */
export function lostOf({ reset, ended, unanswered }: Asked): number {
  return reset + ended + unanswered;
}

await prove(import.meta, async () => {
  const [only = "", most = "100000", host] = runtime.args;
  let answers = 0;
  let stops = 0;
  const subjects = ASKED.filter(({ name }) => name.includes(only));
  for (const subject of subjects) {
    for (const hostname of host === undefined ? ["127.0.0.1", "::1"] : [host]) {
      const sum: Record<string, number> = {};
      const share = Number(most) / (host === undefined ? 2 : 1);
      let turns = 0;
      while ((sum.answered ?? 0) < share) {
        const asked = await stopOnce(
          subject,
          hostname,
          LOAD_MS[turns++ % LOAD_MS.length] as number,
        );
        for (const [name, count] of Object.entries(asked)) sum[name] = (sum[name] ?? 0) + count;
      }
      stops += turns;
      answers += sum.answered as number;
      const figures = Object.entries(sum).map(([name, count]) => `${name} ${count}`).join(" · ");
      const line = `${subject.name} · ${hostname} · ${turns} stops · ${figures}`;
      runtime.printNow("stdout", `${line}\n`);
      assert(lostOf(sum as unknown as Asked) === 0, line);
    }
  }
  return `${answers} of ${answers} clients answered, ${stops} stops, in ${subjects.length} rows`;
});
