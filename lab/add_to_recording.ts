/**
 * Adds to a server's recording what its clients have seen.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import {
  type ClientEvent,
  type Header,
  type LineEvent,
  moveEvent,
  roundUs,
} from "../engine/recording/events.ts";

/**
 * Adds what was seen to a recording whose server has ended.
 *
 * @param file the recording
 * @param seen what was seen; its times are in microseconds since 1970
 */
export function addToRecording(file: string, seen: readonly (ClientEvent | LineEvent)[]): void {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const { began_us } = JSON.parse(lines[0] as string) as Header;
  const events = seen.map((event) => moveEvent(event, (us) => roundUs(us - began_us)));
  // The last line of the recording stays the last.
  lines.splice(-1, 0, ...events.map((event) => JSON.stringify(event)));
  writeFileSync(file, `${lines.join("\n")}\n`);
}
