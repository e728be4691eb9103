/**
 * A chat server's half of the bus in a process of its own, which is killed or ends by itself:
 * `bus_member.ts URL NAME BEAT_MS TTL_MS [leave]`.
 *
 * @module
 */

import process from "node:process";
import { openNatsBus } from "../../chat/bus/nats_bus.ts";

const [, , url = "", name = "", beatMs, nameTtlMs, leave] = process.argv;
const bus = await openNatsBus(url, { beatMs: Number(beatMs), nameTtlMs: Number(nameTtlMs) });
const since = Date.now();
await bus.start({
  roster: () => [{ name, room: "lobby", since }],
  onRoster: () => {},
  onServerGone: () => {},
  onEvent: () => {},
  onMessage: () => {},
  onLink: (isLinked) => console.log(`link ${isLinked}`),
  onNameLost: (name) => console.log(`lost ${name}`),
});
console.log(`${bus.server} ${await bus.claim(name, since)}`);
if (leave !== undefined) await bus.close();
