/**
 * What is drawn of a connection, and what is written of its packets.
 *
 * @module
 */

import type { Event, PacketEvent, SocketEvent } from "../../engine/recording/events.ts";
import type { TcpState } from "../../engine/kernel/tcp_states.ts";
import { Closing } from "../../lab/observe/closing.ts";
import { conversationsIn } from "../../lab/observe/conversations.ts";
import { PcapFile } from "../../lab/observe/pcap.ts";
import { drawConnections, drawSequence } from "../../lab/observe/sequence.ts";
import { passedUnseen } from "../../lab/observe/state_paths.ts";
import { readFileSync } from "node:fs";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertStringIncludes, test } from "../kit/harness.ts";

const CLIENT = "127.0.0.1:48134";
const SERVER = "127.0.0.1:8080";

function socket(at: number, end: "client" | "server", state: TcpState): SocketEvent {
  const [local, remote] = end === "client" ? [CLIENT, SERVER] : [SERVER, CLIENT];
  return { type: "socket", at, cookie: end === "client" ? "1" : "2", local, remote, state, end };
}

function packet(at: number, from: string, flags: string, more: Partial<PacketEvent>): PacketEvent {
  const to = from === CLIENT ? SERVER : CLIENT;
  return { type: "packet", at, from, to, flags, seq: 0, window: 64, length: 0, ...more };
}

/** A connection that the client closes first. */
const EVENTS: readonly Event[] = [
  packet(100, CLIENT, "S", {
    seq: 0xffff_fffe,
    window: 65495,
    options: { mss: 65495, window_scale: 10, sack_permitted: true, timestamps: [1, 0] },
  }),
  packet(112, SERVER, "SA", { seq: 5000, ack: 0xffff_ffff, options: { mss: 1460 } }),
  packet(124.5, CLIENT, "A", { seq: 0xffff_ffff, ack: 5001 }),
  socket(150, "client", "ESTABLISHED"),
  socket(160, "server", "ESTABLISHED"),
  packet(600, CLIENT, "PA", { seq: 0xffff_ffff, ack: 5001, length: 8 }),
  packet(700, CLIENT, "FA", { seq: 7, ack: 5001 }),
  socket(710, "client", "FIN_WAIT1"),
  packet(711, SERVER, "A", { seq: 5001, ack: 8 }),
  socket(712, "client", "FIN_WAIT2"),
  socket(715, "server", "CLOSE_WAIT"),
  packet(40_100, SERVER, "FA", { seq: 5001, ack: 8 }),
  packet(40_110, CLIENT, "A", { seq: 8, ack: 5002 }),
  { ...socket(40_120, "client", "TIME_WAIT"), timer: "TIME_WAIT", timer_us: 60_000_000 },
  socket(40_130, "server", "CLOSE"),
];

test(
  "a timeline is to scale, states too short for it are visible, and packets stand between",
  () => {
    assertEquals(drawConnections(EVENTS), [
      "client 127.0.0.1:48134",
      "  ESTABLISHED     560 µs  █",
      "  FIN_WAIT1         2 µs   ▏",
      "  FIN_WAIT2      39.4 ms   █████████████████████████████████████████████████████",
      "  TIME_WAIT       60.0 s                                                       ▸",
      "server 127.0.0.1:8080",
      "  ESTABLISHED     555 µs  █",
      "  CLOSE_WAIT     39.4 ms   █████████████████████████████████████████████████████",
      "  a column is 741 µs · ▏ is shorter · ▸ is kept for so long, not to scale",
      "",
      "        µs      client │ seq, ack: counted from each side's ISN    │ server",
      "       0.0             │─ SYN seq=0 win=65495 ────────────────────▶│",
      "                       │   ISN 4294967294 mss 65495 wscale 10      │",
      "                       │   sack timestamps                         │",
      "      12.0             │◀───────────── SYN ACK seq=0 ack=1 win=64 ─│",
      "                       │   ISN 5000 mss 1460                       │",
      "      24.5             │─ ACK seq=1 ack=1 win=64 ─────────────────▶│",
      "      50.0 ESTABLISHED │                                           │",
      "      60.0             │                                           │ ESTABLISHED",
      "     500.0             │─ PSH ACK seq=1 ack=1 len=8 win=64 ───────▶│",
      "     600.0             │─ FIN ACK seq=9 ack=1 win=64 ─────────────▶│",
      "     610.0   FIN_WAIT1 │                                           │",
      "     611.0             │◀──────────────── ACK seq=1 ack=10 win=64 ─│",
      "     612.0   FIN_WAIT2 │                                           │",
      "     615.0             │                                           │ CLOSE_WAIT",
      "   40000.0             │◀──────────── FIN ACK seq=1 ack=10 win=64 ─│",
      "   40010.0             │─ ACK seq=10 ack=2 win=64 ────────────────▶│",
      "   40020.0   TIME_WAIT │                                           │",
      "   40030.0             │                                           │ CLOSE",
    ]);
  },
  { pure: true },
);

test("a sequence diagram keeps its width, with absolute numbers, IPv6 and lost packets too", () => {
  const six = EVENTS.map((event) =>
    JSON.parse(
      JSON.stringify(event).replaceAll("127.0.0.1", "[2001:db8:1111:2222:3333:4444:5555:6666]"),
    ) as Event
  );
  const [conversation] = conversationsIn([
    ...six,
    { ...packet(650, CLIENT, "A", { lost: true }), ...endsOf(six) },
  ]);
  assert(conversation !== undefined);
  const lines = drawSequence(conversation, { absolute: true });
  for (const line of lines) assert([...line].length <= 80, line);
  assertStringIncludes(lines.join("\n"), "✕");
  assertStringIncludes(lines.join("\n"), "─ SYN seq=4294967294 win=65495 ");
}, { pure: true });

