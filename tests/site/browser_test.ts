/**
 * The elements of the lessons in a real browser: the bet, the playground, yours and ours. Each page of
 * the built site is looked at by `deno task prove site`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { simulateChat } from "../../lab/simulator/chat/simulate_chat.ts";
import { simulate } from "../../lab/simulator/simulate.ts";
import { chatSettingsOf, chatSimulationOf } from "../../site/elements/chat_knobs.ts";
import type { ChatPlayground } from "../../site/elements/chat_playground.ts";
import { NEEDS_SOURCES } from "../../site/elements/command_forms.ts";
import { settingsOf, simulationOf } from "../../site/elements/knobs.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import type { ModelPlayground } from "../../site/elements/model_playground.ts";
import { violationsIn } from "../kit/axe.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

/** A server that the page cannot reach. */
const MISSING = "https://lessons.test/";

/**
 * A page with the elements, as a lesson has them.
 *
 * @param missing modules that are asked for at {@linkcode MISSING} when they are imported
 */
function page(missing: string[] = []): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL("../../site/elements/index.ts", import.meta.url))],
    bundle: true,
    external: missing,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    write: false,
  });
  const script = outputFiles[0]?.text.replaceAll('import("./', `import("${MISSING}`)
    .replaceAll("</script", "<\\/script");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Elements</title><main><h1>A</h1>
