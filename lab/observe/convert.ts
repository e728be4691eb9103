/**
 * `observe convert`: makes a recording of a trace.
 *
 * @module
 */

import { EXIT_DONE } from "../../engine/cli/exit_status.ts";
import type { Values } from "../../engine/cli/flags.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { TextFile } from "../../engine/recording/text_file.ts";
import { escapeText } from "../../protocols/text.ts";
import { readText } from "./replay.ts";
import { SCRIPT, type Subcommand } from "./subcommand.ts";
import { convertTrace } from "./trace_conversion.ts";

/** The command that converts traces. */
export function convert(): Subcommand {
  return {
    command: {
      name: "observe convert",
      summary: "make a recording of a trace",
      positionals: [
        { name: "trace", kind: "string", value: "TRACE", help: "what --trace of a server wrote" },
        { name: "file", kind: "string", value: "FILE", help: "the recording to write" },
      ],
      required: 2,
      flags: [],
      example: formatRun(SCRIPT, "convert pool.json pool.jsonl"),
    },
    perform: (values) => Promise.resolve(perform(values)),
  };
}

function perform(values: Values): number {
  const path = values.trace as string;
  const source = escapeText(path);
  // It is read before the recording is made, which may be meant to replace it.
  const { header, events } = convertTrace(readText(path, source), source);
  const file = TextFile.create(values.file as string, "recording");
  for (const line of [header, ...events]) file.add(`${JSON.stringify(line)}\n`);
  file.close();
  file.check();
  return EXIT_DONE;
}
