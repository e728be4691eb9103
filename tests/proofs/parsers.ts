/**
 * Whatever a million odd inputs say, every parser answers or throws its own error, and reads alike
 * however the bytes are cut.
 *
 * The table below has a property for each parser: of what clients send, of what users type, of what
 * the kernel tells, and of what files say. A failure names the seed and the smallest input that
 * shows it.
 *
 * @module
 */

import process from "node:process";
import fc from "fast-check";
import { decodeHolder, decodePacket, encode } from "../../chat/bus/wire.ts";
import { BusError } from "../../chat/bus/bus_url.ts";
import { parseBusUrl } from "../../chat/bus/bus_url.ts";
import { parseCommand } from "../../chat/talk/commands.ts";
import { LineReader } from "../../chat/talk/lines.ts";
import { readServerLine } from "../../chat/terminal/server_line.ts";
import { COMMANDS } from "../../commands.ts";
import { type Command, parseFlags, UsageError } from "../../engine/cli/flags.ts";
import { http } from "../../engine/http/http.ts";
import { readServer } from "../../engine/dial/target.ts";
import { type Introduction, readIntroduction } from "../../engine/drivers/introduction.ts";
import { LINUX } from "../../engine/net/constants.ts";
import {
  LONGEST_HEADER,
  parseProxyHeader,
  type ProxyHeader,
} from "../../engine/net/proxy_header.ts";
import { canonicalHost, decodeSockaddr, encodeSockaddr } from "../../engine/net/address.ts";
import { contains, parseNetwork } from "../../engine/net/networks.ts";
import { parsePacket } from "../../engine/kernel/packet.ts";
import { parseCounters, parseSocketTable } from "../../engine/kernel/proc_net.ts";
import { parseTcpInfo } from "../../engine/kernel/tcp_info.ts";
import { readRecording, RecordingFormatError } from "../../engine/recording/read_recording.ts";
import { formatDuration, LONGEST_MS, parseDuration } from "../../engine/values/durations.ts";
import { parseRate, parseSize } from "../../engine/values/quantities.ts";
import { parseScript, ScriptError } from "../../lab/observe/wire/commands.ts";
import { parseThreshold } from "../../lab/report/thresholds.ts";
import {
  ConversationError,
  escapeText,
  formatHello,
  frame,
  hello,
  helloClient,
  isFrame,
  parseHello,
  print,
  type Protocol,
  wrapFrame,
} from "../../protocol.ts";
import { bytesOf, cut, hold, type Talk } from "../kit/conversation.ts";
import { assert, assertEquals } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { binaryFor, lineFor, LOCAL, SIGNATURE } from "../kit/proxy_headers.ts";
import { anyEvent, formatRecording } from "../kit/recordings.ts";
import { anyText } from "../kit/texts.ts";

/** A parser, and what must hold for it. */
export interface Parser {
  readonly name: string;
  /** How many of a thousand inputs it gets. */
  readonly share: number;
  /** What must hold: a property of fast-check. */
  readonly property: fc.IProperty<unknown>;
}

/** Runs a parser that may refuse its input. Returns `undefined` if it threw its own error. */
function attempt<T>(parse: () => T, isOwn: (error: unknown) => boolean): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!isOwn(error)) throw error;
    const { message } = error as Error;
    assert(!message.includes("\n") && message.length < 2048, `one line: ${message}`);
    return undefined;
  }
}

const isRange = (error: unknown) => error instanceof RangeError;
const isType = (error: unknown) => error instanceof TypeError;
const isUsage = (error: unknown) => error instanceof UsageError;

/** Text of any kind, mostly short. */
const shortText = fc.oneof(
  fc.string({ maxLength: 40 }),
  anyText({ maxLength: 40 }),
);

/** Text that is nearly what a parser expects: pieces of its syntax in any order. */
function nearly(...pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: fc.nat({ max: 70_000 }).map(String) },
    { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  );
  return fc.oneof(
    { weight: 5, arbitrary: fc.array(piece, { maxLength: 8 }).map((parts) => parts.join("")) },
    { weight: 1, arbitrary: shortText },
  );
}

const anyBytes = fc.uint8Array({ maxLength: 160 });
const anyCuts = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 6 });

/** Bytes that are nearly a conversation. */
function nearlyBytes(...pieces: readonly string[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 4, arbitrary: nearly(...pieces).map((text) => bytesOf(text)) },
    { weight: 1, arbitrary: anyBytes },
  );
}

/** Whether a terminal obeys something in a text. */
// deno-lint-ignore no-control-regex -- that is what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/;

