/**
 * What a server knows about senders without connections, and the driver for their datagrams.
 *
 * @module
 */

import fc from "fast-check";
import { converseOnce } from "../../engine/drivers/datagram.ts";
import { AT_REST, Pulse } from "../../engine/drivers/pulse.ts";
import { encodeSockaddr, SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { LINUX } from "../../engine/net/constants.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address, Context, Protocol } from "../../protocol.ts";
import {
  compute,
  echoDatagram,
  findProtocol,
  printDatagram,
  report,
  write,
} from "../../protocol.ts";
import { CounterBlock, formatCounters } from "../../engine/server/core/counters.ts";
import { DatagramService } from "../../engine/server/datagrams/datagram_service.ts";
import { SharedDatagramSocket } from "../../engine/server/datagrams/shared_datagram_socket.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import { type Sender, SenderTable } from "../../engine/server/datagrams/sender_table.ts";
import { moment } from "../../engine/values/moment.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";

// Senders.

function sockaddrOf(port: number, hostname = "127.0.0.1"): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  bytes.set(encodeSockaddr({ hostname, port }, whyNoSockets() ? LINUX : sockets().constants));
  return bytes;
}

function hear(table: SenderTable, sockaddr: Uint8Array, now = 0): Sender {
  const sender = table.hear(sockaddr, now);
  assert(sender !== undefined);
  return sender;
}

test("the sender table tells senders apart by address and port, on every thread", () => {
  const table = SenderTable.create();
  hear(table, sockaddrOf(1), 10).begin(10);
  hear(table, sockaddrOf(2), 20);
  hear(table, sockaddrOf(1, "127.0.0.2"), 30);
  hear(table, sockaddrOf(1, "::1"), 40);
  assertEquals(table.size, 4);
  const other = new SenderTable(table.memory);
  const again = hear(other, sockaddrOf(1), 50);
  assertEquals([other.size, again.talks, again.began, again.heard], [4, true, 10, 50]);
  assertEquals(again.sockaddr, sockaddrOf(1));
  assertEquals(
    other.oldest?.sockaddr,
    sockaddrOf(2),
    "a sender that was heard again is not the oldest",
  );
});

test("the sender table is bounded, and forgets the sender that has been silent longest", () => {
  const table = SenderTable.create();
  for (let port = 0; port < table.capacity; port++) hear(table, sockaddrOf(port), port);
  assertEquals(table.size, table.capacity);
  assertEquals(table.hear(sockaddrOf(60_000), 0), undefined, "there is no room");
  assertEquals(table.oldest?.sockaddr, sockaddrOf(0));
  table.forgetOldest();
  hear(table, sockaddrOf(60_000));
  assertEquals([table.size, table.oldest?.sockaddr], [table.capacity, sockaddrOf(1)]);
  while (table.oldest !== undefined) table.forgetOldest();
  assertEquals(table.size, 0);
  table.forgetOldest();
});

test("the sender table keeps the senders in the order of their silence, for any sequence", () => {
  const step = fc.option(fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const table = SenderTable.create();
      let model: number[] = [];
      for (const port of steps) {
        if (port === null) {
          model.shift();
          table.forgetOldest();
        } else {
          model = [...model.filter((other) => other !== port), port];
          hear(table, sockaddrOf(port));
        }
        assertEquals(table.size, model.length);
        const oldest = model[0] === undefined ? undefined : sockaddrOf(model[0]);
        assertEquals(table.oldest?.sockaddr, oldest);
      }
    }),
    { numRuns: 30 },
  );
});

test("no second, wherever it begins, has more answers to one sender than are allowed", () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
  // This includes times at which the number of tenths of a second leaves 32 bits.
  const start = fc.constantFrom(0, moment(), 2 ** 31 * 100 - 3_000, 2 ** 32 * 100 - 3_000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), start, pauses, (perSecond, start, pauses) => {
      const sender = hear(SenderTable.create(), sockaddrOf(5000));
      let now = start;
      const answered: number[] = [];
      for (const pause of pauses) {
        now += pause;
        if (sender.takeAnswer(now, perSecond)) answered.push(now);
        const recent = answered.filter((time) => time > now - 1000);
        assert(recent.length <= perSecond, `${recent.length} of ${perSecond}`);
      }
      assert(answered.length > 0);
    }),
    { numRuns: 50 },
  );
});

