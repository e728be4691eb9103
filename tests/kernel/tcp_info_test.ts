/**
 * Structures of the kernel, read from bytes: TCP_INFO of every length, packets, settings.
 *
 * @module
 */

import fc from "fast-check";
import { parsePacket } from "../../engine/kernel/packet.ts";
import { synSchedule } from "../../engine/kernel/proc_net.ts";
import { parseTcpInfo } from "../../engine/kernel/tcp_info.ts";
import { stateMask, stateOf, TCP_STATES } from "../../engine/kernel/tcp_states.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";

/** A structure whose every byte is 1. Then each field is what its size makes of it. */
const ONES = new Uint8Array(280).fill(1);

/** The lengths that kernels return, each with a field that only it and later ones have. */
const LENGTHS = [
  [104, "total_retrans"],
  [120, "max_pacing_rate"],
  [136, "bytes_received"],
  [144, "segs_in"],
  [160, "data_segs_out"],
  [168, "delivery_rate"],
  [192, "sndbuf_limited"],
  [200, "delivered_ce"],
  [224, "reord_seen"],
  [232, "snd_wnd"],
  [240, "rehash"],
  [248, "total_rto_time"],
] as const;

test("TCP_INFO has the fields that fit into the returned length, and no others", () => {
  LENGTHS.forEach(([length, field], index) => {
    const info = parseTcpInfo(ONES.subarray(0, length));
    assert(info[field] !== undefined, `${field} at ${length}`);
    const cut = parseTcpInfo(ONES.subarray(0, length - 1));
    assertEquals(cut[field], undefined, `${field} at ${length - 1}`);
    for (const [, later] of LENGTHS.slice(index + 1)) assertEquals(info[later], undefined, later);
  });
  assertEquals(parseTcpInfo(ONES).rtt, 0x01010101);
  assertEquals(parseTcpInfo(ONES).total_rto, 0x0101);
  assertThrows(() => parseTcpInfo(new Uint8Array(7)), RangeError);
});

test("TCP_INFO leaves out what the kernel calls none, but keeps a true 0", () => {
  const bytes = new Uint8Array(248);
  const view = new DataView(bytes.buffer);
  view.setUint32(76, 0x7fff_ffff, true);
  view.setUint32(148, 0xffff_ffff, true);
  view.setBigUint64(104, 0xffff_ffff_ffff_ffffn, true);
  bytes[0] = 8;
  bytes[5] = 4 | 1;
  bytes[6] = 0x7a;
  const info = parseTcpInfo(bytes);
  assertEquals(
    [info.snd_ssthresh, info.min_rtt, info.pacing_rate, info.rtt],
    Array(4).fill(undefined),
  );
  assertEquals(info.total_retrans, 0);
  assertEquals(info.state, "CLOSE_WAIT");
  assertEquals(info.options, {
    timestamps: true,
    sack: false,
    windowScale: { peer: 10, own: 7 },
    ecn: false,
  });
  bytes[5] = 0;
  assertEquals(parseTcpInfo(bytes).options.windowScale, undefined);
});

test("each state has a number and a bit, and the kernel's inner state is SYN_RECV", () => {
  assertEquals(stateOf(1), "ESTABLISHED");
  assertEquals(stateOf(10), "LISTEN");
  assertEquals(stateOf(12), "SYN_RECV");
  assertEquals(stateMask(["LISTEN"]), 1 << 10);
  assertEquals(stateMask(["SYN_RECV"]), (1 << 3) | (1 << 12));
  assertEquals(stateMask(TCP_STATES), 0b11_1111_1111_1110);
});

/** A SYN-ACK as one was seen on a loopback, with all usual options. */
const SYN_ACK = Uint8Array.from(
  ("4500003c00004000400600007f0000017f000001" +
    "2290b0a4" + "84c4a6c0" + "95d8e4a2" + "a012ffcb" + "fe300000" +
    "0204ffd7" + "0402080a" + "2836d3c3" + "2836d3c2" + "01030307").match(/../g) ?? [],
  (byte) => parseInt(byte, 16),
);

test("a packet is read with its flags, numbers and options", () => {
  const { data: _, ...segment } = parsePacket(SYN_ACK) ?? {};
  assertEquals(segment, {
    from: { hostname: "127.0.0.1", port: 0x2290 },
    to: { hostname: "127.0.0.1", port: 0xb0a4 },
    ttl: 64,
    flags: "SA",
    seq: 0x84c4a6c0,
    ack: 0x95d8e4a2,
    window: 65483,
    length: 0,
    options: {
      mss: 65495,
      sackPermitted: true,
      timestamps: { value: 0x2836d3c3, echo: 0x2836d3c2 },
      windowScale: 7,
    },
  });
});

test("a packet that is cut or made of nonsense is never misread as longer", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: SYN_ACK.length }), (length) => {
    const segment = parsePacket(SYN_ACK.subarray(0, length));
    assertEquals(segment === undefined, length < 40);
  }));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x45, 0x60), (bytes, first) => {
      if (bytes.length > 0) bytes[0] = first;
      const segment = parsePacket(bytes);
      if (segment !== undefined) assert(segment.data.length <= bytes.length);
    }),
  );
});

test("SYNs are sent as the settings say", () => {
  assertEquals(synSchedule(6, 0), { sentAtS: [0, 1, 3, 7, 15, 31, 63], endsAtS: 127 });
  // ip-sysctl: with 4 linear timeouts and 6 retries a connection is given up after 131 seconds.
  assertEquals(synSchedule(6, 4), {
    sentAtS: [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67],
    endsAtS: 131,
  });
  assertEquals(synSchedule(0, 0), { sentAtS: [0], endsAtS: 1 });
  // Measured on Linux 6.18: with few retries the linear ones do not all count.
  assertEquals(synSchedule(1, 4), { sentAtS: [0, 1, 2], endsAtS: 3 });
  assertEquals(synSchedule(2, 4), { sentAtS: [0, 1, 2, 3, 4, 5], endsAtS: 7 });
  assertEquals(synSchedule(1, 1), { sentAtS: [0, 1, 2], endsAtS: 4 });
  assertEquals(synSchedule(2, 1), { sentAtS: [0, 1, 2, 4], endsAtS: 8 });
  assertEquals(synSchedule(8, 0).endsAtS, 1 + 2 + 4 + 8 + 16 + 32 + 64 + 120 + 120);
});
