/**
 * What the library exports. Importing it does nothing else.
 *
 * @module
 */

import { MODE_NAMES } from "../../modes/catalogue.ts";
import { assertEquals, test } from "../kit/harness.ts";
import * as library from "../../mod.ts";

const NAMES = [
  "ComputeTimeoutError",
  "ConversationError",
  "DISCONNECT",
  "EpollEvents",
  "FAILURE_KINDS",
  "HELLO_LIMIT",
  "HandshakeTimeoutError",
  "IdleTimeoutError",
  "Input",
  "MalformedMessageError",
  "MessageBuffer",
  "MessageTimeoutError",
  "MessageTooLongError",
  "NumberOutOfRangeError",
  "OptionError",
  "PRIME_TASK",
  "PRINT_CHUNK",
  "PROTOCOLS",
  "PeerGoneError",
  "PollSet",
  "READ",
  "READ_BEGUN",
  "READ_REST",
  "ReadTimeoutError",
  "RejectedError",
  "SequenceMismatchError",
  "SessionTimeoutError",
  "SlowReaderError",
  "SocketError",
  "SocketsUnavailableError",
  "StatisticsReader",
  "compute",
  "connect",
  "echo",
  "echoClient",
  "echoDatagram",
  "encodeLine",
  "escapeBytes",
  "escapeText",
  "expectEcho",
  "exposeMetrics",
  "failureKind",
  "findProtocol",
  "formatAddress",
  "formatHello",
  "frame",
  "frameClient",
  "frameGreeting",
  "hello",
  "helloClient",
  "isFrame",
  "isPrime",
  "listen",
  "openLive",
  "parseHello",
  "print",
  "printClient",
  "printDatagram",
  "read",
  "readBytes",
  "readLine",
  "readWithin",
  "report",
  "serveBerkeley",
  "serveCluster",
  "serveCompletion",
  "serveEvent",
  "serveNonblocking",
  "servePrefork",
  "serveSequential",
  "serveThreaded",
  "serveThreadpool",
  "shorten",
  "sockets",
  "stripControls",
  "successor",
  "wrapFrame",
  "write",
  "writeLine",
];

test("the library exports these names", () => {
  assertEquals(Object.keys(library).sort(), NAMES);
});

test("the library serves in every mode, and nothing else serves", () => {
  const servers = Object.keys(library).filter((name) => name.startsWith("serve"));
  assertEquals(
    servers.map((name) => name.slice("serve".length).toLowerCase()).sort(),
    [
      ...MODE_NAMES,
    ].sort(),
  );
});

test("a Worker that imports the library stays silent and stays the user's own", async () => {
  // The module of a user's Worker: it imports the library and then answers in its own way.
  const source = `
    import { hello } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
    self.onmessage = ({ data }) => self.postMessage([data, typeof hello]);
    self.postMessage("imported");
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    const heard: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        heard.push(data);
        if (data === "imported") worker.postMessage("ping");
        else resolve();
      };
    });
    assertEquals(heard, ["imported", ["ping", "function"]]);
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});
