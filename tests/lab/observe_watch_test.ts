/**
 * `observe watch` as users run it: on a terminal, in a pipe, as objects, and without netlink.
 *
 * @module
 */

import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { readSocketTable } from "../../engine/kernel/proc_net.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocol.ts";
import { objectsIn } from "../kit/observe_lines.ts";
import { assertDocumented } from "../kit/documented.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { Script } from "../kit/server_process.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const skip = whyNoKernel();
const SCRIPT = "lab/observe.ts";

/** A listener of this process, and connections to it. */
class Place implements Disposable {
  readonly net = sockets();
  readonly listener: number;
  readonly address: Address;
  readonly #open: number[] = [];

  constructor(backlog: number, port = 0) {
    this.listener = this.net.openListener({ hostname: "127.0.0.1", port }, { backlog });
    this.address = this.net.localAddress(this.listener);
  }

  get port(): string {
    return `${this.address.port}`;
  }

  /** @returns the client's end and its address */
  connect(): { readonly client: number; readonly name: string } {
    const client = this.net.openConnection(this.address);
    this.#open.push(client);
    return { client, name: formatAddress(this.net.localAddress(client)) };
  }

  accept(): number {
    const server = this.net.accept(this.listener);
    this.#open.push(server);
    return server;
  }

  closeAll(): void {
    for (const fd of this.#open.splice(0)) this.net.close(fd);
  }

  [Symbol.dispose](): void {
    this.closeAll();
    this.net.close(this.listener);
  }
}

type Line = Record<string, unknown>;

test("watch --once shows a full accept queue, and who waits in it, in each form", async () => {
  using place = new Place(2);
  const names = [1, 2, 3].map(() => place.connect().name);
  const { port } = place;
  await using text = new Script(SCRIPT, ["watch", port, "--once"]);
  await using json = new Script(SCRIPT, ["watch", port, "--once", "--json"]);
  await using blindText = new Script("tests/kit/without_netlink.ts", ["watch", port, "--once"]);
  await using blind = new Script("tests/kit/without_netlink.ts", [
    ...["watch", port, "--once", "--json"],
  ]);
  const local = formatAddress(place.address);

  const { code, stdout, stderr } = await text.end();
  assertEquals([code, stderr], [0, ""]);
  // Other servers of the machine may have full queues too, and turn SYNs away meanwhile.
  const lines = stdout.trim().split("\n").filter((line) => !line.endsWith(" on this machine"));
  assertMatch(lines[0] as string, /^T0: .* by netlink$/);
  assertEquals(lines[1], `${local} listens · accept queue 3 of 2: full, new clients wait`);
  assertEquals(lines[2], "3 sockets: 3 waiting for accept");
  assertDocumented("watch", stdout);

  const told = await json.end();
  assertEquals(told.code, 0);
  assertMatch(told.stderr, /^observe: T0: .*\n$/);
  const socket = (remote: string) => ({
    type: "socket",
    local,
    remote,
    state: "ESTABLISHED",
    send_queue: 0,
    receive_queue: 0,
    retransmissions: 0,
    waiting: true,
  });
  const listener = { type: "listener", local, waiting: 3, limit: 2 };
  const ageless = (lines: Line[]) => lines.map(({ age_us: _, ...rest }) => rest);
  const found = objectsIn(told.stdout);
  // The oldest come first. On a busy machine a tick of the clock may lie between two of them.
  const ageOf = (name: string) => found.find(({ remote }) => remote === name)?.age_us as number;
  const inOrder = [...names].sort().sort((a, b) => ageOf(b) - ageOf(a));
  assertEquals(ageless(found), [listener, ...inOrder.map(socket)] as Line[]);
  // The other program has looked at another moment, and perhaps on another side of a tick.
  assertEquals(
    lines.slice(4).map((line) => line.split(/ {2,}/).slice(0, 2)).sort(),
    [...names].sort().map((name) => ["waiting for accept", name]),
  );
  // Nothing was sent, so the kernel knows for how long they have waited.
  assert(found.slice(1).every(({ age_us }) => age_us as number > 0), told.stdout);

  // The tables of proc(5) have neither the limit nor the sum of the retransmissions.
  const { limit: _, ...withoutLimit } = listener;
  const without = (remote: string) => {
    const { retransmissions: _, ...rest } = socket(remote);
    return { ...rest, age_us: 0, older: true };
  };
  const blindly = await blind.end();
  assertEquals(blindly.code, 0, blindly.stderr);
  assertMatch(blindly.stderr, /^observe: T0: .*\/proc\/net\/tcp.* no netlink\n$/);
  const expected = [withoutLimit, ...[...names].sort().map(without)] as Line[];
  assertEquals(objectsIn(blindly.stdout), expected);
  assertStringIncludes((await blindText.end()).stdout, `${local} listens · accept queue 3\n`);
}, { skip });

test("watch says that it cannot see, and not that nothing listens", async () => {
  using place = new Place(1);
  // Deno lets nobody read the tables of proc(5) without all permissions.
  const permissions = ["--allow-read", "--allow-env"];
  await using blind = new Script(SCRIPT, ["watch", place.port, "--once"], { permissions });
  const { code, stdout, stderr } = await blind.end();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^observe: Cannot see the sockets of this machine: no permission for .*\n$/);
}, { skip: runtime.name === "deno" ? skip : `${runtime.name} has no permissions` });

