/**
 * The limits of a server in every mode: real processes and real sockets.
 *
 * @module
 */

import { assertEquals, assertNotMatch, delay, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { failedAs, ROWS } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

for (const row of ROWS) {
  const { name, mode, args, skip } = row;
  const options = { skip, sanitize: false };
  const start = (...more: string[]) => ServerProcess.start(mode, [...args, ...more]);

  test(`${name} counts probes apart, and does not warn of them`, async () => {
    await using server = await start("--protocol", "echo");
    const over = (peer: Peer, how: string) =>
      until(`${peer.name} to be ${how}`, () => server.stderr.includes(` ${how} ${peer.name} `));
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
    await using user = await Peer.connect(server.address);
    await user.send("a");
    user.finish();
    assertEquals(await user.rest(), "a");
    const ending = await server.stop();
    assertEquals(totalsIn(ending), "accepted 3 · completed 1 · failed 0 · cut 0 · empty 2");
    assertNotMatch(ending.stderr, / (WRN|ERR) /);
  }, options);

  test(`${name} ends who is silent, who trickles and who does not read`, async () => {
    await using server = await start(
      ...["--protocol", "tests/kit/protocols/measured.ts"],
      ...["--idle-timeout", "250ms", "--message-timeout", "300ms", "--write-timeout", "200ms"],
    );
    // One byte at a time is progress for every read, and never becomes a message.
    const trickles = async () => {
      await using peer = await Peer.connect(server.address);
      while (!peer.isBroken) {
        await peer.send("1");
        await delay(20);
      }
      await failedAs(server, peer, "message timeout");
    };
    const isSilent = async () => {
      await using peer = await Peer.connect(server.address);
      await peer.send("3\n");
      assertEquals(await peer.rest(), "aaa");
      await failedAs(server, peer, "idle timeout");
    };
    const doesNotRead = async () => {
      await using peer = await Peer.connect(server.address);
      peer.pause();
      await peer.send("50000000\n");
      await failedAs(server, peer, "slow reader");
    };
    // A message in many pieces, and an answer that takes longer than one write may wait.
    const readsSlowly = async () => {
      await using peer = await Peer.connect(server.address);
      for (const piece of "10000000\n") await peer.send(piece);
      peer.finish();
      assertEquals((await peer.rest()).length, 10_000_000);
    };
    await Promise.all([trickles(), isSilent(), doesNotRead(), readsSlowly()]);
    const ending = await server.stop();
    assertEquals(
      totalsIn(ending),
      "accepted 4 · completed 1 · failed 3 (idle timeout 1, message timeout 1, slow reader 1) · cut 0",
    );
  }, options);
}
