/**
 * The stage of a figure: boxes with names for queues and threads, and a canvas over them on which
 * the connections are dots.
 *
 * What is few and has a name is HTML, and what moves or is many is drawn. The picture takes its
 * measure from the boxes, so it follows every width and every size of text.
 *
 * @module
 */

import { formatWhole } from "../values/units.ts";
import {
  type Box,
  box,
  type Card,
  card,
  END_NAMES,
  type EndName,
  plural,
  stateOf,
  wordsOf,
} from "./boxes.ts";
import { type Look, MEANINGS } from "./colours.ts";
import { Crowd, middleOf } from "./crowd.ts";
import { make, setText } from "./element.ts";
import { describeParts } from "./picture_table.ts";
import { describeQueue } from "./queue_counts.ts";
import type { Dot, ThreadView, View } from "./scene.ts";
import {
  circleIn,
  loopPlaces,
  type Point,
  queuePlaces,
  radiusFor,
  type Rectangle,
  rowPlaces,
  Slots,
} from "./wells.ts";

/** From this number of threads on they are cells of one box. */
const MANY_THREADS = 32;

/** The narrowest stage on which the way leads to the right, in pixels. */
const WIDE = 720;

/** How often texts change, in milliseconds: faster than that nobody reads. */
const TEXT_MS = 100;

/** The most lines from loops to the threads that compute for them. */
const MOST_LINES = 64;

/** How long the hand of a loop takes for two thirds of its way, in milliseconds. */
const HAND_MS = 70;

/** Where the accept queue is, and what it does while the server closes. */
const IN_KERNEL = "in the kernel";
const KEEPS_OUT = "no newcomers";

/** What a stage is told about the connections. */
export interface Naming {
  /** The name of a connection, for sentences. */
  readonly nameOf: (connection: number) => string;
  /** One or two letters for a dot. */
  readonly letterOf: (dot: Dot) => string;
  /** Says whether a dot is followed; `undefined` if none is. */
  readonly followed: () => ((dot: Dot) => boolean) | undefined;
}

/** How a moment follows the one that was shown before. */
export interface Pace {
  /** How much time has passed, in milliseconds. */
  readonly passedMs: number;
  /** Whether everything is at its new place at once. */
  readonly jumps: boolean;
  /** Whether another moment follows by itself. */
  readonly isPlaying: boolean;
}