test("a sender that was refused is answered again later, even after the clock was set back", () => {
  const sender = hear(SenderTable.create(), sockaddrOf(5000));
  const now = 1_700_000_000_000;
  assertEquals([sender.takeAnswer(now, 1), sender.takeAnswer(now + 999, 1)], [true, false]);
  assertEquals(sender.takeAnswer(now + 1100, 1), true);
  assertEquals(sender.takeAnswer(now - 3_600_000, 1), true);
  assertEquals(sender.takeAnswer(now - 3_600_000, 1), false);
});

test("one answer in a thousand is left out, at any rate", () => {
  const sender = hear(SenderTable.create(), sockaddrOf(5000));
  const refused: number[] = [];
  for (let count = 1; count <= 2500; count++) {
    if (!sender.takeAnswer(count * 5_000, 0)) refused.push(count);
  }
  assertEquals(refused, [1000, 2000]);
});

// The driver.

const peer: Address = { hostname: "127.0.0.1", port: 5000 };
const context: Context = { peer, signal: new AbortController().signal };

/** Runs a datagram's conversation: its answers, its reports and its result. */
function converse<Result>(conversation: Protocol<Result>, refuse = false) {
  const answers: string[] = [];
  const reports: string[] = [];
  const options = {
    computeTimeoutMs: 0,
    tasks: { double: (value: number) => value * 2 },
    onReport: (message: string) => reports.push(message),
  };
  const result = converseOnce(conversation, options, (bytes) => {
    if (!refuse) answers.push(new TextDecoder().decode(bytes));
  });
  return { answers, reports, result };
}

test("the driver of datagrams runs echo and print", () => {
  assertEquals(converse(echoDatagram(context, bytesOf("abc"))), {
    answers: ["abc"],
    reports: [],
    result: false,
  });
  assertEquals(converse(printDatagram(context, bytesOf("x!Disconnect"))), {
    answers: [],
    reports: ["127.0.0.1:5000: x!Disconnect"],
    result: true,
  });
});

test("the driver of datagrams does not tell a protocol whether its answer was sent", () => {
  function* protocol(): Protocol<string> {
    yield* write(bytesOf("lost"));
    const four = yield* compute<number>("double", 2);
    yield* report(`${four}`);
    return "done";
  }
  assertEquals(converse(protocol(), true), { answers: [], reports: ["4"], result: "done" });
});

test("the driver of datagrams ends a protocol that reads, or that answers twice", () => {
  let ended = 0;
  function* stubborn(kind: "read" | "write"): Protocol {
    try {
      for (;;) {
        try {
          yield kind === "read" ? { kind } : { kind, bytes: bytesOf("more") };
        } catch {
          // The protocol goes on as if nothing had happened.
        }
      }
    } finally {
      ended++;
    }
  }
  assertThrows(() => converse(stubborn("read")), TypeError, "Cannot read");
  assertThrows(() => converse(stubborn("write")), TypeError, "Cannot write");
  assertEquals(ended, 2);
});

test("the driver of datagrams passes a protocol's errors on, and its mistakes back to it", () => {
  function* failing(): Protocol {
    try {
      yield* compute("nothing of that name", 1);
    } catch (cause) {
      throw new RangeError("mine", { cause });
    }
  }
  const error = assertThrows(() => converse(failing()), RangeError, "mine");
  assert(error.cause instanceof TypeError);
});

test("a thread is in the code of a datagram's protocol, but not while it computes a task", () => {
  const word = new Int32Array(1);
  const seen: boolean[] = [];
  const look = () => void seen.push(word[0] !== AT_REST);
  function* looking(): Protocol {
    look();
    yield* report("");
    look();
    yield* compute("look", 1);
    look();
    throw new RangeError("mine");
  }
  const options = { computeTimeoutMs: 0, tasks: { look }, onReport: look, pulse: new Pulse(word) };
  assertThrows(() => converseOnce(looking(), options, look), RangeError, "mine");
  look();
  assertEquals(seen, [true, false, true, false, true, false]);
});

// The service.

/**
 * A service with an invented UDP socket: the datagrams are made up, and what becomes of them is
 * kept.
 */
