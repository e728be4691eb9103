/**
 * Programs that a protocol starts: they do not inherit the server's descriptors.
 *
 * @module
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { serveBerkeley } from "../../mod.ts";
import { Folder } from "../kit/folder.ts";
import { assertEquals, assertStringIncludes, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { Script } from "../kit/server_process.ts";

const needsProc = {
  skip: whyNoSockets() ?? (runtime.os === "linux" ? undefined : `${runtime.os} has no proc(5)`),
  sanitize: false,
  timeoutMs: 60_000,
};

/** The flag of open(2) that keeps a descriptor from programs that are started, on every processor. */
const O_CLOEXEC = 0o2000000;

/** What a process has open, by number. */
function openIn(pid: number | "self"): Map<string, string> {
  const found = new Map<string, string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      found.set(fd, readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // It was closed meanwhile, for instance the folder that was just read.
    }
  }
  return found;
}

/** What this process, and so every program that it starts, has got from those who started it. */
const given = new Set(openIn("self").values());

/** Which descriptors of a process others would inherit, but standard input and output. */
function lentBy(pid: number): string[] {
  return [...openIn(pid)].filter(([fd, what]) => {
    if (Number(fd) <= 2 || given.has(what)) return false;
    try {
      const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1");
      const flags = /^flags:\s+([0-7]+)$/m.exec(text);
      return (parseInt(flags?.[1] ?? "0", 8) & O_CLOEXEC) === 0;
    } catch {
      // It was closed meanwhile.
      return false;
    }
  }).map(([fd, what]) => `${fd} ${what}`);
}

/** Listens on a port. Another program may have its number for a moment, for a call of its own. */
async function whenFree(port: number, listen: () => Promise<void>): Promise<void> {
  await until(`port ${port} to be free`, async () => {
    try {
      await listen();
      return true;
    } catch (error) {
      assertStringIncludes(`${error}`, "EADDRINUSE");
      return false;
    }
  });
}

test("a program that a protocol starts has no socket and no file of the server", async () => {
  using folder = new Folder();
  const args = [folder.path("trace.json"), folder.path("record.jsonl")];
  await using script = new Script("tests/kit/parents.ts", args);
  await script.printed("\n");
  const servers: { mode: string; hostname: string; port: number }[] = JSON.parse(script.stdout);
  const children: number[] = [];
  try {
    // Each server starts a program, and its client stays.
    const clients = await Promise.all(
      servers.slice(0, -1).map(async (address) => {
        const peer = await Peer.connect(address);
        await peer.send("start\n");
        children.push(Number(await peer.line()));
        return peer;
      }),
    );
    for (const child of children) {
      const isOther = (what: string) => !given.has(what) && what !== "/dev/null";
      // A program that has just begun reads files of its own, and closes them. What it was lent stays.
      const hasNone = () => ![...openIn(child)].some(([, what]) => isOther(what));
      await until("the program to have no file of the server", hasNone);
    }
    // Those that the runtime itself has opened are no exception.
    assertEquals(lentBy(script.pid), []);
    script.signal("SIGKILL");
    await script.ended;
    for (const peer of clients) {
      // With RST this would fail.
      assertEquals(await peer.rest(), "");
      await peer[Symbol.asyncDispose]();
    }
    // The children still live, and the ports are free.
    for (const child of children) process.kill(child, 0);
    const { port } = servers.pop() as { port: number };
    await whenFree(port, async () => {
      await using _tcpAndUdp = await serveBerkeley({ port, protocol: "echo", workers: 1 });
    });
    for (const { hostname, port } of servers) {
      await whenFree(port, () => {
        sockets().close(sockets().openListener({ hostname, port }));
        return Promise.resolve();
      });
    }
  } finally {
    for (const child of children) process.kill(child, "SIGKILL");
  }
}, needsProc);
