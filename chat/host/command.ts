/**
 * The command line that all servers of the chat share.
 *
 * @module
 */

import { DRAIN_FLAG, HOST_FLAG, OUTPUT_FLAGS, portArgument } from "../../engine/server/command.ts";
import type { Command, Flag } from "../../engine/cli/flags.ts";
import { formatRun } from "../../engine/cli/invocation.ts";

/** The port on which people look for a chat. */
export const CHAT_PORT = 7878;

/**
 * The command of one of the servers.
 *
 * @param name the name of its script, without folder and extension
 * @param summary one line that says what it does
 * @param own the flags that it has in addition to the shared ones
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
