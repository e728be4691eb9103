/**
 * An answer of 3 MiB to a POST whose body is still being sent arrives whole, and then FIN.
 *
 * A server that closes a connection with unread bytes sends RST, and the rest of its answer is
 * lost. So each mode has to read and throw away what its client still sends.
 *
 * @module
 */

import { assertEquals, until, within } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { prove } from "../kit/proof.ts";
import { ANSWER_BYTES } from "../kit/protocols/posted.ts";
import { computesInPlace, type Row, ROWS } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

/** What the body is sent in, and how many of them wait to be sent at a time. */
const PIECE = "b".repeat(64 << 10);
const WAITING_PIECES = 16;

/** More pieces than the kernel keeps for a server that does not read. */
const MORE_PIECES = 128;

/**
 * Posts to one mode again and again.
 *
 * @param row the mode
 * @param count how many requests
 * @returns how many answers have come, all of them whole
 */
export async function postTo(row: Row, count: number): Promise<number> {
  const args = [...row.args, "--protocol", "./tests/kit/protocols/posted.ts", "--quiet"];
  await using server = await ServerProcess.start(row.mode, args);
  for (let request = 0; request < count; request++) await post(server, request === 0);
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertEquals(totalsIn(ending), `accepted ${count} · completed ${count} · failed 0 · cut 0`);
  return count;
}

/**
 * Sends a request, and then body without end. Fails if the answer is not whole, or ends by RST.
 *
 * @param server where to
 * @param isLong whether the client sends much more after the server's FIN
 */
async function post({ address }: ServerProcess, isLong: boolean): Promise<void> {
  await using peer = await Peer.connect(address);
  await peer.send(`POST / HTTP/1.1\r\nContent-Length: ${1 << 30}\r\n\r\n`);
  let isOver = false;
  const sending = (async () => {
    while (!isOver && !peer.isBroken) {
      if (peer.unsent < WAITING_PIECES * PIECE.length) peer.post(PIECE);
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  const answer = await peer.rest().finally(() => isOver = true);
  await sending;
  const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  assertEquals(body.length, ANSWER_BYTES);
  if (isLong) {
    for (let piece = 0; piece < MORE_PIECES; piece++) peer.post(PIECE);
    await until("the server to read on", () => peer.unsent === 0 || peer.isBroken);
  }
  assertEquals(peer.isBroken, false, "FIN has come, and the server still reads");
  peer.finish();
  await within(10_000, "the server to close", peer.gone());
}

await prove(import.meta, async () => {
  let answers = 0;
  const rows = ROWS.filter((row) => row.skip === undefined && !computesInPlace(row));
  for (const row of rows) answers += await postTo(row, 100);
  return `${answers} of ${answers} answers whole, in ${rows.length} rows`;
});
