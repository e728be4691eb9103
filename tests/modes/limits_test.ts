/**
 * The limits of a server in every mode: real processes and real sockets.
 *
 * @module
 */

import { assertEquals, assertNotMatch, delay, test, until } from "../kit/harness.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { finishHandshake, Peer } from "../kit/peer.ts";
import { DIFFERENT, failedAs, numberOf, whyFew, withWorkers } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

/** Why a test cannot connect from several addresses. */
const whyNoLoopback = runtime.os === "linux" ? undefined : "only Linux has all of 127.0.0.0/8";

/** Why nobody can come again at once here: the client makes the calls itself. */
const whyNotAtOnce = whyNoLoopback ?? whyNoSockets();

/**
 * Comes again and again, each time as soon as the end of the connection before was seen. Nothing is
 * between the two but the calls, so that a server which forgets too late has little time for it.
 *
 * @param to the server
 * @param times how often
 * @param says what is said each time, one after another
 * @returns what was heard each time
 */
function comesAgain(
  to: Address,
  times: number,
  says: (time: number) => readonly string[],
): string[] {
  const net = sockets();
  const { AF_INET, SOCK_STREAM } = net.constants;
  const buffer = new Uint8Array(1024);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const heard: string[] = [];
  let last: number | undefined;
  while (heard.length < times) {
    const fd = net.socket(AF_INET, SOCK_STREAM);
    net.setReceiveTimeout(fd, 10_000);
    net.connect(fd, to);
    // To close the last one takes time too.
    if (last !== undefined) net.close(last);
    last = fd;
    let text = "";
    const hears = () => {
      const count = net.recv(fd, buffer);
      if (count > 0) text += decoder.decode(buffer.subarray(0, count));
      return count > 0;
    };
    for (const words of says(heard.length)) {
      net.send(fd, encoder.encode(words));
      if (!hears()) break;
    }
    while (hears());
    heard.push(text);
  }
  if (last !== undefined) net.close(last);
  return heard;
}

