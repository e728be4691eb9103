/**
 * How old a connection is, as the kernel tells it.
 *
 * @module
 */

import { readOpenForMs, TICK_MS, tickMs } from "../../engine/kernel/age.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { pause } from "../../engine/values/pause.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

/** How long it lies in the accept queue, in milliseconds. */
const WAIT_MS = 5 * TICK_MS;

test("a socket tells how long it lay in the accept queue, and never more", async () => {
  assert(tickMs() >= 1 && tickMs() <= TICK_MS, `${tickMs()}`);
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, {});
  const before = performance.now();
  const client = net.openConnection(net.localAddress(listener));
  const atOnce = net.accept(listener);
  const young = readOpenForMs(net, atOnce);
  assert(young === undefined || young <= performance.now() - before, `${young}`);
  await pause(WAIT_MS);
  // The longer nobody answers, the older it is.
  const old = readOpenForMs(net, atOnce) ?? 0;
  const passed = performance.now() - before;
  assert(old >= WAIT_MS - 2 * TICK_MS && old <= passed, `${old} of ${passed}`);
  // Once something was sent, that is no longer known.
  net.send(atOnce, new Uint8Array(1), 0);
  assertEquals(readOpenForMs(net, atOnce), undefined);
  for (const fd of [client, atOnce, listener]) net.close(fd);
}, { skip: whyNoKernel() });
