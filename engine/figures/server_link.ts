/**
 * The link of a page to a server that runs: it hears what happens there, and says clearly when it
 * hears nothing any more, and why.
 *
 * A link that breaks is tried again, more and more seldom. It is given up where that is in vain: the
 * server has ended, or another one answers at its address.
 *
 * @module
 */

import type { EndEvent } from "../recording/events.ts";
import { formatCount } from "../values/units.ts";
import { type Line, readLines } from "./lines.ts";

/** After which time a link that has broken is tried again at first, and at the latest, in milliseconds. */
const AGAIN_MS = 1_000;
const LATEST_MS = 30_000;

/** How long a server that has taken another one over has to be found, in milliseconds. */
const NEXT_MS = 300;

/** A server tells figures four times a second. One that says nothing for so long does not run. */
const SILENT_MS = 5_000;

/** How often it is looked whether the server is silent, in milliseconds. */
const LOOK_MS = 1_000;

/** How a link is. */
export interface LinkState {
  /**
   * It hears the server; the server says nothing; it has broken, and is tried again; or it is over.
   */
  readonly kind: "live" | "silent" | "lost" | "ended";
  /** The same in words. */
  readonly text: string;
  /** Where the page of the server is that serves in place of this one. */
  readonly page?: string;
}

/** Who hears what a link hears. */
export interface LinkHearing {
  /** A stream begins: what was known before is to be forgotten. */
  begins(): void;
  /** Lines have come. */
  lines(lines: readonly Line[]): void;
  /** The link is another way. */
  state(state: LinkState): void;
}

/** A link to the server whose page this is. */
export class ServerLink {
  readonly #hearing: LinkHearing;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #kind: LinkState["kind"] | undefined;
  /** How often it was tried in vain since it was heard last. */
  #tries = 0;
  #heardAt = 0;

  /** @param hearing hears what it hears */
  constructor(hearing: LinkHearing) {
    this.#hearing = hearing;
    this.#open();
    setInterval(() => this.#lookForSilence(), LOOK_MS);
    // Whoever comes back to the page does not want to wait.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || this.#timer === undefined) return;
      this.#tries = 0;
      this.#open();
    });
  }

  #say(kind: LinkState["kind"], text: string, page?: string): void {
    this.#kind = kind;
    this.#hearing.state({ kind, text, ...(page !== undefined && { page }) });
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const source = this.#source = new EventSource("events");
    source.addEventListener("message", ({ data }) => this.#hear(String(data)));
    source.addEventListener("error", () => {
      // A browser would try again by itself, as often as it likes.
      source.close();
      if (source === this.#source) void this.#lose();
    });
  }

  #hear(text: string): void {
    const { lines } = readLines(text);
    this.#heardAt = performance.now();
    this.#tries = 0;
    // Each stream begins with a header, and with all that is there now.
    if (lines.some(({ type }) => type === "recording")) this.#hearing.begins();
    if (this.#kind !== "live") this.#say("live", "live");
    this.#hearing.lines(lines);
    const end = lines.find((line): line is EndEvent => line.type === "end");
    if (end !== undefined) this.#end(end);
  }

  #end({ successor, page }: EndEvent): void {
    this.#source?.close();
    this.#source = undefined;
    if (successor === undefined) {
      return this.#say("ended", "The server has ended. This is its last picture.");
    }
    const who = `Process ${successor} serves now`;
    if (page === undefined) {
      return this.#say("ended", `${who}, and has no page. This is the last picture.`);
    }
    // It has the same secret, so it is the same page, whatever way leads to it from here.
    const isSame = URL.canParse(page) && new URL(page).pathname === location.pathname;
    if (!isSame) return this.#say("ended", `${who}. This is the last picture.`, page);
    this.#say("lost", `${who}: connecting to it …`);
    this.#timer = setTimeout(() => this.#open(), NEXT_MS);
  }

  /** Finds out why nothing is heard. */
  async #lose(): Promise<void> {
    this.#source = undefined;
    // This picture stays whatever the reason is.
    if (this.#kind !== "lost") this.#say("lost", "The server does not answer …");
    let status = 0;
    try {
      ({ status } = await fetch("events", { method: "HEAD" }));
    } catch {
      // Nobody answers there.
    }
    // Only the right token is answered otherwise.
    if (status === 404 || status === 421) {
      return this.#say(
        "ended",
        "Another server is here now. It has printed the address of its own page. This is the last " +
          "picture of the one before.",
      );
    }
    const waitMs = Math.min(LATEST_MS, AGAIN_MS * 2 ** this.#tries++);
    const seconds = formatCount(Math.round(waitMs / 1_000));
    const why = status === 0
      ? "The server does not answer. This is its last picture"
      : status === 503
      ? "Too many read along, and the server tells nobody else"
      : "The link to the server has broken. This is its last picture";
    this.#say("lost", `${why}; trying again in ${seconds} s.`);
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }

  #lookForSilence(): void {
    if (this.#source === undefined || this.#kind !== "live") return;
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < SILENT_MS) return;
    this.#say("silent", "The server says nothing. Perhaps its process is stopped.");
  }
}
