/**
 * A server whose connections are served by processes. Its parent opens it, starts the processes and
 * deals with them; `descriptor_server.ts` says how it closes.
 *
 * @module
 */

import { whyNoCommonMemory } from "../../net/common_memory.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { runtime } from "../../net/runtime.ts";
import {
  processesInMemory,
  whyNoMemoryNow,
  whyTooLittleMemory,
} from "../../process/memory_limits.ts";
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

/** How often it is looked at whether there is memory for processes that are missing, in milliseconds. */
const MEMORY_MS = 500;

/**
 * How long a server waits until all of its processes run, in milliseconds. It is less than a server
 * waits that is to be taken over (`TAKEOVER_MS`).
 */
const ENOUGH_MS = 5_000;

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
  // Those that are started later ask then whether there is memory.
  const [least, first] = spare === undefined
    ? [processes, processes]
    : [Math.min(spare, processes, 1), Math.min(spare, processes, processesInMemory(on))];
  requireRoom(Math.max(least, first), on);
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
    processes,
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
  // A process that is to start while the server closes is wanted only if connections wait.
  const isWanted = () => !team.gate.closing || !server.ring.closed || children.waiting > 0;
  children.isWanted = isWanted;
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
  const begin = async () => {
    await Promise.all([
      team.keepRunning(roles.desk, desk),
      spare === undefined
        ? startAll(team, roles.process, processes, prepare)
        : startOnDemand(team, children, { role: roles.process, on, most: processes, first }),
    ]);
    isServing = true;
  };
  const details = [...describe(processes), ...(on === runtime.name ? [] : [`processes on ${on}`])];
  return await server.serve(begin(), details);
}

/**
 * Starts the processes that stay. If there are very many, the server does not wait for the last one:
 * its clients would not, nor would the server that is to be taken over.
 *
 * @param team the team
 * @param role the role of each process
 * @param processes how many there are
 * @param prepare see {@linkcode ThreadTeam.keepRunning}
 * @returns resolves when all of them are ready, or after a while when some are
 */
async function startAll(
  team: ThreadTeam,
  role: string,
  processes: number,
  prepare: () => ThreadData | undefined,
): Promise<void> {
  let isEnough = false;
  const enough = Promise.withResolvers<void>();
  const each = Array.from(
    { length: processes },
    () => team.keepRunning(role, prepare, () => !isEnough),
  );
  const all = Promise.all(each);
  const timer = setTimeout(() => {
    Promise.any(each).then(() => {
      isEnough = true;
      enough.resolve();
    }, () => {
      // None can start, and whoever waits for all of them is told why.
    });
  }, ENOUGH_MS);
  await Promise.race([all, enough.promise]).finally(() => clearTimeout(timer));
  if (!isEnough) return;
  // One of the threads deals with them.
  const running = () => team.size - team.starting - 1;
  const tell = (text: string) => {
    team.journal.log({ level: "info", text, properties: { running: running(), processes } });
  };
  tell("{running} of {processes} processes run, and the others are starting");
  void all.then(() => running() === processes && tell("all {processes} processes run"));
}

/**
 * Makes sure that so many processes can be started at once.
 *
 * @throws {Error} that names the limit which does not allow them
 */
function requireRoom(processes: number, on: RuntimeName): void {
  requireProcesses(processes);
  const why = whyTooManyProcesses(processes, on) ?? whyTooLittleMemory(processes, on);
  if (why === undefined) return;
  throw new Error(`Cannot start ${numberOf(processes, "process", "processes")}: ${why}`);
}

/**
 * How many processes there are. A process serves one connection at a time, so there need not be more
 * than connections. If they are started on demand, there are no more than the descriptors suffice for.
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

/** How processes are started on demand. */
interface DemandPlan {
  /** The role of each process. */
  readonly role: string;
  /** The runtime that runs them. */
  readonly on: RuntimeName;
  /** The most processes at a time. */
  readonly most: number;
  /** How many start at once. */
  readonly first: number;
}

/**
 * Starts processes as connections need them. None of them has to wait for its turn (`children.ts`):
 * when it comes, the connection may have gone to another one. While there is no memory for another
 * one, none is started: the system would kill some process for it, and perhaps this one.
 *
 * @param team the team, before its desk is started
 * @param children knows how many are missing
 * @param plan which processes, and how many
 * @returns resolves when those are ready that start at once
 */
function startOnDemand(
  team: ThreadTeam,
  children: Children,
  { role, on, most, first }: DemandPlan,
): Promise<unknown> {
  let running = 0;
  let starting = 0;
  let isShort = false;
  let later: ReturnType<typeof setTimeout> | undefined;

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
    // Those that nobody wants end at once, and others would follow them for ever.
    const mayStart = () => children.isWanted() && running < most && starting < startsTogether();
    while (children.missing > starting && mayStart()) {
      // Those that start have not taken theirs yet.
      const why = whyNoMemoryNow(starting + 1, on);
      if (why !== undefined) return waitForMemory(why);
      start().catch(() => {});
    }
    if (children.missing <= starting) isShort = false;
  }

  function waitForMemory(why: string): void {
    // When those are ready that start, it is seen what they have left.
    if (starting > 0) return;
    if (!isShort) {
      const text = "no other process is started: {why}";
      team.journal.log({ level: "warning", text, properties: { why } });
    }
    isShort = true;
    // Nobody says when somebody else gives memory back.
    later ??= setTimeout(() => {
      later = undefined;
      startMissing();
    }, MEMORY_MS);
    runtime.unrefTimer(later);
  }

  team.onQueued = () => {
    // More connections make no more memory.
    if (later === undefined) startMissing();
  };
  return Promise.all(Array.from({ length: first }, start));
}