/** A protocol, however its bytes are cut, says the same and fails with its own errors only. */
function conversation(
  name: string,
  share: number,
  bytes: fc.Arbitrary<Uint8Array>,
  begin: () => Protocol<unknown>,
  mostWritten: (received: number) => number,
): Parser {
  return {
    name,
    share,
    property: fc.property(bytes, anyCuts, (bytes, cuts) => {
      const tasks = { prime: () => true };
      const whole = hold(begin(), bytes.length === 0 ? [] : [bytes], tasks);
      if (whole.error !== undefined) assert(whole.error instanceof ConversationError);
      const written = whole.written.reduce((sum, piece) => sum + piece.length, 0);
      assert(written <= mostWritten(bytes.length), `${written} bytes for ${bytes.length}`);
      assertEquals(essence(hold(begin(), cut(bytes, cuts), tasks)), essence(whole));
    }),
  };
}

/** What a conversation came to: all that was written, all that was reported, and its error. */
function essence(talk: Talk): string {
  const { events, error, fields } = talk.transcript;
  const told = (kind: string) =>
    events.filter((event) => event.startsWith(kind)).map((event) => event.slice(kind.length));
  // Each report of `print` begins with its peer.
  const reports = told("report ").map((text) => text.replace(PEER, ""));
  return JSON.stringify([told("write ").join(""), reports.join(""), error, fields]);
}

const PEER = /^127\.0\.0\.1:1: /;

const context = {
  peer: { hostname: "127.0.0.1", port: 1 },
  signal: new AbortController().signal,
};

/** Messages of hello. Each ends: one that does not is over when the client pauses. */
const anyHello = nearlyBytes(
  ...["HELLO ", "HELLO 1", "\n", "\r\n", "\0", "ERROR x", " ", "-", "2147483647"],
).map((bytes) => Uint8Array.from([...bytes, 10]));

const HELLO_PIECES = ["HELLO ", "HELLO 1", "\n", "\r\n", "\0", "ERROR x", " ", "-", "2147483647"];

const PROTOCOLS: readonly Parser[] = [
  conversation("hello", 80, anyHello, () => hello(), () => 130),
  conversation("hello's client", 40, anyHello, () => helloClient(0), () => 130),
  conversation(
    "frame",
    80,
    nearlyBytes("^", "$", "^P7$", "P", "^P", "18446744073709551615", "^abc$", "\xff"),
    () => frame(),
    (received) => 1 + 12 * received,
  ),
  {
    name: "print",
    share: 20,
    property: fc.property(
      nearlyBytes("!Disconnect", "!Dis", "\n", "text", "\xc3", "\xbc"),
      anyCuts,
      (bytes, cuts) => {
        // Where its bytes are cut matters: it prints what has come, and looks at its end for the word
        // that disconnects.
        const { error, written, events } = hold(print(context), cut(bytes, cuts));
        assert(error === undefined || error instanceof ConversationError);
        assertEquals(written, []);
        // What is printed of it has no line that a peer could forge.
        const printed = events.map((event) => escapeText(event));
        assert(printed.every((line) => !CONTROL.test(line)));
      },
    ),
  },
  {
    name: "the numbers of hello",
    share: 40,
    property: fc.property(fc.oneof(fc.maxSafeInteger(), nearly(...HELLO_PIECES)), (input) => {
      const text = typeof input === "number" ? `HELLO ${input}` : input;
      const x = attempt(
        () => parseHello(bytesOf(text)),
        (error) => error instanceof ConversationError,
      );
      if (x === undefined) return;
      assert(Number.isSafeInteger(x));
      assertEquals(parseHello(bytesOf(formatHello(x))), x);
    }),
  },
  {
    name: "frames",
    share: 20,
    property: fc.property(anyBytes, (bytes) => {
      if (!isFrame(bytes)) return;
      const wrapped = wrapFrame(bytes);
      assertEquals(wrapped.length, bytes.length + 2);
    }),
  },
];

/** The lines that a reader finds in these pieces. */
function linesIn(pieces: Iterable<Uint8Array>): unknown[] {
  const reader = new LineReader();
  const lines: unknown[] = [];
  for (const piece of pieces) {
    reader.add(piece);
    for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(line);
  }
  const last = reader.last();
  return last === undefined ? lines : [...lines, last];
}