test("listeners that share an address are told apart, without netlink too", () => {
  const net = sockets();
  const first = net.openListener({ hostname: "127.0.0.1", port: 0 }, { reusePort: true });
  const address = net.localAddress(first);
  const second = net.openListener(address, { reusePort: true });
  try {
    const told = readSocketTable(address.port).filter(({ state }) => state === "LISTEN");
    assertEquals(told.length, 2);
  } finally {
    net.close(first);
    net.close(second);
  }
}, { skip });

test("watch --once says that nothing listens, with status 3; without --once it waits", async () => {
  using taken = new Place(1);
  const { port, address } = taken;
  taken[Symbol.dispose]();
  await using once = new Script(SCRIPT, ["watch", port, "--once"]);
  await using json = new Script(SCRIPT, ["watch", port, "--once", "--json"]);
  await using live = new Script(SCRIPT, ["watch", port, "--interval", "20ms"]);
  const { code, stdout } = await once.end();
  assertEquals(code, 3);
  assertStringIncludes(stdout, `nothing listens on port ${port}\n`);
  const told = await json.end();
  assertEquals([told.code, told.stdout], [3, ""]);
  assertStringIncludes(told.stderr, `observe: nothing listens on port ${port}\n`);
  await live.printed(`nothing listens on port ${port}\n`);
  using place = new Place(5, address.port);
  await live.printed(`${formatAddress(place.address)} listens · accept queue 0 of 5\n`);
  live.signal("SIGINT");
  const { code: ended, stderr } = await live.end();
  assertEquals([ended, stderr], [0, ""]);
}, { skip });

