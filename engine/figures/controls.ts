/**
 * The controls of a figure, and what its dots mean.
 *
 * @module
 */

import { MEANINGS } from "./colours.ts";
import { make } from "./element.ts";

/** The parts of the control panel. */
export interface Controls {
  readonly root: HTMLElement;
  readonly play: HTMLButtonElement;
  readonly live: HTMLButtonElement;
  readonly slower: HTMLButtonElement;
  readonly faster: HTMLButtonElement;
  readonly speed: HTMLOutputElement;
  readonly back: HTMLButtonElement;
  readonly step: HTMLButtonElement;
  readonly time: HTMLInputElement;
  readonly moment: HTMLOutputElement;
  readonly follow: HTMLInputElement;
}

/** Makes the control panel. */
export function makeControls(): Controls {
  const button = (text: string, label?: string, type = "") =>
    make("button", {
      class: type,
      text,
      attributes: {
        type: "button",
        ...label !== undefined && { "aria-label": label, title: label },
      },
    });
  const play = button("Play", undefined, "main");
  const live = button("Go live");
  const slower = button("−", "Slower (-)", "small");
  const faster = button("+", "Faster (+)", "small");
  const speed = make("output", { attributes: { "aria-label": "Speed" } });
  const back = button("◂ Step", "Step back to what happened before (,)");
  const step = button("Step ▸", "Step on to what happens next (.)");
  const time = make("input", {
    attributes: { type: "range", min: "0", max: "1000", step: "1", "aria-label": "Moment" },
  });
  const moment = make("output");
  const follow = make("input", {
    attributes: {
      type: "number",
      min: "1",
      step: "1",
      inputmode: "numeric",
      placeholder: "nobody",
    },
  });
  const root = make("div", {
    class: "controls",
    attributes: { role: "group", "aria-label": "Playing" },
    children: [
      play,
      live,
      back,
      step,
      make("span", { class: "speed", children: [slower, speed, faster] }),
      make("span", { class: "time", children: [time, moment] }),
      make("label", { children: [make("span", { text: "Follow #" }), follow] }),
    ],
  });
  return { root, play, live, slower, faster, speed, back, step, time, moment, follow };
}

/** Says what the dots mean. */
export function legend(): HTMLElement {
  return make("ul", {
    class: "legend",
    attributes: { "aria-label": "What the dots mean" },
    children: MEANINGS.filter(({ look }) => look !== "ended").map(({ look, shape, words }) =>
      make("li", {
        children: [
          make("span", {
            class: `sign ${shape} of-${look}`,
            attributes: { "aria-hidden": "true" },
          }),
          make("span", { class: "words", text: words }),
        ],
      })
    ),
  });
}
