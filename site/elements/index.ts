/**
 * Defines all elements of the pages: the figures, and what asks, compares and plays. A playground is
 * loaded with all that it simulates when a page has one.
 *
 * @module
 */

import "../../engine/figures/index.ts";
import "../../engine/figures/line_table.ts";
import "../../engine/figures/segment_ladder.ts";
import { define } from "../../engine/figures/element.ts";
import { CommandSwitch } from "./command_switch.ts";
import { PredictFirst } from "./predict_first.ts";
import { YoursAndOurs } from "./yours_and_ours.ts";

define("command-switch", CommandSwitch);
define("predict-first", PredictFirst);
define("yours-and-ours", YoursAndOurs);

/** The playgrounds that no page has had so far. */
const playgrounds = new Map<string, () => Promise<CustomElementConstructor>>([
  ["model-playground", async () => (await import("./model_playground.ts")).ModelPlayground],
  ["chat-playground", async () => (await import("./chat_playground.ts")).ChatPlayground],
]);

/** Loads those that the page has now: another page may come without the document being loaded anew. */
function definePlaygrounds(): void {
  for (const [name, load] of playgrounds) {
    if (document.querySelector(name) === null) continue;
    playgrounds.delete(name);
    load().then((type) => define(name, type));
  }
}

if (globalThis.document !== undefined) {
  definePlaygrounds();
  new MutationObserver(definePlaygrounds).observe(document, { childList: true, subtree: true });
}
