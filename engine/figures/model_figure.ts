/**
 * `<model-figure>`: a server that was recorded or that runs, as queues, threads, and connections
 * that move from one to the next.
 *
 * ```html
 * <model-figure src="threadpool.jsonl" data-title="A pool of two" names="A long|B echo"></model-figure>
 * ```
 *
 * @module
 */

import { formatTime, formatWhole } from "../values/units.ts";
import { COLOUR_STYLE } from "./colours.ts";
import { type Controls, legend, makeControls } from "./controls.ts";
import {
  adoptStyles,
  define,
  ElementBase,
  make,
  namesIn,
  setText,
  wantsLessMotion,
} from "./element.ts";
import { COMMON_STYLE, FIGURE_STYLE, SIGN_STYLE, STAGE_STYLE } from "./figure_style.ts";
import { Followed } from "./followed.ts";
import { inOrder, type Line, RecordingSource } from "./lines.ts";
import { PictureTable } from "./picture_table.ts";
import { LiveClock, Playhead, SPEEDS } from "./playhead.ts";
import { type Dot, type Happening, Scene, type View } from "./scene.ts";
import { Stage } from "./stage.ts";

/** For how long a server that runs is remembered, in microseconds. */
const KEEP_US = 60_000_000;

/** For how long an ended connection is seen, in milliseconds of the reader. */
const LINGER_MS = 700;

/** How long a recording is to take, if nothing else is said, in seconds. */
const SECONDS = 12;

/** How much is shown before the first connection and after the last, as a share of the rest. */
const MARGIN = 0.04;

/** How often texts change, in milliseconds. */
const TEXT_MS = 150;

/**
 * How often totals that change all the time are said to those who listen, and after what time without
 * a change they are said at once, in milliseconds.
 */
const TOTALS_MS = 5_000;
const SETTLED_MS = 500;

/** From this number of connections on it is not said in words what happens. */
const MOST_TOLD = 3_000;

/** With less motion, how often a moving picture changes, in milliseconds. */
const CALM_MS = 250;

/** A figure of a recording. */
export class ModelFigure extends ElementBase {
  static readonly observedAttributes: readonly string[] = ["src", "data-title", "names", "speed"];

