/**
 * Runs `observe` while more sockets end than can wait to be read. It is to run in a network of its
 * own, so that nobody else misses anything.
 *
 * @module
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { program } from "../../lab/observe.ts";
import { DestroyEvents } from "../../engine/kernel/sock_diag.ts";
import { sockets } from "../../engine/net/sockets.ts";

/** `SO_MEMINFO` (socket(7)): nine numbers, of which the last counts what was dropped. */
const SO_MEMINFO = 55;
const DROPS = 8;

/** `SO_RCVBUF` (socket(7)), and a queue that a few hundred events fill: 8 MiB take seconds. */
const SO_RCVBUF = 8;
const QUEUE_BYTES = 4_096;

/** The protocol of sock_diag(7). */
const NETLINK_SOCK_DIAG = "4";

const net = sockets();

/** Ends sockets, of which the kernel tells although they were never connected. */
function flood(): void {
  const { AF_INET, SOCK_STREAM, SOL_SOCKET } = net.constants;
  // This listener is as full as the one of the command, and came after it.
  using events = new DestroyEvents(net);
  net.setOption(events.fd, SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES);
  const memory = new Uint32Array(9);
  do {
    for (let made = 0; made < 1_000; made++) net.close(net.socket(AF_INET, SOCK_STREAM));
    net.getOptionBytes(events.fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(memory.buffer));
  } while (memory[DROPS] === 0);
}

/** Where the command hears how sockets end; `undefined` before. */
function findListener(): number | undefined {
  const [, ...lines] = readFileSync("/proc/net/netlink", "utf8").trim().split("\n");
  const links = lines.map((line) => line.trim().split(/\s+/))
    .filter(([, protocol, , groups = "0"]) =>
      protocol === NETLINK_SOCK_DIAG && parseInt(groups, 16) !== 0
    )
    .map((fields) => `socket:[${fields.at(-1)}]`);
  const found = readdirSync("/proc/self/fd").find((fd) => {
    try {
      return links.includes(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor with which the folder was read.
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

program().run();
// On a busy machine the command takes its time, and a flood before it listens is nothing to it.
const looking = setInterval(() => {
  const listener = findListener();
  if (listener === undefined) return;
  clearInterval(looking);
  net.setOption(listener, net.constants.SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES);
  flood();
}, 10);
