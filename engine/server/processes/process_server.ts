/**
 * A server whose connections are served by processes. Its parent opens it, starts the processes and
 * deals with them; `descriptor_server.ts` says how it closes.
 *
 * @module
 */

import { whyNoCommonMemory } from "../../net/common_memory.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { runtime } from "../../net/runtime.ts";
import { whyTooManyProcesses } from "../../process/task_limits.ts";
import type { RuntimeName } from "../../process/runtimes.ts";
import {
  connectionsBeside,
  numberOf,
  processesThatFit,
  requireProcesses,
} from "../../workers/descriptor_limits.ts";
import { MOST_EXPECTED } from "../core/header_places.ts";
import type { ServeOptions } from "../core/options.ts";
import type { Server } from "../core/server.ts";
import { DescriptorServer } from "../descriptors/descriptor_server.ts";
import type { ThreadData, ThreadTeam } from "../team/thread_team.ts";
import { childCommand } from "./child_command.ts";
import { Children } from "./children.ts";
import { startsTogether } from "./desk_talk.ts";
import { CHILD_RUNTIME, type ProcessOptions } from "./process_options.ts";

/** The roles of a mode's processes and of its desk. */
export interface ProcessRoles {
  /** What the desk does: a thread of the parent. */
  readonly desk: string;
  /** What each process does. */
  readonly process: string;
}

/** How a mode opens its server. */
export interface ProcessServerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module. */
  readonly url: string;
  /** Who does what. */
  readonly roles: ProcessRoles;
  /** The most processes at a time. */
  readonly processes: number;
  /** Whether they let clients in themselves. If not, the desk does. @default {false} */
  readonly accept?: boolean;
  /**
   * How many processes wait for connections, if each connection gets one of its own.
   *
   * @default by default the processes are started once, and replaced when they die
   */
  readonly spare?: number;
}

/**
 * Serves connections with processes.
 *
 * @param plan how the mode does it
 * @param options the caller's options
 * @param describe says how it runs, in words for people, with so many processes
 * @returns the server, listening
 */
export async function serveByProcesses(
  plan: ProcessServerPlan,
  options: ServeOptions & ProcessOptions,
  describe: (processes: number) => readonly string[],
): Promise<Server> {
  const why = whyNoCommonMemory() ?? whyNoSockets();
  if (why !== undefined) throw new Error(`Cannot serve with processes: ${why}`);
  const on = CHILD_RUNTIME.read(options.childRuntime);
  const { mode, url, roles, accept = false, spare } = plan;
  const command = childCommand(mode, url, on);
  const processes = mostProcesses(plan, options);
  requireRoom(spare === undefined ? processes : Math.min(spare, processes), on);
  const queue = spare === undefined ? 0 : processes;
  // A client that has said nothing costs a descriptor.
  const silent = Math.max(processes, Math.min(MOST_EXPECTED, connectionsBeside(processes)));
  // Where connections wait, so do those that need no process yet.
  const isOpen = accept || (spare !== undefined && options.overflow !== "refuse");
  const children = new Children({
    mode,
    command,
    roles: [roles.process],
    accept,
    queue,
    silent,
    ...(spare !== undefined && { spare }),
  });
  let server: DescriptorServer;
  try {
    server = await DescriptorServer.open({
      mode,
      url,
      threads: processes + 1,
      connections: isOpen ? Infinity : processes,
      processes: children,
    }, options);
  } catch (error) {
    children.close();
    throw error;
  }
  const { team } = server;
  // A process that is to be replaced while the server closes is wanted only if connections wait.
  const isWanted = () => !team.gate.closing || !server.ring.closed || children.waiting > 0;
  const prepare = (): ThreadData | undefined => isWanted() ? {} : undefined;
  const desk = (): ThreadData => ({
    data: children.desk,
    // What it knew of them is lost with it.
    onGone: (error) => {
      if (error === undefined) return;
      const why = "A process was ended: nobody deals with it any more";
      children.endAll(isServing ? new Error(why) : undefined);
    },
  });
  let isServing = false;
  const started: Promise<unknown>[] = [team.keepRunning(roles.desk, desk)];
  if (spare === undefined) {
    for (let count = 0; count < processes; count++) {
      started.push(team.keepRunning(roles.process, prepare));
    }
  } else started.push(startOnDemand(team, children, roles.process, processes, spare));
  const details = [...describe(processes), ...(on === runtime.name ? [] : [`processes on ${on}`])];
  const serving = await server.serve(Promise.all(started), details);
  isServing = true;
  return serving;
}

/**
 * Makes sure that so many processes can be started at once.
 *
 * @throws {Error} that names the limit which does not allow them
 */
function requireRoom(processes: number, on: RuntimeName): void {
  requireProcesses(processes);
  const why = whyTooManyProcesses(processes, on);
  if (why === undefined) return;
  throw new Error(`Cannot start ${numberOf(processes, "process", "processes")}: ${why}`);
}

/**
 * How many processes there are. A process serves one connection at a time, so there need not be more
 * than connections. If they are started on demand, there are no more than fit.
 */
function mostProcesses(
  { processes: wanted, spare }: ProcessServerPlan,
  { maxConnections = 0, overflow }: ServeOptions,
): number {
  const processes = spare === undefined
    ? wanted
    : Math.min(wanted, Math.max(1, processesThatFit()));
  // To refuse a connection somebody has to accept it.
  if (!(maxConnections >= 1) || overflow === "refuse") return processes;
  return Math.min(processes, maxConnections);
}

/**
 * Starts processes as connections need them. None of them has to wait for its turn (`children.ts`):
 * when it comes, the connection may have gone to another one.
 *
 * @param team the team, before its desk is started
 * @param children knows how many are missing
 * @param role the role of each process
 * @param most the most processes at a time
 * @param spare how many start at once
 * @returns resolves when these are ready
 */
function startOnDemand(
  team: ThreadTeam,
  children: Children,
  role: string,
  most: number,
  spare: number,
): Promise<unknown> {
  let running = 0;
  let starting = 0;

  function start(): Promise<void> {
    running++;
    starting++;
    const process = team.start(role);
    const settled = team.settle(process);
    void process.gone.then(() => {
      running--;
      startMissing();
    });
    // One that cannot start is followed by a pause, in which no other one is started in its place.
    void process.ready.catch(() => settled).then(() => {
      starting--;
      startMissing();
    });
    return process.ready;
  }

  function startMissing(): void {
    while (children.missing > starting && running < most && starting < startsTogether()) {
      start().catch(() => {});
    }
  }

  team.onQueued = startMissing;
  return Promise.all(Array.from({ length: Math.min(spare, most) }, start));
}
