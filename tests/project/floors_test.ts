/**
 * The house has floors. A module imports what lies below it, or beside it in its own folder, and
 * nothing above. So no two folders need each other, and each can be read without those above it.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { assert, assertEquals, test } from "../kit/harness.ts";

const root = new URL("../../", import.meta.url);

/**
 * The folders and the modules at the top, from the ground up. Those on one line are on one floor:
 * they do not import each other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["protocols", "engine/values"],
  ["protocol.ts"],
  ["engine/net"],
  ["engine/cli", "engine/drivers", "engine/process", "engine/workers"],
  ["engine/dial", "engine/http", "engine/kernel", "engine/server/journal", "engine/uring"],
  ["engine/recording"],
  ["engine/figures"],
  ["engine/server/trace"],
  ["engine/server/core"],
  ["engine/server/listening", "engine/server/statistics", "engine/server/takeover"],
  ["engine/server/metrics", "engine/server/team"],
  ["engine/server/datagrams", "engine/server/messages", "engine/server/offload"],
  ["engine/server/descriptors", "engine/server/loops"],
  ["engine/server/live", "engine/server/processes"],
  ["engine/server"],
  ["modes", "client", "chat/talk"],
  ["mod.ts", "client.ts", "chat/bus", "lab/load"],
  ["chat/rooms", "chat/terminal", "lab/profile", "lab/report", "lab/simulator"],
  ["chat/host", "lab/observe/connect", "lab/conform/definitions", "lab/faults", "lab/tour"],
  ["lab/conform", "lab/simulator/chat"],
  ["lab/observe"],
  ["lab/observe/wire"],
  ["lab/observe/stage"],
  ["lab/observe/lessons"],
  ["lab/quiz"],
  ["lab", "site/elements"],
  ["chat", "lab/soak", "site"],
  ["commands.ts"],
  ["main.ts", "scripts"],
];

/** The floor of each folder. */
const floorOf = new Map(FLOORS.flatMap((names, floor) => names.map((name) => [name, floor])));

/**
 * Paths that are not part of the house: examples and tests stand outside and import from
 * everywhere.
 */
const OUTSIDE = /^(tests|examples)\/|(^|\/)(node_modules|dist|\.[^/]*)\//;

/** The project's modules, by path. */
function modules(): string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.map((name) => name.replaceAll("\\", "/"))
    .filter((name) => /(?<!\.d)\.ts$/.test(name) && !OUTSIDE.test(name));
}

/**
 * The modules of this project that a module imports: statically, dynamically or for their types.
 */
function importsOf(path: string): string[] {
  const code = readFileSync(new URL(path, root), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)"(\.[^"]+\.ts)"/g;
  return [...code.matchAll(pattern)].map(([, from]) => posix.join(dirname(path), from as string))
    // A script may write an import into another module. Its path is relative to that module.
    .filter((found) => !found.startsWith(".."));
}

/** The room of a module: its folder or, at the top, the module itself. */
function roomOf(path: string): string {
  return path.includes("/") ? dirname(path) : path;
}

test("every folder has a floor, and every floor a folder", () => {
  const rooms = new Set(modules().map(roomOf));
  assertEquals([...rooms].sort(), [...floorOf.keys()].sort());
});

test("no module imports one on its own floor or above, except from its own folder", () => {
  let seen = 0;
  for (const path of modules()) {
    const from = roomOf(path);
    for (const imported of importsOf(path)) {
      const to = roomOf(imported);
      if (from === to) continue;
      seen++;
      const isBelow = (floorOf.get(to) ?? Infinity) < (floorOf.get(from) as number);
      assert(isBelow, `${path} imports ${imported}, which is not below it`);
    }
  }
  assert(seen > 300, "imports were found");
});

test("no modules import each other, not even by a detour", () => {
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    assert(!above.includes(path), `a circle: ${[...above, path].join(" → ")}`);
    if (done.has(path)) return;
    for (const imported of importsOf(path)) visit(imported, [...above, path]);
    done.add(path);
  };
  for (const path of modules()) visit(path, []);
});

test("the top of the project is what a visitor comes for", () => {
  const names = readdirSync(root, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory() && !/^(\.|node_modules$|dist$)/.test(entry.name)
  );
  assert(names.length <= 12, names.map(({ name }) => name).join(", "));
});
