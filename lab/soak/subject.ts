/**
 * The servers that are soaked: modes of this project on a runtime, or any server by its command.
 *
 * @module
 */

import type { RuntimeCommand } from "../../engine/process/runtimes.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { BY_DESCRIPTOR } from "../../engine/server/core/options.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { LoadedServer } from "../loaded_server.ts";
import { modeCommand, whyNoMode } from "../mode_command.ts";

/** A server that is soaked. */
export interface Subject {
  /** Its name, for people. */
  readonly name: string;
  /** Why it cannot run here. */
  readonly whyNot: string | undefined;
  /** Why another process cannot take its listener over. */
  readonly whyNoRestart: string | undefined;
  /**
   * Starts it.
   *
   * @param signal ends the start
   * @param takeover where a process offers its listener to the next one
   * @throws {ServerStartError} if it does not listen
   */
  start(signal: AbortSignal, takeover: string): Promise<LoadedServer>;
}

/** How long a process that was replaced lets its connections finish. */
const DRAIN = "30s";

/**
 * How long an honest message, and taking its answer, may take: where 5,000 wait in line, or the machine
 * is busy, it does.
 */
const PATIENCE: readonly string[] = ["--message-timeout", "2m", "--write-timeout", "2m"];

/** What a mode is started with besides. A thread of Deno takes 7 MiB, so they are few. */
const FLAGS: Readonly<Partial<Record<ModeName, readonly string[]>>> = {
  threaded: ["--max-threads", "16"],
};

/** The modes that leave their listener to the runtime. */
const BY_RUNTIME: readonly ModeName[] = ["event", "cluster"];

/**
 * A mode of this project.
 *
 * @param mode its name
 * @param on the runtime
 * @param protocol a name, or where its module is
 */
export function ownSubject(mode: ModeName, on: RuntimeCommand, protocol: string): Subject {
  const whyNoSuchListener = BY_RUNTIME.includes(mode)
    ? `the runtime has its listener, and only ${BY_DESCRIPTOR} can pass theirs on`
    : whyNoSockets();
  return {
    name: `${mode} · ${on.name}`,
    whyNot: on.isHere ? whyNoMode(mode) : `${on.name} is not installed here`,
    whyNoRestart: runtime.os === "linux" ? whyNoSuchListener : "only Linux passes listeners on",
    start: (signal, takeover) =>
      LoadedServer.start([
        ...modeCommand(mode, on, "0", "--quiet", "--drain", DRAIN),
        ...["--protocol", protocol, ...PATIENCE],
        // Through a slow network a whole message may come in parts.
        ...(protocol === "hello" ? ["--grace", "0"] : []),
        ...(FLAGS[mode] ?? []),
        ...(whyNoSuchListener === undefined ? ["--takeover", takeover] : []),
      ], signal),
  };
}

/**
 * Any server.
 *
 * @param command a command line for the shell, with `{port}` in place of the port
 */
export function foreignSubject(command: string): Subject {
  return {
    name: command,
    whyNot: undefined,
    whyNoRestart: "only servers of this project pass their listener on",
    start: (signal) => LoadedServer.startAny(command, signal),
  };
}