const TELNET = [
  "\xff\xfb\x01",
  "\xff\xfd\x03",
  "\xff\xfa\x18\x00xterm\xff\xf0",
  "\xff\xff",
  "\xff\xf4",
  "\xff",
  "\r\0",
  "\r\n",
  "\n",
  "\r",
  "\x1b[31m",
  "\xc3\xbc",
  "word",
];

const CHAT: readonly Parser[] = [
  {
    name: "chat lines and telnet",
    share: 80,
    property: fc.property(nearlyBytes(...TELNET), anyCuts, (bytes, cuts) => {
      const whole = linesIn([bytes]);
      assertEquals(linesIn(cut(bytes, cuts)), whole);
      for (const line of whole as { kind: string; text?: string }[]) {
        assert(!CONTROL.test(line.text ?? ""), JSON.stringify(line));
      }
    }),
  },
  {
    name: "telnet's options between the bytes of a line",
    share: 40,
    property: fc.property(
      fc.array(
        fc.tuple(fc.stringMatching(/^[a-z ]{1,6}$/), fc.constantFrom(...TELNET.slice(0, 3))),
        {
          maxLength: 6,
        },
      ),
      (parts) => {
        const plain = parts.map(([text]) => text).join("");
        const mixed = parts.map(([text, option]) => text + option).join("");
        assertEquals(linesIn([bytesOf(`${mixed}\n`)]), linesIn([bytesOf(`${plain}\n`)]));
      },
    ),
  },
  {
    name: "chat commands",
    share: 60,
    property: fc.property(
      nearly("/", "//", "/nick ", "/join ", "/msg ", "/me ", "exit", " ", "ann", "\t"),
      (line) => {
        const command = parseCommand(line);
        assert(typeof command.kind === "string");
        if (command.kind !== "say") return;
        // Talk loses nothing but spaces and one slash.
        assert(line.trimEnd().endsWith(command.text) || line.trim().slice(1) === command.text);
      },
    ),
  },
  {
    name: "lines of a chat server",
    share: 20,
    property: fc.property(nearly("* ", "[", "]", "] ", "you to ", " to you", "ann"), (line) => {
      const read = readServerLine(line);
      assert(line.endsWith(read.text));
    }),
  },
  {
    name: "packets of the bus",
    share: 30,
    property: fc.property(
      fc.oneof(anyBytes, fc.json().map((text) => new TextEncoder().encode(text))),
      (
        bytes,
      ) => {
        const packet = decodePacket(bytes);
        if (packet !== undefined) assertEquals(decodePacket(encode(packet)), packet);
        const holder = decodeHolder(bytes);
        if (holder !== undefined) assertEquals(decodeHolder(encode(holder)), holder);
      },
    ),
  },
  {
    name: "addresses of a bus",
    share: 20,
    property: fc.property(
      nearly("nats://", "tls://", "@", ":", "/", "user", "%", "[::1]", "host"),
      (
        text,
      ) => {
        const bus = attempt(() => parseBusUrl(text), (error) => error instanceof BusError);
        if (bus === undefined) return;
        const again = parseBusUrl(bus.url);
        assertEquals([again.hostname, again.port, again.chat], [bus.hostname, bus.port, bus.chat]);
      },
    ),
  },
];

/** The command lines of some programs. */
const PROGRAMS: readonly Command[] = await Promise.all(
  ["threadpool", "event", "client", "bench"].map(async (name) => {
    const entry = (COMMANDS as Record<string, { load(): Promise<{ program(): unknown }> }>)[name];
    const { command } = (await (await entry!.load()).program()) as { command: Command };
    return command;
  }),
);

const anyWord = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.nat({ max: 1e6 }).map((at) => {
      const flags = PROGRAMS.flatMap(({ flags }) => flags);
      return `--${flags[at % flags.length]!.name}`;
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("8080", "5s", "-1", "--", "-", "-h", "--no", "=", "1e3"),
  },
  { weight: 1, arbitrary: fc.oneof(shortText, fc.constantFrom("a\nb", "\x1b[31m")) },
);
const anyArguments = fc.array(
  fc.oneof(anyWord, fc.tuple(anyWord, shortText).map(([flag, value]) => `${flag}=${value}`)),
  { maxLength: 6 },
);

