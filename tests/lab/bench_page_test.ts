/**
 * The page of a measurement, in a real browser.
 *
 * @module
 */

import { Distribution } from "../../lab/load/distribution.ts";
import { distributionOf } from "../../lab/report/distribution.ts";
import { formatHtml } from "../../lab/report/html.ts";
import type { PageData } from "../../lab/report/page_data.ts";
import { formatRate, formatTime } from "../../engine/values/units.ts";
import type { RateStep, Report } from "../../lab/load/results.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import {
  Dice,
  sampleComparison,
  sampleRepeats,
  sampleReport,
  sampleRun,
} from "../kit/report_samples.ts";
import { whyTheirs } from "../kit/turns.ts";

/** The browser takes time to start and to draw. It outlives all tests but the last. */
const always = { skip: whyNoBrowser, timeoutMs: 60_000, sanitize: false };

/** Both runtimes make the same page, as the first test sees, and one of them looks at all of it. */
const options = { ...always, skip: whyNoBrowser ?? whyTheirs(1) };

const COMPARISON = sampleComparison(1, 3);

/** The page of it. */
const PAGE = whyNoBrowser === undefined ? formatHtml(COMPARISON) : "";

/** What Chart.js knows about a chart that it has drawn. */
interface DrawnChart {
  readonly title: string;
  /** How many pixels are coloured, and in how many colours. */
  readonly pixels: number;
  readonly colours: number;
  /** The names of what is drawn. */
  readonly names: readonly string[];
  /** The box that shows the values. */
  readonly tooltip: { readonly opacity: number; readonly title: string; readonly lines: string[] };
}

/** Looks at all the charts. */
function look({ page }: OpenPage): Promise<DrawnChart[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("figure")].map((figure) => {
      const canvas = figure.querySelector("canvas") as HTMLCanvasElement;
      const { Chart } = globalThis as unknown as typeof import("chart.js");
      const chart = Chart.getChart(canvas);
      // It reads a copy of the canvas: a browser warns about reading the same canvas again and
      // again.
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext("2d", {
        willReadFrequently: true,
      }) as OffscreenCanvasRenderingContext2D;
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set<number>();
      let pixels = 0;
      for (let at = 0; at < data.length; at += 4) {
        const red = data[at] as number;
        const green = data[at + 1] as number;
        const blue = data[at + 2] as number;
        const alpha = data[at + 3] as number;
        // Grey pixels belong to the axes and to the text.
        if (alpha < 200 || Math.max(red, green, blue) - Math.min(red, green, blue) < 60) continue;
        pixels++;
        colours.add(red << 16 | green << 8 | blue);
      }
      const tooltip = chart?.tooltip;
      const lines = tooltip?.body?.flatMap(({ lines }) => lines) ?? [];
      return {
        title: figure.querySelector("h2")?.textContent ?? "",
        pixels,
        colours: colours.size,
        names: (chart?.config.options?.indexAxis === "y"
          ? chart.data.labels ?? []
          : chart?.data.datasets.map(({ label }) => label) ?? []).map(String),
        tooltip: {
          opacity: tooltip?.opacity ?? 0,
          title: tooltip?.title?.join("") ?? "",
          lines: lines.map((line) =>
            line.trim()
          ),
        },
      };
    })
  );
}

/** Holds the mouse over a chart. */
async function hover({ page }: OpenPage, title: string, x: number, y: number): Promise<void> {
  const canvas = page.locator("figure", { hasText: title }).locator("canvas");
  const box = await canvas.boundingBox();
  assert(box !== null);
  await canvas.hover({ position: { x: box.width * x, y: box.height * y } });
}

async function shown(open: OpenPage, title: string): Promise<DrawnChart> {
  const chart = (await look(open)).find((chart) => chart.title === title);
  assert(chart !== undefined, title);
  return chart;
}

function assertQuiet({ complaints, requests }: OpenPage): void {
  assertEquals([complaints, requests], [[], []]);
}

