/**
 * What network there is: IPv6, and those of `small_internet.ts` and `vanished_peers.ts` in namespaces
 * of their own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { Folder } from "./folder.ts";
import { commandOf, Program } from "./server_process.ts";
import type { Findings } from "./small_internet.ts";
import type { VanishedFindings } from "./vanished_peers.ts";

const NAMESPACES = ["--user", "--map-root-user", "--net", "--mount", "--kill-child", "--"];

/** What stands in /etc in that network. */
const FILES: Readonly<Record<string, string>> = {
  "resolv.conf": "nameserver 127.0.0.1\noptions timeout:3 attempts:1\n",
  "nsswitch.conf": "hosts: files dns\n",
  hosts: "127.0.0.1 localhost\n127.0.0.2 four.test\n127.0.0.1 both.test\n::1 both.test\n",
};

/** Lays those files over the real ones, which only this namespace sees, and runs the rest. */
const WITH_FILES =
  `for file in ${Object.keys(FILES).join(" ")}; do mount --bind "$0/$file" "/etc/$file" || exit; ` +
  `done; exec "$@"`;

/** Tries what the network needs. */
const TRY = "exec 3<>/dev/net/tun && " +
  Object.keys(FILES).map((file) => `mount --bind "/etc/${file}" "/etc/${file}"`).join(" && ");

/** Why there can be no such network here; `undefined` if there can. It is found out by trying. */
export function whyNoNetwork(): string | undefined {
  if (runtime.os !== "linux") return `${runtime.os} has no namespaces`;
  const tried = spawnSync("unshare", [...NAMESPACES, "sh", "-c", TRY]);
  if (tried.error !== undefined) return "the program unshare is missing";
  return tried.status === 0
    ? undefined
    : `no namespaces with a TUN device: ${String(tried.stderr).trim().split("\n")[0]}`;
}

/** Why there is no IPv6 here; `undefined` if there is. */
export function whyNoIPv6(): string | undefined {
  if (whyNoSockets() !== undefined) return "it cannot be told whether there is IPv6";
  try {
    sockets().close(sockets().openListener({ hostname: "::1", port: 0 }));
    return undefined;
  } catch {
    return "no IPv6";
  }
}

/** Makes the network in which peers vanish, and returns what became of the servers. */
export async function vanishPeers(): Promise<VanishedFindings> {
  const command = commandOf("tests/kit/vanished_peers.ts", []);
  await using program = new Program(["unshare", ...NAMESPACES, ...command]);
  const { code, stdout, stderr } = await program.end(60_000);
  if (code !== 0) throw new Error(`The network failed: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** Makes the network, tries everything in it, and returns what was found. */
export async function exploreNetwork(): Promise<Findings> {
  using folder = new Folder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(folder.path(name), text);
  await using program = new Program([
    "unshare",
    ...NAMESPACES,
    ...["sh", "-c", WITH_FILES, folder.path("")],
    ...commandOf("tests/kit/small_internet.ts", []),
  ]);
  const { code, stdout, stderr } = await program.end();
  if (code !== 0) throw new Error(`The network failed: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

const OWN_NETWORK = ["--user", "--map-root-user", "--net", "--kill-child", "--"];

/** Why there can be no network namespace here; `undefined` if there can. It is found out by trying. */
export function whyNoOwnNetwork(): string | undefined {
  if (runtime.os !== "linux") return `${runtime.os} has no namespaces`;
  const tried = spawnSync("unshare", [...OWN_NETWORK, "true"]);
  if (tried.error !== undefined) return "the program unshare is missing";
  return tried.status === 0 ? undefined : "no network namespaces";
}

/** How to run a script in a network of its own. */
export interface OwnNetworkOptions {
  /** Its arguments. */
  readonly args?: readonly string[];
  /** How long it may take on an idle machine, in milliseconds. @default {15_000} */
  readonly limitMs?: number;
}

/**
 * Runs a script in a network of its own, which has nothing but a loopback that is down.
 *
 * @param script its path in the project
 * @param options how
 * @returns what it has printed
 */
export async function inOwnNetwork(
  script: string,
  { args = [], limitMs }: OwnNetworkOptions = {},
): Promise<string> {
  await using program = new Program(["unshare", ...OWN_NETWORK, ...commandOf(script, args)]);
  const { code, stdout, stderr } = await program.end(limitMs);
  if (code !== 0) throw new Error(`${script} failed: ${stdout}${stderr}`);
  return stdout;
}
