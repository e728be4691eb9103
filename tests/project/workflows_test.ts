/**
 * The parts of the workflows and of a release that can be tested without GitHub.
 *
 * @module
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { NotesError, releaseNotes } from "../../scripts/release_notes.ts";
import { RUNTIMES } from "../../engine/process/runtimes.ts";
import { assert, assertEquals, assertMatch, assertThrows, test } from "../kit/harness.ts";
import { Program, Script, whyNoProgram } from "../kit/server_process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, ".github/workflows");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bun = RUNTIMES.find(({ name }) => name === "bun") as typeof RUNTIMES[number];

/** The part of a workflow that the tests read. */
interface Workflow {
  readonly jobs: Readonly<
    Record<string, {
      readonly strategy?: { readonly matrix: { readonly os: readonly string[] } };
      readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
    }>
  >;
}

function readWorkflow(name: string): Workflow {
  return parse(readFileSync(join(folder, name), "utf8"));
}

function stepsOf(name: string): Workflow["jobs"][string]["steps"] {
  return Object.values(readWorkflow(name).jobs).flatMap(({ steps }) => steps);
}

/** All commands that a workflow types, line by line. */
function linesOf(name: string): string[] {
  return stepsOf(name).flatMap(({ run = "" }) => run.trim().split("\n"));
}

const WORKFLOWS = readdirSync(folder);

test("GitHub's parser finds nothing wrong with the workflows", async () => {
  const wrong = mkdtempSync(join(tmpdir(), "handshake-workflow-"));
  try {
    const path = join(wrong, "wrong.yml");
    writeFileSync(path, "on: psh\njobs:\n  a:\n    steps:\n      - rn: echo ${{ nothing.here }}\n");
    const paths = [...WORKFLOWS.map((name) => join(folder, name)), path];
    await using parser = new Script("tests/kit/workflow_errors.ts", paths, { on: bun });
    const { code, stdout, stderr } = await parser.end();
    assertEquals([code, stderr], [0, ""]);
    const found = JSON.parse(stdout) as string[][];
    assert((found.pop() ?? []).length > 2, "it finds what is wrong");
    assertEquals(found, WORKFLOWS.map(() => []));
  } finally {
    rmSync(wrong, { recursive: true });
  }
}, { skip: existsSync(bun.path) ? undefined : "bun cannot be found" });

test("every task that the workflows call exists, and every action has its major version", () => {
  const { tasks } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  for (const name of WORKFLOWS) {
    const called = [...linesOf(name).join("\n").matchAll(/ task (?:--quiet )?(\w+)/g)];
    assert(called.length > 1, `${name} calls tasks`);
    for (const [, task = ""] of called) assert(task in tasks, `there is a task ${task}`);
    for (const { uses } of stepsOf(name)) {
      if (uses !== undefined) assertMatch(uses, /^[\w-]+\/[\w-]+@v\d+$/, name);
    }
  }
});

test("the workflows run the version of Deno that package.json names", async () => {
  for (const name of WORKFLOWS) {
    const lines = linesOf(name);
    const [read = ""] = lines.filter((line) => line.includes("GITHUB_ENV"));
    const command = read.replace('>> "$GITHUB_ENV"', "");
    await using shell = new Program(["sh", "-c", command]);
    assertEquals((await shell.end()).stdout.trim(), `DENO=${manifest.engines.deno.slice(2)}`);
    const runs = lines.filter((line) => line.includes("npx"));
    for (const run of runs) assertMatch(run, /^npx -y deno@\$\{\{ env\.DENO \}\} /, name);
  }
}, { skip: whyNoProgram("node") });

test("CI types what the README says, on three systems", () => {
  const [, typed = ""] = /^(npx -y deno@\S+ task test)\b/m.exec(
    readFileSync(join(root, "README.md"), "utf8"),
  ) ?? [];
  const version = manifest.engines.deno.slice(2);
  assert(linesOf("ci.yml").includes(typed.replace(version, "${{ env.DENO }}")), typed);
  const { os = [] } = readWorkflow("ci.yml").jobs.test?.strategy?.matrix ?? {};
  assertEquals(os.map((name) => name.split("-")[0]), ["ubuntu", "macos", "windows"]);
});

// The notes of a release.

const CHANGELOG = `# Changelog

## 0.3.0 (unreleased)

- Not yet.

## 0.2.0 (2026-12-01)

- Second,
  on two lines.
- Third.

## 0.1.0 (2026-11-01)

- First.
`;

test("the notes of a version are the text under its heading", () => {
  assertEquals(releaseNotes(CHANGELOG, "0.2.0"), "- Second,\n  on two lines.\n- Third.");
  assertEquals(releaseNotes(CHANGELOG, "0.1.0"), "- First.");
});

test("a version that is unreleased or unknown has no notes", () => {
  for (const version of ["0.3.0", "0.2", "1.0.0", "", "(unreleased)"]) {
    assertThrows(() => releaseNotes(CHANGELOG, version), NotesError, `Cannot release ${version}: `);
  }
});

test("the notes are printed only for the version of package.json", async () => {
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const isReleased = !changelog.includes(`## ${manifest.version} (unreleased)`);
  await using notes = new Script("scripts/release_notes.ts", [manifest.version]);
  const { code, stdout, stderr } = await notes.end();
  if (isReleased) assertEquals(stdout, `${releaseNotes(changelog, manifest.version)}\n`);
  else assertMatch(stderr, /^notes: Cannot release .*: CHANGELOG\.md calls it unreleased\n$/);
  assertEquals(code, isReleased ? 0 : 1);

  await using other = new Script("scripts/release_notes.ts", ["99.0.0"]);
  const refused = await other.end();
  assertEquals([refused.code, refused.stdout, refused.stderr], [
    1,
    "",
    `notes: Cannot release 99.0.0: package.json says ${manifest.version}\n`,
  ]);
});