test("the page draws a chart of everything, and needs nothing but itself", async () => {
  await using open = await OpenPage.open(PAGE);
  const charts = await look(open);
  assertEquals(charts.map(({ title }) => title), [
    "Throughput",
    "Latency by percentile",
    "Rate over time",
    "p99 over time",
    "CPU of the server over time",
    "Memory of the server over time",
    "Answers for each second of CPU",
    "Memory at most",
  ]);
  for (const { title, pixels, colours, names } of charts) {
    assert(pixels > 500 && colours >= 7, `${title}: ${pixels} pixels of ${colours} colours`);
    assertEquals(names.length, 14, title);
  }
  assertEquals(charts[0]?.names[0], "nonblocking · bun", "the best is first");
  const { page } = open;
  assertEquals(await page.locator("#runs tbody tr").count(), COMPARISON.runs.length);
  assertStringIncludes(await page.locator(".command").innerText(), COMPARISON.command);
  assertStringIncludes(await page.locator(".machine").innerText(), COMPARISON.machine.cpu);
  const findings = await page.locator(".findings li").allInnerTexts();
  assertEquals(findings, [...COMPARISON.findings]);
  assertQuiet(open);
}, always);

test("holding the mouse over a chart shows the values", async () => {
  const runs = sampleRepeats(new Dice(4), "event · bun", 3);
  await using open = await OpenPage.open(formatHtml(sampleReport(runs)));
  const points = distributionOf(runs.map(({ histogram }) => histogram.latency));
  const expected = new Set(points.map(({ us }) => `event · bun: ${formatTime(us)}`));
  for (const x of [0.2, 0.5, 0.8]) {
    await hover(open, "Latency by percentile", x, 0.5);
    const { tooltip } = await shown(open, "Latency by percentile");
    assertEquals(tooltip.opacity, 1);
    assertMatch(tooltip.title, /^\d\d(\.\d+)? % took at most$/);
    assert(expected.has(tooltip.lines[0] as string), `${tooltip.lines}`);
  }
  await hover(open, "Throughput", 0.5, 0.4);
  const { tooltip } = await shown(open, "Throughput");
  const rates = runs.map(({ rate }) => formatRate(rate));
  assertEquals([tooltip.opacity, tooltip.title], [1, "event · bun"]);
  for (const line of tooltip.lines) {
    assert(/^mean /.test(line) || rates.some((rate) => line === `a repeat ${rate}`), line);
  }
  await hover(open, "Rate over time", 0.9, 0.5);
  const { tooltip: second } = await shown(open, "Rate over time");
  assertMatch(`${second.title}: ${second.lines}`, /^second \d: event · bun: \d\d\.\d k\/s$/);
  assertQuiet(open);
}, options);

test("the page follows its reader's choice of light or dark, and changes with it", async () => {
  await using open = await OpenPage.open(PAGE, { colorScheme: "light" });
  const { page } = open;
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const ticks = () =>
    page.evaluate(() => {
      const { Chart } = globalThis as unknown as typeof import("chart.js");
      const chart = Chart.getChart(document.querySelector("canvas") as HTMLCanvasElement);
      return String(chart?.options.scales?.["x"]?.ticks?.color);
    });
  const brightness = (colour: string) =>
    (colour.match(/\d+/g) as string[]).reduce((sum, part) => sum + Number(part), 0);
  const light = [await ground(), await ticks()] as const;
  assert(brightness(light[0]) > 600, light[0]);
  await page.emulateMedia({ colorScheme: "dark" });
  assert(brightness(await ground()) < 150);
  await page.waitForFunction((before) => {
    const { Chart } = globalThis as unknown as typeof import("chart.js");
    const chart = Chart.getChart(document.querySelector("canvas") as HTMLCanvasElement);
    return String(chart?.options.scales?.["x"]?.ticks?.color) !== before;
  }, light[1]);
  for (const { title, pixels } of await look(open)) assert(pixels > 500, title);
  assertQuiet(open);
}, options);

