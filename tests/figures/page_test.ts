/**
 * The figures in a real browser: the live page of real servers, compared with what these count, and
 * the elements with recordings.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { Page } from "playwright-core";
import type { Event, Header, ListenerEvent, ServedEvent } from "../../engine/recording/events.ts";
import { readLines } from "../../engine/figures/lines.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import { threeClients } from "../../lab/simulator/clients.ts";
import { simulate } from "../../lab/simulator/simulate.ts";
import { bundle, isPageFresh } from "../../scripts/page.ts";
import { violationsIn } from "../kit/axe.ts";
import { flood } from "../proofs/live.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { Peer } from "../kit/peer.ts";
import { HEADER } from "../kit/recordings.ts";
import { countsIn, ServerProcess } from "../kit/server_process.ts";

type Recorded = readonly (Header | Event)[];

/** The browser takes time to start and to draw. It outlives all tests but the last. */
const options = { skip: whyNoBrowser, timeoutMs: 60_000, sanitize: false };

/** What is tried in the browser, four pages at a time: most of the time they wait. */
const CASES: (readonly [name: string, body: () => Promise<void>])[] = [];
const AT_ONCE = 4;

function inBrowser(name: string, body: () => Promise<void>): void {
  CASES.push([name, body]);
}

test(
  "the page that servers have is built from its sources of today (if not: deno task page)",
  () => {
    assert(isPageFresh());
  },
  { sanitize: false },
);

/** The address of a server's live page. */
function pageOf({ greeting }: ServerProcess): string {
  const [, url] = / · live at (http:\/\/\S+)/.exec(greeting) ?? [];
  assert(url !== undefined, greeting);
  return url;
}

/** A connection as the figure shows it. */
interface Shown {
  readonly connection: number | undefined;
  readonly place: string;
  readonly doing: string;
  readonly waitsFor: number | undefined;
}

/** What the page shows at this moment. */
interface Picture {
  readonly dots: readonly Shown[];
  /** The names of the threads, and what their boxes say. */
  readonly threads: readonly (readonly [name: string, what: string])[];
  readonly ended: Readonly<Record<string, number>>;
  /** How many wait in the server's own queue. */
  readonly queued: number | undefined;
}

/** Looks at the figure. */
function look(page: Page): Promise<Picture> {
  return page.evaluate(() => {
    const figure = document.querySelector("model-figure") as unknown as ModelFigure;
    const { dots, totals, handOverQueue } = figure.view;
    const cards = [...figure.shadowRoot?.querySelectorAll(".card") ?? []];
    return {
      dots: dots.map(({ connection, place, doing, waitsFor }) => ({
        connection,
        place,
        doing,
        waitsFor,
      })),
      threads: cards.map((card) =>
        [
          card.querySelector("h4")?.textContent ?? "",
          card.querySelector(".what")?.textContent ?? "",
        ] as const
      ),
      ended: totals.endings,
      queued: handOverQueue.waiting,
    };
  });
}

/**
 * Stops the figure at a moment that it remembers. What lasts for a moment only, a test might miss that
 * looks from time to time.
 *
 * @param what happens at that moment
 */
async function lookBackTo(page: Page, what: string): Promise<void> {
  let last: readonly string[] = [];
  await until(`the figure to remember: ${what}`, async () => {
    last = await page.evaluate((what) => {
      const figure = document.querySelector("model-figure") as unknown as ModelFigure;
      const happenings = figure.scene.happenings();
      const happening = happenings.find(({ text }) => text === what);
      if (happening !== undefined) {
        figure.pause();
        // Its time may be a part of a microsecond.
        figure.seek(happening.us + 1);
      }
      return happenings.map(({ text }) => text);
    }, what);
    return last.includes(what);
  }).catch((error) => {
    throw new Error(`${error.message}, but ${last.join("; ")}`, { cause: error });
  });
}

/** Waits until the figure shows something. */
async function shows(
  page: Page,
  what: string,
  holds: (picture: Picture) => boolean,
): Promise<Picture> {
  let last: Picture | undefined;
  await until(`the page to show ${what}`, async () => holds(last = await look(page)))
    .catch((error) => {
      throw new Error(`${error.message}, but at last ${JSON.stringify(last)}`, { cause: error });
    });
  return last as Picture;
}

