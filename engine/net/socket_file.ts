/**
 * Opens a server's listening socket, of whatever family, and looks after the file that a Unix domain
 * socket has.
 *
 * The kernel never removes that file. A server that was killed leaves it behind, and the next one
 * could not bind. So a file on which nobody listens is taken away first, and the server's own file
 * when it closes.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { unixPath, withZoneOf } from "./address.ts";
import { ListenError } from "./listen_failure.ts";
import { runtime } from "./runtime.ts";
import { SocketError } from "./socket_error.ts";
import type { Sockets } from "./sockets.ts";

/** A socket that listens. */
export interface OpenedListener {
  /** Its descriptor. */
  readonly listener: number;
  /** Where it listens. */
  readonly address: Address;
  /** The file of a Unix domain socket; remove it before the socket closes. */
  readonly file?: SocketFile;
}

/**
 * Opens a listening socket.
 *
 * @param net the Berkeley calls
 * @param address a numeric address, or that of a Unix domain socket
 * @param open makes the calls: socket, setsockopt, bind, listen; returns the descriptor
 * @throws {ListenError} that names the address
 */
export function openListening(
  net: Sockets,
  address: Address,
  open: () => number,
): OpenedListener {
  let listener: number | undefined;
  try {
    const path = unixPath(address.hostname);
    if (path === undefined) {
      listener = open();
      return { listener, address: withZoneOf(net.localAddress(listener), address.hostname) };
    }
    runtime.requireFileAccess(path);
    using _lock = FolderLock.take(net, path);
    removeStale(net, address, path);
    listener = openOrClean(net, address, path, open);
    return { listener, address, file: new SocketFile(path) };
  } catch (cause) {
    if (listener !== undefined) net.close(listener);
    throw new ListenError(address, cause);
  }
}

/** Opens a socket at a path where no file is, and leaves none if that fails after bind(2). */
function openOrClean(net: Sockets, address: Address, path: string, open: () => number): number {
  try {
    return open();
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code !== "EADDRINUSE") removeStale(net, address, path);
    throw error;
  }
}

/** The file of a Unix domain socket on which this process listens. */
export class SocketFile {
  #path: string;
  readonly #identity: string | undefined;

  /**
   * @param path where it is
   * @param identity which file it is, if another process has made it; by default the one that is
   * there now
   */
  constructor(path: string, identity: string | undefined = runtime.statusOf(path)?.identity) {
    this.#path = absolute(path);
    this.#identity = identity;
  }

  /** Whether the path still leads to it: others may remove files that are old, for instance. */
  get isThere(): boolean {
    return this.#identity !== undefined &&
      runtime.statusOf(this.#path)?.identity === this.#identity;
  }

  /** What another process needs to know of it. */
  get described(): { readonly path: string; readonly identity: string } | undefined {
    const identity = this.#identity;
    return identity === undefined ? undefined : { path: this.#path, identity };
  }

  /**
   * Moves it within its folder. It takes the place of another one that is there: at no time is there
   * none.
   */
  moveTo(path: string): void {
    runtime.renameFile(this.#path, path);
    this.#path = absolute(path);
  }

  /**
   * Removes it, if the path still leads to it: somebody else may have put another file there, for
   * instance the next server. May be called again.
   */
  remove(): void {
    if (this.#identity === undefined) return;
    try {
      if (runtime.statusOf(this.#path)?.identity !== this.#identity) return;
      runtime.removeFile(this.#path);
    } catch {
      // The folder cannot be written any more. The next server takes the file away.
    }
  }
}

/** The same path, however the current directory changes. */
function absolute(path: string): string {
  return decodeURIComponent(runtime.fileUrl(path).pathname);
}

/**
 * Removes the file of a server that is no more.
 *
 * @throws {Error} if somebody listens there, or if the file is no socket
 */
function removeStale(net: Sockets, address: Address, path: string): void {
  const found = runtime.statusOf(path);
  if (found === undefined) return;
  if (!found.isSocket) throw new Error("there is a file of that name, and it is no socket");
  const { ECONNREFUSED, ENOENT, EADDRINUSE, EACCES, EPERM } = net.constants.errno;
  const errno = call(net, address);
  if (errno === ENOENT) return;
  if (errno === EACCES || errno === EPERM) throw new SocketError("connect", errno);
  // Whoever takes the call, or has no room for it, or has a socket of another type, is there.
  if (errno !== ECONNREFUSED) throw new SocketError("bind", EADDRINUSE);
  // In the meantime it may have been replaced.
  if (runtime.statusOf(path)?.identity === found.identity) runtime.removeFile(path);
}

/** Calls whoever listens at an address. @returns the error number; 0 if the call is taken */
function call(net: Sockets, address: Address): number {
  const { AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK } = net.constants;
  const fd = net.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
  try {
    return -net.connectNonBlocking(fd, net.writeAddress(address));
  } finally {
    net.close(fd);
  }
}

/** How long another server may take to begin to listen, in milliseconds, and how often to look. */
const LOCKED_MS = 1_000;
const LOOK_MS = 10;

/**
 * Keeps two servers that start at the same moment apart: between bind(2) and listen(2) a socket looks
 * like one that nobody listens on. The lock is on the folder (flock(2)), so it leaves no file behind.
 */
class FolderLock implements Disposable {
  readonly #net: Sockets;
  readonly #fd: number;

  private constructor(net: Sockets, fd: number) {
    this.#net = net;
    this.#fd = fd;
  }

  /**
   * Takes the lock. Somebody who keeps it does not keep the server from starting.
   *
   * @param path the file of the socket
   * @returns `undefined` if the folder cannot be opened
   */
  static take(net: Sockets, path: string): FolderLock | undefined {
    if (runtime.os !== "linux") return undefined;
    let fd: number;
    try {
      fd = net.openFolder(absolute(path).replace(/\/[^/]*$/, "/"));
    } catch {
      // If it is not there, bind(2) says so.
      return undefined;
    }
    const until = performance.now() + LOCKED_MS;
    while (!net.tryLock(fd) && performance.now() < until) net.poll(fd, 0, LOOK_MS);
    return new FolderLock(net, fd);
  }

  [Symbol.dispose](): void {
    this.#net.close(this.#fd);
  }
}
