/**
 * A real browser for tests: headless Chromium, driven by playwright-core.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The names of the program, on Debian and elsewhere. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const path = findBrowser();

/** Why there can be no browser here. In CI there must be one. */
export const whyNoBrowser: string | undefined =
  path !== undefined || process.env["CI"] !== undefined
    ? undefined
    : "chromium is not installed: apt-get install chromium";

function findBrowser(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The browser of all pages. The first page starts it: that takes longer than any test. */
let browser: Promise<Browser> | undefined;

/**
 * Ends the browser, if a page has started it.
 *
 * @returns how many pages were still open
 */
export async function endBrowser(): Promise<number> {
  const ended = await browser;
  browser = undefined;
  const left = ended?.contexts().length ?? 0;
  await ended?.close();
  return left;
}

/** An open page. It shares the browser with others, but neither storage nor settings. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the page: errors and warnings of its console, and exceptions. */
  readonly complaints: readonly string[];
  /** Everything that the page requested apart from itself. */
  readonly requests: readonly string[];
  /** The folder of its file, if it has one. */
  readonly #folder: string | undefined;

  private constructor(
    page: Page,
    folder: string | undefined,
    { complaints, requests }: { complaints: string[]; requests: string[] },
  ) {
    this.#folder = folder;
    this.page = page;
    this.complaints = complaints;
    this.requests = requests;
  }

  /**
   * Opens a page as a file, without a network.
   *
   * @param html the text of the page
   * @param options the size of the window, its colour scheme, and so on
   */
  static async open(html: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const folder = await mkdtemp(join(tmpdir(), "page-"));
    const file = join(folder, "page.html");
    await writeFile(file, html);
    return await OpenPage.#open(pathToFileURL(file).href, { ...options, offline: true }, folder);
  }

  /**
   * Opens the page of a server.
   *
   * @param url its address
   * @param options the size of the window, its colour scheme, and so on
   */
  static visit(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    return OpenPage.#open(url, options);
  }

  static async #open(
    url: string,
    options: BrowserContextOptions,
    folder?: string,
  ): Promise<OpenPage> {
    browser ??= chromium.launch({ executablePath: path ?? NAMES[0] as string });
    const context = await (await browser).newContext(options);
    try {
      const page = await context.newPage();
      const heard = { complaints: [] as string[], requests: [] as string[] };
      page.on("console", (message) => {
        if (message.type() !== "log") heard.complaints.push(message.text());
      });
      page.on("pageerror", (error) => heard.complaints.push(error.message));
      page.on("request", (request) => {
        if (request.url() !== url && request.url() !== "data:,") heard.requests.push(request.url());
      });
      await page.goto(url);
      return new OpenPage(page, folder, heard);
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  /** Closes the page. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