test("readers can choose another load, hide a mode and sort the table", async () => {
  await using open = await OpenPage.open(PAGE);
  const { page } = open;
  await page.locator("#contests button").nth(3).click();
  assertEquals(
    await page.locator("#contests button[aria-pressed=true]").innerText(),
    "frame · 50 connections · 64 B · 30.0 k/s due",
  );
  await page.locator("#legend button", { hasText: "sequential · deno" }).click();
  await page.locator("#legend button", { hasText: "event · bun" }).click();
  for (const { names } of await look(open)) {
    assertEquals(names.length, 12);
    assert(!names.includes("event · bun"));
  }
  await page.locator("#legend button", { hasText: "event · bun" }).click();
  assertEquals((await shown(open, "Throughput")).names.length, 13);

  const note = () => page.locator("figure", { hasText: "Latency by percentile" }).innerText();
  assertStringIncludes(await note(), "From when a request was due");
  await page.locator("figure button", { hasText: "service" }).click();
  assertStringIncludes(await note(), "waiting before it does not count");
  await page.locator("figure button", { hasText: "log" }).click();

  const rates = () =>
    page.locator("#runs tbody td:nth-child(4)").evaluateAll((cells) =>
      cells.map((cell) => Number((cell as HTMLElement).dataset["key"]))
    );
  const head = page.locator("#runs th", { hasText: "rate" });
  const sorted = COMPARISON.runs.map(({ rate }) => rate).toSorted((a, b) => a - b);
  await head.locator("button").click();
  assertEquals(await rates(), sorted);
  await head.locator("button").click();
  assertEquals(await rates(), sorted.toReversed());
  assertQuiet(open);
}, options);

test("the page fits on a telephone", async () => {
  await using open = await OpenPage.open(PAGE, {
    viewport: { width: 390, height: 800 },
    isMobile: true,
  });
  const { page } = open;
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  for (const { title, pixels } of await look(open)) assert(pixels > 300, title);
  assertQuiet(open);
}, options);

test("no name, command or finding can run code in the page", async () => {
  const attack = `</script><script>hacked=1</script><img src=x onerror=hacked=1>"'><!-- & -->`;
  const report: Report = {
    ...sampleReport([
      ...sampleRepeats(new Dice(1), attack, 2, {
        subject: { mode: attack, runtime: attack },
        errors: { [attack]: 1 },
        load: { protocol: attack },
        started_at: `"><img src=x onerror=hacked=1>`,
      }),
      sampleRun(new Dice(2), { name: "__proto__", subject: null }),
    ]),
    command: attack,
    findings: [attack],
  };
  await using open = await OpenPage.open(formatHtml(report));
  const { page } = open;
  assertEquals(await page.evaluate(() => "hacked" in globalThis), false);
  assertEquals(await page.locator("img").count(), 0);
  assertEquals(await page.locator("script").count(), 3);
  assertEquals(await page.locator(".findings li").innerText(), attack);
  assertEquals(await page.locator(".command").innerText(), attack);
  assertEquals(await page.locator("#legend button").first().innerText(), attack);
  assertEquals((await shown(open, "Latency by percentile")).names, [attack]);
  assertQuiet(open);
}, options);

test("a single run shows large figures, and a report without runs is a page too", async () => {
  const run = sampleRun(new Dice(6), { name: "127.0.0.1:8080", subject: null, server: null });
  {
    const seconds = run.seconds.map((second) => ({ ...second, cpu_s: null, memory_bytes: null }));
    await using open = await OpenPage.open(formatHtml(sampleReport([{ ...run, seconds }])));
    const tiles = await open.page.locator(".tiles").innerText();
    assertStringIncludes(tiles, formatRate(run.rate));
    assertEquals((await look(open)).map(({ title }) => title), [
      "Latency by percentile",
      "Rate over time",
      "p99 over time",
    ]);
    assertQuiet(open);
  }
  await using open = await OpenPage.open(formatHtml(sampleReport([])));
  assertEquals(await look(open), []);
  assertStringIncludes(await open.page.locator("h1").innerText(), "Nothing was measured");
  assertQuiet(open);
}, options);

