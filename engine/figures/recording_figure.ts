/**
 * What the figures have in common that show a whole recording at once, and do not play it: their
 * attributes, their frame, and how they get what they show.
 *
 * @module
 */

import { COLOUR_STYLE } from "./colours.ts";
import { adoptStyles, ElementBase, make, namesIn, setText } from "./element.ts";
import { COMMON_STYLE } from "./figure_style.ts";
import { type Line, RecordingSource } from "./lines.ts";

/** How such a figure looks. */
export interface FigureFrame {
  /** Its own style, beside that of all figures. */
  readonly style: string;
  /** What it is, for those who cannot see it. */
  readonly label: string;
  /** The class of what it is drawn in. */
  readonly bodyClass?: string;
  /** Makes what stands below it. */
  readonly legend?: () => HTMLElement;
}

/** A figure that shows a whole recording at once. */
export abstract class RecordingFigure extends ElementBase {
  static readonly observedAttributes: readonly string[] = ["src", "data-title", "names"];

  #lines: readonly Line[] = [];
  #names: readonly string[] = [];
  #title: HTMLElement | undefined;
  #body: HTMLElement | undefined;
  readonly #source = new RecordingSource();

  /** How it looks. */
  protected abstract readonly frame: FigureFrame;

  /** Draws the recording in place of what was there. It may leave that as it is. */
  protected abstract drawIn(body: HTMLElement): void;

  /** The recording. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  set lines(lines: readonly Line[]) {
    this.#lines = lines;
    this.draw();
  }

  /** The names of those who have connected, in the order in which they came. */
  get names(): readonly string[] {
    return this.#names;
  }

  set names(names: readonly string[]) {
    this.#names = names;
    this.draw();
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.#body === undefined) this.#build();
    this.draw();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#source.stop();
  }

  /** Called by the browser. */
  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    if (name === "src" && value !== null) {
      void this.#source.load(
        value,
        (lines) => this.lines = lines,
        (text) => this.#body?.replaceChildren(make("p", { class: "note", text })),
      );
    }
    if (name === "names") this.names = namesIn(value);
    if (name === "data-title") this.draw();
  }

  /** Draws it again, if it is in a page. */
  protected draw(): void {
    if (this.#body === undefined || this.#title === undefined) return;
    const title = this.getAttribute("data-title") ?? "";
    setText(this.#title, title);
    (this.#title.parentElement as HTMLElement).hidden = title === "";
    this.drawIn(this.#body);
  }

  #build(): void {
    const { style, label, bodyClass, legend } = this.frame;
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, COLOUR_STYLE, COMMON_STYLE, style);
    this.#title = make("h2");
    this.#body = make("div", bodyClass === undefined ? {} : { class: bodyClass });
    const head = make("div", { class: "head", children: [this.#title] });
    root.append(make("div", {
      class: "frame",
      attributes: { role: "group", "aria-label": label },
      children: [head, this.#body, ...legend === undefined ? [] : [legend()]],
    }));
  }
}