for (const row of DIFFERENT) {
  const { name, mode, skip } = row;
  const options = { skip, sanitize: false };
  // Where threads accept for themselves, one must be left to refuse whoever comes beside two.
  const args = row.loops ? row.args : withWorkers(row, 3);
  const start = (...more: string[]) => ServerProcess.start(mode, [...args, ...more]);

  // Each needs a server of its own.
  const once = takeTurns(numberOf(row), test);

  once(
    `${name} counts probes apart, and ends who is silent, trickles or does not read`,
    async () => {
      await using server = await start(
        ...["--protocol", "tests/kit/protocols/measured.ts"],
        ...["--idle-timeout", "800ms", "--message-timeout", "800ms", "--write-timeout", "2s"],
        ...["--drain", "1h"],
      );
      const over = (peer: Peer, how: string) =>
        until(`${peer.name} to be ${how}`, () => server.stderr.includes(` ${how} ${peer.name} `));
      const says = (first: string) => Peer.connect(server.address, undefined, first);
      // As `nc -z` does, and as a load balancer does.
      await using polite = await Peer.connect(server.address);
      polite.finish();
      assertEquals(await polite.rest(), "");
      await over(polite, "empty");
      const rude = await Peer.connect(server.address);
      await until(
        "the rude one to be accepted",
        () => server.stderr.includes(`accepted ${rude.name}`),
      );
      rude.reset();
      await over(rude, "empty");
      await using user = await says("1\n");
      user.finish();
      assertEquals(await user.rest(), "a");
      await over(user, "done");
      assertNotMatch(server.stderr, / (WRN|ERR) /);
      // One byte at a time is progress for every read, and never becomes a message.
      const trickles = async () => {
        await using peer = await says("1");
        while (!peer.isBroken) {
          await delay(20);
          await peer.send("1");
        }
        await failedAs(server, peer, "message timeout");
      };
      const isSilent = async () => {
        await using peer = await says("3\n");
        assertEquals(await peer.rest(), "aaa");
        await failedAs(server, peer, "idle timeout");
      };
      const doesNotRead = async () => {
        await using peer = await says("50000000\n");
        peer.pause();
        await failedAs(server, peer, "slow reader");
      };
      // A message in many pieces, and an answer that takes longer than one write may wait.
      const readsSlowly = async () => {
        await using peer = await says("1");
        for (const piece of "0000000\n") await peer.send(piece);
        peer.finish();
        assertEquals((await peer.rest()).length, 10_000_000);
      };
      // Its conversation is over, but not its connection: it would linger for as long as bytes come.
      const leavesUnread = async () => {
        await using peer = await says("2000000 bye\n");
        peer.pause();
        await until("the connection to end", () => {
          peer.post("x");
          return peer.isBroken;
        });
      };
      await Promise.all([trickles(), isSilent(), doesNotRead(), readsSlowly(), leavesUnread()]);
      // Closing does not wait for it either.
      await using late = await says("50000000\n");
      late.pause();
      await until(
        "the last one to be served",
        () => server.stderr.includes(`accepted ${late.name}`),
      );
      const ending = await server.stop();
      assertEquals(
        totalsIn(ending),
        "accepted 9 · completed 3 · failed 4 (idle timeout 1, message timeout 1, slow reader 2) · " +
          "cut 0 · empty 2",
      );
    },
    options,
  );

  // Whoever has seen the end may come again at once, however it has ended. Only the kernel is faster
  // than a server: it closes the connections of a process that is killed.
  const times = whyFew(row) === undefined ? 40 : 8;
  const again = ({ address }: ServerProcess) => {
    const ways = [
      { says: ["HELLO 8\n", "HELLO 10\n"], hears: "HELLO 9\n" },
      { says: ["What?\n"], hears: 'ERROR expected HELLO <number>, got "What?"\n' },
      { says: ["HELLO 8\n", "HELLO 10\n"], hears: "HELLO 9\n" },
      {
        says: ["x".repeat(500)],
        hears: 'ERROR expected at most 64 bytes, got "xxxxxxxxxxxxxxxxxxxxx..."\n',
      },
    ];
    const way = (time: number) => ways[time % ways.length] as typeof ways[0];
    const heard = comesAgain(address, times, (time) => way(time).says);
    assertEquals(heard.filter((words, time) => words !== way(time).hears), []);
  };

  // Who serves one client at a time accepts nobody meanwhile, so nobody is refused for being many.
  const most = row.concurrent ? 2 : 1;

  once(
    `${name} refuses hosts that have too many connections, that are denied, and overflow`,
    async () => {
      await using server = await start(
        ...["--protocol", "hello", "--max-connections", String(most), "--overflow", "refuse"],
        ...["--max-per-host", "1", "--allow", "127.0.0.0/29", "--deny", "127.0.0.6/31"],
      );
      // It has sent something, so that closing at once would reset it.
      const isRefused = async (from: string, why: string) => {
        await using peer = await Peer.connect(server.address, from);
        await peer.send("HELLO 1\n");
        assertEquals(await peer.rest(), `ERROR ${why}\n`);
      };
      await isRefused("127.0.0.7", "your address is not allowed");
      await isRefused("127.0.0.8", "your address is not allowed");
      await using first = await Peer.connect(server.address, "127.0.0.1");
      assertEquals(await (await first.send("HELLO 1\n")).line(), "HELLO 2");
      let refused = 2;
      if (row.concurrent) {
        await using second = await Peer.connect(server.address, "127.0.0.2");
        assertEquals(await (await second.send("HELLO 5\n")).line(), "HELLO 6");
        await isRefused("127.0.0.1", "too many connections from your address");
        await isRefused("127.0.0.3", "the server is full");
        refused += 2;
        await finishHandshake(first, 1, true);
        again(server);
        await finishHandshake(second, 5, true);
      } else {
        await finishHandshake(first, 1, true);
        again(server);
      }
      const totals = totalsIn(await server.stop());
      const completed = most + times - times / 2;
      assertEquals(
        totals,
        `accepted ${most + times} · completed ${completed} · failed ${times / 2} (malformed ` +
          `${times / 4}, too long ${times / 4}) · cut 0 · refused ${refused}`,
      );
    },
    { ...options, skip: skip ?? whyNotAtOnce },
  );
}
