/**
 * Stops listening when it is asked to end, although it has still something to write: it does that
 * when its standard input ends.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { onEndingSignal } from "../../engine/process/ending_signals.ts";

const asked = Promise.withResolvers<void>();
const forget = onEndingSignal(() => asked.resolve());
const awake = setInterval(() => {}, 1_000);
runtime.printNow("stdout", "listens\n");
await asked.promise;
forget();
runtime.printNow("stdout", "has stopped\n");
await runtime.readInput(new Uint8Array(1));
runtime.printNow("stdout", "has written\n");
clearInterval(awake);
