/**
 * Runs `observe` while more sockets end than can wait to be read. It is to run in a network of its
 * own, so that nobody else misses anything.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { program } from "../../lab/observe.ts";
import { DestroyEvents } from "../../engine/kernel/sock_diag.ts";
import { sockets } from "../../engine/net/sockets.ts";

/** `SO_MEMINFO` (socket(7)): nine numbers, of which the last counts what was dropped. */
const SO_MEMINFO = 55;
const DROPS = 8;

/** The protocol of sock_diag(7). */
const NETLINK_SOCK_DIAG = "4";

/** Ends sockets, of which the kernel tells although they were never connected. */
function flood(): void {
  const net = sockets();
  const { AF_INET, SOCK_STREAM, SOL_SOCKET } = net.constants;
  // This listener is as full as the one of the command, and came after it.
  using events = new DestroyEvents(net);
  const memory = new Uint32Array(9);
  do {
    for (let made = 0; made < 1_000; made++) net.close(net.socket(AF_INET, SOCK_STREAM));
    net.getOptionBytes(events.fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(memory.buffer));
  } while (memory[DROPS] === 0);
}

/** Whether the command hears how sockets end. The network has no other netlink socket with groups. */
function isListening(): boolean {
  const [, ...lines] = readFileSync("/proc/net/netlink", "utf8").trim().split("\n");
  return lines.some((line) => {
    const [, protocol, , groups = "0"] = line.trim().split(/\s+/);
    return protocol === NETLINK_SOCK_DIAG && parseInt(groups, 16) !== 0;
  });
}

program().run();
// On a busy machine the command takes its time, and a flood before that is nothing to it.
const looking = setInterval(() => {
  if (!isListening()) return;
  clearInterval(looking);
  flood();
}, 10);
