/**
 * Somebody's program that uses the library: it serves two clients on its main thread. Then it makes
 * a mistake of its own, which must not be kept from it.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../../modes/event.ts";

const protocol = new URL("protocols/stray.ts", import.meta.url);
await using server = await serve({ port: 0, protocol });
console.log(`Listening on 127.0.0.1:${server.address.port} `);
while (server.counters.failed.other !== 2) await pause(5);
console.log(`strays: ${server.counters.strays}`);
setTimeout(() => {
  Promise.reject(new Error("a mistake of the program"));
}, 0);
