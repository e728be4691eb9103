/**
 * The executable, alone in a folder and without any runtime in reach, does what the scripts do.
 *
 * @module
 */

import type { Report } from "../../lab/load/results.ts";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { COMMANDS, GROUPS } from "../../commands.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { MODE_NAMES } from "../../modes/catalogue.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  delay,
  test,
  until,
} from "../kit/harness.ts";
import { BUILD_MS, buildExecutable, bun, compile, whyNoExecutable } from "../kit/executable.ts";
import { ask, liveIn, Watcher } from "../kit/live.ts";
import { finishHandshake, handshake, Peer } from "../kit/peer.ts";
import { hasFlag, whyNot } from "../kit/rows.ts";
import {
  commandOf,
  type Ending,
  otherRuntime,
  Program,
  type ProgramOptions,
  Script,
  ServerProcess,
  totalsIn,
  whyNoOtherRuntime,
  whyNoProgram,
} from "../kit/server_process.ts";
import { IS_LONG, isOurs } from "../kit/turns.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const suffix = runtime.os === "windows" ? ".exe" : "";
const skip = whyNoExecutable;
/** For what builds. */
const building = { skip, timeoutMs: BUILD_MS };

/**
 * For what only runs the executable of everything: that is the same file on both runtimes, as the
 * first test proves, so one of them runs it.
 */
const slow = {
  skip: skip ?? (runtime.name === "bun" ? undefined : "the tests on Bun run the same executable"),
  timeoutMs: BUILD_MS,
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), "handshake-executable-")));
// Each runner announces its end by a different event, so both are listened to.
const remove = () => rmSync(folder, { recursive: true, force: true });
process.on("exit", remove);
globalThis.addEventListener("unload", remove);

/** The folder in which the executable is alone. */
const alone = join(folder, "alone");
/** The folder with all the tools that it can reach: no runtime, no package. */
const tools = join(folder, "tools");
for (const path of [alone, tools]) mkdirSync(path);

/** The tools that a shell needs, each as a link. */
for (const name of ["sh", "head", "cat", "sleep", "unshare"]) {
  const found = (process.env.PATH ?? "").split(delimiter).map((path) => join(path, name));
  const tool = found.find((path) => existsSync(path));
  if (tool !== undefined && runtime.os !== "windows") symlinkSync(tool, join(tools, name));
}

/**
 * The folder in which it runs, and its environment. Windows needs some variables for its sockets.
 */
const where: ProgramOptions = {
  cwd: alone,
  environment: {
    PATH: tools,
    HOME: alone,
    ...(process.env.SystemRoot !== undefined && { SystemRoot: process.env.SystemRoot }),
  },
};

/** Builds an executable for this machine, and moves it into the folder where it is alone. */
async function place(...args: readonly string[]): Promise<string> {
  const built = await buildExecutable(folder, ...args);
  const path = join(alone, basename(built));
  copyFileSync(built, path);
  rmSync(built);
  return path;
}

let built: Promise<string> | undefined;

/** The executable of everything. The first test that asks for it builds it. */
function executable(): Promise<string> {
  return built ??= place();
}

/** Runs the executable to its end. */
async function run(args: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  await using program = new Program([await executable(), ...args], { ...where, ...options });
  return await program.end();
}

const helps = new Map<string, Promise<string>>();

/** What a command prints at `--help`. Several tests look at it, and it is printed once. */
function helpOf(name: string): Promise<string> {
  const known = helps.get(name) ?? run([name, "--help"]).then(({ code, stdout }) => {
    assertEquals(code, 0);
    return stdout;
  });
  helps.set(name, known);
  return known;
}

