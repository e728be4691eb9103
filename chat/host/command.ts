/**
 * The command line that all servers of the chat have.
 *
 * @module
 */

import { DRAIN_FLAG, HOST_FLAG, OUTPUT_FLAGS, portArgument } from "../../engine/server/command.ts";
import type { Command, Flag } from "../../engine/cli/flags.ts";
import { formatRun } from "../../engine/cli/invocation.ts";

/** The port on which people look for it. */
export const CHAT_PORT = 7878;

/**
 * The command of one of the servers.
 *
 * @param name its script's, without folder and ending
 * @param summary one line that says what it does
 * @param own the flags that it has beside those of all
 */
export function chatCommand(name: string, summary: string, own: readonly Flag[] = []): Command {
  return {
    name,
    summary,
    positionals: [portArgument(CHAT_PORT)],
    flags: [HOST_FLAG, ...own, DRAIN_FLAG, ...OUTPUT_FLAGS],
    example: formatRun(`chat/${name}.ts`, `${CHAT_PORT}`),
  };
}
