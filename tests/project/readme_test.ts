/**
 * The commands in the documents do what the documents say.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { MODE_NAMES } from "../../modes/catalogue.ts";
import { PROTOCOLS } from "../../protocols/catalogue.ts";
import { assert, assertEquals, assertMatch, test, until, within } from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { hasFlag, whyNot } from "../kit/rows.ts";
import { Script, ServerProcess, whyNoProgram } from "../kit/server_process.ts";

const root = new URL("../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const contributing = readFileSync(new URL("CONTRIBUTING.md", root), "utf8");

const whyNoNc = whyNoProgram("nc");

/** The lines of a block of the README, or of another document. */
function block(info: string, text = readme): string[] {
  const match = new RegExp(`^\`\`\`${info}\n(.*?)^\`\`\`$`, "ms").exec(text);
  assert(match !== null, `there is a block ${info}`);
  return (match[1] as string).trimEnd().split("\n");
}

/** Leaves out what differs from run to run. */
function alike(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(/^\d\d:\d\d:\d\d\.\d{3}/, "TIME")
      .replace(/127\.0\.0\.1:\d+/, "ADDRESS")
      .replace(/, waited \d+ ms to be served$/, "")
      .replace(/[\d.]+ ms/, "N ms")
      .replace(/\d+ workers/, "N workers")
      .replace(/(deno|bun) \d+\.\d+\.\d+$/, "RUNTIME")
  );
}