/** Starts one of the executable's servers. */
async function start(
  mode: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<ServerProcess> {
  return await ServerProcess.start(mode, args, {
    ...where,
    ...options,
    executable: await executable(),
  });
}

test("both runtimes build the same executable, byte for byte", async () => {
  const ours = await executable();
  // The depth of the folder is in the file, as the way back to the sources.
  const into = mkdtempSync(join(tmpdir(), "handshake-executable-"));
  try {
    const command = commandOf("scripts/compile.ts", ["--into", into], { on: otherRuntime });
    await using compiler = new Program(command);
    const { code, stdout, stderr } = await compiler.end(BUILD_MS);
    assertEquals(code, 0, stderr);
    const theirs = stdout.split("  ")[0] as string;
    assert(readFileSync(ours).equals(readFileSync(theirs)), "they differ");
  } finally {
    rmSync(into, { recursive: true });
  }
}, {
  ...building,
  skip: skip ?? whyNoOtherRuntime ??
    (runtime.name === "deno" ? undefined : "the tests on Deno compare them"),
});

// The servers.

for (
  const [mode, ...args] of [
    ["threadpool"],
    ["threadpool", "--handoff", "message"],
    ["threaded"],
    ["event"],
    ["nonblocking"],
    ["prefork"],
    ["completion"],
  ] as const
) {
  test(`the executable's client shakes hands with ${[mode, ...args].join(" ")}`, async () => {
    await using server = await start(mode, args);
    assert(server.greeting.endsWith(` · bun ${manifest.devDependencies.bun}`), server.greeting);
    const { hostname, port } = server.address;
    const { code, stdout, stderr } = await run(["client", hostname, `${port}`, "100"]);
    assertEquals([code, stdout, stderr], [0, "HELLO 101\n", ""]);
    const ending = await server.stop();
    assertEquals(ending.code, 0);
    assertMatch(totalsIn(ending), /^accepted 1 · completed 1 /);
  }, { ...slow, skip: slow.skip ?? (args.length > 0 ? undefined : whyNot(mode)) });
}

test(
  "in the executable, small questions overtake a large one, which a Worker computes",
  async () => {
    await using server = await start("event", ["--protocol", "frame"]);
    const asked = ["P9007199254740881", "echo", "P7"];
    const to = ["127.0.0.1", `${server.address.port}`, "--protocol", "frame"];
    const { code, stdout } = await run(["client", ...to, ...asked]);
    assertEquals(code, 0);
    const answered = stdout.trimEnd().split("\n").map((line) => line.replace(/ {2}[\d.]+ ms$/, ""));
    assertEquals(answered.at(-1), "P9007199254740881 → prime");
    assertEquals(answered.sort(), ["P7 → prime", "P9007199254740881 → prime", "echo → fdip"]);
  },
  slow,
);

test("two users chat in the executable", async () => {
  await using server = await start("chat/server", [], { input: "open" });
  const command = [await executable(), "chat-client", "127.0.0.1", `${server.address.port}`];
  await using ann = new Program([...command, "--nick", "ann"], { ...where, input: "open" });
  await ann.printed("* you are now ann\n");
  await using bob = new Program([...command, "--nick", "bob"], { ...where, input: "open" });
  await bob.printed("* you are now bob\n");
  ann.write("hello bob\n");
  await bob.printed("[ann] hello bob\n");
  bob.write("hello ann\n");
  await ann.printed("[bob] hello ann\n");
  ann.finish();
  assertEquals((await ann.end()).code, 0);
  await bob.printed("* ann left");
  server.write("/shutdown 0\n");
  assertStringIncludes((await bob.end()).stdout, "* goodbye\n");
  assertEquals((await server.end()).code, 0);
}, slow);

// The end.

test("the executable lets a conversation finish, and then ends with status 0", async () => {
  await using server = await start("threadpool", [
    ...["--drain", "15s", "--stats-every", "20ms", "--live", "0"],
  ]);
  await using peer = await Peer.connect(server.address);
  await peer.send("HELLO 7\n");
  // Its page is inside it.
  const live = liveIn(server.greeting);
  assertStringIncludes((await ask(live.at, `GET ${live.path}`)).content, "<script nonce=");
  await using watcher = await Watcher.open(live);
  await until("the page to know the client", () => watcher.open.size === 1);
  server.signal("SIGTERM");
  await server.printed(" statistics: accepted 1 · live 1 · queued 0 · workers 1 of 1 ", "stderr");
  await finishHandshake(peer, 7);
  const ending = await server.end();
  assertEquals(ending.code, 0);
  assertEquals(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
}, { ...slow, skip: slow.skip ?? whyNoSockets() });

test("a second signal ends the executable at once, with status 130", async () => {
  await using server = await start("event", ["--drain", "1h", "--read-timeout", "0"]);
  await using peer = await Peer.connect(server.address);
  await peer.send("HELLO 7\n");
  await peer.line();
  // Two signals of the same kind may arrive as one.
  server.signal("SIGINT");
  server.signal("SIGTERM");
  assertEquals((await server.end()).code, 130);
}, slow);

// The output.

test("the executable lists its commands, and says what it was built from", async () => {
  const { code, stdout } = await run([]);
  assertEquals(code, 0);
  for (const group of Object.values(GROUPS)) assertStringIncludes(stdout, `\n${group}:\n`);
  for (const name of [...Object.keys(COMMANDS), "completions", "help"]) {
    assertMatch(stdout, new RegExp(`^  ${name} +\\S`, "m"));
  }
  for (const args of [["--help"], ["-h"], ["help"]]) {
    assertEquals((await run(args)).stdout, stdout);
  }

  const git = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" });
  const commit = git.status === 0 ? `, commit ${git.stdout.trim()}` : "";
  const version = `handshake ${manifest.version} (bun ${manifest.devDependencies.bun}${commit}`;
  for (const args of [["--version"], ["threadpool", "--version"]]) {
    const said = await run(args);
    assertEquals(said.code, 0);
    assertEquals(said.stdout.replace("+changes", ""), `${version})\n`);
  }
}, slow);

test(
  "a wrong command line gives one line and status 2, and other failures one line and status 1",
  async () => {
    await using server = await start("event");
    const path = await executable();
    for (
      const [args, expected, line] of [
        [["thredpool", "8080"], 2, `unknown command "thredpool": did you mean ${path} threadpool?`],
        [["help", "chta"], 2, `unknown command "chta": did you mean ${path} chat?`],
        [["--verson"], 2, `unknown flag "--verson": did you mean ${path} --version?`],
        [["-V"], 2, `unknown flag "-V": did you mean ${path} --version?`],
        [["version"], 2, `unknown command "version": did you mean ${path} --version?`],
        [["--event"], 2, `unknown flag "--event": did you mean ${path} event?`],
        [
          ["help", "bench", "comapre"],
          2,
          `unknown command "bench comapre": did you mean ${path} bench compare?`,
        ],
        [["event", "--wrong"], 2, "event: unknown flag --wrong: "],
        [["event", "--ofload", "1"], 2, "event: unknown flag --ofload: did you mean --offload?"],
        [["event", "x"], 2, "event: wrong value for <port>: "],
        [["completions", "csh"], 2, "completions: wrong value for <shell>: "],
        [["event", "--protocol", "./no.ts"], 2, "event: Cannot import the protocol"],
        [["chat", `${server.address.port}`], 1, "chat: Cannot listen on 127.0.0.1:"],
        [["event", `${server.address.port}`], 1, "event: Cannot listen on 127.0.0.1:"],
      ] as const
    ) {
      const { code, stdout, stderr } = await run(args);
      assertEquals([code, stdout, stderr.split("\n").length], [expected, "", 2], stderr);
      assertStringIncludes(stderr, line);
      assertNotMatch(
        stderr,
        /bunfs|BUN/,
        "no path inside the executable is shown",
      );
    }
  },
  slow,
);

test("every example in the executable's help works as printed", async () => {
  await using server = await start("event");
  await using framed = await start("event", ["--protocol", "frame"]);
  await using chat = await start("chat/server", [], { input: "open" });
  for (const name of [...Object.keys(COMMANDS), "completions", "help"]) {
    const stdout = await helpOf(name);
    assertEquals((await run(["help", name])).stdout, stdout);
    const example = /^example: (.*)$/m.exec(stdout)?.[1] ?? "";
    const [path, ...args] = example.split(" ");
    assertEquals([path, args[0]], [await executable(), name]);
    const isClient = name === "client" || name === "chat-client";
    const port = ["client", "conform", "faults"].includes(name)
      ? server.address.port
      : name === "chat-client"
      ? chat.address.port
      : name === "bench" || name === "observe"
      ? framed.address.port
      : 0;
    const typed = args.map((word) =>
      // Ten seconds of load would show no more.
      word.replace(/^(127\.0\.0\.1:)?(8080|7878)$/, `$1${port}`).replace("10s", "100ms")
        .replace(/^9000$/, "0")
    );
    if (name === "conform") typed.push("--only", "64 bytes");
    await using program = new Program([path as string, ...typed], { ...where, input: "open" });
    await program.printed("\n");
    // A quiz whose input is at its end tells the score.
    if (isClient || name === "quiz") program.finish();
    else if (program.stdout.startsWith("Listening on ")) program.signal("SIGTERM");
    assertEquals((await program.end()).code, 0, example);
  }
}, slow);

test("a command's own commands have one help, however it is asked for", async () => {
  for (const [name, word] of [["bench", "compare"], ["observe", "life"]] as const) {
    const { stdout } = await run([name, word, "--help"]);
    assertStringIncludes(stdout, `example: ${await executable()} ${name} ${word} `);
    assertEquals((await run(["help", name, word])).stdout, stdout);
  }
}, slow);

test("the executable compares the modes that it contains", async () => {
  const { code, stdout } = await run([
    // In less time, a busy machine may answer nothing.
    ..."bench compare --modes event,threadpool --protocols frame -c 4 -d 1s".split(" "),
    ..."--warm-up 0 --repeat 1 --json -".split(" "),
  ]);
  assertEquals(code, 0);
  const { runs } = JSON.parse(stdout) as Report;
  assertEquals(runs.map(({ name }) => name), ["event · bun", "threadpool · bun"]);
  for (const { requests, errors } of runs) assertEquals([requests > 0, errors], [true, {}]);
}, slow);

test(
  "the executable runs by a path, a link or a name, and its reader may leave early",
  async () => {
    const path = await executable();
    const link = join(folder, "a-link");
    symlinkSync(path, link);
    const shell = async (line: string) => {
      await using program = new Program([join(tools, "sh"), "-c", line], {
        cwd: folder,
        environment: { PATH: `${alone}${delimiter}${tools}` },
      });
      const { code, stdout, stderr } = await program.end();
      assertEquals([code, stderr], [0, ""], line);
      return stdout;
    };
    assertMatch(await shell("handshake event --help"), /^example: handshake event 8080$/m);
    assertMatch(
      await shell("./alone/handshake event --help"),
      /^example: \.\/alone\/handshake event/m,
    );
    assertMatch(await shell("./a-link event --help"), /^example: \.\/a-link event 8080$/m);
    assertEquals(
      await shell("handshake | head -n 1"),
      "usage: handshake COMMAND [arguments] [flags]\n",
    );
    assertMatch(
      await shell("handshake threadpool --help | head -n 1"),
      /^handshake threadpool: .*\n$/,
    );
    assertMatch(await shell("handshake completions bash | head -n 1"), /^_handshake/);
  },
  { ...slow, skip: slow.skip ?? (runtime.os === "windows" ? "Windows has no sh" : undefined) },
);

test("the executable runs itself in the sandbox, or says why there is none", async () => {
  const { code, stdout, stderr } = await run(["observe", "timeline", "--sandbox"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^T2: |^No sandbox: /m);
  assertMatch(stdout, /^ {2}ESTABLISHED /m);
}, { ...slow, skip: slow.skip ?? whyNoKernel() });

test("help explains a command of a command as that command's own --help does", async () => {
  const { code, stdout } = await run(["help", "bench", "compare"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, `\nexample: ${await executable()} bench compare --modes `);
  assertEquals((await run(["bench", "compare", "--help"])).stdout, stdout);
  assertStringIncludes(
    (await run(["bench", "--help"])).stdout,
    " bench compare [server ...] [flags]\n",
  );
}, slow);

test("in a folder with spaces, the examples work as printed, too", async () => {
  const spaced = join(folder, "two words");
  mkdirSync(spaced);
  const path = join(spaced, "it's a handshake");
  copyFileSync(await executable(), path);
  await using help = new Program([path, "completions", "--help"], where);
  const [, example = ""] = /^example: (.*)$/m.exec((await help.end()).stdout) ?? [];
  await using shell = new Program([join(tools, "sh"), "-c", `${example} | "$0" -n`, "bash"]);
  const { code, stderr } = await shell.end();
  assertEquals([code, stderr], [0, ""]);
}, {
  ...slow,
  skip: slow.skip ?? (runtime.os === "windows" ? "Windows has no sh" : whyNoProgram("bash")),
});

test("if output cannot be written, one line and the status say so", async () => {
  const full = async (line: string) => {
    const command = [join(tools, "sh"), "-c", `"$0" ${line}`, await executable()];
    await using program = new Program(command, where);
    const { code, stderr } = await program.end();
    return [code, stderr];
  };
  for (const args of ["", "--version", "event --help", "completions bash"]) {
    const [code, stderr] = await full(`${args} >/dev/full`);
    assertEquals(code, 1);
    assertMatch(`${stderr}`, /^\w+: Cannot write to standard output: .*ENOSPC\)\n$/);
  }
  assertEquals(await full("nothing 2>/dev/full"), [2, ""]);
}, { ...slow, skip: slow.skip ?? (runtime.os === "linux" ? undefined : "there is no /dev/full") });

test("the README's description of a download is true", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, transcript = ""] = /^```console download\n(.*?)^```$/ms.exec(readme) ?? [];
  const release = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
  const [, sum = ""] = /run: (sha256sum .*)/.exec(release) ?? [];
  const download = join(folder, "download");
  mkdirSync(download);
  copyFileSync(await executable(), join(download, "handshake-linux-x64"));
  const commands = transcript.split("\n").filter((line) => line.startsWith("$ "));
  const typed = [sum, ...commands.map((line) => line.slice(2))].join(" && ");
  await using shell = new Program(["sh", "-c", typed], { cwd: download });
  const { code, stdout, stderr } = await shell.end();
  assertEquals([code, stderr], [0, ""]);
  const alike = (text: string) => text.replace(/, commit .*\)/, ")");
  const shown = transcript.split("\n").filter((line) => !line.startsWith("$ ")).join("\n");
  assertEquals(alike(stdout), alike(shown));
}, { ...slow, skip: slow.skip ?? whyNoProgram("sha256sum") });