test("with many servers all can be told apart, on a telephone too", async () => {
  const dice = new Dice(3);
  const names = Array.from({ length: 63 }, (_, index) => `a server with a name, number ${index}`);
  const runs = names.map((name, index) =>
    sampleRun(dice, { name, subject: null, about: 20_000 + 500 * ((index * 37) % 63) })
  );
  const command = `deno run -A lab/bench.ts compare ${
    names.map((name) => `'${name}=…'`).join(" ")
  }`;
  await using open = await OpenPage.open(formatHtml({ ...sampleReport(runs), command }), {
    viewport: { width: 400, height: 900 },
  });
  const { page } = open;
  // What was typed does not take the whole screen.
  assert((await page.locator(".command").boundingBox())!.height < 250);
  const drawn = await page.evaluate(() =>
    [...document.querySelectorAll("canvas")].map((canvas) => {
      const { Chart } = globalThis as unknown as typeof import("chart.js");
      const chart = Chart.getChart(canvas);
      const bars = chart?.data.datasets.find(({ type }) => type === "bar");
      return {
        curves: bars === undefined ? chart?.data.datasets.length ?? 0 : 0,
        names: bars === undefined
          ? []
          : (chart?.scales["y"]?.ticks ?? []).map(({ label }) => String(label)),
        colours: (bars?.borderColor ?? []) as string[],
        // The names have room, and so have the values on the other side.
        left: chart?.scales["y"]?.left ?? 0,
        right: chart === undefined ? 0 : chart.width - chart.chartArea.right,
      };
    })
  );
  const [bars, lines] = drawn;
  assertEquals([new Set(bars?.names).size, new Set(bars?.colours).size], [63, 63]);
  for (const name of bars?.names ?? []) assert(name.length <= 18, name);
  assert((bars?.right ?? 0) >= 60);
  assertEquals(lines?.curves, 8);
  // The curves have the colours that are told apart most easily.
  const best = (await shown(open, "Latency by percentile")).names;
  const colours = await page.evaluate(() =>
    (JSON.parse(document.querySelector("#data")?.textContent ?? "") as PageData).contests[0]
      ?.entries.map(({ name, colour }) => [name, colour] as const)
  );
  const drawnColours = new Set(
    (colours ?? []).filter(([name]) => best.includes(name)).map(([, colour]) => colour),
  );
  assertEquals([drawnColours.size, Math.max(...drawnColours) < 10], [8, true]);
  await page.locator("#legend .choice button", { hasText: "all" }).click();
  assertEquals((await shown(open, "Latency by percentile")).names.length, 63);
  await page.locator("#legend .choice button", { hasText: "none" }).click();
  await page.locator("#legend > button", { hasText: "number 7" }).first().click();
  assertEquals((await shown(open, "Latency by percentile")).names, [String(names[7])]);
  // The name of a row stays in sight however far the table is scrolled.
  const left = await page.evaluate(() => {
    const table = document.querySelector(".scroll") as HTMLElement;
    table.scrollLeft = 900;
    const cell = table.querySelector("tbody td") as HTMLElement;
    return cell.getBoundingClientRect().left - table.getBoundingClientRect().left;
  });
  assertEquals(left, 0);
  assertQuiet(open);
}, options);

test("on an axis of processors one is a core, and what is not known is a dash", async () => {
  const few = { p99: null, p999: null };
  const run = sampleRun(new Dice(6), { name: "it", subject: null });
  const latency_us = { ...run.latency_us, ...few };
  await using open = await OpenPage.open(formatHtml(sampleReport([{ ...run, latency_us }])));
  const { page } = open;
  const ticks = await page.evaluate(() => {
    const { Chart } = globalThis as unknown as typeof import("chart.js");
    return [...document.querySelectorAll("canvas")].flatMap((canvas) =>
      (Chart.getChart(canvas)?.scales["y"]?.ticks ?? []).map(({ label }) => String(label))
    );
  });
  assert(ticks.includes("1 core"), ticks.join());
  assertMatch(await page.locator(".tiles").innerText(), /p99\s+–\s+p99\.9\s+–/);
  assertQuiet(open);
}, options);

test("a run of less than a second has names on the axis of time", async () => {
  const run = sampleRun(new Dice(6), { name: "it", subject: null });
  const seconds = [{ ...run.seconds[0]!, at: 0.7, histogram: run.histogram.latency }];
  const report = sampleReport([{ ...run, duration_s: 0.7, seconds }]);
  await using open = await OpenPage.open(formatHtml(report));
  const { page } = open;
  await page.evaluate(() => {
    const prototype = CanvasRenderingContext2D.prototype;
    const write = prototype.fillText;
    prototype.fillText = function (text, x, y) {
      if (this.canvas.closest(".heat") !== null) document.body.dataset["written"] += ` ${text}`;
      write.call(this, text, x, y);
    };
  });
  // It is drawn again.
  await page.setViewportSize({ width: 800, height: 700 });
  await page.waitForFunction(() => document.body.dataset["written"]?.includes("0.2 s"));
  assertQuiet(open);
}, options);