const TYPED: readonly Parser[] = [
  {
    name: "flags",
    share: 60,
    property: fc.property(fc.constantFrom(...PROGRAMS), anyArguments, (command, args) => {
      const values = attempt(() => parseFlags(command, args), isUsage);
      if (values === undefined) return;
      for (const flag of command.flags) {
        const value = values[flag.name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())];
        if (value === undefined || flag.kind !== "integer") continue;
        assert(Number.isSafeInteger(value), `${flag.name} is ${value}`);
        assert((value as number) >= (flag.least ?? -Infinity));
        assert((value as number) <= (flag.most ?? Infinity));
      }
    }),
  },
  {
    name: "durations",
    share: 40,
    property: fc.property(
      fc.oneof(fc.nat({ max: LONGEST_MS }), nearly("ms", "s", "m", "h", ".", "0", " ", "-", "e9")),
      (input) => {
        const text = typeof input === "number" ? formatDuration(input) : input;
        const ms = attempt(() => parseDuration(text), isRange);
        if (typeof input === "number") assertEquals(ms, input);
        if (ms === undefined) return;
        assert(ms >= 0 && ms <= LONGEST_MS);
        assertEquals(parseDuration(formatDuration(Math.round(ms))), Math.round(ms));
      },
    ),
  },
  {
    name: "sizes and rates",
    share: 40,
    property: fc.property(nearly("k", "M", "GiB", "/s", "/m", "/h", ".", "-", " "), (text) => {
      const size = attempt(() => parseSize(text), isRange);
      if (size !== undefined) assert(Number.isSafeInteger(size) && size >= 0);
      const rate = attempt(() => parseRate(text), isRange);
      if (rate !== undefined) assert(rate >= 0 && rate <= 1e9);
    }),
  },
  {
    name: "HOST:PORT",
    share: 20,
    property: fc.property(nearly(":", "[", "]", "::1", "host", ".", "%", "80", "65536"), (text) => {
      const server = attempt(() => readServer(text), isUsage);
      if (server === undefined) return;
      assert(server.host !== "" && server.port >= 1 && server.port <= 65535);
    }),
  },
  {
    name: "addresses",
    share: 40,
    property: fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 65535 }), (host, port) => {
      const hostname = canonicalHost(host);
      const bytes = new Uint8Array(28);
      bytes.set(encodeSockaddr({ hostname: host, port }, LINUX));
      const read = decodeSockaddr(bytes, LINUX);
      assertEquals(read, { hostname, port });
      assertEquals(canonicalHost(read.hostname), read.hostname);
    }),
  },
  {
    name: "addresses that are none",
    share: 20,
    property: fc.property(
      nearly(":", "::", ".", "1", "ffff", "%", "0x1", "255", "256"),
      (hostname) => {
        const bytes = attempt(() => encodeSockaddr({ hostname, port: 1 }, LINUX), isType);
        if (bytes !== undefined) assert(bytes.length === 16 || bytes.length === 28);
      },
    ),
  },
  {
    name: "networks in CIDR notation",
    share: 30,
    property: fc.property(
      fc.oneof(
        fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 130 })).map((its) => its.join("/")),
        nearly("/", "10.0.0.0", "::", "::ffff:", ".", "8", "32", "64", "%", "-"),
      ),
      (text) => {
        const network = attempt(() => parseNetwork(text), isType);
        if (network === undefined) return;
        const { host, prefix } = network;
        assert(prefix >= 0 && prefix <= host.length * 8);
        assert(contains(network, host), "a network holds its own address");
        if (prefix === 0) return;
        // The address in which the last bit of the prefix is another one is outside.
        const outside = host.slice();
        outside[(prefix - 1) >> 3]! ^= 0x80 >> ((prefix - 1) & 7);
        assert(!contains(network, outside));
      },
    ),
  },
  {
    name: "scripts of the wire",
    share: 20,
    property: fc.property(
      nearly("deliver", "lose", " ", "SYN", "\n", "client", "send", "x", "5ms", "until", "#"),
      (text) => {
        attempt(() => parseScript(text), (error) => error instanceof ScriptError);
      },
    ),
  },
  {
    name: "thresholds of the bench",
    share: 10,
    property: fc.property(
      nearly("p99", "<", "<=", ">", "5ms", "errors", "%", "rate", "."),
      (text) => {
        attempt(() => parseThreshold(text), isUsage);
      },
    ),
  },
];

const anyTableRow = fc.tuple(
  fc.constantFrom(
    "0100007F:1F90",
    "00000000000000000000000001000000:0050",
    "0100007F",
    ":1F90",
    "",
  ),
  fc.constantFrom("0100007F:C000", "00000000:0000", "FFFF:0000", "x"),
  fc.constantFrom("0A", "01", "06", "FF", ""),
  fc.constantFrom("00000000:00000001", "00000000", ":", ""),
  fc.constantFrom("00:00000000", "02:000001F4", "zz:1", ""),
).map((fields) => `   0: ${fields.join(" ")} 00000000     0        0 12345 1`);

