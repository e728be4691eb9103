/**
 * `<chat-playground>`: the chat's own rooms and queues in virtual time, with knobs. It shows which line
 * has reached whom and when, from the recording that the simulation has made.
 *
 * Where a knob stands at first can be said with an attribute of its name, as in `members="5"`.
 *
 * @module
 */

import { adoptStyles, ElementBase, make } from "../../engine/figures/element.ts";
import type { LineTable } from "../../engine/figures/line_table.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
import { brokenPromises } from "../../lab/simulator/chat/promises.ts";
import { type ChatSimulation, simulateChat } from "../../lab/simulator/chat/simulate_chat.ts";
import {
  CHAT_KNOBS,
  type ChatKnobName,
  type ChatSettings,
  chatSettingsOf,
  chatSimulationOf,
} from "./chat_knobs.ts";
import { drawKnob, PAUSE_MS, PLAYGROUND_STYLE, saveRecording } from "./playground.ts";
import { BOX_STYLE } from "./style.ts";

/** The chat with its knobs. */
export class ChatPlayground extends ElementBase {
  readonly #summary = make("p", { attributes: { role: "status" } });
  readonly #members = make("tbody");
  readonly #table = document.createElement("line-table") as LineTable;
  readonly #figure = document.createElement("model-figure") as ModelFigure;
  #settings: ChatSettings = chatSettingsOf();
  #simulation: ChatSimulation | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** How the knobs stand. */
  get settings(): ChatSettings {
    return this.#settings;
  }

  /** What was computed: the lines of a recording. */
  get recording(): readonly (Header | Event)[] {
    return this.#simulation?.recording ?? [];
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.shadowRoot !== null) return;
    const wanted = CHAT_KNOBS.flatMap(({ name }) => {
      const value = this.getAttribute(name);
      return value === null ? [] : [[name, Number(value)] as const];
    });
    this.#settings = chatSettingsOf(Object.fromEntries(wanted));
    this.#build();
    this.#compute();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  #build(): void {
    const save = make("button", {
      text: "Save the recording",
      attributes: { type: "button" },
    });
    save.addEventListener("click", () => saveRecording("chat", this.recording));
    const titles = ["user", "has heard", "of", "has ended"].map((text) =>
      make("th", { text, attributes: { scope: "col" } })
    );
    const head = make("thead", {
      children: [make("tr", { children: titles })],
    });
    const knobs = CHAT_KNOBS.map((knob) =>
      drawKnob(
        knob,
        this.#settings[knob.name],
        (value) => this.#turn(knob.name, value),
      )
    );
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, BOX_STYLE, PLAYGROUND_STYLE);
    root.append(make("section", {
      class: "box",
      attributes: { "aria-label": "Playground of the chat" },
      children: [
        make("div", { class: "knobs", children: knobs }),
        this.#summary,
        this.#table,
        this.#figure,
        make("details", {
          children: [
            make("summary", { text: "What each user has heard" }),
            make("div", {
              class: "scrolls",
              attributes: {
                tabindex: "0",
                role: "group",
                "aria-label": "Users",
              },
              children: [make("table", { children: [head, this.#members] })],
            }),
          ],
        }),
        make("p", { children: [save] }),
      ],
    }));
  }

  #turn(name: ChatKnobName, value: number): void {
    this.#settings = { ...this.#settings, [name]: value };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compute(), PAUSE_MS);
  }

  #compute(): void {
    try {
      this.#simulation = simulateChat(chatSimulationOf(this.#settings));
    } catch (error) {
      // Only a history that does not end in time throws.
      this.#summary.textContent = `This takes too many steps: ${(error as Error).message}`;
      return;
    }
    const { members, accepted, recording } = this.#simulation;
    for (const part of [this.#table, this.#figure]) {
      part.names = accepted;
      part.lines = recording;
    }
    this.#summary.textContent = summarize(this.#simulation);
    const rows = members.map(
      ({ name, heard, due, hasEnded, wasSlow, wasAccepted }) => {
        const talk = heard.filter((line) => line.startsWith("[")).length;
        const end = wasSlow
          ? "cut off: reads too slowly"
          : hasEnded
          ? "with the goodbye"
          : wasAccepted
          ? "by itself"
          : "never let in";
        const cells = [name, String(talk), String(due.length), end];
        return make("tr", {
          children: cells.map((text) => make("td", { text })),
        });
      },
    );
    this.#members.replaceChildren(...rows);
    this.dispatchEvent(new CustomEvent("computed", { bubbles: true }));
  }
}

/** What has happened, in words. */
function summarize(simulation: ChatSimulation): string {
  const { members, counts } = simulation;
  const slow = members.filter(({ wasSlow }) => wasSlow).map(({ name }) => name);
  const broken = brokenPromises(simulation);
  return [
    `${counts.said} lines were said, and ${counts.delivered} given to users.`,
    slow.length === 0 ? "" : `${slow.join(", ")} read too slowly, and was cut off.`,
    counts.dropped === 0 ? "" : `${counts.dropped} lines were left out for whoever does not read.`,
    broken.length === 0
      ? "Everybody else has heard all that was said where they were, once and in order."
      : `A promise is broken: ${broken.join("; ")}.`,
  ].filter((text) => text !== "").join(" ");
}