test("a heat map shows a stall, and is read by mouse, by keyboard and as a table", async () => {
  const run = sampleRun(new Dice(6), { name: "it", subject: null, errors: { reset: 2 } });
  const at = (index: number, pairs: readonly number[], errors = 0) => {
    const distribution = new Distribution();
    distribution.add(new Float64Array(pairs));
    const histogram = distribution.encode();
    return { ...run.seconds[0]!, at: index + 1, errors, histogram };
  };
  const seconds = [at(0, [150, 900, 1_500, 100]), at(1, []), at(2, [2_000_000, 1, 150, 9], 2)];
  await using open = await OpenPage.open(formatHtml(sampleReport([{ ...run, seconds }])), {
    viewport: { width: 400, height: 900 },
  });
  const { page } = open;
  const figure = page.locator("figure.heats");
  const map = figure.locator("canvas");
  const reading = () => figure.locator("output").innerText();
  assertStringIncludes(
    await map.getAttribute("aria-label") ?? "",
    "3 columns, 1 without an answer, 1 with errors",
  );
  await map.focus();
  assertEquals(await reading(), "0–1 s · 126 µs to 158 µs: 900 of 1.00 k answers, 90 %");
  await map.press("ArrowRight");
  assertEquals(await reading(), "1–2 s: no answer");
  await map.press("End");
  assertEquals(await reading(), "2–3 s · 126 µs to 158 µs: 9 of 10 answers, 90 % · errors 2");
  // The slowest answer lies at the top, to the right.
  await map.evaluate((canvas) => canvas.blur());
  await map.hover({ position: { x: 330, y: 9 } });
  assertEquals(await reading(), "2–3 s · 2.00 s to 2.51 s: 1 of 10 answers, 10 % · errors 2");
  await figure.locator("button", { hasText: "share" }).click();
  await figure.locator("summary").click();
  const rows = await figure.locator("tbody tr").allInnerTexts();
  assertEquals(rows.map((row) => row.split("\t").slice(1, 4)), [
    ["0–1 s", "1.00 k", "0"],
    ["1–2 s", "0", "0"],
    ["2–3 s", "10", "2"],
  ]);
  const drawn = (await look(open)).find(({ title }) => title.startsWith("How long answers took"));
  assert(drawn !== undefined && drawn.pixels > 500);
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 400);
  assertQuiet(open);
}, options);

test("a flame graph is read and enlarged by keyboard, and shows what belongs to whom", async () => {
  const run = sampleRun(new Dice(6), { name: "it", subject: null });
  const leaf = (name: string, where: string, ms: number) => ({ name, where, ms, children: [] });
  const graph = {
    ...leaf("all threads", "", 100),
    children: [{
      ...leaf("serve", "engine/server/descriptors/thread.ts", 90),
      children: [leaf("frame", "protocols/frame.ts", 30), leaf("recv", "engine/net/sockets.ts", 9)],
    }],
  };
  const functions = [{ name: "frame", where: "protocols/frame.ts", self_ms: 30, total_ms: 30 }];
  const { name, subject, load, rate } = run;
  const about = {
    name,
    subject,
    load,
    rate,
    duration_s: 5,
    threads: 2,
    ran_ms: 100,
    waited_ms: 300,
  };
  const report = { ...sampleReport([run]), profiles: [{ ...about, functions, graph }] };
  await using open = await OpenPage.open(formatHtml(report), {
    viewport: { width: 400, height: 900 },
  });
  const { page } = open;
  const figure = page.locator("#flames figure");
  assertStringIncludes(await figure.innerText(), "The 75 % of their time that they waited");
  const names = () => figure.locator(".bar").allInnerTexts();
  assertEquals(await names(), ["all threads", "serve", "frame", "recv"]);
  await figure.locator(".bar.root").focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  const reading = () => figure.locator("output").innerText();
  assertEquals(await reading(), "frame · protocols/frame.ts: 30.0 ms, 30 %");
  assertEquals(await figure.locator(".bar.protocol").count(), 1);
  await page.keyboard.press("Enter");
  assertEquals(await names(), ["all threads", "serve", "frame"]);
  await page.keyboard.press("Escape");
  assertEquals((await names()).length, 4);
  await figure.locator("summary").click();
  assertStringIncludes(await figure.locator("tbody").innerText(), "protocols/frame.ts");
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 400);
  assertQuiet(open);
}, options);