// Protocols of your own.

/** A protocol that says which thread did its task. */
const OWN = `
  import { compute, encodeLine, type Protocol, write } from "handshake/protocol";
  import { thread } from "./own_task.ts";
  export const tasks = { thread };
  export default function* own(): Protocol {
    yield* write(encodeLine(yield* compute<string>("thread", "done in the ")));
  }
`;
const OWN_TASK = `
  import { READ } from "handshake/protocol";
  export const thread = (text: string) => text + (Bun.isMainThread ? "main thread" : READ && "Worker");
`;

for (const mode of ["event", "threadpool", "cluster"]) {
  test(
    `${mode} of the executable runs a module of your own, whose tasks run in Workers`,
    async () => {
      writeFileSync(join(alone, "own.ts"), OWN);
      writeFileSync(join(alone, "own_task.ts"), OWN_TASK);
      await using server = await start(mode, ["--protocol", "./own.ts"]);
      assertStringIncludes(server.greeting, ` · own · `);
      for (let client = 0; client < 8; client++) {
        await using peer = await Peer.connect(server.address);
        assertEquals(await peer.rest(), "done in the Worker\n");
      }
      const ending = await server.stop();
      assertEquals([ending.code, totalsIn(ending)], [
        0,
        "accepted 8 · completed 8 · failed 0 · cut 0",
      ]);
    },
    { ...slow, skip: slow.skip ?? (mode === "event" ? undefined : whyNoSockets()) },
  );
}

