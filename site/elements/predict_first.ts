/**
 * `<predict-first right="2">`: asks, takes the bet, and only then shows its figure and the reason.
 *
 * What stands in it is plain Markdown: first the question, then a list of the answers, and then what
 * is shown once an answer was chosen. `right` is the number of the right answer, from 1. Without
 * scripts all of it can be read.
 *
 * @module
 */

import { adoptStyles, ElementBase, make, wantsLessMotion } from "../../engine/figures/element.ts";
import type { ModelFigure } from "../../engine/figures/model_figure.ts";
import { BOX_STYLE } from "./style.ts";

/** Asks before it shows. */
export class PredictFirst extends ElementBase {
  /** Called by the browser. */
  connectedCallback(): void {
    if (this.shadowRoot !== null) return;
    const children = [...this.childNodes];
    const at = children.findIndex((node) => node instanceof HTMLOListElement);
    if (at < 0) return;
    const answers = [...(children[at] as HTMLOListElement).children]
      .map((item) => item.textContent?.trim() ?? "");
    this.#build(children.slice(0, at), answers, children.slice(at + 1));
  }

  #build(
    question: readonly ChildNode[],
    answers: readonly string[],
    behind: readonly ChildNode[],
  ): void {
    const right = Number(this.getAttribute("right")) - 1;
    const questionSlot = make("slot");
    const behindSlot = make("slot");
    const why = make("div", { children: [behindSlot] });
    const verdict = make("p", { class: "verdict", attributes: { role: "status" } });
    const again = button("Ask again");
    const choices = answers.map(button);
    const ask = (): void => {
      for (const choice of choices) {
        choice.disabled = false;
        choice.className = "";
      }
      verdict.textContent = "Choose an answer. Then you see what happened.";
      why.hidden = true;
      again.hidden = true;
    };
    const tell = (chosen: number): void => {
      for (const [index, choice] of choices.entries()) {
        choice.disabled = true;
        choice.className = index === right ? "right" : index === chosen ? "wrong" : "";
      }
      verdict.textContent = chosen === right
        ? `You said ${chosen + 1}. That is right.`
        : `You said ${chosen + 1}. It is ${right + 1}: ${answers[right] ?? ""}.`;
      why.hidden = false;
      again.hidden = false;
      if (!wantsLessMotion()) {
        for (const figure of this.querySelectorAll<ModelFigure>("model-figure")) figure.play?.();
      }
      this.dispatchEvent(new CustomEvent("bet", { bubbles: true, detail: { chosen, right } }));
    };
    for (const [index, choice] of choices.entries()) {
      choice.addEventListener("click", () => tell(index));
    }
    again.addEventListener("click", () => {
      ask();
      choices[0]?.focus();
    });
    ask();
    const root = this.attachShadow({ mode: "open", slotAssignment: "manual" });
    adoptStyles(root, BOX_STYLE, PREDICT_STYLE);
    root.append(make("section", {
      class: "box",
      attributes: { "aria-label": "Predict first" },
      children: [
        questionSlot,
        make("ol", {
          attributes: { "aria-label": "Answers" },
          children: choices.map((choice) => make("li", { children: [choice] })),
        }),
        verdict,
        why,
        again,
      ],
    }));
    questionSlot.assign(...slottable(question));
    behindSlot.assign(...slottable(behind));
  }
}

function button(text: string): HTMLButtonElement {
  return make("button", { text, attributes: { type: "button" } });
}

/** Only elements and text can stand in a slot. */
function slottable(nodes: readonly ChildNode[]): (Element | Text)[] {
  return nodes.filter((node): node is ChildNode & (Element | Text) =>
    node instanceof Element || node instanceof Text
  );
}

const PREDICT_STYLE = `
ol {
  margin: 1rem 0;
  padding-left: 1.5rem;
}
li {
  margin: 0.5rem 0;
}
ol button {
  width: 100%;
  text-align: left;
}
button:disabled {
  cursor: default;
  color: var(--vp-c-text-1, CanvasText);
  border-color: var(--vp-c-divider, GrayText);
}
button.right {
  border: 2px solid var(--vp-c-green-1, green);
  font-weight: 600;
}
button.wrong {
  border: 2px dashed var(--vp-c-red-1, red);
}
.right::after {
  content: " ✓";
}
.wrong::after {
  content: " ✗";
}
.verdict {
  font-weight: 600;
}
`;