test("runs at different rates show both times by rate, and where the knee is", async () => {
  const dice = new Dice(8);
  const runs = [1_000, 2_000, 4_000, 8_000].map((rate) =>
    sampleRun(dice, { load: { target_rate: rate }, name: "x", subject: null, about: 5_000 })
  );
  const steps = runs.map(({ rate, load }, run) => {
    const isPassed = rate === load.target_rate;
    const verdict = isPassed ? "passed" as const : "failed" as const;
    const why = isPassed ? null : "it was slow";
    return { rate: load.target_rate ?? 0, run, phase: "step" as const, verdict, why, reached: 1 };
  });
  const knee = { rate: 4_000, overloaded: 8_000 };
  const rate_study = { steps, knee, found: null, interrupted: false, conclusion: ["It bends."] };
  const report = { ...sampleReport(runs), rate_study, findings: ["It bends."] };
  await using open = await OpenPage.open(formatHtml(report));
  const { pixels, names } = await shown(open, "Latency by rate");
  assertEquals(names, ["response p99", "response p50", "service p99", "service p50"]);
  assert(pixels > 500, String(pixels));
  await hover(open, "Latency by rate", 0.98, 0.5);
  const { tooltip } = await shown(open, "Latency by rate");
  assertEquals([tooltip.opacity, tooltip.title], [1, "8.00 k/s due · failed"]);
  const choices = await open.page.locator("#contests button").allInnerTexts();
  assertEquals(choices, ["1.00 k/s due", "2.00 k/s due", "4.00 k/s due", "8.00 k/s due"]);
  assertQuiet(open);
}, options);

test(
  "a search shows the percentile of its target, and no name is cut off at the edge",
  async () => {
    const dice = new Dice(8);
    const runs = [1_000, 8_000, 64_000].map((rate) =>
      sampleRun(dice, { load: { target_rate: rate }, name: "x", subject: null, about: 5_000 })
    );
    const steps = runs.map((_, run): RateStep => {
      const rate = 1_000 * 8 ** run;
      return { rate, run, phase: "doubling", verdict: "passed", why: null, reached: 1 };
    });
    const found = {
      targets: ["p90<5ms"],
      end: "found",
      rate: 1_000,
      spread: 0,
      next: null,
    } as const;
    const rate_study = { steps, knee: null, found, interrupted: false, conclusion: ["It is so."] };
    const report = { ...sampleReport(runs), rate_study };
    await using open = await OpenPage.open(formatHtml(report), {
      viewport: { width: 400, height: 800 },
    });
    const { names } = await shown(open, "Latency by rate");
    assertEquals(names, ["response p90", "response p50", "service p90", "service p50"]);
    const [left, begins] = await open.page.evaluate(() => {
      const { Chart } = globalThis as unknown as typeof import("chart.js");
      const chart = Chart.getChart(document.querySelector("#study canvas") as HTMLCanvasElement);
      let begins = NaN;
      const prototype = CanvasRenderingContext2D.prototype;
      const write = prototype.fillText;
      prototype.fillText = function (text, x, y) {
        const width = this.measureText(text).width;
        if (text === "found") begins = this.textAlign === "right" ? x - width : x;
        write.call(this, text, x, y);
      };
      // The found rate is where the axis begins.
      chart?.update();
      return [chart?.chartArea.left ?? NaN, begins];
    });
    assert((begins as number) >= (left as number), `${begins} is before ${left}`);
    assertQuiet(open);
  },
  options,
);

test("all pages are closed when the browser ends", async () => {
  assertEquals(await endBrowser(), 0);
}, always);
