/**
 * Each page of the built site opens in a real browser, shows its figures, computes what the simulator
 * computes here, leads nowhere that is not there, and asks nobody but its own server; each command in
 * it prints what the page says.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { BrowserContextOptions } from "playwright-core";
import { HttpServer } from "../../engine/http/http_server.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Header } from "../../engine/recording/events.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import { simulateChat } from "../../lab/simulator/chat/simulate_chat.ts";
import { simulate } from "../../lab/simulator/simulate.ts";
import { buildSite } from "../../scripts/site.ts";
import { BUILT, builtSite, filesOf } from "../../site/built_site.ts";
import { chatSimulationOf } from "../../site/elements/chat_knobs.ts";
import type { ChatPlayground } from "../../site/elements/chat_playground.ts";
import { type Settings, simulationOf } from "../../site/elements/knobs.ts";
import { isInExecutable } from "../../site/elements/command_forms.ts";
import { FIGURES } from "../../site/elements/names.ts";
import type { ModelPlayground } from "../../site/elements/model_playground.ts";
import { LESSONS, PAGES } from "../../site/pages.ts";
import { RECORDINGS } from "../../site/recordings.ts";
import { assert, assertEquals } from "../kit/harness.ts";
import { violationsIn } from "../kit/axe.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import { buildExecutable } from "../kit/executable.ts";
import { Folder } from "../kit/folder.ts";
import { readPage, type ShownCommand } from "../../site/page_text.ts";
import { prove } from "../kit/proof.ts";
import { ourRuntime } from "../kit/server_process.ts";
import { refresh, type Tool, typeLine } from "../../site/shown_commands.ts";

/** How the pages are looked at: as wide as a desk and as narrow as a phone, in light and in dark. */
const VIEWS: readonly BrowserContextOptions[] = [
  { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
];

/** The path of a page on the site. */
function pathOf(file: string): string {
  return `/${file.replace(/\.md$/, ".html").replace(/(^|\/)index\.html$/, "$1")}`;
}

/** The values of attributes of some elements in the text of a page. */
function attributes(html: string, pattern: RegExp): readonly string[] {
  return [...html.matchAll(pattern)].map(([, value = ""]) => value.replaceAll("&amp;", "&"));
}

/**
 * Looks that no link of the built pages leads to a file or an anchor that is not there, and that no
 * file asks for anything elsewhere.
 *
 * @returns how many links there were
 */
export function followLinks(folder: URL = BUILT): number {
  const files = new Set(filesOf(folder));
  const read = (file: string) => readFileSync(new URL(file, folder), "utf8");
  const ids = new Map<string, ReadonlySet<string>>();
  const idsOf = (file: string) => {
    const known = ids.get(file) ?? new Set(attributes(read(file), /\sid="([^"]+)"/g));
    ids.set(file, known);
    return known;
  };
  let count = 0;
  for (const file of files) {
    if (file.endsWith(".css")) {
      for (const [, url = ""] of read(file).matchAll(/url\(["']?([^"')]+)/g)) {
        assert(!/^(?:https?:)?\/\//.test(url), `${file} asks for ${url}`);
      }
    }
    if (!file.endsWith(".html")) continue;
    const html = read(file);
    assert(html.includes('http-equiv="Content-Security-Policy"'), `${file} has a policy`);
    // Only what a reader clicks may lead away.
    for (
      const url of attributes(
        html,
        /<(?:script|link|img|iframe|source)\b[^>]*\s(?:src|href)="([^"]*)"/g,
      )
    ) {
      assert(!/^(?:https?:)?\/\//.test(url), `${file} asks for ${url}`);
    }
    for (const url of attributes(html, /<a\b[^>]*\shref="([^"]*)"/g)) {
      count++;
      if (/^\w+:/.test(url)) continue;
      const { pathname, hash } = new URL(url, `http://localhost/${file}`);
      const target = pathname.slice(1).replace(/(^|\/)$/, "$1index.html");
      assert(files.has(target), `${file} leads to ${url}`);
      if (hash === "") continue;
      assert(idsOf(target).has(decodeURIComponent(hash.slice(1))), `${file} leads to ${url}`);
    }
  }
  return count;
}

/** Looks at a page of the table in all views. */
async function lookAt(base: string, file: string): Promise<void> {
  for (const view of VIEWS) {
    const narrow = (view.viewport?.width ?? 0) < 400;
    const title = `${file} at ${view.viewport?.width}`;
    await using open = await OpenPage.visit(base + pathOf(file), view);
    const { page } = open;
    await page.waitForFunction(() => customElements.get("predict-first") !== undefined);
    if (LESSONS.some((lesson) => lesson.file === file)) await tryLesson(open, title);
    const wide = await page.evaluate(() =>
      document.documentElement.scrollWidth - document.documentElement.clientWidth
    );
    assert(wide <= 0, `${title} is ${wide} pixels too wide`);
    assertEquals(await violationsIn(open), [], title);
    assertEquals(open.complaints, [], title);
    assertEquals(open.requests.filter((url) => !url.startsWith(base)), [], title);
    if (narrow) continue;
    // No page is a dead end.
    assert(await page.locator(".pager-link, .VPSidebar a").count() > 0, title);
  }
}

/** Bets, looks whether the figures come, and compares the playground with the simulator here. */
async function tryLesson({ page }: OpenPage, title: string): Promise<void> {
  const bet = page.locator("predict-first");
  const figure = bet.locator(FIGURES.join(", ")).first();
  assert(!await figure.isVisible(), `${title} asks before it shows`);
  await bet.locator("ol button").first().click();
  await figure.waitFor({ state: "visible" });
  await page.waitForFunction(
    (names) =>
      [...document.querySelectorAll<ModelFigure>(names)].every(({ lines }) => lines.length > 0),
    FIGURES.join(", "),
  );
  await page.waitForFunction(() =>
    document.querySelector(":is(model-playground, chat-playground):not(:defined)") === null
  );
  const played = await page.evaluate(() => {
    const model = document.querySelector<ModelPlayground>("model-playground");
    const chat = document.querySelector<ChatPlayground>("chat-playground");
    return {
      settings: model?.settings,
      chat: chat?.settings,
      recording: (model ?? chat)?.recording,
    };
  });
  const { recording } = played.chat === undefined
    ? simulate(simulationOf(played.settings as Settings))
    : simulateChat(chatSimulationOf(played.chat));
  assertEquals(JSON.stringify(played.recording), JSON.stringify(recording), title);
}

/** Turns a knob, and gives a recording of one's own to a page. */
async function tryElements(base: string): Promise<void> {
  // From a page that has no playground, whose document stays.
  await using open = await OpenPage.visit(`${base}/which-model.html`);
  const { page } = open;
  await page.locator('a[href$="/lessons/threadpool.html"]').first().click();
  await page.locator("model-playground #knob-workers").waitFor();
  const before = await page.evaluate(() =>
    document.querySelector<ModelPlayground>("model-playground")?.settings.workers
  );
  const knob = page.locator("model-playground #knob-workers");
  const computed = page.evaluate(() =>
    new Promise<void>((resolve) =>
      document.addEventListener("computed", () => resolve(), { once: true })
    )
  );
  await knob.focus();
  await knob.press("ArrowRight");
  await computed;
  const after = await page.evaluate(() => {
    const playground = document.querySelector<ModelPlayground>("model-playground");
    return { settings: playground?.settings, recording: playground?.recording };
  });
  assertEquals(after.settings?.workers, (before ?? 0) + 1);
  const { recording } = simulate(simulationOf(after.settings as Settings));
  assertEquals(JSON.stringify(after.recording), JSON.stringify(recording));

  const compare = page.locator("yours-and-ours").first();
  const input = compare.locator("input[type=file]");
  await input.setInputFiles(
    {
      name: "mine.jsonl",
      mimeType: "application/jsonl",
      buffer: readFileSync(new URL("recordings/event.jsonl", BUILT)),
    } as Parameters<typeof input.setInputFiles>[0],
  );
  await compare.locator("model-figure").nth(1).waitFor({ state: "visible" });
  await page.waitForFunction(() => {
    const root = document.querySelector("yours-and-ours")?.shadowRoot;
    const figures = [...root?.querySelectorAll<ModelFigure>("model-figure") ?? []];
    return figures.length === 2 && figures.every(({ lines }) => lines.length > 0);
  });
  const shown = await page.evaluate(() => {
    const root = document.querySelector("yours-and-ours")?.shadowRoot;
    return [...root?.querySelectorAll<ModelFigure>("model-figure") ?? []]
      .map(({ lines }) => (lines[0] as Header | undefined)?.by);
  });
  assertEquals(shown, ["event", "threadpool"]);
  await input.setInputFiles(
    {
      name: "picture.png",
      mimeType: "image/png",
      buffer: Buffer.from([0x89, 0x50]),
    },
  );
  await compare.getByText("is not a recording").waitFor();
  assertEquals(open.complaints, []);
}

/** Chooses how commands are typed, which the next page knows too. */
async function trySwitch(base: string): Promise<void> {
  await using open = await OpenPage.visit(`${base}/lessons/event.html`);
  const { page } = open;
  const command = page.locator(".language-console .line").first();
  const before = await command.innerText();
  assert(before.startsWith("$ deno run -A "), before);
  await page.locator("command-switch button", { hasText: "Bun" }).click();
  await page.goto(`${base}/lessons/threadpool.html`);
  await page.locator(".language-console .line", { hasText: "$ bun lab/" }).first().waitFor();
  await page.locator("command-switch button", { hasText: "executable" }).click();
  await page.locator(".language-console .line", { hasText: "$ handshake " }).first().waitFor();
  assertEquals(open.complaints, []);
}

/** What readers search for, and the page that must be among what is found first. */
const SEARCHED: readonly (readonly [words: string, page: string])[] = [
  ["accept queue", "/lessons/accept-queue.html"],
  ["install", "/start.html"],
  ["download", "/start.html"],
  ["start", "/start.html"],
  ["SIGPIPE", "/failures.html"],
  ["EMFILE", "/failures.html"],
  ["slowloris", "/failures.html"],
  ["SYN flood", "/failures.html"],
  ["SO_REUSEADDR", "/failures.html"],
  ["Nagle", "/glossary.html"],
  ["framing", "/glossary.html"],
  ["UDP", "/glossary.html"],
  ["conformance", "/own-protocol.html"],
  ["protocol of your own", "/own-protocol.html"],
  ["deadlock", "/glossary.html"],
  ["mutex", "/glossary.html"],
  ["race condition", "/glossary.html"],
  ["do threads share memory", "/lessons/threaded.html"],
  ["context switch", "/glossary.html"],
  ["C10k", "/glossary.html"],
  ["retransmission", "/failures.html"],
  ["congestion", "/glossary.html"],
  ["slow start", "/glossary.html"],
  ["thundering herd", "/glossary.html"],
  ["select", "/lessons/blocking-and-readiness.html"],
  ["poll", "/lessons/blocking-and-readiness.html"],
  ["stuck", "/failures.html"],
  ["uploads", "/which-model.html"],
  // A slip of the finger.
  ["slowlorris", "/failures.html"],
];

/** What is nowhere, although words that resemble it are. */
const FOUND_NOWHERE: readonly string[] = ["conception", "kubernetes"];

/** How many answers a reader looks at. */
const LOOKED_AT = 5;

/** Searches as a reader does. */
async function trySearch(base: string): Promise<void> {
  await using open = await OpenPage.visit(`${base}/`);
  const { page } = open;
  const input = page.locator("#localsearch-input");
  // The page hears keys only when its code has begun.
  for (let time = 0; time < LOOKS && !await input.isVisible(); time++) {
    await page.keyboard.press("Control+k");
    await page.waitForTimeout(10 * LOOK_MS);
  }
  const found = page.locator("#localsearch-list a");
  const paths = () =>
    found.evaluateAll((links) => links.map((link) => new URL((link as HTMLAnchorElement).href)))
      .then((urls) => urls.slice(0, LOOKED_AT).map(({ pathname }) => pathname));
  for (const [words, wanted] of SEARCHED) {
    await input.fill(words);
    // What was found for the words before stands there for a moment.
    let last: readonly string[] = [];
    for (let look = 0; look < LOOKS && !last.includes(wanted); look++) {
      await page.waitForTimeout(LOOK_MS);
      last = await paths();
    }
    assert(last.includes(wanted), `"${words}" finds ${last.join(", ")}`);
  }
  for (const words of FOUND_NOWHERE) {
    await input.fill(words);
    await page.locator(".no-results").getByText(words).waitFor();
    assertEquals(await paths(), [], words);
  }
  await input.fill("accept queue");
  await found.first().click();
  await page.waitForURL((url) => url.pathname !== "/");
  assertEquals(open.complaints, []);
}

/** How often, and after how many milliseconds each time, is looked what was found. */
const LOOKS = 100;
const LOOK_MS = 100;

/**
 * Opens all pages of the built site.
 *
 * @returns what was looked at
 */
export async function lookAtAll(): Promise<string> {
  const links = followLinks();
  await using server = await HttpServer.listen({
    address: { hostname: "127.0.0.1", port: 0 },
    site: builtSite(),
  });
  const base = `http://127.0.0.1:${server.address.port}`;
  try {
    for (const { file } of PAGES) await lookAt(base, file);
    await tryElements(base);
    await trySwitch(base);
    await trySearch(base);
  } finally {
    await endBrowser();
  }
  return `${PAGES.length} pages in ${VIEWS.length} views, ${links} links`;
}

/**
 * Types commands of the pages, each once. What they print is compared with what each page says.
 *
 * @param shown the commands
 * @param on what they are typed with
 * @returns how many were typed
 */
async function typeEach(shown: readonly ShownCommand[], on: Tool): Promise<number> {
  const each = Map.groupBy(shown, ({ command, typedWith = "" }) => `${command} ${typedWith}`);
  // What is wrong is told of all of them at once: typing them takes minutes.
  const wrong: string[] = [];
  for (const [first, ...more] of each.values()) {
    try {
      const printed = await typeLine(first as ShownCommand, on);
      for (const { command, output } of [first as ShownCommand, ...more]) {
        if (output.length > 0) refresh(command, output, printed);
      }
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  assertEquals(wrong.join("\n\n"), "");
  return each.size;
}

/**
 * Types all commands of the pages on this runtime, and those of the executable with it.
 *
 * @returns how many were typed
 */
export async function typeAll(): Promise<string> {
  const shown = PAGES.flatMap((page) => readPage(page).commands);
  const run = shown.filter(({ notRun }) => notRun === undefined);
  const typed = [`${await typeEach(run, ourRuntime)} commands typed`];
  // The executable is the same file, whichever runtime builds it.
  if (runtime.name === "bun") {
    using folder = new Folder();
    const path = await buildExecutable(folder.path("."));
    const executable = { name: "executable", path } as const;
    const inIt = run.filter(({ command }) => isInExecutable(command));
    typed.push(`${await typeEach(inIt, executable)} with the executable`);
  }
  return [...typed, `${shown.length - run.length} marked as not run`].join(", ");
}

await prove(import.meta, async () => {
  await buildSite();
  const looked = await lookAtAll();
  return `${looked}, ${RECORDINGS.length} recordings, ${await typeAll()}`;
}, { skip: whyNoBrowser });
