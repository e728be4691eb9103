/**
 * A network of its own in which peers vanish: from one moment on, nothing that they send arrives,
 * and nothing arrives at them. It runs inside namespaces that the test has made, and nothing leaves
 * them.
 *
 * The wire is a TUN device. What is sent to the other host comes back with its addresses swapped, so
 * both ends of a connection are in this process, and each packet passes through here.
 *
 * Each server serves as many clients as it can, and all of them vanish. It prints as one line of JSON
 * which servers have served another client by then.
 *
 * @module
 */

import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import { raiseInterface } from "../../lab/observe/interface.ts";
import { swapAddresses, TunDevice } from "../../lab/observe/wire/device.ts";
import {
  connect,
  type Connection,
  serveBerkeley,
  serveCluster,
  serveCompletion,
  serveEvent,
  serveNonblocking,
  type ServeOptions,
  type Server,
  serveSequential,
  serveThreaded,
  serveThreadpool,
} from "../../mod.ts";
import { until, within } from "./harness.ts";

/** This machine in that network, and the other one. */
const OWN = "10.9.0.1";
const OTHER = "10.9.0.2";

/** What every server is told: no time limit of its own ends a connection. */
const PATIENT: ServeOptions = {
  host: OWN,
  port: 0,
  protocol: "echo",
  readTimeout: 0,
  idleTimeout: 0,
  messageTimeout: 0,
  writeTimeout: 0,
  sessionTimeout: 0,
  keepalive: "1s",
  drain: 0,
};

/** A server, and how many clients it can serve at a time. */
interface Case {
  readonly most: number;
  /** Whether the clients vanish with an answer that they have not acknowledged. */
  readonly unacknowledged?: boolean;
  serve(options: ServeOptions): Promise<Server>;
}

const pool = (own: object): Case => ({
  most: 4,
  serve: (options) => serveThreadpool({ ...options, workers: 4, ...own }),
});
const threads = (handoff: "fd" | "message"): Case => ({
  most: 4,
  serve: (options) => serveThreaded({ ...options, maxThreads: 4, spare: 0, handoff }),
});
const event: Case = { most: 4, serve: (options) => serveEvent({ ...options, maxConnections: 4 }) };
const cluster: Case = {
  most: 4,
  serve: (options) => serveCluster({ ...options, workers: 2, maxConnections: 4 }),
};
const nonblocking: Case = {
  most: 4,
  serve: (options) => serveNonblocking({ ...options, maxConnections: 4 }),
};
const completion: Case = {
  most: 4,
  serve: (options) => serveCompletion({ ...options, maxConnections: 4 }),
};

/** A server that never asks whether its peers are still there. */
const credulous = ({ most, serve }: Case): Case => ({
  most,
  serve: (options) => serve({ ...options, keepalive: 0 }),
});

/** The servers whose peers must be found. */
const FINDING: Readonly<Record<string, Case>> = {
  sequential: { most: 1, serve: (options) => serveSequential(options) },
  "threaded by descriptors": threads("fd"),
  "threaded by messages": threads("message"),
  "threadpool by descriptors": pool({ handoff: "fd" }),
  "threadpool without a queue": pool({ handoff: "fd", queue: 0 }),
  "threadpool by messages": pool({ handoff: "message" }),
  "threadpool with unacknowledged answers": {
    ...pool({ handoff: "fd", writeTimeout: "1s" }),
    unacknowledged: true,
  },
  berkeley: { most: 4, serve: (options) => serveBerkeley({ ...options, workers: 4 }) },
  event,
  cluster,
  nonblocking,
  ...(whyNoRing() === undefined && { completion }),
};

/** The servers that must wait for ever. */
const CREDULOUS: Readonly<Record<string, Case>> = {
  "threadpool without keepalive": credulous(pool({ handoff: "fd" })),
  "event without keepalive": credulous(event),
  "cluster without keepalive": credulous(cluster),
  "nonblocking without keepalive": credulous(nonblocking),
};

