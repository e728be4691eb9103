/**
 * Where a listener may be offered: in a folder that belongs to this user, and into which nobody else
 * may write. Whoever may write to the folder could put a socket of their own there, and be given the
 * listener, or give one.
 *
 * @module
 */

import { unixRoom } from "../../net/address.ts";
import { describeSystemError, LINUX } from "../../net/constants.ts";
import { runtime } from "../../net/runtime.ts";
import type { Sockets } from "../../net/sockets.ts";

/** The bits of a mode that let the group and all others write. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Checks the folder of a path.
 *
 * @param path any path; a relative one starts at the current directory
 * @param user the number of this user
 * @returns the same path without symbolic links in its folder: whoever changes a link later changes
 * nothing
 * @throws {Error} that says what is wrong with the folder
 */
export function privatePath(path: string, user: number): string {
  const absolute = decodeURIComponent(runtime.fileUrl(path).pathname);
  const cut = absolute.lastIndexOf("/");
  const name = absolute.slice(cut + 1);
  if (name === "" || name === "." || name === "..") throw new Error("expected the path of a file");
  const folder = runtime.realPath(absolute.slice(0, cut) || "/");
  const status = runtime.statusOf(folder);
  if (status?.isFolder !== true) throw new Error(`${folder} is no folder`);
  if (status.owner !== user) {
    throw new Error(
      `the folder ${folder} belongs to user ${status.owner}, and not to user ${user}`,
    );
  }
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
    const mode = status.mode.toString(8).padStart(4, "0");
    throw new Error(
      `others may write to the folder ${folder}, whose mode is ${mode}: expected 0700 or 0755`,
    );
  }
  const place = `${folder === "/" ? "" : folder}/${name}`;
  // The next server must be able to put its socket there too.
  const length = Math.max(...[place, besides(place, MOST_PID)].map(bytesIn));
  if (length > ROOM) {
    throw new Error(`${folder} is too long: the system has room for ${ROOM} bytes, not ${length}`);
  }
  return place;
}

/** How long the path of a Unix domain socket may be on Linux, in bytes. */
const ROOM = unixRoom(LINUX) - 1;

/** No process has a higher number (proc(5), `pid_max`). */
const MOST_PID = 4_194_304;

/**
 * Where a server has its socket until it takes the place of another one: beside that, and hardly ever
 * longer.
 *
 * @param path what {@linkcode privatePath} returned
 * @param pid the number of the server's process
 */
export function besides(path: string, pid: number): string {
  return `${path.slice(0, path.lastIndexOf("/"))}/.${pid}`;
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * The number of the user as whom this process runs, as other processes see it over a socket.
 *
 * @param net the Berkeley calls
 */
export function ownUser(net: Sockets): number {
  const [here, there] = net.socketpair();
  try {
    return net.peerCredentials(here)?.user ?? -1;
  } finally {
    net.close(here);
    net.close(there);
  }
}

/** What the names of the folders begin with that {@linkcode privatePlace} makes. */
const PREFIX = "handshake-takeover-";

/**
 * Makes a folder into which nobody else may look, for a socket.
 *
 * @param prefix what its name begins with
 * @throws {Error} if there is no place for it
 */
export function privateFolder(prefix: string): string {
  const failures: string[] = [];
  // Whoever becomes another user, for instance by su(1), may still have the folders of the first one.
  for (const folder of [runtime.variable("XDG_RUNTIME_DIR"), runtime.variable("TMPDIR"), "/tmp"]) {
    if (folder === undefined || folder === "") continue;
    try {
      return runtime.makePrivateFolder(folder, prefix);
    } catch (error) {
      failures.push(`${folder}: ${describeSystemError(error)}`);
    }
  }
  throw new Error(`there is no place for its socket: ${failures.join("; ")}`);
}

/**
 * Makes a private folder for a server that was not told where to offer its listener.
 *
 * @returns a path in it
 * @throws {Error} if there is no place for it
 */
export function privatePlace(): string {
  return `${privateFolder(PREFIX)}/socket`;
}

/**
 * Removes the folder of a path, if {@linkcode privatePlace} has made it and nothing is in it.
 *
 * @param path what that function returned, here or in an earlier process
 */
export function removePlace(path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  if (!folder.slice(folder.lastIndexOf("/") + 1).startsWith(PREFIX)) return;
  try {
    runtime.removeFolder(folder);
  } catch {
    // The next server has a socket in it.
  }
}
