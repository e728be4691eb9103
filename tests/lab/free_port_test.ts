/**
 * Ports for servers that cannot choose one themselves.
 *
 * @module
 */

import { readSetting } from "../../engine/kernel/proc_net.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { connect, listen } from "../../mod.ts";
import { findFreePort } from "../../lab/free_port.ts";
import { assert, assertRejects, test } from "../kit/harness.ts";

test("a free port is none that a client may be given before its server has started", async () => {
  const [from, to] = (readSetting("net/ipv4/ip_local_port_range") ?? "32768 60999")
    .split(/\s+/).map(Number) as [number, number];
  for (let turn = 0; turn < 20; turn++) {
    const address = await findFreePort("127.0.0.1");
    assert(address.port >= 1024 && (address.port < from || address.port > to), `${address.port}`);
    await assertRejects(() => connect(address));
    await using listener = await listen(address);
    assert(listener.address.port === address.port);
  }
}, {
  sanitize: false,
  skip: runtime.os === "linux" ? undefined : `${runtime.os} tells no range`,
});
