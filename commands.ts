/**
 * The commands of the executable, by name. Each is also a script of its own. Its module is loaded
 * only when the command is asked for.
 *
 * @module
 */

import type { Program } from "./engine/cli/program.ts";
import { MODES } from "./modes/catalogue.ts";

/** One command. */
export interface CommandEntry {
  /** The heading that the command is listed under. */
  readonly group: string;
  /** The path of its script, relative to the folder of the project. */
  readonly script: string;
  /** Loads its module. */
  load(): Promise<{ program(): Program | Promise<Program> }>;
}

/** The headings, in the order in which they are listed. */
export const GROUPS = {
  modes: "Servers, one for each concurrency model",
  clients: "Clients",
  chat: "Chat",
  measuring: "Measuring, checking and observing",
} as const;

const { modes, clients, chat, measuring } = GROUPS;

/** The commands. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  ...Object.fromEntries(
    Object.entries(MODES).map(([name, mode]) => [name, { group: modes, ...mode }]),
  ),
  client: { group: clients, script: "client.ts", load: () => import("./client.ts") },
  chat: { group: chat, script: "chat/server.ts", load: () => import("./chat/server.ts") },
  "chat-client": {
    group: chat,
    script: "chat/client.ts",
    load: () => import("./chat/client.ts"),
  },
  "chat-v1": { group: chat, script: "chat/v1_once.ts", load: () => import("./chat/v1_once.ts") },
  "chat-v2": { group: chat, script: "chat/v2_echo.ts", load: () => import("./chat/v2_echo.ts") },
  "chat-v3": {
    group: chat,
    script: "chat/v3_operator.ts",
    load: () => import("./chat/v3_operator.ts"),
  },
  bench: { group: measuring, script: "lab/bench.ts", load: () => import("./lab/bench.ts") },
  conform: { group: measuring, script: "lab/conform.ts", load: () => import("./lab/conform.ts") },
  faults: { group: measuring, script: "lab/faults.ts", load: () => import("./lab/faults.ts") },
  observe: { group: measuring, script: "lab/observe.ts", load: () => import("./lab/observe.ts") },
  simulate: {
    group: measuring,
    script: "lab/simulate.ts",
    load: () => import("./lab/simulate.ts"),
  },
  quiz: { group: measuring, script: "lab/quiz.ts", load: () => import("./lab/quiz.ts") },
  tour: { group: measuring, script: "lab/tour.ts", load: () => import("./lab/tour.ts") },
};
