/**
 * The true reasons of failed connects, as far as the runtime does not say them.
 *
 * @module
 */

import { trueConnectError } from "../../engine/dial/diagnosis.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { assertEquals, test, until } from "../kit/harness.ts";

const REFUSED = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });

test(
  "a refusal by this machine stays one, although nobody answers the second attempt",
  async () => {
    const net = sockets();
    const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, POLLIN } = net.constants;
    const listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, { backlog: 0 });
    const client = net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    try {
      const address = net.localAddress(listener);
      // A queue of this length has room for one. The next one's SYN is dropped.
      net.connectNonBlocking(client, net.writeAddress(address));
      await until("the queue to be full", () => net.poll(listener, POLLIN, 0) > 0);
      assertEquals(await trueConnectError(address, REFUSED, new AbortController().signal), REFUSED);
    } finally {
      net.close(client);
      net.close(listener);
    }
  },
  { skip: whyNoSockets() },
);