test(
  "watch tells what changes: who comes, is accepted, sends and goes; and records it",
  async () => {
    using place = new Place(7);
    using folder = new Folder();
    const { client: older, name: before } = place.connect();
    const { net } = place;
    // Once there was data both ways, the kernel tells the age no more.
    net.send(place.accept(), new Uint8Array(1));
    net.send(older, new Uint8Array(1));
    await using watch = new Script(SCRIPT, [
      ...["watch", place.port, "--json", "--interval", "20ms"],
      ...["--record", folder.path("watch.jsonl")],
    ]);
    await watch.printed(before);
    const { client, name } = place.connect();
    const seen = (what: Line) =>
      until(
        `${JSON.stringify(what)} to be told`,
        () =>
          objectsIn(watch.stdout.slice(0, watch.stdout.lastIndexOf("\n"))).some((object) =>
            Object.entries(what).every(([key, value]) => object[key] === value)
          ),
      );
    await seen({ type: "listener", waiting: 1, limit: 7 });
    await seen({ remote: name, state: "ESTABLISHED", waiting: true });
    place.accept();
    await seen({ type: "listener", waiting: 0 });
    await seen({ remote: name, state: "ESTABLISHED", waiting: undefined });
    place.net.send(client, new Uint8Array(9));
    await seen({ remote: name, receive_queue: 9 });
    place.net.shutdown(client, place.net.constants.SHUT_WR);
    await seen({ remote: name, state: "CLOSE_WAIT" });
    place.closeAll();
    await seen({ remote: name, state: "CLOSE" });

    const objects = objectsIn(watch.stdout);
    const first = objects.find(({ remote }) => remote === before) as Line;
    assertEquals([first.age_us as number >= 0, first.older], [true, true], "it may be older");
    const ages = objects.filter(({ remote, age_us }) => remote === name && age_us !== undefined);
    assert(ages.every(({ older }) => older === undefined), "it came under watch");
    assertEquals(
      ages.map(({ age_us }) => age_us),
      ages.map(({ age_us }) => age_us as number).sort((a, b) => a - b),
    );

    watch.signal("SIGTERM");
    assertEquals((await watch.end()).code, 0);
    const { events, isFinished } = readRecording(folder.text("watch.jsonl"), "watch.jsonl");
    assertEquals(isFinished, true);
    const states = events.flatMap((event) =>
      event.type === "socket" && event.remote === name ? [event.state] : []
    );
    assertEquals([states[0], states.includes("CLOSE_WAIT"), states.at(-1)], [
      ...["ESTABLISHED", true, "CLOSE"],
    ]);
  },
  { skip },
);

test("watch ends quietly when its reader has gone", async () => {
  using place = new Place(50);
  await using watch = new Script(SCRIPT, ["watch", place.port, "--json", "--interval", "20ms"]);
  await watch.printed("listener");
  watch.hangUp();
  await until("it to end", () => {
    place.connect();
    place.accept();
    return watch.isOver;
  });
  const { code, stderr } = await watch.end();
  assertEquals(code, 0);
  assertMatch(stderr, /^observe: T0: .*\n$/);
}, { skip });

test(
  "watch draws its table again in its place, cut to the terminal, and gives the cursor back",
  async () => {
    using place = new Place(100);
    await using terminal = await Terminal.open(SCRIPT, ["watch", place.port, "-i", "50ms"]);
    await terminal.shows("accept queue 0 of 100");
    // Not before: the terminal's processes would have the sockets too.
    for (let count = 0; count < 40; count++) place.connect();
    const text = await terminal.shows("40 sockets: 40 waiting for accept");
    const local = formatAddress(place.address);
    const lines = text.split("\n");
    assert(lines.length <= 23, text);
    assertMatch(lines[0] as string, /^T0: /);
    assertEquals(lines[1], `${local} listens · accept queue 40 of 100`);
    const rows = lines.filter((line) => line.startsWith("waiting for accept "));
    assertEquals(lines.at(-1), `and ${40 - rows.length} more`);
    assert(rows.length >= 10, text);
    assertEquals(await terminal.hasCursor(), false);

    for (let count = 0; count < 37; count++) place.accept();
    const next = await terminal.shows("40 sockets: 3 waiting for accept, 37 ESTABLISHED");
    assertEquals(next.split("\n").length, lines.length, next);
    assertEquals(next.match(/listens/g)?.length, 1, "the old table is gone");
    await terminal.resize(60);
    for (let count = 0; count < 3; count++) place.accept();
    place.closeAll();
    await terminal.shows(/listens · accept queue 0 of 100\n(?:.*TIME_WAIT|no connections)/);
    // The queue is what matters, and stays.
    await terminal.resize(40);
    await terminal.shows(`${local} · queue 0 of 100\n`);
    await terminal.press("C-c");
    assertEquals(await terminal.end(), 0);
    assertEquals(await terminal.hasCursor(), true);
  },
  { skip: skip ?? whyNoTerminal },
);
