/**
 * Observe: what really happens when TCP opens, uses and closes a connection, as the kernel tells it
 * to an ordinary user, and without root.
 *
 * @module
 */

import { messageOf } from "../engine/dial/failures.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED, EXIT_USAGE } from "../engine/cli/exit_status.ts";
import { UsageError } from "../engine/cli/flags.ts";
import { formatRun, invokeAs, programArguments } from "../engine/cli/invocation.ts";
import { OptionError } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { labProgram } from "./lab_program.ts";
import { connect } from "./observe/connect.ts";
import { convert } from "./observe/convert.ts";
import { performInside, type Roles } from "./observe/inside.ts";
import { lessonOf } from "./observe/lessons/catalogue.ts";
import { lesson } from "./observe/lessons/command.ts";
import { life } from "./observe/life.ts";
import { replay } from "./observe/replay.ts";
import { INSIDE } from "./observe/sandbox.ts";
import { LESSON_ROLE, playRole } from "./observe/stage/perform.ts";
import { SCRIPT, type Subcommand } from "./observe/subcommand.ts";
import { timeline } from "./observe/timeline.ts";
import { timelineRole } from "./observe/timeline_role.ts";
import { watch } from "./observe/watch.ts";
import { wire } from "./observe/wire/command.ts";
import { wireRole } from "./observe/wire/role.ts";
import { WIRE_ROLE } from "./observe/wire/session.ts";

/** The commands with a name of their own, by that name. */
const SUBCOMMANDS: Readonly<Record<string, () => Subcommand>> = {
  timeline,
  wire,
  life,
  watch,
  lesson,
  replay,
  convert,
};

/** What the program does inside the sandbox, by the names of the roles. */
const ROLES: Roles = {
  timeline: timelineRole,
  [WIRE_ROLE]: wireRole,
  [LESSON_ROLE]: playRole(lessonOf),
};

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  const [first = "", ...rest] = programArguments();
  if (first === INSIDE) return await performInside(rest, ROLES);
  const named = Object.hasOwn(SUBCOMMANDS, first) ? SUBCOMMANDS[first] : undefined;
  // It is made first: its example begins with its name.
  const subcommand = named === undefined ? whole() : named();
  if (named !== undefined) invokeAs({ typed: formatRun(SCRIPT, first), args: rest });
  const values = readCommandLine(subcommand.command);
  try {
    return await subcommand.perform(values);
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof OptionError;
    fail("observe", messageOf(error), isUsage ? EXIT_USAGE : EXIT_FAILED);
  }
}

/** The command without a name of its own, which knows all others for its help. */
function whole(): Subcommand {
  const { command, perform } = connect();
  const commands = Object.fromEntries(
    Object.entries(SUBCOMMANDS).map(([name, make]) => [name, make().command]),
  );
  return { command: { ...command, commands }, perform };
}

/** The observer as a command. */
export function program(): Program {
  return labProgram("observe", whole().command, perform);
}

if (isMainModule(import.meta)) program().run();