/** The stage. */
export class Stage {
  /** The element to put somewhere. */
  readonly root: HTMLElement;
  /** What is drawn on. */
  readonly canvas: HTMLCanvasElement;
  readonly #flow: HTMLElement;
  readonly #accept: Box & {
    readonly gauge: HTMLElement;
    readonly where: HTMLElement | null;
    /** The queues of its threads, a line each. */
    readonly parts: HTMLElement;
  };
  readonly #handOver: Box;
  readonly #threads: { readonly root: HTMLElement; readonly title: HTMLElement };
  readonly #summary: HTMLElement;
  readonly #cards: HTMLElement;
  readonly #others: HTMLElement;
  readonly #ends: ReadonlyMap<EndName, Box & { readonly slots: Slots<Dot> }>;
  readonly #crowd = new Crowd();
  readonly #naming: Naming;
  readonly #byNumber = new Map<number, Card>();
  #dense: (Box & { readonly slots: Slots<number> }) | undefined;
  #structure = "";
  #rectangles = new Map<HTMLElement, Rectangle>();
  #isMeasured = false;
  /** How many pixels of the canvas a pixel of the page has. */
  #ratio = 1;
  #isDown = false;
  #colours: ReadonlyMap<Look | "well" | "accent" | "line" | "faint", string> = new Map();
  #textMs = -Infinity;
  #radius = 10;
  #drawnBusy = "";
  #isDirty = true;
  /** For how long an ended connection stays, in microseconds of the recording. */
  lingerUs = 700_000;

  /** @param naming what connections are called */
  constructor(naming: Naming) {
    this.#naming = naming;
    const gauge = make("div", { class: "fill" });
    const accept = box("accept", "Accept queue", IN_KERNEL);
    accept.count.after(make("div", { class: "gauge", children: [gauge] }));
    const parts = make("p", { class: "who parts" });
    accept.whom.after(parts);
    this.#accept = { ...accept, gauge, parts, where: accept.root.querySelector(".who") };
    this.#handOver = box("handover", "Hand-over queue", "in the process");
    this.#cards = make("div", { class: "cards" });
    this.#others = make("p", { class: "others" });
    this.#summary = make("p", { class: "who" });
    const title = make("h3", { text: "Threads" });
    this.#threads = {
      root: make("section", {
        class: "box threads",
        children: [title, this.#summary, this.#cards, this.#others],
      }),
      title,
    };
    this.#ends = new Map((Object.keys(END_NAMES) as EndName[]).map((name) => {
      const found = box(`end ${name.toLowerCase()}`, ...END_NAMES[name]);
      return [name, { ...found, slots: new Slots<Dot>() }];
    }));
    const ends = make("div", {
      class: "ends",
      children: [...this.#ends.values()].map(({ root }) => root),
    });
    this.#flow = make("div", {
      class: "flow",
      children: [this.#accept.root, this.#handOver.root, this.#threads.root, ends],
    });
    this.canvas = make("canvas", { attributes: { "aria-hidden": "true" } });
    this.root = make("div", { class: "stage", children: [this.#flow, this.canvas] });
  }

  /** The size of something has changed, or its colours have. */
  refresh(): void {
    this.#isMeasured = false;
    this.#isDirty = true;
    this.#textMs = -Infinity;
  }

  /** The connection at a place of the canvas. */
  hit(point: Point): Dot | undefined {
    return this.#crowd.nearest(point, Math.max(14, this.#radius + 4));
  }

  /**
   * Shows a moment.
   *
   * @param view the moment @param pace how it follows the one before
   * @returns whether something still moves
   */
  show(view: View, { passedMs, jumps, isPlaying }: Pace): boolean {
    const nowMs = performance.now();
    if (this.#restructure(view)) this.refresh();
    if (nowMs - this.#textMs >= TEXT_MS || !isPlaying) {
      this.#textMs = nowMs;
      this.#write(view);
    }
    if (!this.#isMeasured) this.#measure();
    const { hasMoved, hasChanged } = this.#crowd.keep(view.dots);
    if (hasMoved || this.#isDirty) this.#place(view);
    const moves = this.#crowd.move(passedMs, jumps);
    const turns = this.#turn(view, passedMs, jumps);
    const busy = this.#busy(view);
    if (hasChanged || moves || turns || this.#isDirty || busy !== this.#drawnBusy) this.#draw(view);
    this.#drawnBusy = busy;
    this.#isDirty = false;
    return moves || turns;
  }

  /** What the boxes are busy with, as far as it is drawn. */
  #busy({ threads }: View): string {
    return threads.map(({ activity, isLoop, standsStill, kind }) =>
      activity !== undefined && (isLoop || kind === "computes")
        ? `${activity.what} ${activity.connection} ${standsStill}`
        : ""
    ).join();
  }

  /** Whether so many dots should not fly when another moment is chosen. */
  get isLarge(): boolean {
    return this.#crowd.isLarge;
  }

  /** Makes the boxes that a moment needs. Returns whether others were there before. */
  #restructure(view: View): boolean {
    const { threads, hasHandOver, areEndsTold, hasUnknownEnds } = view;
    const shown = threads.filter(({ kind }) => kind === "serves" || kind === "computes");
    const loops = shown.filter(({ isLoop }) => isLoop);
    const rest = shown.filter(({ isLoop }) => !isLoop);
    const isDense = rest.length > MANY_THREADS;
    const cards = isDense ? loops : [...loops, ...rest];
    const others = threads.filter(({ kind }) => kind !== "serves" && kind !== "computes");
    const structure = JSON.stringify([
      hasHandOver,
      isDense,
      areEndsTold,
      hasUnknownEnds,
      describeParts(view, this.#naming.nameOf).length,
      cards.map(({ number, name }) => [number, name]),
      others.map(({ name }) => name),
    ]);
    if (structure === this.#structure) return false;
    this.#structure = structure;
    this.#handOver.root.hidden = !hasHandOver;
    this.#flow.classList.toggle("with-handover", hasHandOver);
    for (const [name, { root }] of this.#ends) {
      root.hidden = name === "unknown" ? !hasUnknownEnds : !areEndsTold;
    }
    const before = new Map(this.#byNumber);
    this.#byNumber.clear();
    for (const thread of cards) {
      this.#byNumber.set(thread.number, before.get(thread.number) ?? card(thread));
    }
    const roots = [...this.#byNumber.values()].map(({ root }) => root);
    if (isDense) {
      this.#dense ??= { ...box("dense", "", ""), slots: new Slots<number>() };
      roots.push(this.#dense.root);
    } else this.#dense = undefined;
    this.#cards.replaceChildren(...roots);
    this.#cards.classList.toggle("one", cards.length === 1 && !isDense);
    const isPlain = loops.length === 0;
    const areProcesses = cards.some(({ name }) => name.startsWith("process"));
    setText(
      this.#threads.title,
      !isPlain
        ? loops.length === 1 ? "Event loop" : "Event loops"
        : areProcesses
        ? "Processes"
        : "Threads",
    );
    const names = others.map(({ name }) => name).join(", ");
    setText(this.#others, names === "" ? "" : `also there: ${names}`);
    this.#others.hidden = names === "";
    return true;
  }

  /** Writes what is few. */
  #write(view: View): void {
    const { acceptQueue, handOverQueue, dots, totals, threads, us } = view;
    const count = (place: Dot["place"]) =>
      dots.reduce((sum, dot) => sum + (dot.place === place ? 1 : 0), 0);
    const { waiting = 0, limit = 0 } = acceptQueue;
    setText(this.#accept.count, describeQueue(acceptQueue));
    if (this.#accept.where !== null) {
      setText(
        this.#accept.where,
        view.isClosing ? KEEPS_OUT : IN_KERNEL,
      );
    }
    this.#accept.gauge.style.width = `${limit === 0 ? 0 : Math.min(100, waiting / limit * 100)}%`;
    const parts = describeParts(view, this.#naming.nameOf);
    this.#accept.whom.hidden = parts.length > 0;
    this.#accept.parts.hidden = parts.length === 0;
    setText(this.#accept.parts, parts.join("\n"));
    this.#writeWhom(this.#accept, "accept queue", dots);
    this.#writeWhom(this.#handOver, "hand-over queue", dots);
    setText(this.#handOver.count, describeQueue(handOverQueue));
    for (const thread of threads) {
      const found = this.#byNumber.get(thread.number);
      if (found === undefined) continue;
      const { root, what } = found;
      const words = wordsOf(thread, us, this.#naming.nameOf);
      setText(what, words);
      what.title = words;
      root.dataset.state = stateOf(thread);
    }
    const serving = threads.filter(({ kind }) => kind === "serves");
    const served = serving.reduce((sum, { dots }) => sum + dots.length, 0);
    const busy = serving.filter(({ dots }) => dots.length > 0).length;
    this.root.classList.toggle("partial", view.isPartial);
    const live = view.counters?.live;
    // Of some that are open nothing else may be known.
    const isWhole = (view.leftOut.get("connections") ?? 0) === 0 || live === undefined ||
      live <= served;
    setText(
      this.#summary,
      view.isPartial && live !== undefined
        ? `the server counts ${plural(live, "connection")}, too many come and go to draw each`
        : serving.some(({ isLoop }) => isLoop)
        ? `${isWhole ? "" : `${formatWhole(served)} of `}${
          plural(isWhole ? served : live, "connection")
        } in turns`
        : `${formatWhole(busy)} of ${formatWhole(serving.length)} ${
          busy === 1 ? "serves" : "serve"
        }`,
    );
    if (this.#dense !== undefined) {
      const computing = serving.filter(({ activity }) => activity?.what === "computing").length;
      setText(
        this.#dense.count,
        `${formatWhole(serving.length)} threads: ${formatWhole(computing)} compute, ` +
          `${formatWhole(busy - computing)} wait for peers, ${
            formatWhole(serving.length - busy)
          } are free`,
      );
    }
    for (const [name, { count: shown }] of this.#ends) {
      setText(shown, formatWhole(name === "closing" ? count("closing") : totals.endings[name]));
    }
  }

  #writeWhom({ whom }: Box, place: Dot["place"], dots: readonly Dot[]): void {
    const waitsFor = dots.find((dot) => dot.place === place)?.waitsFor;
    setText(whom, waitsFor === undefined ? "" : `for ${this.#naming.nameOf(waitsFor)}`);
  }

  #measure(): void {
    this.#isMeasured = true;
    const frame = this.root.getBoundingClientRect();
    const within = (element: HTMLElement): Rectangle => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x - frame.x, y: y - frame.y, width, height };
    };
    this.#isDown = frame.width < WIDE;
    this.#rectangles = new Map();
    const wells = [this.#accept, this.#handOver, ...this.#ends.values()].map(({ well }) => well);
    if (this.#dense !== undefined) wells.push(this.#dense.well);
    for (const well of wells) this.#rectangles.set(well, within(well));
    for (const found of this.#byNumber.values()) found.rectangle = within(found.well);
    const ratio = this.#ratio = Math.min(2, devicePixelRatio);
    const [width, height] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const style = getComputedStyle(this.root);
    const probe = make("i", { class: "probe" });
    this.root.append(probe);
    const names = [...MEANINGS.map(({ look }) => look), "well", "accent", "line", "faint"] as const;
    this.#colours = new Map(names.map((name) => {
      probe.style.color = `var(--figure-${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    this.#font = `600 10px ${style.fontFamily}`;
  }

  #font = "600 10px sans-serif";

  /** Finds a place for each dot. */
  #place(view: View): void {
    const { dots, threads } = view;
    this.#radius = radiusFor(dots.length);
    const radius = this.#radius;
    const lists = new Map<string, Dot[]>();
    for (const dot of dots) {
      const key = dot.place === "ended" ? dot.ending as string : dot.place;
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [dot]);
      else list.push(dot);
    }
    const enters = this.#isDown ? { x: 0, y: -18 } : { x: -18, y: 0 };
    const oldest = (one: Dot, other: Dot) => one.sinceUs - other.sinceUs || one.id - other.id;
    const queue = (list: Dot[], { well }: Box) => {
      const places = queuePlaces(this.#rectangle(well), list.length, radius, this.#isDown);
      list.sort(oldest).forEach((dot, index) => this.#crowd.send(dot, places(index), enters));
    };
    queue(lists.get("accept queue") ?? [], this.#accept);
    const hasQueue = !this.#handOver.root.hidden;
    if (hasQueue) {
      queue([...lists.get("hand-over queue") ?? [], ...lists.get("taken") ?? []], this.#handOver);
    }
    for (const thread of threads) this.#placeServed(thread, enters);
    if (this.#dense !== undefined) this.#placeDense(threads, enters);
    if (!hasQueue) {
      // It is on its way to a thread: it waits at the edge of their box.
      const { x, y, height } = this.#edge();
      for (const dot of [...lists.get("hand-over queue") ?? [], ...lists.get("taken") ?? []]) {
        this.#crowd.send(dot, { x: x - radius, y: y + height / 2 }, enters);
      }
    }
    for (const [name, { well, slots }] of this.#ends) {
      const list = lists.get(name) ?? [];
      slots.keep(list);
      const places = rowPlaces(this.#rectangle(well), Math.max(1, slots.size), radius);
      for (const dot of list) this.#crowd.send(dot, places(slots.of(dot)), enters);
    }
  }

  #edge(): Rectangle {
    return [...this.#byNumber.values()][0]?.rectangle ?? { x: 0, y: 0, width: 0, height: 0 };
  }

  #placeServed({ number, dots, isLoop }: ThreadView, enters: Point): void {
    const found = this.#byNumber.get(number);
    if (found === undefined) return;
    const { rectangle, slots, places } = found;
    slots.keep(dots);
    const radius = this.#radius;
    if (isLoop) {
      loopPlaces(places, circleIn(rectangle, radius), slots.size, radius);
      for (const dot of dots) this.#crowd.send(dot, places.at(slots.of(dot)), enters);
      return;
    }
    const find = rowPlaces(rectangle, Math.max(1, slots.size), radius);
    for (const dot of dots) this.#crowd.send(dot, find(slots.of(dot)), enters);
  }

  /** Each thread is a cell. */
  #placeDense(threads: readonly ThreadView[], enters: Point): void {
    if (this.#dense === undefined) return;
    const { well, slots } = this.#dense;
    const cells = threads.filter(({ number, kind }) =>
      kind === "serves" && !this.#byNumber.has(number)
    );
    slots.keep(cells.map(({ number }) => number));
    const places = rowPlaces(this.#rectangle(well), Math.max(1, slots.size), this.#radius);
    for (const { number, dots } of cells) {
      for (const dot of dots) this.#crowd.send(dot, places(slots.of(number)), enters);
    }
  }

  #rectangle(well: HTMLElement): Rectangle {
    return this.#rectangles.get(well) ?? { x: 0, y: 0, width: 1, height: 1 };
  }

  /** Turns the hands of the loops. Returns whether one still moves. */
  #turn({ threads, dots }: View, passedMs: number, jumps: boolean): boolean {
    let moves = false;
    for (const { number, isLoop, activity, turns, lastTurn, dots: own } of threads) {
      const found = isLoop ? this.#byNumber.get(number) : undefined;
      if (found === undefined) continue;
      const whom = activity?.connection ?? lastTurn;
      const dot = whom === undefined
        ? undefined
        : own.find(({ connection }) => connection === whom);
      const body = dot && this.#crowd.find(dot);
      if (body !== undefined) {
        const middle = middleOf(found.rectangle);
        found.toAngle = Math.atan2(body.toY - middle.y, body.toX - middle.x);
      } else if (turns !== found.turns) {
        found.toAngle += (turns - found.turns) * 2 * Math.PI / Math.max(8, own.length);
      }
      found.turns = turns;
      const way = shortest(found.toAngle - found.angle);
      if (jumps || Math.abs(way) < 0.01) found.angle = found.toAngle;
      else {
        found.angle += way * (1 - Math.exp(-passedMs / HAND_MS));
        moves = true;
      }
    }
    return moves && dots.length > 0;
  }

  #draw(view: View): void {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    const ratio = this.#ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const thread of view.threads) if (thread.isLoop) this.#drawLoop(context, thread);
    this.#drawCells(context, view.threads);
    this.#drawElsewhere(context, view);
    const { lingerUs } = this;
    this.#crowd.draw(context, {
      radius: this.#radius,
      colours: this.#colours,
      font: this.#font,
      letterOf: this.#naming.letterOf,
      isFollowed: this.#naming.followed(),
      shareOf: ({ place, sinceUs }) =>
        place === "ended" ? Math.max(0, 1 - (view.us - sinceUs) / lingerUs) : 1,
    });
  }

  #colour(name: Look | "well" | "accent" | "line" | "faint"): string {
    return this.#colours.get(name) ?? "gray";
  }

  /** The circle of a loop, and its hand. */
  #drawLoop(context: CanvasRenderingContext2D, { number, standsStill: stands }: ThreadView): void {
    const found = this.#byNumber.get(number);
    if (found === undefined) return;
    const { x, y, radius } = circleIn(found.rectangle, this.#radius);
    context.lineWidth = stands ? 2.5 : 1.5;
    context.strokeStyle = this.#colour(stands ? "computing" : "line");
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
    const length = Math.max(4, radius - this.#radius - 6);
    context.strokeStyle = this.#colour(stands ? "computing" : "faint");
    context.fillStyle = context.strokeStyle;
    context.lineWidth = stands ? 4 : 2.5;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + length * Math.cos(found.angle), y + length * Math.sin(found.angle));
    context.stroke();
    context.beginPath();
    context.arc(x, y, stands ? 6 : 4, 0, 2 * Math.PI);
    context.fill();
  }

  /** The cells of threads that are too many for boxes. */
  #drawCells(context: CanvasRenderingContext2D, threads: readonly ThreadView[]): void {
    if (this.#dense === undefined) return;
    const { well, slots } = this.#dense;
    const places = rowPlaces(this.#rectangle(well), Math.max(1, slots.size), this.#radius);
    const side = Math.max(2, this.#radius * 2.2);
    context.strokeStyle = this.#colour("line");
    context.lineWidth = 1;
    for (const { number, kind } of threads) {
      if (kind !== "serves" || this.#byNumber.has(number)) continue;
      const { x, y } = places(slots.of(number));
      context.strokeRect(x - side / 2, y - side / 2, side, side);
    }
  }

  /** What threads compute for the connections of loops: a square there, and a line to it. */
  #drawElsewhere(context: CanvasRenderingContext2D, { threads, dots }: View): void {
    const computing = threads.filter(({ kind, activity }) =>
      kind === "computes" && activity?.what === "computing"
    ).slice(0, MOST_LINES);
    if (computing.length === 0) return;
    const side = 20;
    context.font = this.#font;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { number, activity } of computing) {
      const found = this.#byNumber.get(number);
      if (found === undefined || activity === undefined) continue;
      const { x, y } = middleOf(found.rectangle);
      const dot = dots.find(({ connection }) => connection === activity.connection);
      const body = dot && this.#crowd.find(dot);
      if (body !== undefined) {
        context.strokeStyle = this.#colour("awaiting");
        context.lineWidth = 1.5;
        context.setLineDash([4, 4]);
        context.beginPath();
        context.moveTo(body.x, body.y);
        context.lineTo(x, y);
        context.stroke();
        context.setLineDash([]);
      }
      context.fillStyle = this.#colour("computing");
      context.beginPath();
      context.roundRect(x - side / 2, y - side / 2, side, side, 4);
      context.fill();
      if (dot === undefined) continue;
      context.fillStyle = this.#colour("well");
      context.fillText(this.#naming.letterOf(dot), x, y + 0.5);
    }
  }
}

/** The shorter way round. */
function shortest(angle: number): number {
  return Math.atan2(Math.sin(angle), Math.cos(angle));
}
