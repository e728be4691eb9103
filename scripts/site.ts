/**
 * Builds the site of the lessons, and serves it on this machine.
 *
 * What builds it is a package of its own, in `site/`. It is installed when the site is built for the
 * first time.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_SIGNALLED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import type { Site } from "../engine/http/http.ts";
import { HttpServer } from "../engine/http/http_server.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";
import { labProgram, untilInterrupted } from "../lab/lab_program.ts";
import { BUILT, builtSite } from "../site/built_site.ts";

/** The package of the site. */
const SITE = new URL("site/", ROOT);

/** Where to serve, if nobody says where. */
const PORT = 4173;

const COMMAND: Command = {
  name: "site",
  summary: "build the lessons, and serve them on this machine",
  positionals: [],
  flags: [
    { name: "build", kind: "boolean", help: "build them, and serve nothing" },
    { name: "serve", kind: "boolean", help: "serve what was built before" },
    {
      name: "dev",
      kind: "boolean",
      help: "serve the texts as they are while somebody writes them",
    },
    {
      name: "port",
      kind: "integer",
      value: "PORT",
      least: 0,
      most: 65_535,
      default: String(PORT),
      help: "where to serve, on 127.0.0.1; 0 is any free port",
    },
  ],
  example: "deno task site --port 8000",
};

/** This runtime. */
function self(): RuntimeCommand {
  return RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
}

/**
 * Runs a program in the folder of the site, and passes on what it prints.
 *
 * @param program its path
 * @param args its arguments
 * @param signal ends it
 * @param stdin whether it hears the keyboard. VitePress takes Ctrl-C for itself while it builds.
 */
async function inSite(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
  stdin: "inherit" | "ignore" = "ignore",
): Promise<void> {
  const stdio = [stdin, "inherit", "inherit"] as const;
  // On Deno VitePress does not hear other signals while it builds.
  const cwd = fileURLToPath(SITE);
  const options = { cwd, stdio: [...stdio], signal, killSignal: "SIGKILL" as const };
  const child = spawn(program, args, options);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => signal?.aborted ? undefined : reject(error)).on("close", resolve);
  });
  if (signal?.aborted) {
    // Its spinner has hidden the cursor.
    if (runtime.isTerminal("stdout")) runtime.printNow("stdout", "\x1b[?25h\n");
  } else if (code !== 0) {
    throw new Error(`${args.join(" ")} ended with status ${code}`);
  }
}

/**
 * Installs what the site is built with, if it is not there in the versions of `package.json`. One
 * runtime builds with what the other one has installed: Vue is in `package.json` for that. VitePress
 * makes a link to it otherwise, and on Bun what is behind a link that is so new is not found.
 */
export async function installSite(signal?: AbortSignal): Promise<void> {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, SITE), "utf8"));
  const isThere = Object.entries(read("package.json").devDependencies).every(([name, version]) => {
    const path = `node_modules/${name}/package.json`;
    return existsSync(new URL(path, SITE)) && read(path).version === version;
  });
  if (isThere) return;
  const frozen = runtime.name === "deno" ? "--frozen" : "--frozen-lockfile";
  await inSite(self().path, ["install", frozen], signal);
}

/** Builds the site into `site/dist/`. */
export async function buildSite(signal?: AbortSignal): Promise<void> {
  await installSite(signal);
  if (signal?.aborted) return;
  await vitepress(["build"], signal);
  // Half a site is none.
  if (signal?.aborted) rmSync(BUILT, { recursive: true, force: true });
}

async function vitepress(
  args: readonly string[],
  signal?: AbortSignal,
  stdin: "inherit" | "ignore" = "ignore",
): Promise<void> {
  const { path, run } = self();
  await inSite(path, [...run, "node_modules/vitepress/bin/vitepress.js", ...args], signal, stdin);
}

/**
 * Does what the command line says.
 *
 * @param values the command line
 * @param signal ends it
 * @param onServing is called when there is nothing left to do but to serve
 */
async function site(
  values: Values,
  signal: AbortSignal,
  onServing: () => void,
): Promise<number> {
  const { build, serve, dev, port } = values;
  if ([build, serve, dev].filter((asked) => asked === true).length > 1) {
    throw new UsageError("--build, --serve and --dev exclude each other");
  }
  if (build === true && port !== undefined) {
    throw new UsageError("--port is where to serve, and --build serves nothing");
  }
  const address = { hostname: "127.0.0.1", port: Number(port ?? PORT) };
  if (dev === true) {
    await installSite(signal);
    if (signal.aborted) return EXIT_DONE;
    onServing();
    const where = ["--port", String(address.port), "--strictPort", "--host", address.hostname];
    await vitepress(["dev", ...where], signal, "inherit");
    return EXIT_DONE;
  }
  if (build === true) {
    await buildSite(signal);
    return EXIT_DONE;
  }
  // Whether the port is free is known before the site is built. Whoever comes meanwhile waits.
  const built = Promise.withResolvers<void>();
  let pages: Site | undefined;
  const lessons: Site = { find: (path) => pages?.find(path) };
  await using server = await HttpServer.listen({ address, site: lessons, opens: built.promise });
  try {
    if (serve !== true) await buildSite(signal);
    if (signal.aborted) return EXIT_DONE;
    if (!existsSync(new URL("index.html", BUILT))) {
      throw new Error("the site was not built yet: leave out --serve");
    }
    pages = builtSite();
  } finally {
    built.resolve();
  }
  runtime.printNow(
    "stdout",
    `The lessons are at http://${address.hostname}:${server.address.port}/ until Ctrl-C.\n`,
  );
  onServing();
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  return EXIT_DONE;
}

if (isMainModule(import.meta)) {
  labProgram(COMMAND.name, COMMAND, async () => {
    const values = readCommandLine(COMMAND);
    let isServing = false;
    const status = await untilInterrupted(
      COMMAND.name,
      (signal) => site(values, signal, () => isServing = true),
    );
    // Whoever serves is ended so.
    return isServing && status === EXIT_SIGNALLED ? EXIT_DONE : status;
  }).run();
}