function endsOf(events: readonly Event[]): Pick<PacketEvent, "from" | "to"> {
  const first = events.find((event) => event.type === "packet");
  assert(first !== undefined);
  return { from: first.from, to: first.to };
}

test("of very many packets the middle is left out, and how many is said", () => {
  const many = Array.from({ length: 50 }, (_, at) => packet(at, CLIENT, "A", { seq: at, ack: 1 }));
  const [conversation] = conversationsIn(many);
  assert(conversation !== undefined);
  const text = drawSequence(conversation, { most: 10 }).join("\n");
  assertStringIncludes(text, "… 40 packets more");
  assertEquals(text.match(/seq=/g)?.length, 10);
}, { pure: true });

test("what a file says reaches the terminal escaped", () => {
  const evil = "\x1b[2J";
  const events: Event[] = [
    packet(0, CLIENT, `S${evil}`, {}),
    { ...socket(1, "client", "ESTABLISHED"), local: `${CLIENT}${evil}` },
    socket(2, "client", `X${evil}` as TcpState),
  ];
  assert(!drawConnections(events).join("\n").includes("\x1b"));
}, { pure: true });

test("the states that a connection must have passed are those on every way", () => {
  assertEquals(passedUnseen("ESTABLISHED", "FIN_WAIT1"), []);
  assertEquals(passedUnseen("ESTABLISHED", "FIN_WAIT2"), ["FIN_WAIT1"]);
  assertEquals(passedUnseen("ESTABLISHED", "TIME_WAIT"), ["FIN_WAIT1"]);
  assertEquals(passedUnseen("ESTABLISHED", "LAST_ACK"), ["CLOSE_WAIT"]);
  assertEquals(passedUnseen("CLOSE_WAIT", "CLOSE"), ["LAST_ACK"]);
  assertEquals(passedUnseen("FIN_WAIT1", "TIME_WAIT"), []);
  // Who closes first comes to TIME_WAIT, and that lasts too long to be missed.
  assertEquals(passedUnseen("ESTABLISHED", "CLOSE"), ["CLOSE_WAIT", "LAST_ACK"]);
  // By FIN_WAIT2 or by CLOSING, or by neither.
  assertEquals(passedUnseen("SYN_SENT", "TIME_WAIT"), ["FIN_WAIT1"]);
  assertEquals(passedUnseen("TIME_WAIT", "ESTABLISHED"), []);
}, { pure: true });

test("a reset ends nothing if the FINs of both ends were acknowledged before", () => {
  const top = 2 ** 32;
  const closing = new Closing();
  const take = (from: "client" | "server", flags: string, seq: number, ack: number, length = 0) => {
    closing.take(from, { flags, seq: (top - 3 + seq) % top, ack: (top - 3 + ack) % top, length });
    return closing.isComplete;
  };
  // Each direction passes the highest number.
  assertEquals(take("client", "S", 0, 3), false);
  assertEquals(take("server", "SA", 0, 1), false);
  assertEquals(take("server", "FPA", 1, 1, 7), false);
  assertEquals(take("client", "A", 1, 5), false, "not all of it");
  assertEquals(take("client", "FA", 1, 9), false);
  assertEquals(take("client", "FA", 1, 9), false, "sent again, and not answered");
  assertEquals(take("server", "R", 9, 2), false, "a reset acknowledges nothing");
  assertEquals(take("server", "A", 9, 2), true);
  assertEquals(take("client", "R", 2, 0), true);
}, { pure: true });

test("a pcap file has nanoseconds, and packets that begin with IP", () => {
  using folder = new Folder();
  const path = folder.path("two.pcap");
  const [first, second] = [Uint8Array.of(0x45, 1, 2), Uint8Array.of(0x60, 3)];
  {
    using file = PcapFile.create(path);
    file.add({ stampNs: 1_700_000_000_123_456_789n, bytes: first as Uint8Array });
    file.add({ stampNs: 1_700_000_001_000_000_001n, bytes: second as Uint8Array });
  }
  const file = readFileSync(path);
  const numbers = (at: number, count: number) =>
    Array.from({ length: count }, (_, index) => file.readUInt32LE(at + index * 4));
  assertEquals(numbers(0, 6), [0xa1b23c4d, 0x0004_0002, 0, 0, 262_144, 101]);
  assertEquals(numbers(24, 4), [1_700_000_000, 123_456_789, 3, 3]);
  assertEquals([...file.subarray(40, 43)], [0x45, 1, 2]);
  assertEquals(numbers(43, 4), [1_700_000_001, 1, 2, 2]);
  assertEquals(file.length, 43 + 16 + 2);
  // From a peer that sends without end only the headers are kept.
  {
    using short = PcapFile.create(path, 1000);
    for (let packet = 0; packet < 3; packet++) {
      short.add({ stampNs: 1n, bytes: new Uint8Array(800) });
    }
  }
  const cut = readFileSync(path);
  assertEquals(cut.length, 24 + (16 + 800) + 2 * (16 + 128));
  assertEquals([cut.readUInt32LE(840 + 8), cut.readUInt32LE(840 + 12)], [128, 800]);
});
