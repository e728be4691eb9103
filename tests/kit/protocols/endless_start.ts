/**
 * A protocol whose module never finishes to load, so that a server with it never finishes to start.
 *
 * @module
 */

import type { Protocol } from "../../../protocol.ts";

console.log("loading");
// A promise alone would not keep the process running.
setInterval(() => {}, 60_000);
await new Promise<never>(() => {});

export default function* never(): Protocol {}
