/**
 * Defines all elements of the pages: the figures, and what asks, compares and plays.
 *
 * @module
 */

import "../../engine/figures/index.ts";
import "../../engine/figures/line_table.ts";
import "../../engine/figures/segment_ladder.ts";
import { define } from "../../engine/figures/element.ts";
import { ChatPlayground } from "./chat_playground.ts";
import { CommandSwitch } from "./command_switch.ts";
import { ModelPlayground } from "./model_playground.ts";
import { PredictFirst } from "./predict_first.ts";
import { YoursAndOurs } from "./yours_and_ours.ts";

define("command-switch", CommandSwitch);
define("predict-first", PredictFirst);
define("model-playground", ModelPlayground);
define("chat-playground", ChatPlayground);
define("yours-and-ours", YoursAndOurs);
