/**
 * What the project's own files promise each other.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { assert, assertEquals, assertNotMatch, test } from "../kit/harness.ts";

const root = new URL("../../", import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

const manifest = JSON.parse(read("package.json"));

test("deno.json and package.json have the same version, and every package is pinned", () => {
  assertEquals(JSON.parse(read("deno.json")).version, manifest.version);
  const packages = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const [name, version] of Object.entries<string>(packages)) {
    assert(/^\d+\.\d+\.\d+$/.test(version), `${name} is pinned: current value is "${version}"`);
  }
});

test("the lock files name no download address", () => {
  for (const lock of ["deno.lock", "bun.lock"]) assertNotMatch(read(lock), /\w:\/\//, lock);
});

test("every command in the documents names the versions of package.json", () => {
  const versions: Record<string, string> = {
    deno: manifest.engines.deno.slice(2),
    bun: manifest.devDependencies.bun,
  };
  assertEquals(manifest.engines.bun, `>=${versions.bun}`);
  let seen = 0;
  for (const path of ["README.md", "CONTRIBUTING.md"]) {
    for (const [, name, version] of read(path).matchAll(/\b(deno|bun)@(\d[\d.]*\d)/g)) {
      assertEquals(version, versions[name as string], `${path} names ${name}@${version}`);
      seen++;
    }
  }
  assert(seen > 2, "commands were found");
});
