/**
 * Rules for the source itself.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { assert, assertEquals, assertNotMatch, test } from "../kit/harness.ts";

const root = new URL("../../", import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** The project's own scripts, by path. */
function sources(): string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts") && !/^(.*\/)?(node_modules|\.[^/]*|dist)\//.test(name));
}

/** What a module imports, from its text. */
function importsOf(path: string): string[] {
  const code = read(path).replace(/\/\*[\s\S]*?\*\//g, "");
  const pattern = /^\s*(?:import|export)\b[^"';]*?\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;
  return [...code.matchAll(pattern)].map((match) => (match[1] ?? match[2]) as string);
}

test(`the tests run on ${runtime.name} ${runtime.version}, and it knows what it is`, () => {
  console.log(`running on ${runtime.name} ${runtime.version}`);
  assertEquals(navigator.userAgent.toLowerCase(), `${runtime.name}/${runtime.version}`);
});

test("protocol.ts and protocols/ name no runtime and import nothing but each other", () => {
  const pure = sources().filter((path) => path === "protocol.ts" || path.startsWith("protocols/"));
  assert(pure.length > 3);
  for (const path of pure) {
    assertNotMatch(read(path), /\b(Deno|Bun|process|require)\b|\b(node|bun|npm|jsr):/, path);
    for (const from of importsOf(path)) {
      assert(/^\.\/(protocols\/)?[a-z_]+\.ts$/.test(from), `${path} imports ${from}`);
    }
  }
});

test("each example has fewer than 70 lines and imports only handshake/protocol", () => {
  const examples = sources().filter((path) => path.startsWith("examples/"));
  assert(examples.length >= 2);
  for (const path of examples) {
    assertEquals(importsOf(path), ["handshake/protocol"], path);
    assert(read(path).trimEnd().split("\n").length < 70, path);
  }
});

test("both runtimes know every bare import", () => {
  const { imports } = JSON.parse(read("deno.json"));
  const { dependencies, devDependencies } = JSON.parse(read("package.json"));
  const { compilerOptions: { paths } } = JSON.parse(read("tsconfig.json"));
  const installed = new Set(Object.keys({ ...dependencies, ...devDependencies }));
  const packageOf = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
  let seen = 0;
  for (const path of sources()) {
    for (const name of importsOf(path)) {
      if (/^(\.|node:)/.test(name)) continue;
      seen++;
      if (name.startsWith("@std/") || name in imports) {
        assert(name in imports, `deno.json does not map ${name}, which ${path} imports`);
        assert(name in paths, `tsconfig.json does not map ${name}, which ${path} imports`);
      } else {
        assert(installed.has(packageOf(name)), `package.json lacks ${name}, imported by ${path}`);
      }
    }
  }
  assert(seen > 3, "imports were found");
  assertEquals(Object.keys(paths).sort(), Object.keys(imports).sort());
  for (const [name, target] of Object.entries(imports)) {
    const version = dependencies["deno-std"];
    const file = String(target).replace(`npm:deno-std@${version}/`, "./node_modules/deno-std/");
    assertEquals(paths[name], [file], `both maps lead ${name} to the same file`);
  }
});

test("the adapters of both runtimes have the same members in the same order", () => {
  const members = (path: string, from: string) => {
    const body = read(path).slice(read(path).indexOf(from));
    return [...body.matchAll(/^ {2}(?:async )?(?:get )?([a-z]\w*)(?:\(|:)/gmi)].map((m) => m[1]);
  };
  const deno = members("engine/net/deno.ts", "export const denoRuntime");
  assert(deno.length > 15);
  assertEquals(members("engine/net/bun.ts", "export const bunRuntime"), deno);
});