test("the examples run in the executable unchanged", async () => {
  for (
    const [name, asked, answered] of [
      ["kv.ts", "SET colour blue\nGET colour\n", "OK\nblue\n"],
      // It computes, in a Worker of the executable.
      ["factors.ts", "84\n", "2 2 3 7\n"],
    ] as const
  ) {
    // Elsewhere shells would offer it.
    mkdirSync(join(alone, "examples"), { recursive: true });
    copyFileSync(join(root, "examples", name), join(alone, "examples", name));
    await using server = await start("event", ["--protocol", `./examples/${name}`]);
    await using peer = await Peer.connect(server.address);
    await peer.send(asked);
    peer.finish();
    assertEquals(await peer.rest(), answered);
  }
}, slow);

// Workers that start no Workers.

/**
 * More threads than any mode with two workers has here, but fewer than endless Workers would be.
 */
const MOST_THREADS = 40;
const whyNoProc = runtime.os === "linux" ? undefined : "there is no /proc";

for (const mode of MODE_NAMES) {
  test(`${mode} of the executable has no more threads than it says`, async () => {
    const pooled = await hasFlag(mode, "workers");
    const args = ["--protocol", "hello", ...(pooled ? ["--workers", "2"] : [])];
    await using server = await start(mode, args);
    for (let x = 0; x < 3; x++) await handshake(server.address, x);
    // Workers that start Workers would be more than this within that time.
    await delay(500);
    const threads = readdirSync(`/proc/${server.pid}/task`).length;
    assert(threads <= MOST_THREADS, `${mode} has ${threads} threads`);
    assertEquals((await server.stop()).code, 0);
  }, { ...slow, skip: slow.skip ?? whyNoProc });
}