/** Runs a command line of the README and returns the lines that it prints. */
async function type(command: string, port: number): Promise<string[]> {
  const line = command.replace("8080", String(port));
  const script = /^deno run -A (\S+) (.*)$/.exec(line);
  if (script !== null) {
    const [, path = "", args = ""] = script;
    await using run = new Script(path, args.split(" "));
    const { code, stdout } = await run.end();
    assertEquals(code, 0, command);
    return stdout.trimEnd().split("\n");
  }
  const child = spawn("sh", ["-c", line], { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  await within(10_000, command, new Promise((resolve) => child.on("close", resolve)));
  return stdout.trimEnd().split("\n");
}

test("the README's handshake runs as it is written there", async () => {
  const transcript = block("console server");
  assertEquals(transcript[0], "$ deno run -A modes/threadpool.ts 8080");
  await using server = await ServerProcess.start("threadpool");

  const expected = block("console client");
  const printed: string[] = [];
  for (const line of expected) {
    if (!line.startsWith("$ ")) continue;
    printed.push(line, ...await type(line.slice(2), server.address.port));
    // The next client may be accepted sooner than another thread says that this one is done.
    const typed = printed.filter((line) => line.startsWith("$ ")).length;
    await until(
      `the end of ${line}`,
      () => [...server.stderr.matchAll(/ (done|failed) /g)].length === typed,
    );
  }
  assertEquals(printed, expected);

  const { code, stdout, stderr } = await server.stop("SIGINT");
  assertEquals(code, 0);
  const said = alike(transcript).filter((line) => !/^\$|^\^C$/.test(line));
  const isLog = (line: string) => line.startsWith("TIME");
  assertEquals(alike(stdout.trimEnd().split("\n")), said.filter((line) => !isLog(line)));
  assertEquals(alike(stderr.trimEnd().split("\n")), said.filter(isLog));
}, { skip: whyNoNc });

test("what the README types by hand is answered as it is written there", async () => {
  for (const info of ["nc", "kv"]) {
    const transcript = block(`console ${info}`);
    for (const [at, command] of transcript.entries()) {
      if (!command.startsWith("$ ")) continue;
      const protocol = /# (\w+)$/.exec(command)?.[1] ?? "./examples/kv.ts";
      await using server = await ServerProcess.start("event", ["--protocol", protocol]);
      const printed = await type(command.slice(2), server.address.port);
      const rest = transcript.slice(at + 1);
      const end = rest.findIndex((line) => line.startsWith("$ "));
      assertEquals(printed.join("\n"), rest.slice(0, end < 0 ? undefined : end).join("\n"));
    }
  }
}, { skip: whyNoNc });

/** Writes a module of a document into a folder of its own, and passes its path on. */
async function inFolder(
  name: string,
  code: string,
  use: (path: string) => Promise<void>,
): Promise<void> {
  using folder = new Folder("handshake documents ");
  const path = folder.path(name);
  writeFileSync(path, code);
  await use(path);
}

test("the README's protocol of your own runs in a mode with Workers", async () => {
  const module = block("ts").join("\n");
  assertMatch(module, /export default function\*/);
  await inFolder("double.ts", module, async (path) => {
    await using server = await ServerProcess.start("event", ["--protocol", path]);
    await using peer = await Peer.connect(server.address);
    await peer.send("21\n4\n");
    peer.finish();
    assertEquals(await peer.rest(), "42\n8\n");
  });
});

test("the protocol that CONTRIBUTING shows does what is written there", async () => {
  const module = block("ts greet\\.ts", contributing).join("\n");
  const [, command = "", answer] = /^(echo .*) {3}# (.*)$/m.exec(contributing) ?? [];
  await inFolder("greet.ts", module, async (path) => {
    await using server = await ServerProcess.start("event", ["--protocol", path]);
    assertEquals(await type(command, server.address.port), [answer]);
  });
}, { skip: whyNoNc });

test("the mode that CONTRIBUTING shows serves, and each of its threads accepts", async () => {
  const script = block("ts modes/prethreaded\\.ts", contributing).join("\n");
  // It lies elsewhere, so it names the project's modules by their URLs.
  const moved = script.replaceAll('"../', `"${root.href}`);
  await inFolder("prethreaded.ts", moved, async (path) => {
    const permissions = ["-A", "--config", fileURLToPath(new URL("deno.json", root))];
    const name = path.replace(/\.ts$/, "");
    await using server = await ServerProcess.start(name, ["--threads", "2"], { permissions });
    assertMatch(server.greeting, / · prethreaded · hello · 2 threads · descriptors · /);
    await using first = await Peer.connect(server.address);
    await first.send("HELLO 1\n");
    assertEquals(await first.line(), "HELLO 2");
    // One thread is in the middle of a conversation, and the other one is free.
    await handshake(server.address, 100);
    await first.send("HELLO 3\n");
    assertEquals(await first.rest(), "");
    const { code, stderr } = await server.stop();
    assertEquals(code, 0);
    assertMatch(stderr, /totals: accepted 2 · completed 2 · failed 0 · cut 0/);
  });
}, { skip: whyNoSockets() });

test("every call that the README shows is made", async () => {
  const [command = "", , ...expected] = block("console trace");
  const args = command.replace("$ deno run -A modes/berkeley.ts 8080 ", "").split(" ");
  await using server = await ServerProcess.start("berkeley", args);
  await type("deno run -A client.ts 127.0.0.1 8080 --protocol echo hello", server.address.port);
  const { stderr } = await server.stop();
  // The numbers of descriptors, ports and threads differ from run to run.
  const calls = (lines: readonly string[]) =>
    lines.map((line) => / TRC (.*)/.exec(line)?.[1]?.replaceAll(/\d+/g, "N") ?? "");
  const made = calls(stderr.split("\n"));
  for (const call of calls(expected)) assert(made.includes(call), `it calls ${call}`);
}, { skip: whyNoSockets() });

test("the statistics and the SYN that the README shows are logged", async () => {
  const ask = {
    statistics: "--protocol frame P144115188075855881",
    syn: "100",
  };
  // Everything that is a number differs from run to run.
  const shapes = (lines: readonly string[]) =>
    lines.filter((line) => line.includes(" INF ")).map((line) => line.replaceAll(/[\d.]+/g, "N"));
  await Promise.all(
    Object.entries(ask).map(async ([info, args]) => {
      const [command = "", ...expected] = block(`console ${info}`);
      const [, mode = "", flags = ""] =
        /^\$ deno run -A modes\/(\w+)\.ts 8080 (.*)$/.exec(command) ?? [];
      await using server = await ServerProcess.start(mode, flags.split(" "));
      await type(`deno run -A client.ts 127.0.0.1 8080 ${args}`, server.address.port);
      await until("the end to be logged", () => / done /.test(server.stderr));
      const { stderr } = await server.stop();
      const logged = new Set(shapes(stderr.split("\n")));
      for (const shape of shapes(expected)) assert(logged.has(shape), `${shape}\n${stderr}`);
    }),
  );
}, { skip: whyNoKernel() });

for (const protocol of ["frame", "echo", "print"]) {
  test(`the client's ${protocol} of the README runs as it is written there`, async () => {
    await using server = await ServerProcess.start("threadpool", ["--protocol", protocol]);
    const transcript = block(`console ${protocol}`);
    // How a pipe is typed depends on the runtime, and another test checks what goes through it.
    const commands = transcript.filter((line) => line.startsWith("$ ") && !line.includes(" | "));
    const printed: string[] = [];
    for (const command of commands) {
      printed.push(...await type(command.slice(2), server.address.port));
    }
    const expected = transcript.filter((line) => !line.startsWith("$ "));
    // Two quick answers may come in either order.
    const quick = (lines: string[]) => alike(lines).slice(0, -1).sort();
    assertEquals(quick(printed), quick(expected));
    assertEquals(alike(printed).at(-1) ?? "", alike(expected).at(-1) ?? "");
  });
}

test("the least permissions in the README are enough, and none is asked for", async () => {
  const rows = readme.split("\n").filter((line) => /^\|.*--allow-/.test(line));
  const seen: string[] = [];
  for (const row of rows) {
    const [, names = "", withSockets = "", without = ""] = row.split("|");
    for (const [, name = ""] of names.matchAll(/`([\w.]+)`/g)) {
      for (
        const [cell, how] of [[withSockets, /descriptors|poll|io_uring|one listener/], [
          without,
          /listener|messages|REUSEPORT/,
        ]] as const
      ) {
        const permissions = /`(--allow.*?)`/.exec(cell)?.[1]?.split(" ");
        if (permissions === undefined) continue;
        seen.push(name);
        if (whyNot(name) !== undefined) continue;
        if (name === "client.ts") {
          await using server = await ServerProcess.start("event");
          const flags = permissions.includes("--allow-ffi") ? ["--blocking"] : [];
          const args = ["127.0.0.1", String(server.address.port), "7", ...flags];
          // It is quiet, because a first run on a machine reports that it looks up packages.
          await using client = new Script("client.ts", args, {
            permissions: ["--quiet", ...permissions],
          });
          const { code, stdout, stderr } = await client.end();
          assertEquals([code, stdout, stderr], [0, "HELLO 8\n", ""]);
          continue;
        }
        // Its default protocol answers nothing.
        const args = name === "berkeley" ? ["--protocol", "hello"] : [];
        if (await hasFlag(name, "offload")) {
          // Workers that compute must read their modules, and need nothing else.
          const wider = [...new Set([...permissions, "--allow-read=."])];
          const flags = ["--protocol", "frame"];
          await using computing = await ServerProcess.start(name, flags, { permissions: wider });
          assertMatch(computing.greeting, / computing · /);
        }
        await using server = await ServerProcess.start(name, args, { permissions });
        assertMatch(server.greeting, how);
        await handshake(server.address, 100);
        const { code, stderr } = await server.stop();
        assertEquals(code, 0);
        assertMatch(stderr, /totals: accepted 1 · completed 1 · failed 0 · cut 0/);
      }
    }
  }
  assertEquals([...new Set(seen)].sort(), [...MODE_NAMES, "client.ts"].sort());
  assert(seen.length >= 12, "both columns were found");
}, { skip: runtime.name === "deno" ? undefined : "Bun has no permissions" });

test("on Deno the chat needs no more permissions than the README says", async () => {
  const [, allowed = ""] = /^\| all of `chat\/` .*`(--allow.*?)`/m.exec(readme) ?? [];
  const permissions = allowed.split(" ");
  for (const script of ["chat/v1_once", "chat/v2_echo", "chat/v3_operator", "chat/server"]) {
    await using server = await ServerProcess.start(script, [], { permissions });
    const address = ["127.0.0.1", String(server.address.port)];
    // It is quiet, because a first run on a machine reports that it looks up packages.
    const options = { permissions: ["--quiet", ...permissions], input: "hi\n" };
    await using client = new Script("chat/client.ts", address, options);
    const { code, stdout, stderr } = await client.end();
    assertEquals([code, stderr], [0, ""], script);
    assertMatch(stdout, /^(\[guest-1\] )?hi$/m);
    assertEquals((await server.stop()).code, 0);
  }
}, { skip: runtime.name === "deno" ? undefined : "Bun has no permissions" });

test("the README's tables have every mode and every protocol, in the order of the catalogues", () => {
  const linked = (folder: string) =>
    [...readme.matchAll(/^\| \[`(\w+)`\]\((\w+)\/\1\.ts\) /gm)]
      .filter(([, , from]) => from === folder).map(([, name]) => name);
  assertEquals(linked("modes"), [...MODE_NAMES]);
  assertEquals(linked("protocols"), Object.keys(PROTOCOLS));
});

test("every task, link and script that the documents name exists", () => {
  const { tasks } = JSON.parse(readFileSync(new URL("deno.json", root), "utf8"));
  for (const [name, task] of Object.entries<{ description?: string }>(tasks)) {
    assert(task.description !== undefined, `the task ${name} has a description`);
  }
  for (const text of [readme, contributing]) {
    const named = [...text.matchAll(/deno(?:@\S+)? task ([\w-]+)/g)].map(([, name]) =>
      name as string
    );
    assert(named.length > 0);
    for (const name of named) assert(name in tasks, `there is a task ${name}`);
    // A block of code that begins with a path is a file to be written.
    const written = [...text.matchAll(/^ *```ts (\S+)$/gm)].map(([, path]) => path as string);
    const paths = text.matchAll(/\]\(([\w./]+)\)|(?<![*\w/.])([\w/]+\.ts)\b/g);
    for (const [, link, path] of paths) {
      const name = (link ?? path) as string;
      if (written.includes(name)) continue;
      const found = ["", "tests/", "chat/"].some((folder) =>
        existsSync(new URL(folder + name, root))
      );
      assert(found, `there is a file ${name}`);
    }
  }
});
