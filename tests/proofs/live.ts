/**
 * A live page shows ten thousand connections without a long frame, and after a flood what the server
 * counts.
 *
 * What a browser needs for a frame depends on the machine and on what else runs there. So the figure
 * says it, and what must hold is who is in the picture.
 *
 * @module
 */

import type { Page } from "playwright-core";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import type { Address } from "../../protocol.ts";
import { endBrowser, OpenPage, whyNoBrowser } from "../kit/browser.ts";
import { assert, assertEquals, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { prove } from "../kit/proof.ts";
import { countsIn, ServerProcess } from "../kit/server_process.ts";

/** How many connections there are. */
const MANY = 10_000;

/** How many come and go in a flood. */
const FLOOD = 10_000;

/** How many are being made at a time. */
const AT_ONCE = 200;

/** For how long frames are measured, in milliseconds. */
const MEASURED_MS = 8_000;

/** How long the frames were, in milliseconds. */
export interface Frames {
  readonly median: number;
  readonly longest: number;
  readonly count: number;
}

/** Does something so many times, and many at a time. */
async function inCrowds<Result>(
  count: number,
  body: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const one = async () => {
    while (next < count) results.push(await body(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return results;
}

async function echo(peer: Peer): Promise<void> {
  await peer.send("a");
  await peer.take(1);
}

/** Comes, has its answer and leaves. */
async function visit(address: Address): Promise<void> {
  await using peer = await Peer.connect(address);
  await echo(peer);
  peer.finish();
  await peer.rest();
}

/** The numbers of the connections that the page shows, and how many it takes to have ended. */
async function shown(page: Page): Promise<{ readonly open: number; readonly ended: number }> {
  return await page.evaluate(() => {
    const { dots, totals } =
      (document.querySelector("model-figure") as unknown as ModelFigure).view;
    const { FIN, RST, unknown } = totals.endings;
    return {
      open: dots.filter(({ place }) => place !== "ended").length,
      ended: FIN + RST + unknown,
    };
  });
}

/** Measures frames of a page. */
async function measure(page: Page, ms: number): Promise<Frames> {
  return await page.evaluate((ms) =>
    new Promise<Frames>((resolve) => {
      const lengths: number[] = [];
      let begun = 0;
      let last = 0;
      const onFrame = (now: number) => {
        if (last > 0) lengths.push(now - last);
        begun ||= now;
        last = now;
        if (now - begun < ms) return void requestAnimationFrame(onFrame);
        lengths.sort((a, b) => a - b);
        resolve({
          median: lengths[lengths.length >> 1] ?? 0,
          longest: lengths.at(-1) ?? 0,
          count: lengths.length,
        });
      };
      requestAnimationFrame(onFrame);
    }), ms);
}

/**
 * Shows a server with many connections, some of which come, go and speak all the time.
 *
 * @param count how many
 * @param ms for how long frames are measured
 * @returns the frames while the page loads, and after that
 */
export async function showMany(
  count: number,
  ms: number,
): Promise<{ readonly loading: Frames; readonly running: Frames }> {
  await using server = await ServerProcess.start("event", [
    ...["--protocol", "echo", "--live", "0", "--max-connections", String(count + AT_ONCE + 10)],
  ]);
  const peers = await inCrowds(count, async () => {
    const peer = await Peer.connect(server.address);
    await echo(peer);
    return peer;
  });
  try {
    await using open = await OpenPage.visit(pageOf(server), {
      viewport: { width: 1_280, height: 900 },
    });
    const { page } = open;
    const loading = await measure(page, ms / 4);
    await until("the page to show all of them", async () => (await shown(page)).open === count);
    const running = measure(page, ms);
    const isOver = running.then(() => true);
    for (let round = 0; await Promise.race([isOver, pauseOf(50)]) !== true; round++) {
      await Promise.all([
        ...peers.slice(round * 10 % count, round * 10 % count + 10).map(echo),
        ...Array.from({ length: 5 }, () => visit(server.address)),
      ]);
    }
    await until("nobody else to be shown", async () => (await shown(page)).open === count);
    assertEquals(open.complaints, []);
    return { loading, running: await running };
  } finally {
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
  }
}

function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Floods a server whose page is open.
 *
 * @param count how many connections come and go
 * @returns how many of them the page was not told of one by one
 */
export async function flood(count: number): Promise<number> {
  await using server = await ServerProcess.start("nonblocking", [
    ...["--protocol", "echo", "--live", "0"],
  ]);
  await using open = await OpenPage.visit(pageOf(server));
  const { page } = open;
  await using guest = await Peer.connect(server.address);
  await until("the guest to be shown", async () => (await shown(page)).open === 1);
  await inCrowds(count, () => visit(server.address));
  await using late = await Peer.connect(server.address);
  await echo(late);
  // Those who are there are shown, also who came in the flood, and nobody else.
  await until("the flood to be over", async () => {
    const { open, ended } = await shown(page);
    return open === 2 && ended === count;
  });
  const leftOut = await page.evaluate(() =>
    (document.querySelector("model-figure") as unknown as ModelFigure).view.leftOut
      .get("connections") ?? 0
  );
  await visit(server.address);
  await until("dots to come back", async () => {
    const { open, ended } = await shown(page);
    return open === 2 && ended === count + 1;
  });
  await Promise.all([guest, late].map((peer) => peer[Symbol.asyncDispose]()));
  await until("all to be gone", async () => (await shown(page)).open === 0);
  const { accepted } = countsIn(await server.stop());
  assertEquals(accepted, count + 3);
  // The picture is a little behind what the page has heard.
  await until("the last picture to have all of them", async () => {
    return (await shown(page)).ended === accepted;
  });
  assertEquals(open.complaints, []);
  return leftOut;
}

function pageOf({ greeting }: ServerProcess): string {
  const [, url] = / · live at (http:\/\/\S+)/.exec(greeting) ?? [];
  assert(url !== undefined, greeting);
  return url;
}

function describe({ median, longest }: Frames): string {
  return `median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`;
}

await prove(import.meta, async () => {
  try {
    const leftOut = await flood(FLOOD);
    const { loading, running } = await showMany(MANY, MEASURED_MS);
    return `${FLOOD} in a flood, of which ${leftOut} were not told one by one; frames with ${MANY} ` +
      `connections: ${describe(running)}; while they load: ${describe(loading)}`;
  } finally {
    await endBrowser();
  }
}, { skip: whyNoBrowser });
