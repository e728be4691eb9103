/**
 * The page on deploying: its commands do what it says, and its files are in order.
 *
 * @module
 */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findFreePorts } from "../../lab/free_port.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import type { Address } from "../../protocol.ts";
import { ChatPeer } from "../kit/chat_peer.ts";
import { Folder } from "../kit/folder.ts";
import { whyNoHaproxy } from "../kit/haproxy.ts";
import { assert, assertEquals, assertStringIncludes, test, until } from "../kit/harness.ts";
import { get } from "../kit/metrics.ts";
import { whyNoNats } from "../kit/nats_server.ts";
import { Peer } from "../kit/peer.ts";
import { commandOf, Program, whyNoProgram } from "../kit/server_process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(`${root}docs/deploy.md`, "utf8");

/** The files that commands of the page read. */
const FILES = ["docs/deploy/haproxy.cfg", "docs/deploy/prometheus.yml", "docs/nats-chat.conf"];

const skip = runtime.os === "linux" ? whyNoSockets() : "the page is about Linux";

/** The blocks of commands by name; those without one are not typed by a test. */
const blocks = new Map(
  [...page.matchAll(/^```(?:sh|console) (\w+)\n(.*?)^```$/gms)].map(([, name = "", text = ""]) => [
    name,
    text,
  ]),
);

/** A machine for the commands: other ports, a folder of their own, and this runtime. */
class Bench implements AsyncDisposable {
  readonly #folder = new Folder("handshake-deploy-");
  readonly #ports = new Map<string, number>();
  readonly #programs: Program[] = [];

