/**
 * How many connections each host has: the tables in shared memory.
 *
 * @module
 */

import * as fc from "fast-check";
import {
  decodeSockaddr,
  encodeSockaddr,
  SOCKADDR_SIZE,
  writeCredentials,
} from "../../engine/net/address.ts";
import { DARWIN, LINUX } from "../../engine/net/constants.ts";
import { HostCounts } from "../../engine/server/core/host_counts.ts";
import { hostKey, hostKeyIn } from "../../engine/server/core/host_key.ts";
import { HostNote } from "../../engine/server/team/team_memory.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

test("a host is counted in all tables, in one form, and IPv6 by its /64", () => {
  const counts = HostCounts.create({ connections: 8, tables: 2 });
  const enter = (table: number, host: string) => counts.enter(table, host, 2);
  assertEquals([enter(0, "10.0.0.1"), enter(1, "::ffff:10.0.0.1")], [true, true]);
  assertEquals([enter(0, "10.0.0.1"), enter(0, "10.0.0.2")], [false, true]);
  counts.leave(1, "10.0.0.1");
  assertEquals([enter(0, "10.0.0.1"), enter(0, "10.0.0.1")], [true, false]);
  assertEquals([enter(0, "2001:db8::1"), enter(0, "2001:db8::ffff:2%eth0")], [true, true]);
  assertEquals([enter(0, "2001:db8::3"), enter(0, "2001:db8:0:1::3")], [false, true]);
  assert(enter(0, "no address") && enter(0, "no address") && enter(0, "no address"));
});

test("what a thread has counted that dies is taken back", () => {
  const counts = HostCounts.create({ connections: 8, tables: 1 });
  const enter = () => counts.enter(0, "10.0.0.1", 1);
  assert(enter());
  const [idle, busy] = [new HostNote(new Int32Array(3)), new HostNote(new Int32Array(3))];
  busy.note(hostKey("10.0.0.1"));
  const bury = (note: HostNote) => {
    const host = note.read();
    if (host !== undefined) counts.takeBack(0, host);
    note.note(undefined);
  };
  bury(idle);
  assert(!enter());
  bury(busy);
  bury(busy);
  assert(enter() && !enter());
  const loops = HostCounts.create({ connections: 8, tables: 2 });
  for (const table of [0, 1]) assert(loops.enter(table, "10.0.0.1", 3));
  loops.clear(0);
  assertEquals([1, 2, 3].map(() => loops.enter(0, "10.0.0.1", 3)), [true, true, false]);
});

test("a peer's address is the same host in bytes as it is in text", () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((four) => `::ffff:${four}`),
  );
  fc.assert(fc.property(address, (hostname) => {
    for (const layout of [LINUX, DARWIN]) {
      const bytes = new Uint8Array(SOCKADDR_SIZE);
      bytes.set(encodeSockaddr({ hostname, port: 1 }, layout));
      assertEquals(hostKeyIn(bytes, layout), hostKey(hostname));
      assert(hostKey(hostname) !== undefined);
    }
  }));
  for (const user of [0, 1000, 0xffff_fffe, undefined]) {
    const bytes = new Uint8Array(SOCKADDR_SIZE);
    bytes[0] = LINUX.AF_UNIX;
    writeCredentials(bytes, 1, user);
    const { hostname } = decodeSockaddr(bytes, LINUX);
    assertEquals(hostKeyIn(bytes, LINUX), hostKey(hostname));
    assertEquals(hostKey(hostname)?.kind, user === undefined ? undefined : 1);
  }
});

test("places are used again, whatever comes and goes in whatever order", () => {
  const hosts = Array.from({ length: 12 }, (_, index) => `10.0.0.${index}`);
  const turn = fc.record({ enters: fc.boolean(), host: fc.nat(hosts.length - 1) });
  fc.assert(fc.property(fc.array(turn, { maxLength: 200 }), (turns) => {
    // Not more places than hosts at most: they are all in each other's way.
    const counts = HostCounts.create({ connections: 8, tables: 1 });
    const model = new Map<string, number>();
    for (const { enters, host: index } of turns) {
      const host = hosts[index] as string;
      const count = model.get(host) ?? 0;
      if (enters) {
        const isFull = count === 0 && model.size === 16;
        assertEquals(counts.enter(0, host, 3), count < 3 && !isFull);
        if (count < 3 && !isFull) model.set(host, count + 1);
      } else {
        counts.leave(0, host);
        if (count > 1) model.set(host, count - 1);
        else model.delete(host);
      }
    }
    for (const host of hosts) {
      const left = 3 - (model.get(host) ?? 0);
      for (let more = 0; more < left; more++) assert(counts.enter(0, host, 3), host);
      assert(!counts.enter(0, host, 3), host);
    }
  }));
});
