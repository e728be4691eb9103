/**
 * `<yours-and-ours src="NAME.jsonl" command="…">`: says how to make a recording of one's own, takes
 * it, and shows it beside ours. The file does not leave the browser.
 *
 * @module
 */

import { adoptStyles, ElementBase, make } from "../../engine/figures/element.ts";
import { type Line, readLines, RecordingSource } from "../../engine/figures/lines.ts";
import { inForm, NEEDS_SOURCES, needsSources } from "./command_forms.ts";
import { CHOSEN, chosenForm } from "./command_switch.ts";
import { BOX_STYLE } from "./style.ts";

/** A figure that can show the lines of a recording. */
type Figure = HTMLElement & { lines: readonly Line[] };

/** Which figures show a recording: by what is in it. */
export function figuresFor(lines: readonly Line[]): readonly string[] {
  const has = (type: Line["type"]) => lines.some((line) => line.type === type);
  if (has("line")) return ["line-table", "model-figure"];
  if (has("begun")) return ["client-timeline", "model-figure"];
  return has("packet") || has("call") ? ["segment-ladder"] : ["client-timeline", "model-figure"];
}

/** A recording of the reader's own beside ours. */
export class YoursAndOurs extends ElementBase {
  readonly #problem = make("p", { attributes: { role: "alert" } });
  readonly #both = make("div", { class: "both" });
  readonly #source = new RecordingSource();

  readonly #command = make("code");
  readonly #note = make("p", { text: NEEDS_SOURCES });
  #leave: AbortController | undefined;

  /** Called by the browser. */
  connectedCallback(): void {
    this.#leave = new AbortController();
    document.addEventListener(CHOSEN, () => this.#say(), { signal: this.#leave.signal });
    this.#say();
    if (this.shadowRoot === null) this.#build();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#leave?.abort();
    this.#source.stop();
  }

  /** Shows the command as the reader types it. */
  #say(): void {
    const command = this.getAttribute("command") ?? "";
    this.#command.textContent = inForm(command, chosenForm());
    this.#note.hidden = !needsSources(command, chosenForm());
  }

  #build(): void {
    const input = make("input", { attributes: { type: "file", accept: ".jsonl,.json,.txt" } });
    input.addEventListener("change", () => void this.#take(input.files?.[0]));
    const label = make("label", { text: "Choose the file, or drop it here: " });
    label.append(input);
    const choose = make("p", { children: [label] });
    choose.append(" It stays on your machine.");
    const box = make("section", {
      class: "box",
      attributes: { "aria-label": "Yours and ours" },
      children: [
        make("p", { text: "Make a recording on your own machine:" }),
        make("pre", { attributes: { tabindex: "0" }, children: [this.#command] }),
        this.#note,
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
    const ours = make("section", { attributes: { "aria-label": "Ours" } });
    this.#both.replaceChildren(this.#side("Yours", lines), ours);
    this.#both.hidden = false;
    void this.#source.load(
      this.getAttribute("src") ?? "",
      (lines) => ours.replaceWith(this.#side("Ours", lines)),
      (text) => ours.replaceChildren(make("p", { text })),
    );
  }

  #side(title: string, lines: readonly Line[]): HTMLElement {
    const names = this.getAttribute("data-names");
    const figures = figuresFor(lines).map((name) => {
      const figure = document.createElement(name) as Figure;
      if (names !== null) figure.setAttribute("names", names);
      figure.lines = lines;
      return figure;
    });
    return make("section", {
      attributes: { "aria-label": title },
      children: [make("h3", { text: title }), ...figures],
    });
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