<predict-first right="2">
<p>Who waits?</p>
<ol><li>A</li><li>B</li></ol>
<p id="why">B waits.</p>
</predict-first>
<model-playground mode="threadpool" clients="6" workers="1"></model-playground>
<chat-playground members="5" lines="3" sleeper="1"></chat-playground>
<segment-ladder data-title="Segments"></segment-ladder>
<line-table data-title="Lines" names="Ann|Bob"></line-table>
<command-switch></command-switch>
<p><code>deno run -A lab/tour.ts</code></p>
<div class="language-console"><pre><code><span class="line">$ deno run -A modes/event.ts 80</span></code></pre></div>
<div class="language-console"><pre><code><span class="line">$ deno run -A lab/chat_load.ts</span></code></pre></div>
<yours-and-ours src="" command="deno run -A lab/tour.ts --record mine"></yours-and-ours>
</main><script>${script}</script></html>`;
}

const inBrowser = { skip: whyNoBrowser, timeoutMs: 60_000, sanitize: false };

/** A SYN that is answered, and a chat in which one line is heard. */
const [CLIENT, SERVER] = ["127.0.0.1:40000", "127.0.0.1:80"];
const SEGMENTS = [
  { type: "listener", at: 0, local: SERVER },
  { type: "packet", at: 1, from: CLIENT, to: SERVER, flags: "S", seq: 1, window: 1, length: 0 },
  { type: "packet", at: 2, from: SERVER, to: CLIENT, flags: "SA", seq: 1, window: 1, length: 0 },
  { type: "socket", at: 3, cookie: "1", local: CLIENT, remote: SERVER, state: "ESTABLISHED" },
];
const LINES = [
  { type: "begun", at: 0, connection: 1, peer: CLIENT },
  { type: "begun", at: 1, connection: 2, peer: "127.0.0.1:40001" },
  { type: "line", at: 1000, line: 1, peer: CLIENT, does: "says" },
  { type: "line", at: 2000, line: 1, peer: "127.0.0.1:40001", does: "hears" },
];

test("the elements ask first, compute what the simulator computes, and show a file", async () => {
  await using open = await OpenPage.open(page(), { viewport: { width: 360, height: 740 } });
  const { page: shown } = open;
  const why = shown.locator("#why");
  assert(!await why.isVisible(), "it asks first");
  await shown.locator("predict-first ol button").first().click();
  assert(await why.isVisible(), "it shows then");
  await shown.getByText("You said 1. It is 2: B.").waitFor();

  // They are loaded when they are found.
  await shown.waitForFunction(() =>
    ["model-playground", "chat-playground"].every((name) => customElements.get(name) !== undefined)
  );
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

  const chat = await shown.evaluate(() => {
    const playground = document.querySelector<ChatPlayground>("chat-playground");
    const table = playground?.shadowRoot?.querySelector<HTMLElement>("line-table");
    return { recording: playground?.recording, drawn: table?.shadowRoot?.textContent ?? "" };
  });
  const settings = chatSettingsOf({ members: 5, lines: 3, sleeper: 1 });
  const talk = simulateChat(chatSimulationOf(settings)).recording;
  assertEquals(JSON.stringify(chat.recording), JSON.stringify(talk));
  for (const found of ["ann", "bob", "says it"]) assert(chat.drawn.includes(found), found);

  const input = shown.locator("yours-and-ours input[type=file]");
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

  const text = (name: string) => shown.locator(`main > ${name}`).locator(".frame").innerText();
  await shown.evaluate(([segments, lines]) => {
    const set = (name: string, lines: unknown) =>
      Object.assign(document.querySelector(name) as Element, { lines });
    set("segment-ladder", segments);
    set("line-table", lines);
  }, [SEGMENTS, LINES]);
  for (const found of ["SYN, ACK", "ESTABLISHED", "from server to client"]) {
    assert((await text("segment-ladder")).includes(found), found);
  }
  for (const found of ["Ann", "Bob", "says it", "1.00 ms"]) {
    assert((await text("line-table")).includes(found), found);
  }

  const typed = () => shown.locator("p code, .line, yours-and-ours pre code").allInnerTexts();
  await shown.locator("command-switch button", { hasText: "Bun" }).click();
  assertEquals(await typed(), [
    "bun lab/tour.ts",
    "$ bun modes/event.ts 80",
    "$ bun lab/chat_load.ts",
    "bun lab/tour.ts --record mine",
  ]);
  await shown.locator("command-switch button", { hasText: "executable" }).click();
  assertEquals((await typed()).slice(0, 2), ["handshake tour", "$ handshake event 80"]);
  const notes = shown.getByText(NEEDS_SOURCES).and(shown.locator(":visible"));
  assertEquals(await notes.count(), 1, "one of the commands is not in the executable");
  await shown.locator("command-switch button", { hasText: "Deno" }).click();
  assertEquals(await notes.count(), 0);
  assertEquals((await typed())[0], "deno run -A lab/tour.ts");

  const wide = await shown.evaluate(() => document.documentElement.scrollWidth);
  assert(wide <= 360, `${wide} pixels wide`);
  assertEquals(await violationsIn(open), []);
  await endBrowser();
}, inBrowser);

test("a playground that cannot be loaded says so, and its page has all the others", async () => {
  await using open = await OpenPage.open(page(["./model_playground.ts"]));
  const { page: shown, complaints, requests } = open;
  const said = shown.getByText("This playground could not be loaded");
  await said.waitFor();
  assertEquals(await shown.locator("model-playground").getByRole("status").count(), 1);
  await shown.waitForFunction(() => customElements.get("chat-playground") !== undefined);
  const tries = () => requests.filter((url) => url.endsWith("model_playground.ts")).length;
  assertEquals(tries(), 1, "what it says is no reason to try again");

  // Another page comes, without the document being loaded anew, and the server is there again.
  await shown.route(`${MISSING}*`, (route) =>
    route.fulfill({
      contentType: "text/javascript",
      headers: { "access-control-allow-origin": "*" },
      body: "export class ModelPlayground extends HTMLElement {}",
    }));
  await shown.evaluate(() => document.body.append(document.createElement("model-playground")));
  await shown.waitForFunction(() => customElements.get("model-playground") !== undefined);
  assertEquals(tries(), 2);
  // A rejection that nobody handles would be among them.
  assertEquals(complaints, ["Failed to load resource: net::ERR_INTERNET_DISCONNECTED"]);
  await endBrowser();
}, inBrowser);
