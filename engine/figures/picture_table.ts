/**
 * What a figure shows, in words and as tables: for those who cannot see the picture, and for those
 * who want to know precisely.
 *
 * @module
 */

import { formatTime } from "../values/units.ts";
import { lookOf, MEANINGS } from "./colours.ts";
import { make } from "./element.ts";
import type { Dot, ThreadView, View } from "./scene.ts";

/** Names a connection. */
type NameOf = (connection: number) => string;

/** How many rows a table has at most. */
const MOST_ROWS = 100;

/** Where a connection is, in words. */
export function placeOf({ place, thread }: Dot, { threads }: View): string {
  if (place !== "thread") return place;
  return threads.find(({ number }) => number === thread)?.name ?? "a thread";
}

/** What a connection does, and for whom it waits. */
export function doingOf(dot: Dot, nameOf: NameOf): string {
  const words = MEANINGS.find(({ look }) => look === lookOf(dot))?.words ?? dot.doing;
  const { task, waitsFor } = dot;
  const what = dot.doing === "computing" && task !== undefined ? ` ${task}` : "";
  return `${words}${what}${waitsFor === undefined ? "" : `, for ${nameOf(waitsFor)}`}`;
}

/** The tables of a figure. They are written only while they are open. */
export class PictureTable {
  /** The element to put somewhere. */
  readonly root: HTMLDetailsElement;
  readonly #nameOf: NameOf;
  readonly #places = make("tbody");
  readonly #connections = make("tbody");

  /** @param nameOf names a connection @param onOpen is called when somebody opens or closes them */
  constructor(nameOf: NameOf, onOpen: () => void) {
    this.#nameOf = nameOf;
    const places = ["Where", "Connections", "What happens there"];
    const connections = ["Connection", "From", "Where", "What it does", "Since"];
    this.root = make("details", {
      children: [
        make("summary", { text: "The same as a table" }),
        make("div", {
          class: "scroll",
          attributes: { tabindex: "0", role: "group", "aria-label": "The picture as a table" },
          children: [
            tableOf("Where connections are", places, this.#places),
            tableOf("Connections", connections, this.#connections),
          ],
        }),
      ],
    });
    this.root.addEventListener("toggle", onOpen);
  }

  /** Writes what a moment shows. */
  show(view: View): void {
    if (!this.root.open) return;
    fill(this.#places, this.#placesIn(view).slice(0, MOST_ROWS));
    const { dots, us } = view;
    const rows = dots.slice(0, MOST_ROWS).map((dot) => [
      dot.connection === undefined ? "not accepted yet" : this.#nameOf(dot.connection),
      dot.peer,
      placeOf(dot, view),
      doingOf(dot, this.#nameOf),
      formatTime(Math.max(0, us - dot.sinceUs)),
    ]);
    const more = dots.length - rows.length;
    fill(this.#connections, more > 0 ? [...rows, [`and ${more} more`, "", "", "", ""]] : rows);
  }

  #placesIn(view: View): readonly (readonly string[])[] {
    const { dots, threads, listeners, hasHandOver, queued, totals } = view;
    const at = (place: Dot["place"]) => dots.filter((dot) => dot.place === place).length;
    const waiting = listeners.map(({ waiting, limit }) => `${waiting ?? "?"} of ${limit ?? "?"}`);
    const handOver = [
      "Hand-over queue",
      String(at("hand-over queue")),
      `counted: ${queued ?? "?"}`,
    ];
    return [
      ["Accept queue", waiting.join(", ") || "not known", `${at("accept queue")} seen there`],
      ...hasHandOver ? [handOver] : [],
      ...threads.filter(({ kind }) => kind !== "other").map((thread) => [
        thread.name,
        String(thread.dots.length),
        this.#activityOf(thread, view),
      ]),
      ...Object.entries(totals.endings).map(([how, count]) => [
        `Ended: ${how}`,
        String(count),
        "since the picture began",
      ]),
    ];
  }

  #activityOf({ activity, isLoop, turns }: ThreadView, { us }: View): string {
    if (activity === undefined) return isLoop ? `waits, after ${turns} turns` : "waits";
    const { what, task, connection, sinceUs } = activity;
    const whom = connection === undefined ? "" : ` for ${this.#nameOf(connection)}`;
    const since = formatTime(Math.max(0, us - sinceUs));
    return `${what}${task === undefined ? "" : ` ${task}`}${whom}, ${since}`;
  }
}

function tableOf(title: string, columns: readonly string[], body: HTMLElement): HTMLElement {
  const heads = columns.map((text) => make("th", { text, attributes: { scope: "col" } }));
  return make("table", {
    children: [
      make("caption", { text: title }),
      make("thead", { children: [make("tr", { children: heads })] }),
      body,
    ],
  });
}

function fill(body: HTMLElement, rows: readonly (readonly string[])[]): void {
  body.replaceChildren(
    ...rows.map((cells) => make("tr", { children: cells.map((text) => make("td", { text })) })),
  );
}