/**
 * How many have ended, none of them with RST. Of a connection between two looks at the kernel's table
 * it is not always known that it was FIN, and the looks are rare on a busy machine.
 */
function endsIn({ ended: { FIN = 0, RST = 0, unknown = 0 } }: Picture): number {
  assertEquals(RST, 0);
  return FIN + unknown;
}

/** The server's counters, as the page has them. */
async function counters(page: Page): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(
    await page.locator("#counters div").evaluateAll((all) =>
      all.map((each) => [
        each.querySelector("dt")?.textContent ?? "",
        each.querySelector("dd")?.textContent ?? "",
      ])
    ),
  );
}

async function isWide(page: Page): Promise<boolean> {
  return await page.evaluate(() =>
    document.documentElement.scrollWidth > document.documentElement.clientWidth
  );
}

/** What axe-core finds to be serious or critical. */
async function barriers(page: Page): Promise<readonly string[]> {
  return await violationsIn({ page }, ["serious", "critical"]);
}

inBrowser("a pool: who waits for whom is what the server counts, and its end is told", async () => {
  await using server = await ServerProcess.start("threadpool", [
    ...["--workers", "1", "--protocol", "frame", "--live", "0"],
  ]);
  await using open = await OpenPage.visit(pageOf(server));
  const { page } = open;
  await page.locator("#state[data-state=live]").waitFor();
  await page.locator("#about", { hasText: /^frame · 127\.0\.0\.1:\d+/ }).waitFor();
  // The first has the only worker for as long as it stays.
  await using first = await Peer.connect(server.address);
  await first.take(1);
  await using second = await Peer.connect(server.address);
  await using third = await Peer.connect(server.address);
  const wanted = [
    [1, "thread", "reading", undefined],
    [undefined, "hand-over queue", "waiting", 1],
    [undefined, "hand-over queue", "waiting", 1],
  ];
  // What threads tell of themselves comes later than what is seen of the queue.
  await shows(page, "two that wait for the first", ({ dots, queued }) => {
    const seen = dots.map((
      { connection, place, doing, waitsFor },
    ) => [connection, place, doing, waitsFor]);
    return queued === 2 && JSON.stringify(seen) === JSON.stringify(wanted);
  });
  // They were accepted, and everything on the page says so.
  await until("the counters to have them", async () => {
    const shown = await counters(page);
    return shown["accepted and begun"] === "1" && shown["accepted and queued"] === "2";
  });
  await page.getByText("The same as a table").click();
  // The page writes its tables when it has seen that somebody has opened them.
  const rows = page.getByRole("row", { name: "accepted, no number yet" });
  await until("the table to have them", async () => await rows.count() === 2);
  assertEquals(await page.getByText("not accepted").count(), 0);
  await page.getByText("The same as a table").click();
  for (const [peer, answer] of [[first, "b"], [second, "*b"], [third, "*b"]] as const) {
    await peer.send("^a$");
    assertEquals(await peer.take(answer.length), answer);
    peer.finish();
    await peer.rest();
  }
  await page.getByLabel("Follow #").fill("2");
  await page.locator("model-figure .followed li")
    .getByText(/^#2 waited [\d.]+ m?s for #1 in the hand-over queue$/).waitFor();
  await page.getByRole("button", { name: "Three clients" }).click();
  await shows(page, "six ends", (picture) => endsIn(picture) === 6 && picture.queued === 0);
  await lookBackTo(page, "worker 0 begins to compute prime for #4");
  const { dots } = await shows(
    page,
    "the moment",
    ({ threads: [thread] }) => thread?.[1].startsWith("computes prime for #4") === true,
  );
  assertEquals(dots.find(({ connection }) => connection === 4)?.doing, "computing");
  await page.getByRole("button", { name: "Go live" }).click();
  const totals = countsIn(await server.stop());
  await page.getByText("The server has ended. This is its last picture.").waitFor();
  // The last picture is a little later than the one at which it has ended.
  await until("the page to have the server's own totals", async () => {
    const shown = await counters(page);
    return shown["accepted and begun"] === String(totals.accepted) &&
      shown.completed === String(totals.completed) && shown.failed === String(totals.failed);
  });
  await shows(page, "the ends of all", (picture) => endsIn(picture) === totals.completed);
  assertEquals([totals.accepted, totals.completed, totals.failed], [6, 6, 0]);
  assertEquals(open.complaints, []);
});

/** The largest prime of 64 bits. To find that out takes seconds. */
const LARGEST_PRIME = "18446744073709551557";

inBrowser("what the figures over time and the counters cover is said on the page", async () => {
  await using server = await ServerProcess.start("event", ["--live", "0"]);
  await using open = await OpenPage.visit(pageOf(server), {
    viewport: { width: 360, height: 740 },
  });
  const { page } = open;
  await page.locator("#state[data-state=live]").waitFor();
  const life = page.locator(".chart", { hasText: "Life of a connection" });
  assertStringIncludes(await life.innerText(), "From accept() to the end of its conversation");
  await until("the counters to be there", async () => {
    return (await counters(page))["accepted and begun"] === "0";
  });
  assertEquals(open.complaints, []);
});

inBrowser("a loop that computes stands still, and the page shows it while it does", async () => {
  await using server = await ServerProcess.start("event", [
    ...["--offload", "0", "--protocol", "frame", "--live", "0", "--compute-timeout", "0"],
  ]);
  await using open = await OpenPage.visit(pageOf(server));
  const { page } = open;
  await page.locator("#state[data-state=live]").waitFor();
  {
    await using visitor = await Peer.connect(server.address);
    visitor.finish();
    await visitor.rest();
  }
  await shows(page, "an end", (picture) => endsIn(picture) === 1);
  await using asking = await Peer.connect(server.address);
  // It computes for longer than anybody looks.
  await asking.send(`^P${LARGEST_PRIME}$`.repeat(50));
  const kept = await shows(page, "a loop that stands still for the second", (picture) => {
    const [[name, what] = ["", ""], ...others] = picture.threads;
    const dot = picture.dots.find(({ connection }) => connection === 2);
    return name === "main" && others.length === 0 && dot?.doing === "computing" &&
      what.startsWith("stands still: computes") && what.includes("for #2");
  });
  // Without a word of its end the last picture stays, and the page tries again.
  server.signal("SIGKILL");
  await page.getByText("The server does not answer.").waitFor();
  assertEquals((await look(page)).ended, kept.ended);
});

inBrowser("whoever stops a loop between two yields is computing, and the others wait", async () => {
  using folder = new Folder();
  await using server = await ServerProcess.start("event", [
    ...["--protocol", "tests/kit/protocols/spin.ts", "--live", "0"],
  ]);
  await using stopping = await Peer.connect(server.address);
  await stopping.send("one\n");
  await stopping.take(4);
  await using waiting = await Peer.connect(server.address);
  await waiting.send("two\n");
  await waiting.take(4);
  await using open = await OpenPage.visit(pageOf(server));
  const { page } = open;
  await shows(page, "both", ({ dots }) => dots.length === 2);
  await page.getByText("The same as a table").click();
  const path = folder.path("enough");
  await stopping.send(`until ${path}\n`);
  await waiting.send("three\n");
  await shows(page, "who has the loop, and who waits for it", ({ dots, threads: [loop] }) => {
    const [one, two] = dots;
    return loop?.[1].startsWith("stands still: a turn for #1") === true &&
      one?.doing === "computing" && two?.doing === "waiting for the loop" && two.waitsFor === 1;
  });
  const rowOf = (name: string) => page.getByRole("row", { name });
  await rowOf("#1 127.0.0.1").getByRole("cell", { name: "computing", exact: true }).waitFor();
  await rowOf("#2 127.0.0.1").getByText("its loop computes for another, for #1").waitFor();
  await page.getByLabel("Follow #").fill("2");
  writeFileSync(path, "");
  assertEquals(await waiting.take(6), "three\n");
  await page.locator("model-figure .followed li")
    .getByText(/^#2 waited [\d.]+ m?s for #1 until its loop was free$/).first().waitFor();
  assertEquals(open.complaints, []);
});

inBrowser(
  "without buttons there are none, and the figure works with the keyboard alone",
  async () => {
    await using server = await ServerProcess.start("cluster", [
      ...["--workers", "2", "--live", "0", "--live-view-only"],
    ]);
    await using open = await OpenPage.visit(pageOf(server), { reducedMotion: "reduce" });
    const { page } = open;
    await page.locator("#state[data-state=live]").waitFor();
    assertEquals(await page.locator("#actions").isVisible(), false);
    const isPlaying = () =>
      page.evaluate(() =>
        (document.querySelector("model-figure") as unknown as ModelFigure).isPlaying
      );
    const tabTo = async (name: string): Promise<void> => {
      for (let tries = 0; tries < 20; tries++) {
        await page.keyboard.press("Tab");
        const focused = page.locator("model-figure *:focus");
        const label = await focused.count() === 0
          ? ""
          : await focused.evaluate((element) =>
            element.getAttribute("aria-label") ?? element.textContent ?? ""
          );
        if (label.startsWith(name)) return;
      }
      throw new Error(`The keyboard never gets to ${name}`);
    };
    await tabTo("Pause");
    assertEquals(await isPlaying(), true);
    await page.keyboard.press("Space");
    assertEquals(await isPlaying(), false);
    await page.keyboard.press("k");
    assertEquals(await isPlaying(), true);
    await tabTo("Slower");
    await page.keyboard.press("Enter");
    await page.getByText("1/2×").waitFor();
    await tabTo("The same as a table");
    // A summary is named by its text.
    await page.keyboard.press("Enter");
    await page.getByRole("cell", { name: "Accept queue", exact: true }).waitFor();
    assertEquals(open.complaints, []);
  },
);

for (const colorScheme of ["light", "dark"] as const) {
  inBrowser(`the page fits a phone and a desk, and keeps nobody out: ${colorScheme}`, async () => {
    await using server = await ServerProcess.start("threadpool", [
      ...["--workers", "4", "--protocol", "frame", "--live", "0"],
    ]);
    const size = { width: 360, height: 740 };
    await using open = await OpenPage.visit(pageOf(server), { colorScheme, viewport: size });
    const { page } = open;
    await page.getByRole("button", { name: "Fifty at once" }).click();
    await shows(page, "fifty ends", (picture) => endsIn(picture) === 50);
    for (const width of [360, 1280]) {
      await page.setViewportSize({ ...size, width });
      assertEquals(await isWide(page), false, `${width} pixels`);
      assertEquals(await barriers(page), [], `${width} pixels`);
    }
    assertEquals(open.complaints, []);
  });
}

/** What the page says of its link to the server. */
function stateOf(page: Page): Promise<string> {
  return page.locator("#state").innerText();
}

inBrowser(
  "buttons are pressed with the keyboard, and one page at a time does something",
  async () => {
    await using server = await ServerProcess.start("threadpool", [
      ...["--workers", "1", "--protocol", "frame", "--live", "0", "--message-timeout", "1s"],
    ]);
    await using guest = await Peer.connect(server.address);
    await using one = await OpenPage.visit(pageOf(server));
    await using other = await OpenPage.visit(pageOf(server));
    const slow = one.page.getByRole("button", { name: "A slow client" });
    await slow.focus();
    await one.page.keyboard.press("Enter");
    await one.page.getByText("a slow client sends its message byte by byte").first().waitFor();
    // Whoever has pressed it has the focus where it was.
    assertEquals(await slow.evaluate((button) => button === document.activeElement), true);
    await other.page.getByRole("button", { name: "Fifty at once" }).click();
    await other.page.locator("#answer").getByText(
      /^"A slow client" is still under way: about (?:[1-9]|10|11) s more$/,
    ).waitFor();
    // The slow client waits for the only worker, and both pages show that.
    for (const { page } of [one, other]) {
      await shows(page, "who waits", ({ dots }) => dots.some(({ waitsFor }) => waitsFor === 1));
    }
    guest.finish();
    await one.page.locator("model-figure .now")
      .getByText(/^from the page: a slow client: /).waitFor();
    assertEquals([one.complaints, other.complaints.length], [[], 1]);
    assertStringIncludes(other.complaints[0] ?? "", "409");
  },
);

inBrowser(
  "a page outlives a restart of its server, and shows nobody of the one before",
  async () => {
    using folder = new Folder();
    await using server = await ServerProcess.start("nonblocking", [
      ...["--protocol", "echo", "--live", "0"],
    ], {
      environment: { ...process.env as Record<string, string>, XDG_RUNTIME_DIR: folder.path("") },
    });
    await using guest = await Peer.connect(server.address);
    await using open = await OpenPage.visit(pageOf(server));
    const { page } = open;
    await shows(page, "the guest", ({ dots }) => dots.length === 1);
    const began = () =>
      page.evaluate(() =>
        (document.querySelector("model-figure") as unknown as ModelFigure).scene.header?.began_us
      );
    const before = await began();
    const pid = await server.restart();
    try {
      await until("the page to show the next one", async () => {
        const now = await began();
        return now !== undefined && now !== before && await stateOf(page) === "live";
      });
      assertEquals((await look(page)).dots, []);
      await using newcomer = await Peer.connect(server.address);
      await shows(page, "the newcomer alone", ({ dots }) => dots.length === 1);
      newcomer.finish();
      await shows(page, "its end", ({ ended }) => ended.FIN === 1);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    await page.getByText("The server has ended. This is its last picture.").waitFor();
    assertEquals(await page.getByRole("button", { name: "Fifty at once" }).isDisabled(), true);
    guest.finish();
    await server.end();
  },
);

inBrowser("a page whose server is gone says so, and says if another one is there", async () => {
  await using first = await ServerProcess.start("event", ["--live", "0"]);
  const url = pageOf(first);
  await using open = await OpenPage.visit(url);
  const { page } = open;
  await until("the page to be live", async () => await stateOf(page) === "live");
  first.signal("SIGKILL");
  await page.getByText("The server does not answer. This is its last picture").waitFor();
  await first.ended;
  await using second = await ServerProcess.start("event", ["--live", new URL(url).port]);
  // The page would ask more and more seldom. Whoever comes back to it does not want to wait.
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByText("Another server is here now.").waitFor();
  const asked = open.requests.length;
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  assertEquals(open.requests.length, asked);
  assertEquals((await second.stop()).code, 0);
});

/** A page with a figure and bars of a recording, without a server. */
function pageWith(recording: Recorded, names: string): string {
  const lines = JSON.stringify(recording).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>figures</title><link rel="icon" href="data:,">
<body><main><h1>Figures</h1>
<model-figure data-title="A model" names="${names}"></model-figure>
<client-timeline data-title="Clients" names="${names}"></client-timeline>
</main>
<script type="application/json" id="lines">${lines}</script>
<script>${bundle("engine/figures/index.ts")}
const lines = JSON.parse(document.getElementById("lines").textContent);
document.querySelector("model-figure").lines = lines;
document.querySelector("client-timeline").lines = lines;
</script></body></html>`;
}

const NAMES = "long prime|echo|small prime";

inBrowser("a recording can be stepped through, and says who waited for whom", async () => {
  const { recording } = simulate({
    ...{ mode: "threadpool", workers: 1, protocol: "frame", clients: threeClients() },
  });
  await using open = await OpenPage.open(pageWith(recording, NAMES));
  const { page } = open;
  const waited = page.locator("client-timeline .waited");
  assertEquals(await waited.count(), 3);
  assertMatch(await waited.nth(1).innerText(), /^waited 9\d\.\d ms for long prime/);
  const { said, heard, seen } = await page.evaluate(async () => {
    const root = document.querySelector("model-figure")?.shadowRoot;
    const button = root?.querySelector<HTMLElement>("[aria-label^='Step on']");
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const figure = document.querySelector("model-figure") as unknown as ModelFigure;
    const said: string[] = [];
    const heard: string[] = [];
    const seen: string[] = [];
    for (;;) {
      button?.click();
      await frame();
      await frame();
      const text = root?.querySelector(".now")?.textContent ?? "";
      if (text === said.at(-1)) return { said, heard, seen };
      said.push(text);
      heard.push(root?.querySelector(".unseen")?.textContent ?? "");
      const { dots, totals } = figure.view;
      const waits = dots.filter(({ place }) => place.endsWith("queue")).length;
      const served = dots.filter(({ place }) => place === "thread").length;
      seen.push(`${served} served, ${waits} waiting, ${totals.outcomes.done} over`);
    }
  });
  // Whoever listens hears of each step what others see.
  assertEquals(heard, seen);
  assert(new Set(heard).size > 3, heard.join("\n"));
  const events = recording.filter((line): line is Event => line.type !== "recording");
  const of = (type: Event["type"]) => events.filter((event) => event.type === type).length;
  assertEquals(said.at(-1), "Small prime has ended with FIN");
  assert(said.length > of("begun") && said.length <= events.length, said.join("\n"));
  assertStringIncludes(said.join("\n"), "begins to compute");
  assertEquals((await look(page)).ended.FIN, of("over"));
  await page.getByLabel("Follow #").fill("2");
  await page.locator("model-figure .followed").getByText("echo, from").waitFor();
  const waits = page.locator("model-figure .followed li").getByText(/waited/);
  assertEquals(await waits.count(), 1);
  assertMatch(
    await waits.innerText(),
    /^Echo waited 9\d\.\d ms for long prime in the hand-over queue$/,
  );
  assertEquals(await barriers(page), []);
  assertEquals([open.complaints, open.requests], [[], []]);
});

/** What a figure shows after a step: where its boxes stand, and what they say. */
interface StepShown {
  readonly us: number;
  readonly boxes: string;
  /** The names of the threads, which come and go. */
  readonly threads: string;
  readonly accept: string;
  readonly closing: string;
  readonly said: string;
  /** How many dots are where. */
  readonly places: Readonly<Record<string, number>>;
}

/** Steps through a figure from its beginning. */
function stepThrough(page: Page): Promise<readonly StepShown[]> {
  return page.evaluate(async () => {
    const figure = document.querySelector("model-figure") as unknown as ModelFigure;
    const root = figure.shadowRoot as ShadowRoot;
    const stage = (root.querySelector(".stage") as Element).getBoundingClientRect();
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const text = (selector: string) => root.querySelector(selector)?.textContent ?? "";
    const steps: StepShown[] = [];
    figure.seek(0);
    for (let us = -1; us < figure.us; figure.step(1)) {
      us = figure.us;
      await frame();
      await frame();
      const all = [...root.querySelectorAll<HTMLElement>(".flow > .box, .ends > .box")];
      const boxes = all.filter(({ hidden }) => !hidden).map((box) => {
        const { x, y, width, height } = box.getBoundingClientRect();
        const name = box.querySelector("h3")?.textContent;
        return `${name} ${[x - stage.x, y - stage.y, width, height].map(Math.round)}`;
      });
      const threads = [...root.querySelectorAll(".card h4")].map((name) => name.textContent).join();
      const places: Record<string, number> = {};
      for (const { place } of figure.view.dots) places[place] = (places[place] ?? 0) + 1;
      steps.push({
        ...{
          boxes: boxes.join("; "),
          us,
          threads,
          accept: text(".accept .count"),
          said: text(".now"),
        },
        ...{ closing: text(".end.closing .count"), places },
      });
    }
    return steps;
  });
}

/** The rows of the tables of a figure of which a reader cannot see something, and how many there are. */
function hiddenRows(page: Page): Promise<{ readonly rows: number; readonly hidden: string[] }> {
  return page.evaluate(() => {
    const root = document.querySelector("model-figure")?.shadowRoot as ShadowRoot;
    const details = root.querySelector("details") as HTMLElement;
    const rows = [...root.querySelectorAll("tr")];
    const isInside = (row: HTMLElement) => {
      const { left, right, top, bottom } = row.getBoundingClientRect();
      return [details, row.closest(".scroll") as HTMLElement].every((frame) => {
        const around = frame.getBoundingClientRect();
        return around.top <= top + 1 && bottom <= around.bottom + 1 &&
          around.left <= left + 1 && right <= around.right + 1;
      });
    };
    const hidden = rows.filter((row) => {
      // Nobody has to find out that something can be scrolled but the page.
      if (!isInside(row)) return true;
      row.scrollIntoView({ block: "center" });
      return [...row.cells].some((cell) => {
        const { left, right, top, bottom } = cell.getBoundingClientRect();
        const middle = root.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return middle === null || !cell.contains(middle);
      });
    });
    return { rows: rows.length, hidden: hidden.map((row) => row.innerText) };
  });
}

inBrowser(
  "the tables of a figure end where their rows do, with one row and with many",
  async () => {
    for (const name of ["threadpool", "threads-for-a-crowd"]) {
      const file = new URL(`../../site/public/recordings/${name}.jsonl`, import.meta.url);
      const { lines } = readLines(readFileSync(file, "utf8"));
      const [first, ...others] = lines.filter(({ type }) => type === "served") as ServedEvent[];
      assert(first !== undefined);
      await using open = await OpenPage.open(pageWith(lines, ""));
      const { page } = open;
      await page.getByText("The same as a table").click();
      for (const [us, connections] of [[first.at, 1], [others.at(-1)?.at ?? 0, 2]] as const) {
        await page.evaluate((us) => {
          (document.querySelector("model-figure") as unknown as ModelFigure).seek(us + 1);
        }, us);
        const table = page.getByRole("table", { name: "Connections", exact: true });
        await until("the rows to be there", async () => {
          return await table.locator("tbody tr").count() >= connections;
        });
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 740 });
          const { rows, hidden } = await hiddenRows(page);
          assert(rows > 8, `${rows} rows`);
          assertEquals(hidden, [], `${name} at ${width} pixels`);
          assertEquals(await isWide(page), false, `${width} pixels`);
        }
      }
    }
  },
);

inBrowser("every box stays where it is, and counts whom it shows, at every step", async () => {
  for (const name of ["threadpool", "accept-queue", "closing-a-server"]) {
    const file = new URL(`../../site/public/recordings/${name}.jsonl`, import.meta.url);
    const { lines } = readLines(readFileSync(file, "utf8"));
    const ends = lines.filter(({ type }) => type === "connection").length;
    const counted = lines.find(({ type }) => type === "listener") as ListenerEvent;
    await using open = await OpenPage.open(pageWith(lines, ""));
    const { page } = open;
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const steps = await stepThrough(page);
      assert(steps.length > 10, steps.map(({ said }) => said).join("; "));
      for (const { us, boxes, threads, accept, closing, places, said } of steps) {
        assertEquals(boxes, steps.find((step) => step.threads === threads)?.boxes, said);
        assertMatch(boxes, /^Accept queue [^;]*; .*Closing [^;]*; FIN [^;]*; RST [^;]*$/);
        const seen = places["accept queue"] ?? 0;
        assertEquals(closing, String(places.closing ?? 0), said);
        if (us < counted.at && seen === 0) {
          assertEquals(accept, "not known", said);
          continue;
        }
        // The kernel may have counted somebody whom nobody has seen yet.
        const [waiting, limit] = accept.split(" of ").map(Number) as [number, number];
        assertEquals(limit, counted.limit, said);
        assert(waiting >= seen, `${accept}, seen ${seen}: ${said}`);
      }
      assert((steps.at(-1)?.us ?? 0) > counted.at);
      assertEquals((await look(page)).ended, { FIN: ends, RST: 0, unknown: 0 });
    }
    assertEquals(open.complaints, []);
  }
});

inBrowser(
  "a connection is followed from the accept queue to its end, before it has a number",
  async () => {
    const header = { ...HEADER, by: "threadpool" };
    await using open = await OpenPage.open(pageWith([header], ""));
    const { page } = open;
    const peer = "127.0.0.1:4001";
    const append = (...lines: Recorded) =>
      page.evaluate((lines) => {
        const figure = document.querySelector("model-figure") as unknown as ModelFigure;
        figure.appendLines(lines);
        figure.pause();
        figure.seek(figure.scene.toUs);
      }, lines);
    const followed = page.locator("model-figure .followed");
    const title = (text: string) => followed.locator("p").getByText(text).waitFor();
    const socket: Event = {
      ...{ type: "socket", at: 1_000, cookie: "1", local: "127.0.0.1:80", remote: peer },
      ...{ state: "ESTABLISHED", waiting: true },
    };
    await append(header, { type: "thread", at: 0, thread: 1, name: "worker 0" }, socket);
    // With the mouse: it stands somewhere in the box of the accept queue.
    const box = await page.locator("model-figure .accept .well").boundingBox();
    assert(box !== null);
    const canvas = page.locator("model-figure canvas");
    const at = await canvas.boundingBox();
    assert(at !== null);
    for (let y = 8; y < box.height && await followed.isHidden(); y += 16) {
      for (let x = box.width - 8; x > 0 && await followed.isHidden(); x -= 16) {
        await canvas.click({ position: { x: box.x - at.x + x, y: box.y - at.y + y } });
      }
    }
    await title(`A connection (not accepted yet), from ${peer}, is here: accept queue`);
    await append({ ...socket, at: 2_000, waiting: false }, {
      ...{ type: "begun", at: 1_500, connection: 7, peer, cookie: "1" },
    }, { type: "queued", at: 1_500, to: 2_500, connection: 7 });
    await title(`#7, from ${peer}, is here: hand-over queue`);
    assertEquals(await page.getByLabel("Follow #").inputValue(), "7");
    await append({ type: "served", at: 2_500, connection: 7, thread: 1 }, {
      ...{ type: "span", at: 2_600, to: 9_000, name: "computing", thread: 1, connection: 7 },
    });
    await page.evaluate(() =>
      (document.querySelector("model-figure") as unknown as ModelFigure).seek(3_000)
    );
    await title(`#7, from ${peer}, is served by worker 0: computing · 400 µs`);
    await append({ type: "over", at: 9_500, connection: 7, outcome: "done" }, {
      ...{ type: "connection", at: 9_600, cookie: "1", local: "127.0.0.1:80", remote: peer },
      ...{ opened_by: "remote", closed_first: "remote", ended_with: "fin" },
    }, { type: "counters", at: 9e6, values: {} });
    await title(`#7, from ${peer}, is in the picture no more`);
    const life = await followed.locator("li span").allInnerTexts();
    assertEquals(
      life.map((line) => line.replace(/ #7.*/, "")),
      [
        "#7 is in the accept queue",
        "#7 is accepted",
        "#7 waits in the hand-over queue",
        "Worker 0 begins to serve",
        "#7 waited 1.00 ms in the hand-over queue",
        "Worker 0 begins to compute for",
        "Worker 0 has computed for",
        "The conversation of",
        "#7 has ended with FIN",
      ].map((line) => line.replace(/ #7.*/, "")),
    );
    // What became of another one was left out: that is said, and it does not stay.
    await append({ type: "begun", at: 9e6, connection: 8, peer: "127.0.0.1:4002" }, {
      ...{ type: "served", at: 9e6, connection: 8, thread: 1 },
    }, { type: "counters", at: 9.1e6, values: {} });
    // With the keyboard: the next one in the picture, and from the table.
    await page.getByLabel("Follow #").focus();
    await page.keyboard.press("Escape");
    await followed.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Play" }).focus();
    await page.keyboard.press("n");
    await title("#8, from 127.0.0.1:4002, is served by worker 0");
    await page.keyboard.press("Escape");
    await page.getByText("The same as a table").click();
    await page.getByRole("row", { name: "#8" }).getByRole("button").press("Enter");
    await title("#8, from 127.0.0.1:4002, is served by worker 0");
    await append(
      { type: "left_out", at: 9.2e6, what: "connections", count: 3 },
      { type: "over", at: 9.2e6, connection: 8, outcome: "unknown" },
      { type: "counters", at: 19e6, values: {} },
    );
    await followed.getByText("The conversation of #8 is over: how was left out").waitFor();
    assertEquals((await look(page)).dots, []);
    assertEquals([open.complaints, await barriers(page)], [[], []]);
  },
);

inBrowser("whoever comes and goes in a crowd is counted on the page as on the server", async () => {
  // Its full size is a proof.
  await flood(200);
});

inBrowser("what a recording says is never markup", async () => {
  const evil = '<img src="x" onerror="document.title = 1">';
  const at = 10;
  const recording: Recorded = [
    { ...HEADER, by: evil, runtime: evil },
    { type: "thread", at, thread: 1, name: `worker ${evil}` },
    { type: "begun", at, connection: 1, peer: evil },
    { type: "served", at, connection: 1, thread: 1 },
    { type: "span", at, to: 5_000, name: "computing", thread: 1, connection: 1, task: evil },
    { type: "note", at, text: evil },
    { type: "over", at: 6_000, connection: 1, outcome: "failed", failure: evil },
  ];
  await using open = await OpenPage.open(pageWith(recording, ""));
  const { page } = open;
  await page.getByText("The same as a table").click();
  await page.getByLabel("Follow #").fill("1");
  await page.evaluate(() => {
    const figure = document.querySelector("model-figure") as unknown as ModelFigure;
    figure.seek(figure.scene.toUs);
  });
  await page.locator("model-figure .now").getByText(`over: failed, ${evil}`).waitFor();
  assertEquals(await page.locator("img").count(), 0);
  assertEquals([await page.title(), open.requests, open.complaints], ["figures", [], []]);
});

while (CASES.length > 0) {
  const some = CASES.splice(0, AT_ONCE);
  test(`in a browser: ${some.map(([name]) => name).join("; ")}`, async () => {
    await Promise.all(some.map(([name, body]) =>
      body().catch((cause) => {
        throw new Error(`${name}: ${cause.message}`, { cause });
      })
    ));
  }, options);
}

test("the browser ends", async () => {
  assertEquals(await endBrowser(), 0);
}, { sanitize: false });
