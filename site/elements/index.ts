/**
 * Defines all elements of the pages: the figures, and what asks, compares and plays. A playground is
 * loaded with all that it simulates when a page has one.
 *
 * @module
 */

import "../../engine/figures/index.ts";
import "../../engine/figures/line_table.ts";
import "../../engine/figures/segment_ladder.ts";
import { define, make } from "../../engine/figures/element.ts";
import { describeError } from "../../engine/values/thrown.ts";
import { CommandSwitch } from "./command_switch.ts";
import { PredictFirst } from "./predict_first.ts";
import { YoursAndOurs } from "./yours_and_ours.ts";

define("command-switch", CommandSwitch);
define("predict-first", PredictFirst);
define("yours-and-ours", YoursAndOurs);

/** Loads the class of a playground. */
type Load = () => Promise<CustomElementConstructor>;

/** The playgrounds that are neither loaded nor on their way. */
const playgrounds = new Map<string, Load>([
  ["model-playground", async () => (await import("./model_playground.ts")).ModelPlayground],
  ["chat-playground", async () => (await import("./chat_playground.ts")).ChatPlayground],
]);

/** The elements that say that they could not be loaded. */
const failed = new WeakSet<Element>();

/** Loads those that the page has now: another page may come without the document being loaded anew. */
function definePlaygrounds(): void {
  for (const [name, load] of playgrounds) {
    // Where it could not be loaded, only another page is a reason to try again.
    if (elements(name).every((element) => failed.has(element))) continue;
    playgrounds.delete(name);
    void definePlayground(name, load);
  }
}

async function definePlayground(name: string, load: Load): Promise<void> {
  try {
    define(name, await load());
  } catch (error) {
    playgrounds.set(name, load);
    const text = `This playground could not be loaded: ${describeError(error)}. ` +
      "Load the page again to have it.";
    for (const element of elements(name)) {
      failed.add(element);
      // It lies under what the element draws, if it comes after all.
      element.replaceChildren(make("p", { text, attributes: { role: "status" } }));
    }
  }
}

function elements(name: string): Element[] {
  return [...document.querySelectorAll(name)];
}

if (globalThis.document !== undefined) {
  definePlaygrounds();
  new MutationObserver(definePlaygrounds).observe(document, { childList: true, subtree: true });
}
