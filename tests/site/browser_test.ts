/**
 * The elements of the lessons in a real browser: the bet, the playground, yours and ours. Each page of
 * the built site is looked at by `deno task prove site`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { simulate } from "../../lab/simulator/simulate.ts";
import { settingsOf, simulationOf } from "../../site/elements/knobs.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import type { ModelPlayground } from "../../site/elements/model_playground.ts";
import { violationsIn } from "../kit/axe.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

/** A page with the elements, as a lesson has them. */
function page(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL("../../site/elements/index.ts", import.meta.url))],
    bundle: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    write: false,
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Elements</title><main><h1>A</h1>
<predict-first right="2">
<p>Who waits?</p>
<ol><li>A</li><li>B</li></ol>
<p id="why">B waits.</p>
</predict-first>
<model-playground mode="threadpool" clients="6" workers="1"></model-playground>
<yours-and-ours src="" command="deno run -A lab/tour.ts --record mine"></yours-and-ours>
</main><script>${outputFiles[0]?.text.replaceAll("</script", "<\\/script")}</script></html>`;
}

test("the elements ask first, compute what the simulator computes, and show a file", async () => {
  await using open = await OpenPage.open(page(), { viewport: { width: 360, height: 740 } });
  const { page: shown } = open;
  const why = shown.locator("#why");
  assert(!await why.isVisible(), "it asks first");
  await shown.locator("predict-first ol button").first().click();
  assert(await why.isVisible(), "it shows then");
  await shown.getByText("You said 1. It is 2: B.").waitFor();

  const look = () =>
    shown.evaluate(() => {
      const playground = document.querySelector<ModelPlayground>("model-playground");
      const figure = playground?.shadowRoot?.querySelector<ModelFigure>("model-figure");
      return { recording: playground?.recording, drawn: figure?.lines.length };
    });
  const before = await look();
  const wanted = { clients: 6, workers: 1 };
  const computed = (wanted: Parameters<typeof settingsOf>[1]) =>
    JSON.stringify(simulate(simulationOf(settingsOf("threadpool", wanted))).recording);
  assertEquals(JSON.stringify(before.recording), computed(wanted));
  assertEquals(before.drawn, before.recording?.length);

  const heard = shown.evaluate(() =>
    new Promise<void>((resolve) =>
      document.addEventListener("computed", () => resolve(), { once: true })
    )
  );
  await shown.locator("#knob-workers").press("ArrowRight");
  await heard;
  assertEquals(JSON.stringify((await look()).recording), computed({ ...wanted, workers: 2 }));

  const input = shown.locator("yours-and-ours input");
  const give = (name: string, text: string) =>
    input.setInputFiles([{ name, mimeType: "text/plain", buffer: Buffer.from(text) }]);
  await give("note.txt", "Hello!");
  await shown.getByText("note.txt is not a recording").waitFor();
  await give("mine.jsonl", before.recording?.map((line) => JSON.stringify(line)).join("\n") ?? "");
  await shown.locator("yours-and-ours h3", { hasText: "Yours" }).waitFor();
  const drawn = await shown.evaluate(() => {
    const root = document.querySelector("yours-and-ours")?.shadowRoot;
    return root?.querySelector<ModelFigure>("model-figure")?.lines.length;
  });
  assertEquals(drawn, before.recording?.length);

  const wide = await shown.evaluate(() => document.documentElement.scrollWidth);
  assert(wide <= 360, `${wide} pixels wide`);
  assertEquals(await violationsIn(open), []);
  await endBrowser();
}, { skip: whyNoBrowser, timeoutMs: 60_000, sanitize: false });
