/**
 * The command line that all servers of the chat share.
 *
 * @module
 */

import type { Command, Flag } from "../../engine/cli/flags.ts";
import type { Option } from "../../engine/cli/options.ts";
import { OUTPUT_FLAGS } from "../../engine/server/command.ts";
import { DRAIN, HOST, KEEPALIVE, portOption, RECORD } from "../../engine/server/core/options.ts";
import { formatRun } from "../../engine/cli/invocation.ts";

/** The port on which people look for a chat. */
export const CHAT_PORT = 7878;

/** The port as an argument and as an option. */
export const PORT: Option<number> = portOption(CHAT_PORT);

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
    positionals: [PORT],
    flags: [HOST, ...own, DRAIN, KEEPALIVE, RECORD, ...OUTPUT_FLAGS],
    example: formatRun(`chat/${name}.ts`, `${CHAT_PORT}`),
  };
}
