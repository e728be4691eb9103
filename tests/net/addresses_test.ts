/**
 * Addresses that few machines have: zones, Unix domain sockets, and clients that meet themselves.
 *
 * @module
 */

import { whyNoRing } from "../../engine/uring/requirements.ts";
import { decodeUnix, encodeSockaddr, isIPv6, whyNoUnix } from "../../engine/net/address.ts";
import { DARWIN, LINUX } from "../../engine/net/constants.ts";
import { library, whyNoSockets } from "../../engine/net/libc.ts";
import { ListenError } from "../../engine/net/listen_failure.ts";
import { resolveHost } from "../../engine/net/resolve.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { openListening } from "../../engine/net/socket_file.ts";
import { Sockets } from "../../engine/net/sockets.ts";
import { ZoneNotFoundError } from "../../engine/net/zones.ts";
import { formatAddress } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../kit/network.ts";
import type { Findings } from "../kit/strange_addresses.ts";

const noRing = whyNoRing();

test("zones are kept, a client that meets itself is told, and so is who has no IPv6", async () => {
  const found: Findings = JSON.parse(await inOwnNetwork("tests/kit/strange_addresses.ts"));
  const own = ["[fe80::7%lo]", "[fe80::7%lo]", "[fe80::7%lo]"];
  const modes = ["event", "cluster", "threadpool", "nonblocking", "byNumber"];
  if (noRing === undefined) modes.push("completion");
  for (const mode of modes) assertEquals(found.zoned[mode], own, mode);
  assertEquals(found.sealed, [], "newcomers are kept out everywhere");
  const missing = (zone: string) =>
    `Cannot find the zone: this machine has no network interface "${zone}"`;
  assertEquals(found.unknown, [missing("nope"), missing("77")]);
  assertEquals(found.self.length, 5);
  for (const said of found.self) assertMatch(said, /^connected to itself: nobody listens there, /);
  assertEquals(found.loads, [["connected to itself"], ["connected to itself"]]);
  const listens = (host: string, instead: string) =>
    `Cannot listen on [${host}]:8080: this machine has no IPv6, or it is switched off: use --host ${instead}`;
  for (const [mode, said] of Object.entries(found.without)) {
    assertEquals(said, [listens("::", "0.0.0.0"), listens("::1", "127.0.0.1")], mode);
  }
}, { skip: whyNoSockets() ?? whyNoOwnNetwork() });

test("the name of a Unix domain socket is written for the system, and read again", () => {
  for (const layout of [LINUX, DARWIN]) {
    for (
      const path of [
        "/run/a b.sock",
        "s",
        "ü/€",
        "x".repeat(103),
        ...(layout === LINUX ? ["@n"] : []),
      ]
    ) {
      const address = { hostname: `unix:${path}`, port: 0 };
      assertEquals(decodeUnix(encodeSockaddr(address, layout)), address);
    }
  }
  assertEquals([...encodeSockaddr({ hostname: "unix:ab", port: 0 }, LINUX)], [1, 0, 97, 98, 0]);
  assertEquals([...encodeSockaddr({ hostname: "unix:@a", port: 0 }, LINUX)], [1, 0, 0, 97]);
  assertEquals([...encodeSockaddr({ hostname: "unix:ab", port: 0 }, DARWIN)], [5, 1, 97, 98, 0]);
  // A name that was bound without a zero byte at its end, and a socket without a name.
  assertEquals(decodeUnix(Uint8Array.of(1, 0, 97)).hostname, "unix:a");
  assertEquals(decodeUnix(Uint8Array.of(1, 0)).hostname, "unix:");
});

test("what cannot be the name of a Unix domain socket is said", () => {
  for (const host of ["unix:", "unix:@", "unix:a\0b", `unix:${"ü".repeat(54)}`]) {
    assert(whyNoUnix(host, LINUX) !== undefined, host);
    assertThrows(() => encodeSockaddr({ hostname: host, port: 0 }, LINUX), TypeError);
  }
  assertEquals(whyNoUnix(`unix:${"x".repeat(107)}`, LINUX), undefined);
  assertEquals(whyNoUnix(`unix:@${"x".repeat(107)}`, LINUX), undefined);
  assert(whyNoUnix(`unix:${"x".repeat(104)}`, DARWIN) !== undefined);
  assertMatch(whyNoUnix("unix:@n", DARWIN) ?? "", /^only Linux /);
  assert(!isIPv6("unix:/run/a:b"));
  assertEquals(formatAddress({ hostname: "unix:/a\n\u001b[2J", port: 0 }), "unix:/a\\n\\x1b[2J");
}, { pure: true });

test("an address in a zone that is not there is no address", async () => {
  assertEquals(await resolveHost("::1"), "::1");
  for (const host of ["fe80::1%nope", "::1%", "fe80::1%4294967296", "fe80::1%a/b", "fe80::1%0"]) {
    await assertRejects(() => resolveHost(host), ZoneNotFoundError, "no network interface");
  }
}, { skip: whyNoSockets() });

/** Sockets on which, when the lock of a folder is asked for, something happens first. */
class Interrupted extends Sockets {
  beforeLock: (() => void) | undefined;

  override tryLock(fd: number): boolean {
    this.beforeLock?.();
    return super.tryLock(fd);
  }
}

test("a server that has bound its socket and does not listen yet keeps its file", () => {
  using folder = new Folder();
  const address = { hostname: `unix:${folder.path("s")}`, port: 0 };
  const net = new Interrupted(library());
  const { AF_UNIX, SOCK_STREAM } = net.constants;
  const lock = net.openFolder(folder.path(""));
  const other = net.socket(AF_UNIX, SOCK_STREAM);
  try {
    assert(net.tryLock(lock));
    net.bind(other, address);
    let asked = 0;
    net.beforeLock = () => {
      if (asked++ !== 1) return;
      net.listen(other, 1);
      net.close(lock);
    };
    const open = () => openListening(net, address, () => net.openListener(address));
    assertThrows(open, ListenError, "address already in use (EADDRINUSE)");
    assertEquals([asked, ...folder.names], [2, "s"]);
  } finally {
    net.close(other);
  }
}, { skip: whyNoSockets() ?? (runtime.os === "linux" ? undefined : "only Linux has the lock") });
