/**
 * What the playgrounds share: their knobs, how they look, and how a history is saved.
 *
 * @module
 */

import { make } from "../../engine/figures/element.ts";
import type { Event, Header } from "../../engine/recording/events.ts";

/** How long after the last change a history is computed, in milliseconds. */
export const PAUSE_MS = 120;

/** A knob, as far as it is drawn: a whole number from a range, or a switch that is 0 or 1. */
export interface DrawnKnob {
  readonly name: string;
  /** What it is called on the page. */
  readonly label: string;
  /** The unit of its value; empty for a count. */
  readonly unit: string;
  /** The least and the most that it can be set to. */
  readonly least: number;
  readonly most: number;
}

/**
 * Draws a knob.
 *
 * @param knob the knob
 * @param value how it stands
 * @param turn is told when it is turned
 */
export function drawKnob(
  { name, label, unit, least, most }: DrawnKnob,
  value: number,
  turn: (value: number) => void,
): HTMLElement {
  const id = `knob-${name}`;
  const title = make("label", { text: label, attributes: { for: id } });
  if (most === 1) {
    const box = make("input", { attributes: { id, type: "checkbox" } });
    box.checked = value === 1;
    box.addEventListener("change", () => turn(box.checked ? 1 : 0));
    return make("div", { children: [title, box] });
  }
  const say = (value: number) => unit === "" ? String(value) : `${value} ${unit}`;
  const shown = make("output", { text: say(value), attributes: { for: id } });
  const range = make("input", {
    attributes: {
      id,
      type: "range",
      min: String(least),
      max: String(most),
      value: String(value),
      "aria-valuetext": say(value),
    },
  });
  range.addEventListener("input", () => {
    const turned = Number(range.value);
    shown.textContent = say(turned);
    range.setAttribute("aria-valuetext", say(turned));
    turn(turned);
  });
  return make("div", { children: [title, shown, range] });
}

/**
 * Lets the browser save a history.
 *
 * @param name the name of its file, without its ending
 * @param recording its lines
 */
export function saveRecording(
  name: string,
  recording: readonly (Header | Event)[],
): void {
  const text = recording.map((line) => `${JSON.stringify(line)}\n`).join("");
  const url = URL.createObjectURL(
    new Blob([text], { type: "application/jsonl" }),
  );
  make("a", { attributes: { href: url, download: `${name}.jsonl` } }).click();
  URL.revokeObjectURL(url);
}

/** How a playground looks. */
export const PLAYGROUND_STYLE = `
.knobs {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr));
  gap: 0.5rem 1.5rem;
  margin: 1rem 0;
}
.knobs > div {
  display: grid;
  grid-template-columns: 1fr auto;
  align-items: center;
  font-size: 0.875rem;
}
.knobs input[type="range"] {
  grid-column: 1 / -1;
  width: 100%;
  accent-color: var(--vp-c-brand-1, auto);
}
output {
  font-variant-numeric: tabular-nums;
}
.scrolls {
  overflow-x: auto;
}
summary {
  cursor: pointer;
}
`;
