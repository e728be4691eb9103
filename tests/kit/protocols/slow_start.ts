/**
 * A protocol whose module takes long to load, so that a server with it takes long to start: as many
 * milliseconds as the environment says, or for ever.
 *
 * @module
 */

import process from "node:process";
import type { Protocol } from "../../../protocol.ts";

const { LOADING_MS } = process.env;

console.log("loading");
await new Promise<void>((resolve) => {
  if (LOADING_MS !== undefined) setTimeout(resolve, Number(LOADING_MS));
  // A promise alone would not keep the process running.
  else setInterval(() => {}, 60_000);
});

export default function* never(): Protocol {}