class Desk implements Disposable {
  readonly told: string[] = [];
  readonly counters = new CounterBlock();
  readonly service: DatagramService;
  readonly senders: SenderTable;
  readonly #datagrams: SharedDatagramSocket;

  constructor(serveDatagram: (context: Context, bytes: Uint8Array) => Protocol<boolean>) {
    const calls = sockets();
    const fd = calls.socket(calls.constants.AF_INET, calls.constants.SOCK_DGRAM);
    calls.bind(fd, { hostname: "127.0.0.1", port: 0 });
    const journal: Journal = {
      wantsLog: true,
      wantsReports: true,
      report: (message) => this.told.push(message),
      log: ({ text, properties }) =>
        this.told.push(text.replace("{peer}", String(properties?.peer))),
    };
    const protocol = { ...findProtocol("echo"), serveDatagram };
    const observer = new Observer(this.counters, journal);
    this.#datagrams = SharedDatagramSocket.open(calls, fd, 0);
    this.senders = this.#datagrams.senders;
    const parts = { calls, protocol, observer, computeTimeoutMs: 0, pulse: new Pulse() };
    this.service = new DatagramService(this.#datagrams, parts);
  }

  /** Serves a datagram and returns its answers. */
  serve(port: number, text: string): string[] {
    const answers: string[] = [];
    const send = (bytes: Uint8Array) => void answers.push(new TextDecoder().decode(bytes));
    this.service.serve(sockaddrOf(port), bytesOf(text), send);
    return answers;
  }

  /** The totals. */
  get totals(): string {
    return formatCounters(CounterBlock.sum([this.counters]));
  }

  [Symbol.dispose](): void {
    this.#datagrams.close();
    this.#datagrams.closeWakePair();
  }
}

const here = { skip: whyNoSockets() };

test(
  "a sender that was silent for a minute is forgotten, and its conversation is over",
  () => {
    using desk = new Desk(echoDatagram);
    assertEquals([desk.serve(5000, "a"), desk.serve(6000, "b")], [["a"], ["b"]]);
    hear(desk.senders, sockaddrOf(5000), moment() - 61_000);
    hear(desk.senders, sockaddrOf(6000), moment() - 59_000);
    desk.service.forgetSilent();
    const BEGUN = ["accepted udp 127.0.0.1:5000", "accepted udp 127.0.0.1:6000"];
    assertEquals(desk.told, [...BEGUN, "done udp 127.0.0.1:5000 in {ms} ms"]);
    assertEquals(desk.senders.size, 1);
    desk.service.endAll();
    assertEquals(desk.totals, "accepted 2 · completed 2 · failed 0 · cut 0");
  },
  here,
);

test("the conversation of a sender that makes room for newer ones is over", () => {
  using desk = new Desk(echoDatagram);
  for (let port = 0; port <= desk.senders.capacity; port++) desk.serve(2000 + port, "");
  assertEquals(desk.told.at(-2), "done udp 127.0.0.1:2000 in {ms} ms");
  assertEquals(desk.senders.size, desk.senders.capacity);
  assertEquals(desk.totals, "accepted 4097 · completed 1 · failed 0 · cut 0");
}, here);

test("when a protocol throws at a datagram, only that conversation fails", () => {
  // deno-lint-ignore require-yield -- it never gets that far
  using desk = new Desk(function* (_context, bytes) {
    if (bytes.length === 0) throw new Error("I expected more");
    return false;
  });
  for (const text of ["x", "", "x"]) desk.serve(5000, text);
  assertEquals(desk.told, [
    "accepted udp 127.0.0.1:5000",
    "failed udp 127.0.0.1:5000 after {ms} ms: {kind}: {error}",
    "accepted udp 127.0.0.1:5000",
  ]);
  desk.service.endAll();
  assertEquals(desk.totals, "accepted 2 · completed 1 · failed 1 (other 1) · cut 0");
}, here);

test("no answer has more bytes than the datagram, or goes to a system port", () => {
  using desk = new Desk(function* () {
    yield* write(bytesOf("four"));
    return false;
  });
  assertEquals([desk.serve(5000, "xxx"), desk.serve(5000, "xxxx")], [[], ["four"]]);
  assertEquals([desk.serve(1023, "xxxx"), desk.serve(1024, "xxxx")], [[], ["four"]]);
}, here);