  static async set(): Promise<Bench> {
    const bench = new Bench();
    const text = page + FILES.map((file) => readFileSync(root + file, "utf8")).join("\n");
    const used = new Set(text.match(/(?<=[: ])[4789]\d{3}\b/g));
    const free = await findFreePorts("127.0.0.1", used.size);
    for (const [index, port] of [...used].entries()) bench.#ports.set(port, free[index] as number);
    mkdirSync(bench.#path("docs/deploy"), { recursive: true });
    mkdirSync(bench.#path("bin"));
    mkdirSync(bench.#path("run"), { mode: 0o700 });
    for (const file of FILES) {
      writeFileSync(bench.#path(file), bench.#translate(readFileSync(root + file, "utf8")));
    }
    const words = commandOf("main.ts", [], { cwd: bench.#path("") }).map((word) => `'${word}'`);
    writeFileSync(bench.#path("bin/handshake"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
    chmodSync(bench.#path("bin/handshake"), 0o755);
    return bench;
  }

  #path(name: string): string {
    return this.#folder.path(name);
  }

  #translate(text: string): string {
    return text.replaceAll("/run/user/1000", this.#path("run"))
      .replaceAll("jetstream {}", `jetstream { store_dir: "${this.#path("nats")}" }`)
      .replace(/(?<=[: ])[4789]\d{3}\b/g, (port) => `${this.#ports.get(port) ?? port}`);
  }

  /** Where this machine has a port of the page. */
  at(port: number): Address {
    return { hostname: "127.0.0.1", port: this.#ports.get(`${port}`) as number };
  }

  /** Begins a command of the page. */
  start(line: string): Program {
    const command = this.#translate(line.replace(/ &$/, ""));
    const program = new Program(["sh", "-c", command.includes("|") ? command : `exec ${command}`], {
      cwd: this.#path(""),
      environment: {
        ...process.env as Record<string, string>,
        PATH: `${this.#path("bin")}:${process.env.PATH}`,
      },
    });
    this.#programs.push(program);
    return program;
  }

  /** Types the commands of a block, and returns those that still run. */
  async type(name: string): Promise<Program[]> {
    const running: Program[] = [];
    for (const line of (blocks.get(name) as string).trim().split("\n")) {
      const program = this.start(line);
      if (line.endsWith(" &")) {
        running.push(program);
        if (line.startsWith("handshake")) await program.printed("\n");
      } else {
        const { code, stderr } = await program.end();
        assertEquals([line, code], [line, 0], stderr);
      }
    }
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.reverse()) await program[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Leaves out what is a matter of chance. */
function inKind(text: string): string {
  return text.replaceAll(/\d+/g, "N").replaceAll(/\b(deno|bun) [N.]+$/gm, "RUNTIME");
}

async function echoes(peer: Peer, text: string): Promise<void> {
  await peer.send(`${text}\n`);
  assertEquals(await peer.line(), text);
}

test("every block of commands is typed by a test, or says why not", () => {
  const all = [...page.matchAll(/^```(\w*)(?: (\w+))?\n(.*?)\n/gm)].filter(([, kind]) =>
    kind !== ""
  );
  for (const [block, , name, first = ""] of all) {
    assert(name !== undefined || first.startsWith("# No test types this: "), block);
  }
  assertEquals([...blocks.keys()], ["metrics", "promtool", "takeover", "haproxy", "chat"]);
});

test("a server tells its metrics as the page shows", async () => {
  await using bench = await Bench.set();
  const [first = "", ...rest] = (blocks.get("metrics") as string).split(/^\$ /m).slice(1);
  const [command = "", greeting = ""] = first.trim().split("\n");
  const server = bench.start(command);
  await server.printed("\n");
  assertEquals(inKind(server.stdout.split("\n")[0] as string), inKind(greeting));
  for (const block of rest) {
    const [command = "", ...printed] = block.trim().split("\n");
    const { code, stdout } = await bench.start(command).end();
    assertEquals([code, inKind(stdout.trim())], [0, inKind(printed.join("\n"))], command);
  }
}, { skip: skip ?? whyNoProgram("curl"), sanitize: false });

test("the scrape configuration is one", async () => {
  await using bench = await Bench.set();
  await bench.type("promtool");
}, { skip: skip ?? whyNoProgram("promtool"), sanitize: false });

test("another mode takes over while somebody is connected", async () => {
  await using bench = await Bench.set();
  const lines = (blocks.get("takeover") as string).trim().split("\n");
  assertEquals((await bench.start(lines[0] as string).end()).code, 0);
  const old = bench.start(lines[1] as string);
  await old.printed("\n");
  await using peer = await Peer.connect(bench.at(8080));
  await echoes(peer, "before");
  const next = bench.start(lines[2] as string);
  await next.printed("\n");
  await echoes(peer, "after");
  await using newcomer = await Peer.connect(bench.at(8080));
  await echoes(newcomer, "new");
  await next.printed(`accepted ${newcomer.name}\n`, "stderr");
  peer.finish();
  assertEquals((await old.end()).code, 0);
  await echoes(newcomer, "still there");
}, { skip, sanitize: false });

test("HAProxy divides clients among servers, and nobody notices that one stops", async () => {
  await using bench = await Bench.set();
  // Both blocks start the same HAProxy.
  const chat = (blocks.get("chat") as string).trim().split("\n");
  assertEquals(chat.at(-1), (blocks.get("haproxy") as string).trim().split("\n").at(-1));
  const nats = bench.start(chat[0] as string);
  await until("NATS to be ready", () => nats.stderr.includes("Server is ready"));
  const [first, second] = chat.slice(1, -1).map((line) => bench.start(line)) as [Program, Program];
  for (const server of [first, second]) await server.printed("\n");
  const [one, two] = await bench.type("haproxy") as [Program, Program];
  const accepted = ({ stderr }: Program) => stderr.split(" accepted ").length - 1;
  // A server that was not there at HAProxy's first look counts as down for some more looks.
  await until("HAProxy to know all of them", async () => {
    return await answers(bench) &&
      [one, two, first, second].every((server) => accepted(server) > 0);
  });
  await using ann = await Peer.connect(bench.at(8080));
  await echoes(ann, "hello");
  await using bob = await Peer.connect(bench.at(8080));
  await echoes(bob, "hello");
  // Each has one of them, and knows the client's own address.
  const has = (server: Program, peer: Peer) =>
    server.stderr.includes(`accepted ${peer.name} through `);
  await until(
    "each to have one",
    () => [one, two].every((server) => [ann, bob].some((peer) => has(server, peer))),
  );

  const before = [first, second].map(accepted);
  await using carl = await ChatPeer.enter({ address: bench.at(7878) }, "carl");
  await using dora = await ChatPeer.enter({ address: bench.at(7878) }, "dora");
  await until(
    "each to have one",
    () => [first, second].every((server, index) => accepted(server) > (before[index] as number)),
  );
  await carl.say("hello");
  await dora.find("[carl] hello");

  // The one with Ann stops. She may finish, and newcomers go to the other.
  const [stopping, other] = has(one, ann) ? [one, two] : [two, one];
  stopping.signal("SIGTERM");
  const port = stopping === one ? 9091 : 9092;
  await until("it to drain", async () => (await get(bench.at(port), "/healthz")).status === 503);
  await echoes(ann, "still here");
  for (let turn = 0; turn < 5; turn++) {
    await using peer = await Peer.connect(bench.at(8080));
    await echoes(peer, `turn ${turn}`);
  }
  ann.finish();
  const { code, stderr } = await stopping.end();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "failed 0");
  await echoes(bob, "still here too");
  assert(!other.isOver);
}, { skip: skip ?? whyNoHaproxy ?? whyNoNats, sanitize: false, timeoutMs: 40_000 });

/** Whether clients of both parts of HAProxy get an answer. */
async function answers(bench: Bench): Promise<boolean> {
  try {
    await using peer = await Peer.connect(bench.at(8080));
    await echoes(peer, "anybody");
    await using visitor = await Peer.connect(bench.at(7878));
    await visitor.line();
    return true;
  } catch {
    return false;
  }
}

test(
  "the image's command serves, its health check tells how it is, and it stops in time",
  async () => {
    await using bench = await Bench.set();
    const file = readFileSync(`${root}docs/deploy/Containerfile`, "utf8");
    const list = (name: string): string[] => {
      const [, json = ""] = new RegExp(`^${name}.*?(\\[.*\\])$`, "m").exec(file) ?? [];
      return JSON.parse(json);
    };
    const server = bench.start([...list("ENTRYPOINT"), ...list("CMD")].join(" "));
    await server.printed("\n");
    const healthy = async () => {
      const [program = "", flag = "", script = ""] = list("HEALTHCHECK");
      const { port } = bench.at(9090);
      await using check = new Program([program, flag, script.replace("9090", `${port}`)]);
      return (await check.end()).code === 0;
    };
    assertEquals(await healthy(), true);
    await using peer = await Peer.connect(bench.at(8080));
    await echoes(peer, "hello");
    server.signal("SIGTERM");
    await until("it to drain", async () => !await healthy());
    await echoes(peer, "still here");
    peer.finish();
    assertEquals((await server.end()).code, 0);
    // All that the image's sources are built with is there.
    const [, task = ""] = /^RUN npx -y deno@[\d.]+ task (\w+)$/m.exec(file) ?? [];
    const { tasks } = JSON.parse(readFileSync(`${root}deno.json`, "utf8"));
    assert(Object.hasOwn(tasks, task), task);
  },
  { skip: skip ?? whyNoProgram("bash"), sanitize: false },
);