/** Makes an executable from a user's program that imports the library, and runs it. */
async function bundle(name: string, program: string): Promise<Ending> {
  const library = JSON.stringify(pathToFileURL(join(root, "mod.ts")).pathname);
  writeFileSync(join(folder, `${name}.ts`), program.replace("LIBRARY", library));
  const path = join(folder, `${name}${suffix}`);
  const args = ["build", "--compile", join(folder, `${name}.ts`), "--outfile", path];
  const { status, stderr } = spawnSync(bun.path, args, { cwd: root, encoding: "utf8" });
  assertEquals(status, 0, stderr);
  await using made = new Program([path], where);
  return await made.end();
}

test("a program in one file with the library runs only itself", async () => {
  const ending = await bundle(
    "user",
    `import { hello } from LIBRARY;\nconsole.log(typeof hello);\n`,
  );
  assertEquals(ending, { code: 0, signal: null, stdout: "function\n", stderr: "" });
}, slow);

test(
  "a program in one file with the library serves with Workers, and its Workers do not serve",
  async () => {
    const serve = `
    const server = await serveThreadpool({ port: 0, workers: 2, handoff: "message" });
    console.log("serving");
    await server.close();
  `;
    const imports = "import { serveThreadpool } from LIBRARY;\n";
    const guarded = await bundle("guarded", `${imports}if (Bun.isMainThread) {${serve}}`);
    assertEquals(guarded, { code: 0, signal: null, stdout: "serving\n", stderr: "" });

    const unguarded = await bundle("unguarded", imports + serve);
    assertEquals([unguarded.code, unguarded.stdout], [1, ""]);
    assertStringIncludes(unguarded.stderr, "Cannot serve in a Worker of threadpool");
  },
  slow,
);

test("main.ts has the commands of the executable as a script, too", async () => {
  await using help = new Script("main.ts", ["threadpool", "--help"]);
  const { code, stdout } = await help.end();
  assertEquals(code, 0);
  const [, example = ""] = /^example: (.*)$/m.exec(stdout) ?? [];
  assertMatch(example, /^(deno run -A|bun) main\.ts threadpool 8080$/);
  await using server = new Script("main.ts", ["threadpool", "0", "--handoff", "message"]);
  await server.printed("\n");
  const port = Number(/^Listening on 127\.0\.0\.1:(\d+) /.exec(server.stdout)?.[1]);
  await handshake({ hostname: "127.0.0.1", port }, 100);
  server.signal("SIGTERM");
  assertEquals((await server.end()).code, 0);
});

// Other executables.

test("an executable of one command is that command", async () => {
  const path = await place("threadpool");
  assertEquals(basename(path), `handshake-threadpool${suffix}`);
  await using server = new Program([path, "0", "--stats-every", "20ms"], where);
  await server.printed("\n");
  const port = Number(/^Listening on 127\.0\.0\.1:(\d+) · threadpool · /.exec(server.stdout)?.[1]);
  await handshake({ hostname: "127.0.0.1", port }, 100);
  await server.printed(" statistics: accepted 1 · live 0 ", "stderr");
  server.signal("SIGTERM");
  assertEquals((await server.end()).code, 0);
  await using help = new Program([path, "--help"], where);
  assertStringIncludes((await help.end()).stdout, `\nexample: ${path} 8080\n`);
  await using wrong = new Program([path, "threadpool"], where);
  assertEquals((await wrong.end()).code, 2);
}, { ...slow, skip: slow.skip ?? whyNoSockets() });

/** The first bytes of an executable: the numbers at these places, with their length in bytes. */
type Format = readonly (readonly [at: number, bytes: 2 | 4, value: number])[];

/** 64-bit ELF with its machine (elf(5)), 64-bit Mach-O with its processor, and MZ. */
const FORMATS: Readonly<Record<string, Format>> = {
  "linux-x64": [[0, 4, 0x464c457f], [4, 2, 0x0102], [18, 2, 62]],
  "linux-arm64": [[0, 4, 0x464c457f], [4, 2, 0x0102], [18, 2, 183]],
  "linux-x64-musl": [[0, 4, 0x464c457f], [4, 2, 0x0102], [18, 2, 62]],
  "darwin-arm64": [[0, 4, 0xfeedfacf], [4, 4, 0x0100000c]],
  "darwin-x64": [[0, 4, 0xfeedfacf], [4, 4, 0x01000007]],
  "windows-x64": [[0, 2, 0x5a4d]],
};

