/**
 * Defines all elements of the pages: the figures, and what asks, compares and plays.
 *
 * @module
 */

import "../../engine/figures/index.ts";
import { define } from "../../engine/figures/element.ts";
import { ModelPlayground } from "./model_playground.ts";
import { PredictFirst } from "./predict_first.ts";
import { YoursAndOurs } from "./yours_and_ours.ts";

define("predict-first", PredictFirst);
define("model-playground", ModelPlayground);
define("yours-and-ours", YoursAndOurs);
