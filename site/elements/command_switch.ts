/**
 * `<command-switch>`: lets readers choose how the commands of all pages are typed. The browser keeps
 * the choice. A page without commands does not show it.
 *
 * @module
 */

import { adoptStyles, ElementBase, make } from "../../engine/figures/element.ts";
import {
  type Form,
  FORM_NAMES,
  FORMS,
  inForm,
  NEEDS_SOURCES,
  needsSources,
} from "./command_forms.ts";

/** The name under which the choice is kept. */
const KEPT = "handshake-commands";

/** What elements that show a command in their own shadow are told. */
export const CHOSEN = "commandform";

/** What was chosen since the site was opened. A browser may refuse to keep it. */
let chosen: Form | undefined;

/** The form that the reader has chosen. */
export function chosenForm(): Form {
  if (chosen !== undefined) return chosen;
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // A reader may forbid it to keep anything.
  }
  return FORMS.find((form) => form === kept) ?? "deno";
}

/** The choice. */
export class CommandSwitch extends ElementBase {
  /** The places in the page, each with its text as it was written. */
  readonly #places = new Map<Element, string>();
  /** What stands in the page about commands that the reader cannot type. */
  #notes: Element[] = [];
  #leave: AbortController | undefined;

  /** Called by the browser. */
  connectedCallback(): void {
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    document.addEventListener(CHOSEN, () => this.#show(), { signal });
    // The rest of the page comes after this element.
    requestAnimationFrame(() => {
      if (!this.isConnected) return;
      this.#find();
      if (this.#places.size === 0 && this.#page().querySelector("yours-and-ours") === null) return;
      if (this.shadowRoot === null) this.#build();
      this.#show();
    });
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#leave?.abort();
  }

  #page(): ParentNode {
    return this.closest(".vp-doc") ?? document;
  }

  /** Finds the commands: lines behind `$`, and code inside sentences. */
  #find(): void {
    this.#places.clear();
    const inside = [...this.#page().querySelectorAll("code")]
      .filter((code) => code.closest("pre") === null);
    const lines = this.#page().querySelectorAll(".language-console .line, .language-sh .line");
    for (const place of [...inside, ...lines]) {
      const text = place.textContent ?? "";
      if (text.includes("deno run -A ")) this.#places.set(place, text);
    }
  }

  #build(): void {
    const choices = FORMS.map((form) => {
      const button = make("button", {
        text: FORM_NAMES[form],
        attributes: { type: "button", "data-form": form },
      });
      button.addEventListener("click", () => {
        chosen = form;
        try {
          localStorage.setItem(KEPT, form);
        } catch {
          // Then it holds until the site is opened anew.
        }
        document.dispatchEvent(new CustomEvent(CHOSEN));
      });
      return button;
    });
    const root = this.attachShadow({ mode: "open" });
    adoptStyles(root, SWITCH_STYLE);
    root.append(make("div", {
      attributes: { role: "group", "aria-label": "How commands are typed" },
      children: [make("span", { text: "Commands for " }), ...choices],
    }));
  }

  #show(): void {
    const form = chosenForm();
    for (const button of this.shadowRoot?.querySelectorAll<HTMLElement>("button") ?? []) {
      button.setAttribute("aria-pressed", String(button.dataset["form"] === form));
    }
    for (const note of this.#notes) note.remove();
    this.#notes = [];
    for (const [place, text] of this.#places) {
      const wanted = inForm(text, form);
      if (place.textContent !== wanted) place.textContent = wanted;
      if (needsSources(text, form)) this.#note(place);
    }
  }

  /** Says, behind a command or below its block, that it takes the sources. */
  #note(place: Element): void {
    const block = place.closest("[class*='language-']");
    const note = block === null
      ? make("em", { text: ` (${NEEDS_SOURCES})` })
      : make("p", { children: [make("em", { text: NEEDS_SOURCES })] });
    (block ?? place).after(note);
    this.#notes.push(note);
  }
}

const SWITCH_STYLE = `
:host {
  display: block;
  margin: 0.5rem 0 1rem;
  font-size: 0.875rem;
  color: var(--vp-c-text-2, CanvasText);
}
div {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.25rem 0.4rem;
}
button {
  font: inherit;
  color: inherit;
  padding: 0.15rem 0.7rem;
  border: 1px solid var(--vp-c-divider, GrayText);
  border-radius: 999px;
  background: none;
  cursor: pointer;
}
button[aria-pressed="true"] {
  color: var(--vp-c-text-1, CanvasText);
  border-color: var(--vp-c-text-2, CanvasText);
  font-weight: 600;
}
:focus-visible {
  outline: 2px solid var(--vp-c-brand-1, Highlight);
  outline-offset: 2px;
}
`;