/**
 * Where a Windows file has the offset of its PE header, and what that header begins with for
 * x86-64.
 */
const PE_OFFSET = 60;
const PE: Format = [[0, 4, 0x00004550], [4, 2, 0x8664]];

/** The possible size of an executable, in bytes: most of it is the runtime. */
const LEAST_BYTES = 50e6;
const MOST_BYTES = 200e6;

/** What is built for other systems: all of it takes five times as long, and the form is the same. */
const BUILT = IS_LONG ? [] : ["client"];

/** Builds for another system. Returns the output, and the first bytes and the size of the file. */
async function compileFor(target: string) {
  const ending = await compile(folder, ...BUILT, "--target", target);
  if (ending.code !== 0) return { ending, head: new DataView(new ArrayBuffer(0)), bytes: 0 };
  const path = ending.stdout.split("  ")[0] as string;
  const file = openSync(path, "r");
  const head = new Uint8Array(4096);
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const { size: bytes } = statSync(path);
  rmSync(path);
  const name = ["handshake", ...BUILT, target].join("-");
  assertEquals(basename(path), `${name}${target.startsWith("windows") ? ".exe" : ""}`);
  return { ending, head: new DataView(head.buffer), bytes };
}

function assertBegins(head: DataView, format: Format, from = 0): void {
  for (const [at, bytes, value] of format) {
    const found = bytes === 2 ? head.getUint16(from + at, true) : head.getUint32(from + at, true);
    assertEquals(found.toString(16), value.toString(16), `at ${from + at}`);
  }
}

/** One for each system; the others too where there is time. The release builds all of them. */
const TARGETS = Object.entries(FORMATS).filter(([target]) =>
  IS_LONG || ["linux-arm64", "darwin-arm64", "windows-x64"].includes(target)
);

for (const [target, format] of TARGETS) {
  // It is built before it is known whether the test can run.
  const compiled = slow.skip === undefined ? await compileFor(target) : undefined;
  const { code, stderr = "" } = compiled?.ending ?? {};
  const whyNot = /Cannot fetch .*/.exec(stderr)?.[0];
  test(`an executable for ${target} is in that system's format`, () => {
    assertEquals(code, 0, stderr);
    const { head, bytes } = compiled as NonNullable<typeof compiled>;
    assertBegins(head, format);
    if (target === "windows-x64") assertBegins(head, PE, head.getUint32(PE_OFFSET, true));
    assert(bytes > LEAST_BYTES && bytes < MOST_BYTES, `it has ${bytes} bytes`);
  }, { skip: slow.skip ?? whyNot });
}

test(
  "an executable with Deno in it is built, or one sentence says why it cannot be built",
  async () => {
    const earlier = join(folder, `handshake-event${suffix}`);
    writeFileSync(earlier, "an earlier one");
    const { code, stdout, stderr } = await compile(folder, "event", "--runtime", "deno");
    if (code === 0) {
      await using program = new Program([stdout.split("  ")[0] as string, "--version"], where);
      assertMatch((await program.end()).stdout, /^handshake \S+ \(deno /);
    } else {
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^compile: Cannot (fetch what deno needs|start) .*: .*\n$/);
      // What was built earlier is still there, and no unfinished file is.
      assertEquals(readFileSync(earlier, "utf8"), "an earlier one");
    }
    assertEquals(readdirSync(folder).filter((name) => name.startsWith(".")), []);
  },
  {
    timeoutMs: BUILD_MS,
    skip: runtime.name === "deno" ? undefined : "the tests on Deno start the same deno compile",
  },
);

test("a build that a signal ends leaves nothing behind", async () => {
  const unfinished = (path: string) => readdirSync(path).filter((name) => /bun-build/.test(name));
  const before = unfinished(root);
  // The build listens to hang-ups only where it can see whether they are to be ignored.
  const signals = runtime.os === "linux" ? ["SIGTERM", "SIGHUP"] as const : ["SIGTERM"] as const;
  for (const signal of signals.filter((_, index) => signals.length < 2 || isOurs(index))) {
    const into = join(folder, `interrupted by ${signal}`);
    mkdirSync(into);
    const command = commandOf("scripts/compile.ts", ["--into", into]);
    await using programs = new AsyncDisposableStack();
    const begin = async () => {
      const compiler = programs.use(new Program(command));
      await until("the executable to be written", () => {
        const [begun] = readdirSync(into);
        const isWriting = begun !== undefined && unfinished(join(into, begun)).length > 0;
        return isWriting || compiler.isOver;
      }, BUILD_MS);
      return compiler;
    };
    let compiler = await begin();
    // On a busy machine it may be written before anybody has seen it.
    for (let time = 1; time < 5 && compiler.isOver; time++) {
      rmSync(into, { recursive: true });
      mkdirSync(into);
      compiler = await begin();
    }
    process.kill(compiler.pid, signal);
    const { code, stdout, stderr } = await compiler.end(BUILD_MS);
    assertEquals([code, stdout, stderr], [130, "", ""]);
    assertEquals(readdirSync(into), []);
    // The other runtime's tests may be building beside this one.
    const left = () => unfinished(root).filter((name) => !before.includes(name));
    await until("no unfinished build to be left", () => left().length === 0, BUILD_MS);
  }
}, {
  ...building,
  skip: skip ?? (runtime.os === "windows" ? "Windows knows no SIGTERM" : undefined),
});

