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

/** An open page, in a browser of its own. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the page: errors and warnings of its console, and exceptions. */
  readonly complaints: readonly string[];
  /** Everything that the page requested apart from itself. */
  readonly requests: readonly string[];
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(
    browser: Browser,
    page: Page,
    folder: string,
    { complaints, requests }: { complaints: string[]; requests: string[] },
  ) {
    this.#browser = browser;
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
    const browser = await chromium.launch({ executablePath: path ?? NAMES[0] as string });
    try {
      const page = await browser.newPage({ ...options, offline: true });
      const heard = { complaints: [] as string[], requests: [] as string[] };
      page.on("console", (message) => {
        if (message.type() !== "log") heard.complaints.push(message.text());
      });
      page.on("pageerror", (error) => heard.complaints.push(error.message));
      const url = pathToFileURL(file).href;
      page.on("request", (request) => {
        if (request.url() !== url && request.url() !== "data:,") heard.requests.push(request.url());
      });
      await page.goto(url);
      return new OpenPage(browser, page, folder, heard);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Closes the browser. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
