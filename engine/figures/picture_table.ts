/**
 * What a figure shows, in words and as tables: for those who cannot see the picture, and for those
 * who want to know precisely.
 *
 * @module
 */

import { formatTime } from "../values/units.ts";
import { lookOf, MEANINGS } from "./colours.ts";
import { make, setText } from "./element.ts";
import { describeQueue } from "./queue_counts.ts";
import type { Dot, QueueView, ThreadView, View } from "./scene.ts";

/** Names a connection. */
type NameOf = (connection: number) => string;

/** How many rows a table has at most. */
const MOST_ROWS = 100;

/** Where a connection is, in words. */
export function placeOf({ place, thread, queueOf }: Dot, { threads }: View): string {
  if (queueOf !== undefined) {
    const owner = threads.find(({ number }) => number === queueOf);
    return owner === undefined ? place : `${place} of ${owner.name}`;
  }
  if (place !== "thread") return place;
  return threads.find(({ number }) => number === thread)?.name ?? "a thread";
}

/** What a connection is called that may have no number yet. */
export function titleOf({ connection, place }: Dot, nameOf: NameOf): string {
  if (connection !== undefined) return nameOf(connection);
  if (place === "accept queue") return "not accepted yet";
  return place === "ended" ? "no number" : "accepted, no number yet";
}

/** What a connection does, and for whom it waits. */
export function doingOf(dot: Dot, nameOf: NameOf): string {
  const words = MEANINGS.find(({ look }) => look === lookOf(dot))?.words ?? dot.doing;
  const { task, waitsFor } = dot;
  const what = dot.doing === "computing" && task !== undefined ? ` ${task}` : "";
  return `${words}${what}${waitsFor === undefined ? "" : `, for ${nameOf(waitsFor)}`}`;
}

/** The accept queue of one thread of several, in words. */
export interface QueuePart {
  /** The number of the thread. */
  readonly thread: number;
  /** Its name. */
  readonly name: string;
  /** How many wait in it. */
  readonly waiting: number;
  /** The connection that has the thread for which they wait; `undefined` if none is known. */
  readonly waitsFor: number | undefined;
}

/** The accept queues of threads, where each of several has one; none where that is not known. */
export function queueParts({ acceptQueue, threads, dots }: View): readonly QueuePart[] {
  return (acceptQueue.ofThreads ?? []).map(({ thread, waiting }) => ({
    thread,
    name: threads.find(({ number }) => number === thread)?.name ?? "a thread",
    waiting,
    waitsFor: dots.find((dot) => dot.place === "accept queue" && dot.queueOf === thread)?.waitsFor,
  }));
}

/** How many wait in a thread's queue, and for whom: in as few words as a box has room for. */
export function describePart({ name, waiting, waitsFor }: QueuePart, nameOf: NameOf): string {
  return `${name}: ${waiting}${waitsFor === undefined ? "" : `, for ${nameOf(waitsFor)}`}`;
}

/** Of how many threads the accept queues are told one by one: of those in which most wait. */
const MOST_PARTS = 4;

/** The accept queues of threads for a box: so many one by one, and then how many wait in all others. */
export function describeParts(view: View, nameOf: NameOf): readonly string[] {
  const parts = queueParts(view).toSorted((one, other) => other.waiting - one.waiting);
  const told = parts.slice(0, MOST_PARTS).sort((one, other) => one.thread - other.thread);
  const others = parts.slice(MOST_PARTS);
  const waiting = others.reduce((sum, part) => sum + part.waiting, 0);
  return [
    ...told.map((part) => describePart(part, nameOf)),
    ...others.length > 0 ? [`${others.length} more: ${waiting}`] : [],
  ];
}

/** What those in a thread's queue wait for. */
function reasonOf({ name, waiting, waitsFor }: QueuePart, nameOf: NameOf): string {
  if (waiting === 0) return "nobody waits";
  return `wait for ${name}${waitsFor === undefined ? "" : `, which serves ${nameOf(waitsFor)}`}`;
}

/** Who hears of what a reader does with the tables. */
export interface TableHearing {
  /** Somebody opens or closes them. */
  onOpen(): void;
  /** Somebody wants to follow a connection. */
  onFollow(dot: Dot): void;
}

/** The tables of a figure. They are written only while they are open. */
export class PictureTable {
  /** The element to put somewhere. */
  readonly root: HTMLDetailsElement;
  readonly #nameOf: NameOf;
  readonly #places = new Rows<string>();
  readonly #connections: Rows<number>;
  readonly #more = make("p");

