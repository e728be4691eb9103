/**
 * `<client-timeline>`: a bar for each client of a recording: when it waited, and for whom; when the
 * server computed for it; when both talked.
 *
 * ```html
 * <client-timeline src="event.jsonl" names="A long|B echo|C small"></client-timeline>
 * ```
 *
 * @module
 */

import { type Event, VIRTUAL_TIME } from "../recording/events.ts";
import { formatTime } from "../values/units.ts";
import type { Look } from "./colours.ts";
import { define, make } from "./element.ts";
import {
  type Doing,
  DOING_WORDS,
  LEAST_US,
  type Life,
  livesOf,
  type Visit,
  visitsOf,
  waitingUs,
} from "./life.ts";
import { inOrder } from "./lines.ts";
import { type FigureFrame, RecordingFigure } from "./recording_figure.ts";

/** The most clients that have a bar. */
const MOST_CLIENTS = 24;

/** How many marks the scale has at most. */
const MARKS = 5;

/** The colour of each part: that of the dots. */
const LOOKS: Readonly<Record<Doing, Look>> = {
  accept: "accept",
  queue: "queue",
  thread: "held",
  computing: "computing",
  talk: "reading",
};

/** What is to be known of clients whose own clocks are not. */
const BY_SERVER =
  "When these clients came, only the server's kernel has told. They may have waited " +
  "to be accepted for longer than is drawn: by 20 ms at most where it was asked as they were taken, " +
  "and else for as long as nobody has looked.";

const STYLE = `
.rows { list-style: none; display: grid; gap: 0.7rem; }
.client { display: grid; grid-template-columns: minmax(5.5rem, 9rem) minmax(0, 1fr) 5rem; gap: 0 0.75rem; align-items: center; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.length { text-align: right; font-variant-numeric: tabular-nums; }
.waited { grid-column: 2 / -1; color: var(--figure-faint); font-size: 0.8125em; min-height: 1.45em; }
.bar { position: relative; height: 1.25rem; border-radius: 4px; background: var(--figure-box); overflow: hidden; }
.part { position: absolute; inset-block: 0; min-width: 1px; background: currentColor; }
.part.wait { background: repeating-linear-gradient(-45deg, currentColor 0 4px, transparent 4px 7px); }
.part.talk { inset-block: 40%; }
.told { position: absolute; inset-block: 0; width: 3px; margin-left: -1px; background: var(--figure-text); }
.scale {
  position: relative;
  height: 1.4em;
  margin: 0.3rem 5.75rem 0 0;
  color: var(--figure-faint);
  font-size: 0.75em;
  font-variant-numeric: tabular-nums;
}
.scale span { position: absolute; white-space: nowrap; transform: translateX(-50%); }
.scale span:first-child { transform: none; }
.rows-and-scale { container-type: inline-size; }
.scale { margin-left: calc(min(9rem, max(5.5rem, 9rem)) + 0.75rem); }
.legend .swatch { position: relative; width: 1.5rem; height: 0.8em; border-radius: 2px; overflow: hidden; }
@container (max-width: 480px) {
  .client { grid-template-columns: minmax(0, 1fr) auto; }
  .name { grid-row: 1; }
  .length { grid-row: 1; grid-column: 2; }
  .bar, .waited { grid-column: 1 / -1; }
  .scale { margin-inline: 0; }
}
`;

/** The bars of the clients of a recording. */
export class ClientTimeline extends RecordingFigure {
  protected override readonly frame: FigureFrame = {
    style: STYLE,
    label: "Who waited for whom",
    bodyClass: "rows-and-scale",
    legend,
  };
  #visits: readonly Visit[] | undefined;

  /** When the clients came and had their answers by their own clocks, if that is known. */
  get visits(): readonly Visit[] | undefined {
    return this.#visits;
  }

  set visits(visits: readonly Visit[] | undefined) {
    this.#visits = visits;
    this.draw();
  }

