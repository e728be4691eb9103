/**
 * `<yours-and-ours src="NAME.jsonl" command="…">`: says how to make a recording of one's own, takes
 * it, and shows it beside ours. The file does not leave the browser.
 *
 * @module
 */

import type { ClientTimeline } from "../../engine/figures/client_timeline.ts";
import { adoptStyles, ElementBase, make } from "../../engine/figures/element.ts";
import { type Line, readLines } from "../../engine/figures/lines.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import { BOX_STYLE } from "./style.ts";

/** A recording of the reader's own beside ours. */
export class YoursAndOurs extends ElementBase {
  readonly #problem = make("p", { attributes: { role: "alert" } });
  readonly #both = make("div", { class: "both" });

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.shadowRoot !== null) return;
    const input = make("input", { attributes: { type: "file", accept: ".jsonl,.json,.txt" } });
    input.addEventListener("change", () => void this.#take(input.files?.[0]));
    const label = make("label", { text: "Choose the file, or drop it here: " });
    label.append(input);
    const choose = make("p", { children: [label] });
    choose.append(" It stays on your machine.");
    const command = make("code", { text: this.getAttribute("command") ?? "" });
    const box = make("section", {
      class: "box",
      attributes: { "aria-label": "Yours and ours" },
      children: [
        make("p", { text: "Make a recording on your own machine:" }),
        make("pre", { attributes: { tabindex: "0" }, children: [command] }),
        choose,
        this.#problem,
        this.#both,
      ],
    });
    box.addEventListener("dragover", (event) => event.preventDefault());
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.#take(event.dataTransfer?.files[0]);
    });
    this.#both.hidden = true;
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, BOX_STYLE, COMPARE_STYLE);
    root.append(box);
  }

  async #take(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    const { lines } = readLines(await file.text());
    const [header] = lines;
    const isRecording = header?.type === "recording";
    this.#problem.textContent = isRecording
      ? ""
      : `${file.name} is not a recording that this page can read: --record FILE writes one.`;
    if (isRecording) this.#show(lines);
  }

  #show(lines: readonly Line[]): void {
    const names = this.getAttribute("data-names");
    const side = (title: string, fill: (part: ClientTimeline | ModelFigure) => void) => {
      const parts = [
        document.createElement("client-timeline") as ClientTimeline,
        document.createElement("model-figure") as ModelFigure,
      ];
      for (const part of parts) {
        if (names !== null) part.setAttribute("names", names);
        fill(part);
      }
      return make("section", {
        attributes: { "aria-label": title },
        children: [make("h3", { text: title }), ...parts],
      });
    };
    this.#both.replaceChildren(
      side("Yours", (part) => part.lines = lines),
      side("Ours", (part) => part.setAttribute("src", this.getAttribute("src") ?? "")),
    );
    this.#both.hidden = false;
  }
}

const COMPARE_STYLE = `
pre {
  margin: 0;
  padding: 0.75rem 1rem;
  border-radius: 6px;
  background: var(--vp-code-block-bg, Canvas);
}
pre code {
  white-space: pre-wrap;
}
input {
  font: inherit;
  max-width: 100%;
}
.both {
  display: grid;
  gap: 1rem;
}
@media (min-width: 90rem) {
  .both {
    grid-template-columns: 1fr 1fr;
  }
}
.both > * {
  min-width: 0;
}
[role="alert"] {
  color: var(--vp-c-red-1, red);
}
`;
