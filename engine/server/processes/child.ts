/**
 * The inside of a process that serves connections: what `onThread` is for a Worker.
 *
 * The process has one thread, and that blocks: in accept(2), or in recvmsg(2) until its parent hands
 * it a connection, and then in calls on the connection. It does nothing else. The parent does all that
 * is common to the server, and the two share memory. If the parent ends, so does the process, in
 * whatever call or computation it is.
 *
 * @module
 */

import { CommonMemory } from "../../net/common_memory.ts";
import { harmlessSignal } from "../../net/harmless_signal.ts";
import type { Parentage } from "../../net/parentage.ts";
import { parentage, runtime } from "../../net/runtime.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import { endNow, endWithParent, leaveSignalsToParent } from "../../process/parent.ts";
import { pause } from "../../values/pause.ts";
import { describeError } from "../../values/thrown.ts";
import { beginProfile } from "../../workers/profile_request.ts";
import { ThreadGuard } from "../../workers/strays.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { type Equipment, type Role, type SharedSocket, Thread } from "../descriptors/thread.ts";
import { type Assignment, type Place, takePlace } from "../team/assignment.ts";
import type { Leaving } from "../team/linger_queue.ts";
import { Control, describeStray, readConnection, SAY, TELL } from "./control.ts";

/** The exit status of a process whose work is done, or is not wanted. */
const DONE = 0;

/** The exit status of a process that has told its parent why it ends (sysexits, `EX_SOFTWARE`). */
export const TOLD = 70;

/** The number of no descriptor. */
const NO_LISTENER = -1;

/** What a parent tells a process, as JSON beside the descriptors. */
export interface ChildAssignment extends Pick<Assignment, "role" | "index" | "track" | "data"> {
  /** Where the rest of it lies, which is the same for all processes: JSON in shared memory. */
  readonly common: SharedArrayBuffer;
  /** How long that is, in bytes. */
  readonly length: number;
}

/**
 * The half of a mode that runs in processes. It does something only in a process that was started for
 * this mode.
 *
 * @param mode the mode's name
 * @param roles the roles of its processes, by name
 */
export function onProcess(mode: string, roles: Readonly<Record<string, Role>>): void {
  if (parentage?.mode === mode) void live(parentage, roles);
}

async function live({ parent, path }: Parentage, roles: Parameters<typeof onProcess>[1]) {
  leaveSignalsToParent();
  if (!endWithParent(parent)) endNow(DONE);
  const net = sockets();
  const signal = harmlessSignal();
  const control = meetParent(net, path);
  let part: { assignment: Assignment; place: Place; thread: Thread };
  try {
    const { assignment, mailbox } = receiveAssignment(control, net);
    part = await prepare(control, mailbox, net, assignment);
  } catch (error) {
    control.send(SAY.cannotStart, describeError(error));
    endNow(TOLD);
  }
  const { assignment, place, thread } = part;
  // The process is ours. What a protocol does beside its conversations does not end it.
  runtime.refuseExit(() => {
    throw new Error("Cannot exit: this process serves others too");
  });
  const guard = new ThreadGuard((report) => control.send(SAY.stray, describeStray(report)));
  const profile = await beginProfile();
  control.send(SAY.ready, `${signal}`);
  try {
    await (roles[assignment.role] as Role)(thread, assignment.data as never);
  } catch (error) {
    leaveConnection(net, control, thread);
    control.send(SAY.died, describeError(error));
    endNow(TOLD);
  }
  // While it served, its event loop stood still. Errors that nothing catches are found only now.
  await pause(0);
  guard.flush();
  await profile?.end();
  place.memory.finished[0] = 1;
  endNow(DONE);
}

/** Connects to the parent. If it is not there any more, this process is not wanted. */
function meetParent(net: Sockets, path: string): Control {
  try {
    return Control.connect(net, path);
  } catch {
    return endNow(DONE);
  }
}