  protected override drawIn(body: HTMLElement): void {
    const events = inOrder(this.lines).filter((line): line is Event => line.type !== "recording");
    const [header] = this.lines;
    // In virtual time nothing is hidden from the server.
    const isVirtual = header?.type === "recording" && header.runtime === VIRTUAL_TIME;
    const all = (this.#visits ?? visitsOf(events))
      .map((visit) => isVirtual ? { ...visit, isByServer: false } : visit);
    if (all.length === 0) {
      if (this.lines.length > 0) {
        body.replaceChildren(make("p", { class: "note", text: "No client has come." }));
      }
      return;
    }
    const visits = all.slice(0, MOST_CLIENTS);
    const lives = livesOf(events, visits);
    const fromUs = Math.min(...visits.map(({ fromUs }) => fromUs));
    const toUs = Math.max(fromUs + 1, ...visits.map(({ toUs }) => toUs));
    const name = (index: number) => this.names[index] ?? `client ${index + 1}`;
    const told = events.find(({ type }) => type === "closing")?.at ?? Infinity;
    const toldUs = told < toUs ? told : undefined;
    const rows = visits.map((visit, index) =>
      row(visit, lives[index] as Life, { name, index, fromUs, lengthUs: toUs - fromUs, toldUs })
    );
    const parts: Node[] = [
      make("ul", { class: "rows", children: rows }),
      scale(toUs - fromUs),
    ];
    if (toldUs !== undefined) {
      const text = `The upright line is when the server was told to close, after ${
        formatTime(toldUs - fromUs)
      }.`;
      parts.push(make("p", { class: "note", text }));
    }
    if (visits.some(({ isByServer }) => isByServer === true)) {
      parts.push(make("p", { class: "note", text: BY_SERVER }));
    }
    if (all.length > visits.length) {
      const text = `${all.length - visits.length} more clients are not drawn.`;
      parts.push(make("p", { class: "note", text }));
    }
    body.replaceChildren(...parts);
  }
}

interface Scale {
  readonly name: (index: number) => string;
  readonly index: number;
  readonly fromUs: number;
  readonly lengthUs: number;
  /** When the server was told to close, if somebody was still there. */
  readonly toldUs: number | undefined;
}

function row(visit: Visit, life: Life, scale: Scale): HTMLElement {
  const { fromUs, toUs } = visit;
  const told = make("span", { class: "told" });
  told.hidden = scale.toldUs === undefined;
  told.style.left = `${((scale.toldUs ?? 0) - scale.fromUs) / scale.lengthUs * 100}%`;
  const bar = make("div", {
    class: "bar",
    attributes: { "aria-hidden": "true" },
    children: [
      ...life.stretches.map((stretch) => {
        const part = make("span", { class: classOf(stretch.doing) });
        part.style.left = `${(stretch.fromUs - scale.fromUs) / scale.lengthUs * 100}%`;
        part.style.width = `${(stretch.toUs - stretch.fromUs) / scale.lengthUs * 100}%`;
        part.title = `${DOING_WORDS[stretch.doing]}: ${formatTime(stretch.toUs - stretch.fromUs)}`;
        return part;
      }),
      told,
    ],
  });
  return make("li", {
    class: "client",
    children: [
      make("span", { class: "name", text: scale.name(scale.index) }),
      bar,
      make("span", { class: "length", text: formatTime(toUs - fromUs) }),
      make("span", { class: "waited", text: sentence(visit, life, scale.name) }),
    ],
  });
}

/** What became of a client's time, in words. */
function sentence(visit: Visit, life: Life, name: (index: number) => string): string {
  const computedUs = life.stretches.reduce(
    (sum, { doing, fromUs, toUs }) => sum + (doing === "computing" ? toUs - fromUs : 0),
    0,
  );
  const computed = computedUs >= 1 ? `the server computed ${formatTime(computedUs)} for it` : "";
  return [wait(visit, life, name), computed].filter((text) => text !== "").join("; ");
}

function wait(
  { isByServer = false }: Visit,
  life: Life,
  name: (index: number) => string,
): string {
  const { waitedFor, waitedUs } = life;
  if (waitedFor !== undefined) return `waited ${formatTime(waitedUs)} for ${name(waitedFor)}`;
  const us = waitingUs(life);
  if (us >= LEAST_US) return `waited ${formatTime(us)}, for no other client`;
  return isByServer ? "was not seen to wait" : "waited for nobody";
}

function classOf(doing: Doing): string {
  const kind = doing === "computing" ? "busy" : doing === "talk" ? "talk" : "wait";
  return `part ${kind} of-${LOOKS[doing]}`;
}

/** Marks at round times. */
function scale(lengthUs: number): HTMLElement {
  const rough = lengthUs / MARKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((us) => us >= rough) ?? rough;
  const marks: HTMLElement[] = [];
  for (let us = 0; us <= lengthUs; us += step) {
    const mark = make("span", { text: us === 0 ? "0" : shortTime(us) });
    mark.style.left = `${us / lengthUs * 100}%`;
    marks.push(mark);
  }
  return make("div", { class: "scale", attributes: { "aria-hidden": "true" }, children: marks });
}

/** A round time without zeros behind the point. */
function shortTime(us: number): string {
  return formatTime(us).replace(/\.0+(?= )/, "").replace(/(\.\d*?)0+(?= )/, "$1");
}

function legend(): HTMLElement {
  return make("ul", {
    class: "legend",
    attributes: { "aria-label": "What the bars mean" },
    children: (Object.keys(LOOKS) as Doing[]).map((doing) =>
      make("li", {
        children: [
          make("span", {
            class: "swatch",
            attributes: { "aria-hidden": "true" },
            children: [swatch(doing)],
          }),
          make("span", { class: "words", text: DOING_WORDS[doing] }),
        ],
      })
    ),
  });
}

function swatch(doing: Doing): HTMLElement {
  const part = make("span", { class: classOf(doing) });
  part.style.left = "0";
  part.style.width = "100%";
  return part;
}

define("client-timeline", ClientTimeline);