/** What was found: the servers that served another client, and those that did not. */
export interface VanishedFindings {
  readonly served: readonly string[];
  readonly waiting: readonly string[];
  /** The counters of the servers, by name. */
  readonly counters: Readonly<Record<string, Server["counters"]>>;
}

/** The ways that nothing goes any more. */
const cut = new Set<number>();

/** A way from one port to another: one client may have the same port as another one. */
function wayOf(from: number, to: number): number {
  return from * 65_536 + to;
}

/** Carries packets until it is told to stop, but not those of peers that have vanished. */
function carry(tun: TunDevice): () => void {
  const timer = setInterval(() => {
    for (let packet = tun.read(); packet !== undefined; packet = tun.read()) {
      const ports = new DataView(packet.buffer, packet.byteOffset + (packet[0]! & 15) * 4, 4);
      if (!cut.has(wayOf(ports.getUint16(0), ports.getUint16(2)))) tun.write(swapAddresses(packet));
    }
  }, 1);
  return () => clearInterval(timer);
}

const WORD = new TextEncoder().encode("x");

/** A client that says a word, and hears it back if it is served. */
class Client {
  readonly connection: Connection;
  wasServed = false;

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  static async connect(server: Server): Promise<Client> {
    const { port } = server.address;
    const client = new Client(
      await within(10_000, "a connection", connect({ hostname: OTHER, port })),
    );
    await client.connection.write(WORD);
    client.connection.read().then((chunk) => client.wasServed = chunk !== null, () => {});
    return client;
  }

  get port(): number {
    return this.connection.localAddress.port;
  }
}

/** A server whose clients have all vanished, and the client that waits for it. */
interface Siege {
  readonly name: string;
  readonly server: Server;
  readonly next: Client;
}

/** A server that listens, and whose clients are still to come. */
interface Started {
  readonly name: string;
  readonly server: Server;
  readonly its: Case;
}

async function besiege({ name, server, its: { most, unacknowledged } }: Started): Promise<Siege> {
  const clients = await Promise.all(Array.from({ length: most }, () => Client.connect(server)));
  await until(`${name} to serve ${most}`, () => clients.every((client) => client.wasServed));
  for (const { port, connection } of clients) {
    cut.add(wayOf(server.address.port, port));
    if (unacknowledged === true) await connection.write(WORD);
    else cut.add(wayOf(port, server.address.port));
  }
  return { name, server, next: await Client.connect(server) };
}

async function main(): Promise<void> {
  raiseInterface(sockets(), "lo");
  using tun = new TunDevice(sockets(), "wire0", OWN, 24);
  const stop = carry(tun);
  const start = (cases: Readonly<Record<string, Case>>): Promise<Started[]> =>
    Promise.all(
      Object.entries(cases).map(async ([name, its]) => (
        { name, its, server: await its.serve(PATIENT) }
      )),
    );
  // While servers start, nobody has the time to carry packets, and keepalive would take a client that is
  // not served yet for one that has vanished. So they all start before the first client comes.
  const started = await Promise.all([start(FINDING), start(CREDULOUS)]);
  const [finding = [], credulous = []] = await Promise.all(
    started.map((servers) => Promise.all(servers.map(besiege))),
  );
  // The last of them may be found a moment after the next client was served.
  const isOver = () =>
    finding.every(({ next, server }) => next.wasServed && server.counters.active === 1);
  await until("all servers to serve another client", isOver, 15_000).catch(() => {});
  const sieges = [...finding, ...credulous];
  const named = (wasServed: boolean) =>
    sieges.filter(({ next }) => next.wasServed === wasServed).map(({ name }) => name);
  const counters = Object.fromEntries(sieges.map(({ name, server }) => [name, server.counters]));
  const findings: VanishedFindings = { served: named(true), waiting: named(false), counters };
  stop();
  runtime.printNow("stdout", `${JSON.stringify(findings)}\n`);
  runtime.exit(0);
}

if (isMainModule(import.meta)) {
  main().catch((error) => {
    runtime.printNow("stderr", `${error.stack}\n`);
    runtime.exit(1);
  });
}