const KERNEL: readonly Parser[] = [
  {
    name: "TCP_INFO",
    share: 60,
    property: fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const info = attempt(() => parseTcpInfo(bytes), isRange);
      if (info === undefined) return void assert(bytes.length < 8);
      // A longer structure, of a newer kernel, says the same about the fields that both have.
      const longer = new Uint8Array(bytes.length + 40);
      longer.set(bytes);
      const more = parseTcpInfo(longer) as unknown as Record<string, unknown>;
      for (const [name, value] of Object.entries(info)) {
        assertEquals(more[name], value, name);
        if (typeof value === "number") assert(value >= 0 && Number.isFinite(value), name);
      }
    }),
  },
  {
    name: "packets",
    share: 60,
    property: fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(undefined, 0x45, 0x46, 0x4f, 0x60),
      fc.nat({ max: 200 }),
      (bytes, first, cutAt) => {
        if (first !== undefined && bytes.length > 9) {
          bytes[0] = first;
          bytes[first === 0x60 ? 6 : 9] = 6;
          if (first !== 0x60) bytes[6] = bytes[7] = 0;
        }
        const segment = parsePacket(bytes);
        if (segment !== undefined) {
          assert(segment.data.length <= bytes.length && segment.length >= 0);
          assert(segment.data.length <= segment.length);
        }
        parsePacket(bytes.subarray(0, cutAt));
      },
    ),
  },
  {
    name: "tables of sockets",
    share: 30,
    property: fc.property(fc.array(fc.oneof(anyTableRow, shortText), { maxLength: 5 }), (lines) => {
      const rows = parseSocketTable(["header", ...lines].join("\n"));
      assert(rows.length <= lines.join("\n").split("\n").length);
      for (const { local, remote } of rows) {
        for (const { hostname, port } of [local, remote]) {
          assert(port >= 0 && port <= 65535 && hostname !== "", `${hostname} ${port}`);
        }
      }
    }),
  },
  {
    name: "counters of the kernel",
    share: 10,
    property: fc.property(
      fc.array(nearly("Tcp:", "TcpExt:", " ", "InSegs", "7", "\n"), { maxLength: 6 }),
      (lines) => {
        for (const value of parseCounters(lines.join("\n")).values()) assert(!(value < 0));
      },
    ),
  },
];

const FILES: readonly Parser[] = [
  {
    name: "recordings",
    share: 5,
    property: fc.property(
      fc.array(anyEvent, { maxLength: 4 }),
      fc.nat({ max: 2000 }),
      fc.oneof(fc.constant(""), shortText),
      (events, at, junk) => {
        const text = formatRecording(events);
        assertEquals(readRecording(text, "it").events.length, events.length);
        const broken = text.slice(0, at) + junk + text.slice(at + junk.length);
        attempt(
          () => readRecording(broken, "it"),
          (error) => error instanceof RecordingFormatError,
        );
        // What was cut off while it was written is read up to there.
        const cutOff = attempt(
          () => readRecording(text.slice(0, at), "it"),
          (error) => error instanceof RecordingFormatError,
        );
        if (cutOff !== undefined) assert(cutOff.events.length <= events.length);
      },
    ),
  },
];

/** A client as a header may name it. */
const anyClient = fc.record({
  hostname: fc.oneof(fc.ipV4(), fc.ipV6()),
  port: fc.nat({ max: 65_535 }),
});

/** Right headers, and what can be made of them by changing a byte or cutting some off. */
const nearlyHeader = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.oneof(
        anyClient.map((client) => lineFor(client)),
        anyClient.map((client) => binaryFor(client)),
        fc.constant(LOCAL),
      ),
      fc.nat({ max: 120 }),
      fc.nat({ max: 255 }),
    ).map(([header, at, byte]) => {
      const bytes = bytesOf(header);
      bytes[at] = byte;
      return bytes;
    }),
  },
  {
    weight: 2,
    arbitrary: nearlyBytes(
      ...["PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "1.2.3.4 ", "::1 ", "\r\n", SIGNATURE, "\x21"],
    ),
  },
);

/** What a PROXY header says, in one form for all versions. */
function essenceOfHeader({ isLocal, source, destination }: ProxyHeader): string {
  return JSON.stringify([isLocal, source, destination]);
}

