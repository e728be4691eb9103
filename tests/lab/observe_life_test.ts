/**
 * `observe life` as users run it: each connection as it ends, in text, as JSON, and in a recording.
 * What it concludes is tested in `tests/kernel/connection_lives_test.ts`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { assertDocumented } from "../kit/documented.ts";
import { objectsIn } from "../kit/observe_lines.ts";
import { commandOf, Program, Script } from "../kit/server_process.ts";

const skip = whyNoKernel();
const SCRIPT = "lab/observe.ts";

/** Why this user cannot have a network of their own. */
function whyNoNamespace(): string | undefined {
  const { status } = spawnSync("unshare", ["--user", "--map-root-user", "--net", "true"]);
  return status === 0 ? undefined : "unshare makes no network here";
}

/** What a program has said on standard error, without the tier and what it could not place. */
function complaints(stderr: string): string {
  return stderr.replace(/^observe: (T0|left out): .*\n/gm, "");
}

/** A listener of this process, and connections to it. */
class Place implements Disposable {
  readonly net = sockets();
  readonly listener: number;
  readonly address: Address;

  constructor(hostname = "127.0.0.1") {
    this.listener = this.net.openListener({ hostname, port: 0 }, { backlog: 128 });
    this.address = this.net.localAddress(this.listener);
  }

  /** A connection over which each end has sent something. The client closes first. */
  connect(): string {
    const { net } = this;
    const client = net.openConnection(this.address);
    const server = net.accept(this.listener);
    const name = formatAddress(net.localAddress(client));
    const bytes = new Uint8Array(64);
    net.send(client, bytes.subarray(0, 11));
    net.recv(server, bytes);
    net.send(server, bytes.subarray(0, 7));
    net.recv(client, bytes);
    net.close(client);
    net.close(server);
    return name;
  }

  [Symbol.dispose](): void {
    this.net.close(this.listener);
  }
}

/** Starts to observe, and waits until nothing is missed any more. */
async function observe(...args: readonly string[]): Promise<Script> {
  const life = new Script(SCRIPT, ["life", ...args]);
  await life.printed("T0: ", args.includes("--json") ? "stderr" : "stdout");
  return life;
}

for (const hostname of ["127.0.0.1", "::1"]) {
  test(
    `life tells both ends of a connection to ${hostname} as objects, and ends after --count`,
    async () => {
      using place = new Place(hostname);
      const { port } = place.address;
      await using life = await observe(`${port}`, "--json", "--count", "2");
      const client = place.connect();
      const { code, stdout, stderr } = await life.end();
      assertEquals(code, 0, stderr);
      const server = formatAddress(place.address);
      const objects = objectsIn(stdout);
      const of = (local: string) => {
        const found = objects.find((object) => object.local === local);
        const { cookie, rtt_us, duration_us: _, shorter_than_us: __, ...rest } = found ?? {};
        assert(/^\d+$/.test(cookie as string) && (rtt_us as number) > 0, stdout);
        return rest;
      };
      assertEquals(of(client), {
        type: "connection",
        local: client,
        remote: server,
        opened_by: "local",
        closed_first: "local",
        ended_with: "fin",
        bytes_sent: 11,
        bytes_received: 7,
        retransmissions: 0,
      });
      assertEquals(of(server), {
        type: "connection",
        local: server,
        remote: client,
        opened_by: "remote",
        closed_first: "remote",
        ended_with: "fin",
        bytes_sent: 7,
        bytes_received: 11,
        retransmissions: 0,
      });
      assertEquals(objects.length, 2);
    },
    { skip: skip ?? (hostname === "::1" ? whyNoIPv6() : undefined) },
  );
}

function whyNoIPv6(): string | undefined {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") === "" ? "no IPv6 here" : undefined;
  } catch {
    return "no IPv6 here";
  }
}

test(
  "life prints a line for each end while it goes on, records it, and ends at Ctrl-C",
  async () => {
    using place = new Place();
    using folder = new Folder();
    const file = folder.path("life.jsonl");
    await using life = await observe(`${place.address.port}`, "--record", file);
    const server = formatAddress(place.address);
    // The line is there although the program goes on and its output is a pipe.
    const client = place.connect();
    await life.printed(`\n${client}`);
    await life.printed(`\n${server}`);
    life.signal("SIGINT");
    const { code, stdout, stderr } = await life.end();
    assertEquals([code, complaints(stderr)], [0, ""]);
    const [tier, header, ...lines] = stdout.trim().split("\n");
    assertMatch(tier as string, /^T0: .* with port \d+, as it ends\.$/);
    assertEquals(header?.split(/ {2,}/).slice(0, 5), [
      ...["LOCAL", "REMOTE", "OPENED", "CLOSED", "WITH"],
    ]);
    assertEquals(
      lines.map((line) => line.split(/ {2,}/).slice(0, 5).join(" ")).sort(),
      [`${client} ${server} local local fin`, `${server} ${client} remote remote fin`].sort(),
    );
    assertMatch(lines.join("\n"), / 11 B +7 B .* µs +0$/m);
    // On a busy machine nobody may know how long it has lasted.
    assertDocumented("life", stdout.replaceAll(/( fin +)–/g, (_, before) => `${before}1 ms`));

    const { header: recorded, events, isFinished } = readRecording(
      folder.text("life.jsonl"),
      "life.jsonl",
    );
    assertEquals([recorded.by, recorded.tier, isFinished], ["observe life", "T0", true]);
    const ends = events.flatMap((event) => event.type === "connection" ? [event] : []);
    assertEquals(ends.map(({ local }) => local).sort(), [client, server].sort());
    assertEquals(ends.map(({ bytes_sent }) => bytes_sent).sort(), [11, 7]);
  },
  { skip },
);

test("life ends by itself and quietly when its reader has gone", async () => {
  using place = new Place();
  await using life = await observe(`${place.address.port}`, "--json");
  life.hangUp();
  await until("it to end", () => {
    place.connect();
    return life.isOver;
  });
  const { code, stderr } = await life.end();
  assertEquals([code, complaints(stderr)], [0, ""]);
}, { skip });

test("life says that the kernel has dropped events, in both forms", async () => {
  const alone = ["unshare", "--user", "--map-root-user", "--net", "--kill-child", "--"];
  const start = (...args: readonly string[]) =>
    new Program([...alone, ...commandOf("tests/kit/flooded_observe.ts", ["life", ...args])]);
  await using json = start("--json");
  await using text = start();
  await json.printed('{"type":"missed","why":"the kernel dropped events');
  await text.printed("(some are missing here: the kernel dropped events");
}, { skip: skip ?? whyNoNamespace() });

test("life says in one line where it cannot work", async () => {
  await using blind = new Script("tests/kit/without_netlink.ts", ["life"]);
  const { code, stdout, stderr } = await blind.end();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^observe: Cannot hear how connections end: there is no netlink here .*\n$/);
  assertStringIncludes(stderr, "observe watch");
}, { skip });
