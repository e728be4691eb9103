/**
 * What the pages run in a browser, as far as it can be tried without one. `deno task prove site` opens
 * every page in a real browser.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { MODE_NAMES } from "../../modes/catalogue.ts";
import { simulate, SIMULATED } from "../../lab/simulator/simulate.ts";
import { KNOBS, knobsOf, settingsOf, simulationOf } from "../../site/elements/knobs.ts";
import { FIGURES, labelOf } from "../../site/elements/names.ts";
import { figuresFor } from "../../site/elements/yours_and_ours.ts";
import type { Line } from "../../engine/figures/lines.ts";
import { assert, assertEquals, assertNotMatch, test } from "../kit/harness.ts";

/** The modules that a browser loads with a module: all but those that are imported for their types. */
function loadedWith(url: URL, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(url.href)) return loaded;
  loaded.add(url.href);
  const code = readFileSync(url, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const imports = code.matchAll(
    /^\s*(?:import|export)\s(?!type\b)(?:[^"';]*?\bfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  for (const [, first, later] of imports) {
    const from = first ?? later ?? "";
    assert(from.startsWith("."), `${url.href} imports ${from}, which a browser has not`);
    loadedWith(new URL(from, url), loaded);
  }
  return loaded;
}

test("the elements and the simulator in them need nothing that a browser has not", () => {
  const loaded = loadedWith(new URL("../../site/elements/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.lastIndexOf("/") + 1));
  for (
    const name of [
      "simulate.ts",
      "simulate_chat.ts",
      "session.ts",
      "model_figure.ts",
      "frame.ts",
      "model_playground.ts",
    ]
  ) {
    assert(names.includes(name), name);
  }
  for (const href of loaded) {
    const code = readFileSync(new URL(href), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    assertNotMatch(code, /\b(?:Deno|Bun|process)\./, href);
  }
});

test("every model has its knobs, and what a page asks of them is brought into their range", () => {
  for (const mode of SIMULATED) {
    const names = knobsOf(mode).map(({ name }) => name);
    for (const name of ["clients", "apart", "compute", "cores", "delay", "loss", "seed"]) {
      assert((names as string[]).includes(name), `${mode} has ${name}`);
    }
  }
  assertEquals(knobsOf("sequential").some(({ name }) => name === "workers"), false);
  assertEquals(knobsOf("threadpool").some(({ name }) => name === "queue"), true);
  // Closing is the subject of one page.
  const has = (extra: readonly ("closing" | "abrupt")[]) =>
    knobsOf("event", extra).filter(({ isExtra }) => isExtra).map(({ name }) => name);
  assertEquals([has([]), has(["closing", "abrupt"])], [[], ["closing", "abrupt"]]);
  const { clients, workers, seed } = settingsOf("threadpool", {
    clients: 1e9,
    workers: -1,
    seed: NaN,
  });
  assertEquals([clients, workers, seed], [100, 1, 1]);
  for (const { least, start, most } of KNOBS) assert(least <= start && start <= most);
  assert(SIMULATED.every((mode) => MODE_NAMES.includes(mode)));
});

test("the same knobs give the same history, and each knob can change it", () => {
  const history = (wanted: Parameters<typeof settingsOf>[1]) => {
    const knobs = { clients: 12, apart: 2, chance: 1, compute: 20, loss: 20, ...wanted };
    return JSON.stringify(simulate(simulationOf(settingsOf("threadpool", knobs))).recording);
  };
  const first = history({});
  assertEquals(history({}), first);
  const turns = [
    { clients: 13 },
    { apart: 3 },
    { chance: 0 },
    { compute: 21 },
    { workers: 1 },
    { queue: 0 },
    { cores: 1 },
    { backlog: 0 },
    { delay: 5 },
    { loss: 0 },
    { seed: 2 },
    { closing: 10 },
  ];
  for (const turn of turns) assert(history(turn) !== first, JSON.stringify(turn));
  const wait = { closing: 10, queue: 0, workers: 1 };
  assert(history({ ...wait, abrupt: 1 }) !== history(wait), "somebody waits in the accept queue");
});

test("the clients have the letters by which the texts call them", () => {
  assertEquals(["long prime", "echo", "echo 2", "small prime", "slow"].map(labelOf), [
    "A long prime",
    "B echo",
    "B echo 2",
    "C small prime",
    "slow",
  ]);
});

test("a recording is shown by the figures that have something to show of it", () => {
  const has = (...types: string[]) => figuresFor(types.map((type) => ({ type, at: 0 }) as Line));
  assertEquals(has("begun", "line"), ["line-table", "model-figure"]);
  assertEquals(has("begun", "packet"), ["client-timeline", "model-figure"]);
  assertEquals(has("packet"), ["segment-ladder"]);
  assertEquals(has("call"), ["segment-ladder"]);
  for (const name of has("begun", "line")) assert(FIGURES.includes(name));
});
