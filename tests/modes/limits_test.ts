/**
 * The limits of a server in every mode: real processes and real sockets.
 *
 * @module
 */

import { assertEquals, assertNotMatch, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { ROWS } from "../kit/rows.ts";
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
}
