/**
 * `<model-playground mode="threadpool">`: the project's own simulator, with knobs. It draws what it
 * has computed as the figures draw recordings, because it is one.
 *
 * Where a knob stands at first can be said with an attribute of its name, as in `workers="4"`.
 *
 * @module
 */

import type { ClientTimeline } from "../../engine/figures/client_timeline.ts";
import { adoptStyles, ElementBase, make } from "../../engine/figures/element.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
import { formatTime } from "../../engine/values/units.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import {
  type ClientOutcome,
  simulate,
  SIMULATED,
  type Simulation,
} from "../../lab/simulator/simulate.ts";
import {
  type Knob,
  type KnobName,
  KNOBS,
  knobsOf,
  type Settings,
  settingsOf,
  simulationOf,
} from "./knobs.ts";
import { labelOf } from "./names.ts";
import { drawKnob, PAUSE_MS, PLAYGROUND_STYLE, saveRecording } from "./playground.ts";
import { BOX_STYLE } from "./style.ts";

/** The simulator with its knobs. */
export class ModelPlayground extends ElementBase {
  readonly #knobs = make("div", { class: "knobs" });
  readonly #summary = make("p", { attributes: { role: "status" } });
  readonly #clients = make("tbody");
  readonly #timeline = document.createElement("client-timeline") as ClientTimeline;
  readonly #figure = document.createElement("model-figure") as ModelFigure;
  #settings: Settings = settingsOf("sequential");
  /** The knobs that the page asks for. */
  #asked: readonly KnobName[] = [];
  #simulation: Simulation | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** How the knobs stand. */
  get settings(): Settings {
    return this.#settings;
  }

  /** What was computed: the lines of a recording. */
  get recording(): readonly (Header | Event)[] {
    return this.#simulation?.recording ?? [];
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.shadowRoot !== null) return;
    const wanted = KNOBS.flatMap(({ name }) => {
      const value = this.getAttribute(name);
      return value === null ? [] : [[name, Number(value)] as const];
    });
    this.#asked = wanted.map(([name]) => name);
    const asked = this.getAttribute("mode") as ModeName;
    const mode = SIMULATED.includes(asked) ? asked : "sequential";
    this.#settings = settingsOf(mode, Object.fromEntries(wanted));
    this.#build();
    this.#drawKnobs();
    this.#compute();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  #build(): void {
    const { mode } = this.#settings;
    const model = make("select", {
      attributes: { id: "mode" },
      children: SIMULATED.map((name) =>
        make("option", { text: name, attributes: name === mode ? { selected: "" } : {} })
      ),
    });
    model.addEventListener("change", () => {
      this.#settings = { ...this.#settings, mode: model.value as ModeName };
      this.#drawKnobs();
      this.#compute();
    });
    const save = make("button", { text: "Save the recording", attributes: { type: "button" } });
    save.addEventListener("click", () => saveRecording(this.#settings.mode, this.recording));
    const titles = ["client", "comes after", "connected", "answered"].map((text) =>
      make("th", { text, attributes: { scope: "col" } })
    );
    const head = make("thead", { children: [make("tr", { children: titles })] });
    const table = make("table", { children: [head, this.#clients] });
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, BOX_STYLE, PLAYGROUND_STYLE);
    root.append(make("section", {
      class: "box",
      attributes: { "aria-label": "Playground" },
      children: [
        make("div", {
          children: [make("label", { text: "Model ", attributes: { for: "mode" } }), model],
        }),
        this.#knobs,
        this.#summary,
        this.#timeline,
        this.#figure,
        make("details", {
          children: [
            make("summary", { text: "When each client was answered" }),
            make("div", {
              class: "scrolls",
              attributes: { tabindex: "0", role: "group", "aria-label": "Clients" },
              children: [table],
            }),
          ],
        }),
        make("p", { children: [save] }),
      ],
    }));
  }

  #drawKnobs(): void {
    const knobs = knobsOf(this.#settings.mode, this.#asked).map((knob) =>
      drawKnob(knob, this.#settings[knob.name], (value) => this.#turn(knob.name, value))
    );
    this.#knobs.replaceChildren(...knobs);
  }

  #turn(name: Knob["name"], value: number): void {
    this.#settings = { ...this.#settings, [name]: value };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compute(), PAUSE_MS);
  }

  #compute(): void {
    try {
      this.#simulation = simulate(simulationOf(this.#settings));
    } catch (error) {
      // Only a history that does not end in time throws.
      this.#summary.textContent = `This takes too many steps: ${(error as Error).message}`;
      return;
    }
    const { clients, recording } = this.#simulation;
    for (const part of [this.#timeline, this.#figure]) {
      part.names = clients.map(({ name }) => labelOf(name));
      part.lines = recording;
    }
    this.#summary.textContent = summarize(this.#simulation);
    const rows = clients.map((client) => {
      const { name, atUs, connectedUs, overUs, error } = client;
      const since = (us: number | undefined) => us === undefined ? "never" : formatTime(us - atUs);
      const answered = error === undefined ? since(overUs) : `${whyNot(client)}, ${since(overUs)}`;
      const cells = [labelOf(name), formatTime(atUs), since(connectedUs), answered];
      return make("tr", { children: cells.map((text) => make("td", { text })) });
    });
    this.#clients.replaceChildren(...rows);
    this.dispatchEvent(new CustomEvent("computed", { bubbles: true }));
  }
}

/** Why a client has no answer. */
function whyNot({ wasRefused, connectedUs }: ClientOutcome): string {
  return wasRefused ? "refused" : connectedUs === undefined ? "gave up" : "lost";
}

/** What has happened, in words. */
function summarize({ clients, dropped, busyUs }: Simulation): string {
  const times = clients.flatMap(({ overUs, atUs, error }) =>
    overUs === undefined || error !== undefined ? [] : [overUs - atUs]
  ).sort((a, b) => a - b);
  const middle = times[Math.floor((times.length - 1) / 2)];
  const last = times.at(-1);
  const refused = clients.filter(({ wasRefused }) => wasRefused).length;
  const lost =
    clients.filter(({ connectedUs, error }) => connectedUs !== undefined && error !== undefined)
      .length;
  return [
    `${times.length} of ${clients.length} clients were answered.`,
    middle === undefined || last === undefined
      ? ""
      : `Half had their answer within ${formatTime(middle)}, the slowest within ${
        formatTime(last)
      }.`,
    dropped === 0 ? "" : `${dropped} SYNs found the accept queue full.`,
    refused === 0 ? "" : `${refused} came when nobody listened any more, and were refused.`,
    lost === 0 ? "" : `${lost} had connected and were lost.`,
    `The cores worked for ${formatTime(busyUs)}.`,
  ].filter((text) => text !== "").join(" ");
}