test("an executable of the bench alone says that it contains no modes to compare", async () => {
  const path = await place("bench");
  await using bench = new Program([path, "compare"], where);
  const { code, stdout, stderr } = await bench.end();
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^bench: This executable holds bench alone, and no mode: .*\n$/);
}, slow);

test("a target that cannot be built is a wrong command line", async () => {
  for (
    const [args, line] of [
      [["nothing"], "compile: wrong value for <command>: expected "],
      [["--target", "linux-x64,amiga"], "compile: wrong value for --target: expected "],
      [["--runtime", "node"], "compile: wrong value for --runtime: expected bun or deno"],
    ] as const
  ) {
    const { code, stdout, stderr } = await compile(folder, ...args);
    assertEquals([code, stdout, stderr.split("\n").length], [2, "", 2], stderr);
    assertStringIncludes(stderr, line);
  }
  const file = join(folder, "file");
  writeFileSync(file, "");
  await using compiler = new Program(commandOf("scripts/compile.ts", ["event", "--into", file]));
  const ending = await compiler.end(BUILD_MS);
  assertEquals(ending.code, 1);
  assertMatch(ending.stderr, /^compile: Cannot build into .*: .*\n$/);
  const musl = await compile(folder, "--target", "linux-x64-musl", "--runtime", "deno");
  assertEquals([musl.code, musl.stderr], [
    1,
    "compile: Cannot build for linux-x64-musl with deno: use --runtime bun\n",
  ]);
});

// Completions, in the shells themselves.