/** Waits for what the parent wants, and finds the memory that it shares. */
function receiveAssignment(
  control: Control,
  net: Sockets,
): { readonly assignment: Assignment; readonly mailbox: Control } {
  const heard = hear(control);
  if (heard === "end" || heard.kind !== TELL.assignment) return endNow(DONE);
  // Who is handed connections has no listener. Nobody can connect to one that nobody has.
  type Sent = [number, number, number, number?];
  const [memory, wake, mailbox, listener = NO_LISTENER] = heard.descriptors as Sent;
  const shared = CommonMemory.open(memory);
  const { common, length, ...own } = shared.find(control.textOf(heard)) as ChildAssignment;
  // A decoder takes no shared memory.
  const text = new TextDecoder().decode(new Uint8Array(common, 0, length).slice());
  const rest = shared.find(text) as Assignment;
  shared.close();
  const { shared: socket } = rest as { readonly shared: SharedSocket };
  const assignment = { ...rest, ...own, shared: { ...socket, listener, wake } };
  return { assignment, mailbox: new Control(net, mailbox) };
}

async function prepare(
  control: Control,
  mailbox: Control,
  net: Sockets,
  assignment: Assignment,
): Promise<{ assignment: Assignment; place: Place; thread: Thread }> {
  const protocol = await loadProtocol(assignment.settings.protocol);
  const wake = () => void control.send(SAY.wake);
  const place = await takePlace(assignment, wake);
  let taken = NONE;
  const equipment: Equipment = {
    passage: {
      take(sockaddr) {
        taken = takeConnection(control, mailbox, sockaddr, place);
        return taken.fd;
      },
      get since() {
        return taken.since;
      },
      lingering: leaving(net, control, SAY.lingering),
      refused: leaving(net, control, SAY.refused),
    },
  };
  const thread = new Thread(assignment, place, protocol, equipment, wake);
  await thread.prepare();
  return { assignment, place, thread };
}

/** Waits for the next message, whatever signals come. */
function hear(control: Control): Exclude<ReturnType<Control["hear"]>, undefined> {
  for (;;) {
    const heard = control.hear();
    if (heard !== undefined) return heard;
  }
}

/** A connection that was taken. */
interface Taken {
  /** Its descriptor; -1 if there will be none. */
  readonly fd: number;
  /** The stamp of when it began to need a process; 0 if it has none. */
  readonly since: number;
}

const NONE: Taken = { fd: -1, since: 0 };

/** Says that it has nothing to do, and waits for a connection. */
function takeConnection(
  control: Control,
  mailbox: Control,
  sockaddr: Uint8Array,
  { track }: Place,
): Taken {
  for (;;) {
    if (!control.send(SAY.idle)) return NONE;
    const heard = hear(mailbox);
    if (heard !== "end" && heard.kind === TELL.again) continue;
    if (heard === "end" || heard.kind !== TELL.connection) return NONE;
    const [fd] = heard.descriptors;
    // The parent has the connection until this process begins with it, and gives it to another one.
    if (fd === undefined) throw new Error("it has no descriptors left for a connection");
    const { since, neededSince } = readConnection(heard.data, sockaddr);
    track?.handed(fd, since);
    return { fd, since: neededSince };
  }
}

/** Leaves connections to the parent, where they linger. */
function leaving(net: Sockets, control: Control, kind: number): Leaving {
  return {
    put(fd) {
      if (!control.send(kind, undefined, [fd])) return false;
      net.close(fd);
      return true;
    },
    mustCall: () => false,
  };
}

/** This process ends because of an error of its own. Its client gets FIN, and no reset. */
function leaveConnection(net: Sockets, control: Control, thread: Thread): void {
  const fd = thread.part();
  if (fd < 0 || net.shutdown(fd, net.constants.SHUT_WR) < 0) return;
  control.send(SAY.lingering, undefined, [fd]);
}