  /** @param nameOf names a connection @param hearing hears of what a reader does */
  constructor(nameOf: NameOf, { onOpen, onFollow }: TableHearing) {
    this.#nameOf = nameOf;
    this.#connections = new Rows((id) => {
      const dot = this.#dots.find((dot) => dot.id === id);
      if (dot !== undefined) onFollow(dot);
    });
    const places = ["Where", "Connections", "What happens there"];
    const connections = ["Connection", "From", "Where", "What it does", "Since"];
    this.root = make("details", {
      children: [
        make("summary", { text: "The same as a table" }),
        make("div", {
          class: "scroll",
          attributes: { tabindex: "0", role: "group", "aria-label": "The picture as a table" },
          children: [
            tableOf("places", "Where connections are", places, this.#places.body),
            tableOf("connections", "Connections", connections, this.#connections.body),
            this.#more,
          ],
        }),
      ],
    });
    this.root.addEventListener("toggle", onOpen);
  }

  /** Writes what a moment shows. */
  show(view: View): void {
    if (!this.root.open) return;
    const places = this.#placesIn(view).slice(0, MOST_ROWS);
    this.#places.fill(new Map(places.map((row) => [row[0] as string, row])));
    const { dots, us } = view;
    this.#dots = dots.slice(0, MOST_ROWS);
    this.#connections.fill(
      new Map(this.#dots.map((dot) => [dot.id, [
        titleOf(dot, this.#nameOf),
        dot.peer,
        placeOf(dot, view),
        doingOf(dot, this.#nameOf),
        formatTime(Math.max(0, us - dot.sinceUs)),
      ]])),
    );
    const more = dots.length - this.#dots.length;
    setText(this.#more, more > 0 ? `and ${more} more` : "");
  }

  /** Those that have a row. */
  #dots: readonly Dot[] = [];

  #placesIn(view: View): readonly (readonly string[])[] {
    const { threads, acceptQueue, hasHandOver, handOverQueue, totals } = view;
    return [
      ["Accept queue", describeQueue(acceptQueue), seenIn("accept queue", acceptQueue, view)],
      ...queueParts(view).map((part) => [
        `Accept queue of ${part.name}`,
        String(part.waiting),
        reasonOf(part, this.#nameOf),
      ]),
      ...hasHandOver
        ? [[
          "Hand-over queue",
          describeQueue(handOverQueue),
          seenIn("hand-over queue", handOverQueue, view),
        ]]
        : [],
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

  #activityOf({ activity, isLoop, standsStill, turns }: ThreadView, { us }: View): string {
    if (activity === undefined) return isLoop ? `waits, after ${turns} turns` : "waits";
    const { what, task, connection, sinceUs } = activity;
    const whom = connection === undefined ? "" : ` for ${this.#nameOf(connection)}`;
    const since = formatTime(Math.max(0, us - sinceUs));
    const still = standsStill ? "stands still: " : "";
    return `${still}${what}${task === undefined ? "" : ` ${task}`}${whom}, ${since}`;
  }
}

/** How many are seen in a queue, and how old the count of all of them is. */
function seenIn(place: Dot["place"], { countedUs }: QueueView, { dots, us }: View): string {
  const seen = dots.filter((dot) => dot.place === place).length;
  const age = countedUs === undefined ? "not counted" : `as of ${formatTime(us - countedUs)} ago`;
  return `${seen} seen there, ${age}`;
}

function tableOf(
  name: string,
  title: string,
  columns: readonly string[],
  body: HTMLElement,
): HTMLElement {
  const heads = columns.map((text) => make("th", { text, attributes: { scope: "col" } }));
  return make("table", {
    class: `picture ${name}`,
    children: [
      make("caption", { text: title }),
      make("thead", { children: [make("tr", { children: heads })] }),
      body,
    ],
  });
}

/**
 * The rows of a table. A row stays the same as long as what it is about is there: somebody may read it,
 * or have the focus in it.
 */
class Rows<Key> {
  readonly body = make("tbody");
  readonly #rows = new Map<Key, HTMLTableRowElement>();
  readonly #onChosen: ((key: Key) => void) | undefined;

  /** @param onChosen is called when somebody chooses a row; without it, nobody can */
  constructor(onChosen?: (key: Key) => void) {
    this.#onChosen = onChosen;
  }

  /** Shows these rows, in this order. */
  fill(texts: ReadonlyMap<Key, readonly string[]>): void {
    for (const [key, row] of this.#rows) {
      if (texts.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let next = this.body.firstElementChild;
    for (const [key, cells] of texts) {
      const row = this.#rows.get(key) ?? this.#make(key, cells.length);
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
      cells.forEach((text, index) => {
        const cell = row.cells[index] as HTMLElement;
        setText(cell.querySelector("button") ?? cell, text);
      });
    }
  }

  #make(key: Key, length: number): HTMLTableRowElement {
    const row = make("tr", { children: Array.from({ length }, () => make("td")) });
    const onChosen = this.#onChosen;
    if (onChosen !== undefined) {
      const attributes = { type: "button", title: "Follow it" };
      const button = make("button", { class: "small", attributes });
      button.addEventListener("click", () => onChosen(key));
      row.cells[0]?.append(button);
    }
    this.#rows.set(key, row);
    return row;
  }
}
