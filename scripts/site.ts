/**
 * Builds the site of the lessons, and serves it on this machine.
 *
 * What builds it is a package of its own, in `site/`. It is installed when the site is built for the
 * first time.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { HttpServer } from "../engine/http/http_server.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";
import { BUILT, builtSite } from "../site/built_site.ts";

/** The package of the site. */
const SITE = new URL("site/", ROOT);

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
      default: "4173",
      help: "where to serve, on 127.0.0.1; 0 is any free port",
    },
  ],
  example: "deno task site --port 8000",
};

/** This runtime. */
function self(): RuntimeCommand {
  return RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
}

/** Runs a program in the folder of the site, and passes on what it prints. */
async function inSite(program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd: fileURLToPath(SITE), stdio: "inherit" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  if (code !== 0) throw new Error(`${args.join(" ")} ended with status ${code}`);
}

/** Installs the package of the site, if it is not there in the version of `package.json`. */
export async function installSite(): Promise<void> {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, SITE), "utf8"));
  const { devDependencies } = read("package.json");
  const there = "node_modules/vitepress/package.json";
  const isThere = existsSync(new URL(there, SITE)) &&
    read(there).version === devDependencies.vitepress;
  if (isThere) return;
  const frozen = runtime.name === "deno" ? "--frozen" : "--frozen-lockfile";
  await inSite(self().path, "install", frozen);
}

/** Builds the site into `site/dist/`. */
export async function buildSite(): Promise<void> {
  await installSite();
  await vitepress("build");
}

async function vitepress(...args: readonly string[]): Promise<void> {
  const { path, run } = self();
  await inSite(path, ...run, "node_modules/vitepress/bin/vitepress.js", ...args);
}

async function main(): Promise<void> {
  const { build, serve, dev, port = 4173 } = readCommandLine(COMMAND);
  try {
    if (dev === true) {
      await installSite();
      return await vitepress("dev", "--port", String(port), "--host", "127.0.0.1");
    }
    if (serve !== true) await buildSite();
    if (build === true) runtime.exit(EXIT_DONE);
    const address = { hostname: "127.0.0.1", port: Number(port) };
    if (!existsSync(BUILT)) throw new Error("the site was not built yet: leave out --serve");
    const server = await HttpServer.listen({ address, site: builtSite() });
    runtime.printNow("stdout", `The lessons are at http://127.0.0.1:${server.address.port}/\n`);
    onEndingSignal(() => void server.close().then(() => runtime.exit(EXIT_DONE)));
  } catch (error) {
    fail(COMMAND.name, (error as Error).message, EXIT_FAILED);
  }
}

if (isMainModule(import.meta)) await main();
