/**
 * Stops listening when it is asked to end, although it has still something to write: it does that
 * when its standard input ends.
 *
 * @module
 */

import { EXIT_DONE } from "../../engine/cli/exit_status.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { onEndingSignal } from "../../engine/process/ending_signals.ts";

const asked = Promise.withResolvers<void>();
const forget = onEndingSignal(() => asked.resolve());
setInterval(() => {}, 1_000);
runtime.printNow("stdout", "listens\n");
await asked.promise;
forget();
runtime.printNow("stdout", "has stopped\n");
await runtime.readInput(new Uint8Array(1));
runtime.printNow("stdout", "has written\n");
// As every command ends. Deno drops its listeners when nothing is left to do, and a signal that came
// just before then still ends the process.
runtime.exit(EXIT_DONE);