const HEADERS: readonly Parser[] = [
  {
    name: "headers of the PROXY protocol, cut anywhere",
    share: 60,
    property: fc.property(nearlyHeader, anyCuts, (bytes, cuts) => {
      const isOwn = (error: unknown) => error instanceof ConversationError;
      const found = attempt(() => parseProxyHeader(bytes), isOwn);
      const { result, error } = hold(readIntroduction(), cut(bytes, cuts));
      assert(error === undefined || isOwn(error), String(error));
      const introduction = result as Introduction | null | undefined;
      assertEquals(introduction?.header, found?.header);
      if (found === undefined) return;
      assert(found.length <= LONGEST_HEADER && found.length <= bytes.length);
      // Nothing but its own bytes counts.
      assertEquals(parseProxyHeader(bytes.subarray(0, found.length)), found);
      const { source } = found.header;
      if (source === undefined) return;
      for (const header of [lineFor(source), binaryFor(source)]) {
        assertEquals(parseProxyHeader(bytesOf(header))?.header.source, source);
      }
    }),
  },
  {
    name: "both versions of the PROXY protocol for the same client",
    share: 20,
    property: fc.property(anyClient, fc.string({ maxLength: 40 }), (client, rest) => {
      const [line, binary] = [lineFor(client), binaryFor(client)].map((header) => {
        const found = parseProxyHeader(bytesOf(header + rest));
        assertEquals(found?.length, header.length);
        return essenceOfHeader(found?.header as ProxyHeader);
      });
      assertEquals(line, binary);
    }),
  },
];

/** A site with one page, and a form. */
const SITE = {
  find: (path: string) => path === "/" ? { GET: () => ({}), POST: () => ({}) } : undefined,
};

/** What was answered: the statuses, in order, and whether each answer was the last. */
function answersOf(talk: Talk): string[] {
  return [...talk.text.matchAll(/^HTTP\/1\.1 (\d{3}) .*?\r\n.*?Connection: ([a-z-]+)\r\n\r\n/gms)]
    .map(([, status, connection]) => `${status} ${connection}`);
}

const HTTP: readonly Parser[] = [{
  name: "requests of HTTP",
  share: 40,
  property: fc.property(
    nearlyBytes(
      ...[
        "GET / HTTP/1.1\r\n",
        "Host: a\r\n",
        "\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        " ",
        ":",
      ],
      ...[
        "POST / HTTP/1.0\r\n",
        "Content-Length: 3\r\n",
        "abc",
        "\n",
        "\r",
        "\0",
        "Connection: close\r\n",
      ],
      ...[
        "Transfer-Encoding: chunked\r\n",
        "HEAD http://b/ HTTP/1.1\r\n",
        "Expect: 100-continue\r\n",
      ],
    ),
    anyCuts,
    (bytes, cuts) => {
      const attention = { waits() {}, answers() {}, streams() {} };
      const whole = hold(http(SITE, attention), bytes.length === 0 ? [] : [bytes]);
      assertEquals(whole.error, undefined);
      const answers = answersOf(whole);
      // Nothing follows an answer that says that it is the last.
      assert(answers.slice(0, -1).every((answer) => answer.endsWith("keep-alive")));
      assertEquals(answersOf(hold(http(SITE, attention), cut(bytes, cuts))), answers);
    },
  ),
}];

/** All parsers. */
export const PARSERS: readonly Parser[] = [
  ...PROTOCOLS,
  ...HTTP,
  ...HEADERS,
  ...CHAT,
  ...TYPED,
  ...KERNEL,
  ...FILES,
];

const ALL_SHARES = PARSERS.reduce((sum, { share }) => sum + share, 0);

/**
 * Gives a parser its share of the inputs.
 *
 * @param parser the parser
 * @param inputs how many inputs there are for all parsers
 * @returns how many it has got
 */
export function fuzz({ property, share }: Parser, inputs: number): number {
  const numRuns = Math.ceil(inputs * share / ALL_SHARES);
  // What a machine tries for everybody is the same each time. Whoever looks for more, gets others.
  const { FUZZ_SEED } = process.env;
  fc.assert(property, { numRuns, ...(FUZZ_SEED !== undefined && { seed: Number(FUZZ_SEED) }) });
  return numRuns;
}

await prove(import.meta, () => {
  let inputs = 0;
  for (const parser of PARSERS) {
    const begin = performance.now();
    const count = fuzz(parser, 1_000_000);
    inputs += count;
    console.error(`${parser.name}: ${count} in ${Math.round(performance.now() - begin)} ms`);
  }
  return `${inputs.toLocaleString("en")} inputs, ${PARSERS.length} parsers`;
});