  #given: readonly Line[] = [];
  readonly #playhead = new Playhead();
  #clock = new LiveClock();
  #scene = new Scene();
  #names: readonly string[] = [];
  #nameByConnection = new Map<number, string>();
  /** Whether the lines come as they happen, and whether they still do. */
  #isStream = false;
  #isLive = false;
  #stage: Stage | undefined;
  #controls: Controls | undefined;
  readonly #followed = new Followed({
    nameOf: (connection) => this.#nameOf(connection),
    named: (happening) => this.#named(happening),
  });
  #title: HTMLElement | undefined;
  #sub: HTMLElement | undefined;
  #now: HTMLElement | undefined;
  #totals: HTMLElement | undefined;
  #table: PictureTable | undefined;
  #observers: { disconnect(): void }[] = [];
  #media: AbortController | undefined;
  #isSeen = true;
  #frame = 0;
  #shownMs: number | undefined;
  #textMs = -Infinity;
  /** The totals of the last picture, since when they are the same, and when some were said last. */
  #counted = "";
  #countedMs = -Infinity;
  #totalsMs = -Infinity;
  readonly #source = new RecordingSource();

  /** The recording. Setting it shows it from its beginning. */
  get lines(): readonly Line[] {
    return this.#given;
  }

  set lines(lines: readonly Line[]) {
    this.#given = lines;
    this.#isStream = false;
    this.#isLive = false;
    this.#scene = new Scene();
    this.#scene.add(inOrder(lines));
    this.#begin();
  }

  /** The names of the connections, in the order in which they come. */
  get names(): readonly string[] {
    return this.#names;
  }

  set names(names: readonly string[]) {
    this.#names = names;
    this.#nameAll();
    this.#update();
  }

  /** What the figure shows at this moment. */
  get view(): View {
    return this.#scene.at(this.#playhead.us, this.#lingerUs);
  }

  /** The recording as it is known. */
  get scene(): Scene {
    return this.#scene;
  }

  /** The moment that is shown, in microseconds since the recording began. */
  get us(): number {
    return this.#playhead.us;
  }

  /** Whether it plays. */
  get isPlaying(): boolean {
    return this.#playhead.isPlaying;
  }

  /** The number of the connection that is followed, if it has one. */
  get followed(): number | undefined {
    return this.#followed.connection;
  }

  /**
   * Begins to show a server that runs. What was shown before is forgotten.
   *
   * @param isSame whether it is the same server as before: then connections have the same numbers
   */
  startLive(isSame = false): void {
    this.#isStream = true;
    this.#isLive = true;
    this.#scene = new Scene({ keepUs: KEEP_US });
    this.#clock = new LiveClock();
    this.#playhead.goLive();
    this.#begin(isSame);
  }

  /**
   * Adds lines of a server that runs.
   *
   * @param lines the lines, as they come
   */
  appendLines(lines: readonly Line[]): void {
    if (!this.#isStream) this.startLive();
    this.#scene.add(lines);
    this.#clock.hear(this.#scene.toUs, performance.now());
    this.#update();
  }

  /** The server has ended, or cannot be reached: the last picture stays. */
  stopLive(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#playhead.isLive = false;
    this.#update();
  }

  /** Plays on. */
  play(): void {
    this.#playhead.play();
    this.#update();
  }

  /** Stops at the moment that is shown. */
  pause(): void {
    this.#playhead.pause();
    this.#update();
  }

  /** Shows another moment, in microseconds since the recording began. */
  seek(us: number): void {
    this.#setRange();
    this.#playhead.seek(us);
    this.#update();
  }

  /**
   * Goes to the next moment at which something happens, or to the one before.
   *
   * @param by 1 for the next one, -1 for the one before
   */
  step(by: 1 | -1): void {
    this.#playhead.pause();
    const { us } = this.#playhead;
    const moments = this.#scene.happenings();
    // Events of one microsecond are one step.
    const next = by > 0
      ? moments.find((happening) => happening.us > us + 0.5)
      : moments.findLast((happening) => happening.us < us - 0.5);
    if (next !== undefined) this.seek(next.us);
  }

  /** Follows a connection; nobody, if it is `undefined`. */
  follow(connection: number | undefined): void {
    this.#follow({ connection });
  }

  #follow(dot: Partial<Pick<Dot, "connection" | "id">>): void {
    this.#followed.follow(dot);
    this.#writeNumber();
    this.#refresh();
  }

  /** Writes who is followed. Who has a number by now is found by it. */
  #writeNumber(): void {
    const field = this.#controls?.follow;
    const { connection } = this.#followed;
    const text = connection === undefined ? "" : String(connection);
    if (field !== undefined && field.value !== text) field.value = text;
  }

  /** Follows the next connection in the picture, or the one before. */
  #followNext(by: 1 | -1): void {
    const { dots } = this.view;
    if (dots.length === 0) return;
    const at = dots.findIndex((dot) => this.#followed.is(dot));
    const next = at < 0 && by < 0 ? dots.length - 1 : (at + by + dots.length) % dots.length;
    this.#follow(dots[next] as Dot);
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.#stage === undefined) this.#build();
    const observer = new IntersectionObserver(([entry]) => {
      this.#isSeen = entry?.isIntersecting ?? true;
      this.#update();
    });
    observer.observe(this);
    const sizes = new ResizeObserver(() => this.#refresh());
    sizes.observe(this.#stage?.root as HTMLElement);
    // A site may switch between light and dark by a class.
    const scheme = new MutationObserver(() => this.#refresh());
    scheme.observe(document.documentElement, {
      attributes: true,
      attributeFilter: ["class", "style"],
    });
    this.#observers = [observer, sizes, scheme];
    this.#media = new AbortController();
    const { signal } = this.#media;
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"]) {
      matchMedia(query).addEventListener("change", () => this.#refresh(), { signal });
    }
    this.#update();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    for (const observer of this.#observers) observer.disconnect();
    this.#observers = [];
    this.#media?.abort();
    this.#source.stop();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Called by the browser. */
  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    if (name === "src" && value !== null) void this.#load(value);
    if (name === "names") this.names = namesIn(value);
    if (name === "speed" && value !== null && Number(value) > 0) {
      this.#playhead.setSpeed(Number(value));
    }
    if (name === "data-title") this.#writeTitle();
  }

  async #load(source: string): Promise<void> {
    await this.#source.load(source, (lines) => {
      this.lines = lines;
      if (this.hasAttribute("autoplay") && !wantsLessMotion()) this.play();
    }, (text) => this.#say(text));
  }

  #say(text: string): void {
    if (this.#now !== undefined) setText(this.#now, text);
  }

  /** Shows a recording from its beginning. */
  #begin(isSame = false): void {
    this.#nameAll();
    this.#writeTitle();
    this.#setRange();
    if (!this.#isLive) {
      this.#playhead.pause();
      this.#playhead.seek(this.#playhead.range.fromUs);
      const asked = Number(this.getAttribute("speed"));
      this.#playhead.setSpeed(asked > 0 ? asked : this.#fittingSpeed());
    }
    if (isSame) this.#followed.renew();
    else this.follow(undefined);
    this.#refresh();
  }

  /** The speed at which the recording takes about as long as a reader likes to watch. */
  #fittingSpeed(): number {
    const { fromUs, toUs } = this.#playhead.range;
    const wanted = (toUs - fromUs) / 1e6 / SECONDS;
    return SPEEDS.find((speed) => speed >= wanted) ?? 10;
  }

  #setRange(): void {
    const scene = this.#scene;
    if (this.#isStream) {
      this.#playhead.range = { fromUs: scene.fromUs, toUs: scene.toUs };
      return;
    }
    const happenings = scene.happenings();
    const [first, last] = [happenings[0], happenings.at(-1)];
    if (first === undefined || last === undefined) {
      this.#playhead.range = { fromUs: scene.fromUs, toUs: scene.toUs };
      return;
    }
    const margin = Math.max(1_000, (last.us - first.us) * MARGIN);
    this.#playhead.range = { fromUs: Math.max(0, first.us - margin), toUs: last.us + margin };
  }

  #nameAll(): void {
    this.#nameByConnection = new Map();
    if (this.#names.length === 0) return;
    const known = this.#scene.dots.filter(({ connection }) => connection !== undefined);
    for (const [index, { connection }] of known.slice(0, this.#names.length).entries()) {
      this.#nameByConnection.set(connection as number, this.#names[index] as string);
    }
  }

  #nameOf(connection: number): string {
    return this.#nameByConnection.get(connection) ?? `#${connection}`;
  }

  #letterOf({ connection }: Dot): string {
    if (connection === undefined) return "";
    const name = this.#nameByConnection.get(connection);
    if (name !== undefined) return name.slice(0, 1).toUpperCase();
    return connection < 1000 ? String(connection) : "";
  }

  /** For how long a connection that has ended stays, in microseconds of the recording. */
  get #lingerUs(): number {
    return LINGER_MS * 1000 * this.#playhead.speed;
  }

  #refresh(): void {
    this.#stage?.refresh();
    this.#textMs = -Infinity;
    this.#update();
  }

  /** Shows what there is with the next frame. */
  #update(): void {
    if (this.#frame !== 0 || this.#stage === undefined || !this.isConnected) return;
    this.#frame = requestAnimationFrame((ms) => this.#onFrame(ms));
  }

  #onFrame(ms: number): void {
    this.#frame = 0;
    const stage = this.#stage;
    if (stage === undefined) return;
    const isCalm = wantsLessMotion();
    const passedMs = Math.min(100, ms - (this.#shownMs ?? ms));
    if (isCalm && this.#playhead.isPlaying && ms - (this.#shownMs ?? -Infinity) < CALM_MS) {
      this.#update();
      return;
    }
    this.#shownMs = ms;
    this.#setRange();
    const before = this.#playhead.us;
    const liveUs = this.#isLive ? this.#clock.at(performance.now()) : undefined;
    this.#playhead.advance(ms, liveUs);
    const { us } = this.#playhead;
    const { view } = this;
    stage.lingerUs = this.#lingerUs;
    const isJump = stage.isLarge && Math.abs(us - before) > 1e6;
    const { isPlaying } = this.#playhead;
    const moves = stage.show(view, { passedMs, jumps: isCalm || isJump, isPlaying });
    if (ms - this.#textMs >= TEXT_MS || !isPlaying) {
      this.#textMs = ms;
      this.#write(view);
    }
    if (isPlaying && this.#isSeen || moves) this.#update();
  }

  #build(): void {
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, COLOUR_STYLE, COMMON_STYLE, SIGN_STYLE, STAGE_STYLE, FIGURE_STYLE);
    const stage = new Stage({
      nameOf: (connection) => this.#nameOf(connection),
      letterOf: (dot) => this.#letterOf(dot),
      followed: () => this.#followed.isSomebody ? (dot) => this.#followed.is(dot) : undefined,
    });
    this.#stage = stage;
    stage.canvas.addEventListener("click", (event) => {
      const { x, y } = stage.canvas.getBoundingClientRect();
      const dot = stage.hit({ x: event.clientX - x, y: event.clientY - y });
      this.#follow(dot ?? {});
    });
    this.#title = make("h2");
    this.#sub = make("p", { class: "sub" });
    this.#now = make("p", { class: "now" });
    this.#totals = make("p", { class: "unseen", attributes: { "aria-live": "polite" } });
    const controls = makeControls();
    this.#controls = controls;
    this.#listen(controls);
    const table = new PictureTable(
      (connection) => this.#nameOf(connection),
      {
        onOpen: () => this.#refresh(),
        onFollow: (dot) => this.#follow(dot),
      },
    );
    this.#table = table;
    root.append(make("div", {
      class: "frame",
      attributes: { role: "group", "aria-label": "A server and its connections" },
      children: [
        make("div", { class: "head", children: [this.#title, this.#sub] }),
        stage.root,
        controls.root,
        this.#now,
        this.#followed.root,
        legend(),
        table.root,
        this.#totals,
      ],
    }));
    this.#writeTitle();
  }

  #listen(controls: Controls): void {
    const { play, live, slower, faster, back, step, time, follow } = controls;
    play.addEventListener("click", () => this.#playhead.isPlaying ? this.pause() : this.play());
    live.addEventListener("click", () => {
      this.#playhead.goLive();
      this.#update();
    });
    slower.addEventListener("click", () => this.#changeSpeed(-1));
    faster.addEventListener("click", () => this.#changeSpeed(1));
    back.addEventListener("click", () => this.step(-1));
    step.addEventListener("click", () => this.step(1));
    time.addEventListener("input", () => {
      const { fromUs, toUs } = this.#playhead.range;
      this.#playhead.pause();
      this.seek(fromUs + Number(time.value) / Number(time.max) * (toUs - fromUs));
    });
    follow.addEventListener("input", () => {
      const number = Number(follow.value);
      this.follow(follow.value !== "" && Number.isInteger(number) ? number : undefined);
    });
    this.shadowRoot?.addEventListener("keydown", (event) => this.#onKey(event as KeyboardEvent));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    const isButton = target instanceof HTMLButtonElement;
    const { key } = event;
    if (key === "Escape") this.follow(undefined);
    else if (isField) return;
    else if (key === "+") this.#changeSpeed(1);
    else if (key === "-") this.#changeSpeed(-1);
    else if (key === ".") this.step(1);
    else if (key === ",") this.step(-1);
    else if (key === "n") this.#followNext(1);
    else if (key === "p") this.#followNext(-1);
    else if (key === "k" || key === " " && !isButton && target === this.#controls?.root) {
      if (this.#playhead.isPlaying) this.pause();
      else this.play();
    } else return;
    event.preventDefault();
  }

  #changeSpeed(by: 1 | -1): void {
    this.#playhead.changeSpeed(by);
    this.#refresh();
  }

  #writeTitle(): void {
    if (this.#title === undefined || this.#sub === undefined) return;
    const { header } = this.#scene;
    setText(this.#title, this.getAttribute("data-title") ?? header?.by ?? "");
    setText(this.#sub, header === undefined ? "" : `${header.by} · ${header.runtime}`);
    this.#title.parentElement?.toggleAttribute(
      "hidden",
      header === undefined && this.#title.textContent === "",
    );
  }

  /** Writes what does not move. */
  #write(view: View): void {
    this.#writeControls(view);
    this.#writeNow(view);
    this.#followed.show(view, this.#scene, this.#playhead.range.fromUs);
    this.#writeNumber();
    this.#table?.show(view);
    this.#writeTotals(view);
  }

  #writeControls({ us }: View): void {
    const controls = this.#controls;
    if (controls === undefined) return;
    const { isPlaying, isLive, speed, range } = this.#playhead;
    setText(
      controls.play,
      isPlaying ? "Pause" : this.#playhead.isAtEnd && !this.#isLive ? "Again" : "Play",
    );
    controls.live.hidden = !this.#isLive;
    setText(controls.live, isLive ? "Live" : "Go live");
    controls.live.setAttribute("aria-pressed", String(isLive));
    setText(controls.speed, speed >= 1 ? `${speed}×` : `1/${Math.round(1 / speed)}×`);
    controls.slower.disabled = speed <= (SPEEDS[0] as number);
    controls.faster.disabled = speed >= (SPEEDS.at(-1) as number);
    const length = Math.max(1, range.toUs - range.fromUs);
    const { max } = controls.time;
    const value = String(Math.round((us - range.fromUs) / length * Number(max)));
    if (controls.time.value !== value) controls.time.value = value;
    const text = this.#isLive
      ? isLive ? "now" : `${formatTime(Math.max(0, range.toUs - us))} ago`
      : `${formatTime(Math.max(0, us - range.fromUs))} of ${formatTime(length)}`;
    setText(controls.moment, text);
    controls.time.setAttribute("aria-valuetext", text);
  }

  /** What has happened last, in words. A server that runs has too much of that while it runs. */
  #writeNow({ us, note, leftOut, isPartial }: View): void {
    if (this.#isLive && this.#playhead.isPlaying) {
      if (!isPartial) return this.#say(note ?? "");
      const count = leftOut.get("connections") ?? 0;
      return this.#say(
        `Too many connections to draw each of them: ${formatWhole(count)} were left out so far.`,
      );
    }
    const last = this.#scene.dots.length > MOST_TOLD ? undefined : this.#last(us);
    this.#say(last === undefined ? note ?? "" : this.#named(last));
  }

  #last(us: number): Happening | undefined {
    return this.#scene.happenings().findLast((happening) => happening.us <= us + 0.5);
  }

  #named({ text }: Happening): string {
    const named = text.replaceAll(/#(\d+)/g, (_, number) => this.#nameOf(Number(number)));
    return named.slice(0, 1).toUpperCase() + named.slice(1);
  }

  /**
   * Totals for those who listen: those of the picture that stands still, and of one that moves seldom.
   */
  #writeTotals({ dots, totals }: View): void {
    if (this.#totals === undefined) return;
    const at = (place: Dot["place"]) => dots.filter((dot) => dot.place === place).length;
    const served = at("thread");
    const waits = at("accept queue") + at("hand-over queue");
    const over = Object.values(totals.outcomes).reduce((sum, each) => sum + each, 0);
    const text = `${served} served, ${waits} waiting, ${over} over`;
    const nowMs = performance.now();
    if (text !== this.#counted) {
      this.#counted = text;
      this.#countedMs = nowMs;
    }
    const isSettled = !this.#playhead.isPlaying || nowMs - this.#countedMs >= SETTLED_MS;
    if (!isSettled && nowMs - this.#totalsMs < TOTALS_MS) return;
    this.#totalsMs = nowMs;
    setText(this.#totals, text);
  }
}

define("model-figure", ModelFigure);
