/**
 * The script of the live page: it listens to a running server, shows what it hears, and asks it to do
 * something.
 *
 * The page lies at `/TOKEN/`. Beside it are `events`, the lines of a recording as they happen,
 * `about`, and `do`. Whatever they say becomes text.
 *
 * @module
 */

import type { FiguresEvent } from "../recording/events.ts";
import { formatBytes, formatRate, formatShare, formatTime, formatWhole } from "../values/units.ts";
import { BUTTONS, type ButtonWords } from "./buttons.ts";
import { COLOUR_STYLE } from "./colours.ts";
import { adoptStyles, make, setText } from "./element.ts";
import { LineChart } from "./line_chart.ts";
import type { Line } from "./lines.ts";
import type { ModelFigure } from "./model_figure.ts";
import { type LinkState, ServerLink } from "./server_link.ts";
import "./index.ts";

/** What a server says of itself. */
interface About {
  readonly mode?: string;
  readonly protocol?: string;
  readonly address?: string;
  readonly version?: string;
  readonly runtime?: string;
  /** How it runs. */
  readonly details?: readonly string[];
  /** What it can be asked to do. */
  readonly actions?: readonly string[];
}

/** What buttons are called. A server may have others. */
const WORDS: Readonly<Record<string, ButtonWords>> = BUTTONS;

/** What counters are called that have a short name elsewhere. What is queued is accepted too. */
const COUNTERS: Readonly<Record<string, string>> = {
  accepted: "accepted and begun",
  queued: "accepted and queued",
};

/** How often figures and counters are drawn, in milliseconds. */
const DRAW_MS = 250;

const figure = element("figure") as ModelFigure;
const charts = [
  new LineChart<FiguresEvent>({
    title: "Connections a second",
    series: [{ name: "", of: ({ rate }) => rate }],
    format: formatRate,
    least: 10,
  }),
  new LineChart<FiguresEvent>({
    title: "Life of a connection",
    note: "From accept() to the end of its conversation. How long it waited to be accepted comes " +
      "before that.",
    series: [{ name: "p50", of: ({ p50_us }) => p50_us }, {
      name: "p99",
      of: ({ p99_us }) => p99_us,
    }],
    format: formatTime,
    least: 1_000,
  }),
  new LineChart<FiguresEvent>({
    title: "CPU",
    series: [{ name: "", of: ({ cpu }) => cpu }],
    format: (cores) => `${formatShare(cores)} of a core`,
    least: 1,
  }),
  new LineChart<FiguresEvent>({
    title: "Memory",
    series: [{ name: "", of: ({ memory_bytes }) => memory_bytes }],
    format: formatBytes,
    least: 2 ** 20,
    unit: 2 ** 20,
  }),
];

/** When the server that is shown has begun, which tells it from others. */
let beganUs: number | undefined;

/** Whether the server can be asked to do something. */
let isThere = false;

adoptStyles(document, COLOUR_STYLE);
element("charts").append(...charts.map(({ root }) => root));
setInterval(draw, DRAW_MS);
new ServerLink({ begins, lines, state });

function element(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

/** Asks the server who it is and what it can do. */
async function introduce(): Promise<void> {
  let about: About;
  try {
    about = await (await fetch("about")).json() as About;
  } catch {
    // The stream says whether the server can be reached.
    return;
  }
  const { mode, protocol, address, runtime, version, details = [], actions = [] } = about;
  setText(element("name"), String(mode ?? "Handshake"));
  document.title = `${String(mode ?? "Handshake")}, live`;
  const known = [protocol, address, ...details, runtime, version && `version ${version}`];
  setText(element("about"), known.filter((text) => text !== undefined).map(String).join(" · "));
  element("actions").hidden = actions.length === 0;
  element("buttons").replaceChildren(...actions.map((action) => {
    const [name, what] = WORDS[action] ?? [String(action), ""];
    const button = make("button", { text: name, attributes: { type: "button", title: what } });
    button.addEventListener("click", () => void ask(String(action), button));
    return button;
  }));
}

/** Asks the server to do something. */
async function ask(action: string, button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  try {
    const answer = await fetch("do", { method: "POST", body: new URLSearchParams({ action }) });
    const text = (await answer.text()).trim();
    setText(element("answer"), text === "" ? `The answer is ${answer.status}.` : text);
  } catch {
    setText(element("answer"), "The server does not answer.");
  } finally {
    button.disabled = !isThere;
    // A disabled button has lost the focus.
    button.focus();
  }
}

/** A stream begins, with all that is there now. */
function begins(): void {
  void introduce();
}

function lines(lines: readonly Line[]): void {
  for (const line of lines) {
    if (line.type !== "recording") continue;
    figure.startLive(line.began_us === beganUs);
    beganUs = line.began_us;
  }
  figure.appendLines(lines);
}

function state({ kind, text, page }: LinkState): void {
  const shown = element("state");
  shown.dataset.state = kind;
  setText(shown, text);
  isThere = kind === "live" || kind === "silent";
  if (!isThere) figure.stopLive();
  for (const button of element("buttons").querySelectorAll("button")) button.disabled = !isThere;
  if (page === undefined || !isPage(page)) return;
  const link = make("a", { text: "Its page", attributes: { href: page } });
  shown.append(" ", link);
}

/** Whether an address is one of a page, and not of something that a browser would run. */
function isPage(address: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === "http:";
}

/** The name of a counter as words: `threadsLost` and `workers_busy` are two each. */
function inWords(name: string): string {
  return name.replaceAll("_", " ").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Draws the figures, and writes the counters. */
function draw(): void {
  if (document.hidden) return;
  const { us, scene } = figure;
  const { figures } = scene;
  for (const chart of charts) chart.show(figures, us);
  const { value: counters = {}, at = us } = scene.countersAt(us) ?? {};
  // While it plays, it is never far behind.
  const age = figure.isPlaying ? "" : `${formatTime(Math.max(0, us - at))} before the moment above`;
  setText(element("counted-age"), age);
  const list = element("counters");
  const names = Object.keys(counters);
  if (list.dataset.names !== names.join()) {
    list.dataset.names = names.join();
    list.replaceChildren(
      ...names.map((name) =>
        make("div", {
          children: [make("dt", { text: COUNTERS[name] ?? inWords(name) }), make("dd")],
        })
      ),
    );
  }
  for (const [index, found] of [...list.querySelectorAll("dd")].entries()) {
    setText(found, formatWhole(counters[names[index] as string] ?? 0));
  }
}