/** What bash offers for the last of these words, with completions from a file. */
async function completeInBash(file: string, words: readonly string[]): Promise<string[]> {
  const script = `
    source "$0"
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _handshake
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  const command = ["bash", "--norc", "-c", script, file, ...words];
  await using bash = new Program(command, { cwd: alone });
  const { code, stdout, stderr } = await bash.end();
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

test("bash completes commands, flags and their values", async () => {
  const path = await executable();
  const file = join(folder, "handshake.bash");
  writeFileSync(file, (await run(["completions", "bash"])).stdout);
  for (
    const [words, expected] of [
      [["handshake", "thr"], ["threaded", "threadpool"]],
      [[path, "chat-c"], ["chat-client"]],
      [["handshake", "threadpool", "--h"], ["--handoff", "--host", "--help"]],
      [["handshake", "threadpool", "80", "--qui"], ["--quiet"]],
      [["handshake", "threadpool", "--handoff", ""], ["fd", "message"]],
      [["handshake", "threadpool", "--handoff", "=", "m"], ["message"]],
      [["handshake", "threadpool", "--handoff", "="], ["fd", "message"]],
      [["handshake", "threadpool", "--workers", ""], [""]],
      [["handshake", "event", "--protocol", "f"], ["frame"]],
      [["handshake", "event", "--protocol", "./hand"], [`./${basename(path)}`]],
      [["handshake", "client", "--protocol", "pr"], ["print"]],
      [["handshake", "completions", ""], ["bash", "zsh", "fish"]],
      [["handshake", "help", "clu"], ["cluster"]],
      [["handshake", "bench", "comp"], ["compare"]],
      [["handshake", "bench", "--pi"], ["--pipeline", "--pid"]],
      [["handshake", "bench", "compare", "--pi"], ["--pid", "--pipeline"]],
      [["handshake", "bench", "compare", "--runtimes", ""], ["deno", "bun"]],
      [["handshake", "bench", "compare", "--modes", "event,thr"], [
        "event,threaded",
        "event,threadpool",
      ]],
      [["handshake", "bench", "compare", "--protocols", "hello,"], ["hello,frame", "hello,echo"]],
      [["handshake", "bench", "compare", "--runtimes", "=", "deno,"], ["deno,bun"]],
      [["handshake", "nothing", ""], [""]],
      [["handshake", "--"], ["--help", "--version"]],
    ] as const
  ) {
    const offered = await completeInBash(file, words);
    assertEquals(offered.filter((word) => !word.startsWith("./handshake-")), [...expected]);
  }
}, { ...slow, skip: slow.skip ?? whyNoProgram("bash") });

/**
 * Types lines in a zsh of its own and writes what it would offer for each of them to a file: a zsh
 * completes nothing but what somebody types. What `_files` looks up to know whether to go on is no
 * offer.
 */
const TYPE_IN_ZSH = String.raw`
  script=$1 out=$2
  shift 2
  zmodload zsh/zpty
  zpty shell zsh -f -i
  zpty -w shell "PROMPT=; autoload -Uz compinit; compinit -D -u; source ${"$"}{(q)script}
    compadd () {
      local -a hits; local word
      for word; do
        [[ \$word == (-|--) ]] && break
        [[ \$word == -*[OAD] ]] && { builtin compadd \"\$@\"; return }
      done
      builtin compadd -A hits \"\$@\"
      for word in \$hits; do print -rn -- \"\$word \" >>${"$"}{(q)out}; done
    }
    capture () { _main_complete; print >>${"$"}{(q)out} }
    zle -C capture complete-word capture; bindkey '^I' capture; print REA''DY"
  zpty -r shell greeting '*READY*'
  for line; do
    zpty -n -w shell "$line"$'\t'
    (( lines++ ))
    for (( tries = 0; tries < 500; tries++ )); do
      [[ -r $out && $(wc -l <$out) -ge $lines ]] && break
      sleep 0.02
    done
    zpty -n -w shell $'\x15'
  done
  zpty -d shell
`;

test("zsh completes commands, flags and their values", async () => {
  const script = join(folder, "handshake.zsh");
  const out = join(folder, "offered-by-zsh");
  writeFileSync(script, (await run(["completions", "zsh"])).stdout);
  const cases = [
    ["handshake thr", ["threaded", "threadpool"]],
    ["handshake threadpool --ha", ["--handoff"]],
    ["handshake threadpool --handoff=m", ["message"]],
    ["handshake bench ", ["compare", "merge"]],
    ["handshake bench compare --pi", ["--pid", "--pipeline"]],
    ["handshake bench compare --modes event,thr", ["threaded", "threadpool"]],
    // A colon in a word or in the name of a value is no end of it.
    ["handshake bench --arrivals ", ["burst:10", "even", "poisson"]],
    ["handshake bench --metrics ", []],
    ["handshake bench merge handshake.z", ["handshake.zsh"]],
    ["handshake bench merge a b handshake.z", ["handshake.zsh"]],
  ] as const;
  const command = ["zsh", "-f", "-c", TYPE_IN_ZSH, "zsh", script, out];
  await using zsh = new Program([...command, ...cases.map(([line]) => line)], { cwd: folder });
  assertEquals((await zsh.end(60_000)).code, 0);
  const offered = readFileSync(out, "utf8").trimEnd().split("\n");
  assertEquals(
    offered.map((words) => [...new Set(words.trim().split(" "))].sort().join(" ")),
    cases.map(([, words]) => words.join(" ")),
  );
}, { ...slow, skip: slow.skip ?? whyNoProgram("zsh") });

test("every command and flag in the help is in each shell's completions", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await run(["completions", shell]);
    assertEquals(code, 0);
    const words = new Set(stdout.match(/[\w-]+/g));
    for (const name of Object.keys(COMMANDS)) {
      assert(words.has(name), `${shell} completes ${name}`);
      const help = await helpOf(name);
      for (const [, flag = ""] of help.matchAll(/^ {2}--([\w-]+)/gm)) {
        const found = shell === "fish" ? stdout.includes(` -l ${flag}`) : words.has(`--${flag}`);
        assert(found, `${shell} completes --${flag} of ${name}`);
      }
    }
  }
}, slow);

for (const shell of ["bash", "zsh", "fish"]) {
  test(`${shell} can read its completions, whatever the executable is called`, async () => {
    const other = join(alone, `handshake-other${suffix}`);
    if (!existsSync(other)) copyFileSync(await executable(), other);
    await using program = new Program([other, "completions", shell], where);
    const { stdout } = await program.end();
    assertMatch(stdout, / handshake-other\b/);
    const script = join(folder, `completions.${shell}`);
    writeFileSync(script, stdout);
    await using reader = new Program([shell, "-n", script]);
    const { code, stderr } = await reader.end();
    assertEquals([code, stderr], [0, ""]);
  }, { ...slow, skip: slow.skip ?? whyNoProgram(shell) });
}

test("the executable prints all its output, even if a full pipe is read late", async () => {
  const other = join(alone, `handshake-other${suffix}`);
  if (!existsSync(other)) copyFileSync(await executable(), other);
  const line =
    '"$1" completions fish | { sleep 0.3; wc -c; }; "$1" completions fish >"$2"; wc -c <"$2"';
  await using program = new Program(["sh", "-c", line, "sh", other, join(folder, "whole.fish")]);
  const { stdout, stderr } = await program.end();
  const [piped = 0, whole] = stdout.trim().split(/\s+/).map(Number);
  assertEquals([piped, stderr], [whole, ""]);
  assert(piped > 65_536, `${piped} bytes`);
}, { ...slow, skip: slow.skip ?? (runtime.os === "windows" ? "Windows has no sh" : undefined) });

test("fish completes commands, flags and their values", async () => {
  const script = join(folder, "handshake.fish");
  writeFileSync(script, (await run(["completions", "fish"])).stdout);
  for (
    const [line, expected] of [
      ["handshake thr", ["threaded", "threadpool"]],
      ["handshake threadpool --ha", ["--handoff"]],
      ["handshake --", ["--help", "--version"]],
      ["handshake threadpool --handoff ", ["fd", "message"]],
      ["handshake threadpool --workers ", [""]],
      ["handshake help clu", ["cluster"]],
      ["handshake bench --mod", [""]],
      ["handshake bench compare --mod", ["--modes"]],
      ["handshake bench --fin", ["--find"]],
      ["handshake bench compare --modes event,thr", ["event,threaded", "event,threadpool"]],
    ] as const
  ) {
    const command = ["fish", "--no-config", "-c", `source ${script}; complete -C '${line}'`];
    await using fish = new Program(command, { cwd: alone });
    const { stdout } = await fish.end();
    const offered = stdout.trimEnd().split("\n").map((text) => text.split("\t")[0]);
    assertEquals(offered, [...expected]);
  }
}, { ...slow, skip: slow.skip ?? whyNoProgram("fish") });
