/**
 * Where the processes that a parent has started come to it: a Unix domain socket in a folder that
 * nobody else may look into.
 *
 * If the parent is killed, nobody removes the two. So they are removed at once, and the processes are
 * told another way to the same socket, which ends with the parent: through its descriptors in proc(5),
 * which nobody else may look into either.
 *
 * @module
 */

import process from "node:process";
import type { ForeignFunctions, ForeignSignatures } from "../../net/adapter.ts";
import { UNIX } from "../../net/address.ts";
import { moreFunctions } from "../../net/libc.ts";
import { runtime } from "../../net/runtime.ts";
import type { Sockets } from "../../net/sockets.ts";
import { privateFolder } from "../takeover/private_path.ts";
import { SOCK_SEQPACKET } from "./control.ts";

/** What the name of the folder begins with. */
const PREFIX = "handshake-processes-";

/** How many processes can wait at the same moment until the desk looks. */
const BACKLOG = 1_024;

/** A flag of open(2), Linux: the descriptor only stands for the file. */
const O_PATH = 0o10000000;

/** An operation of prctl(2), Linux: whether the descriptors of this process are those of its user. */
const PR_GET_DUMPABLE = 3;

const SIGNATURES = {
  prctl: { parameters: ["i32", "u32", "u32", "u32", "u32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
} as const satisfies ForeignSignatures;

let opened: ForeignFunctions | undefined;

/** More than the path of a socket can take, in bytes. */
const PATH_BYTES = 256;

/** The meeting point of one server. */
export class MeetingPoint {
  /** The listening socket, which does not block. */
  readonly fd: number;
  /** Where processes find it. */
  readonly path: string;
  readonly #net: Sockets;
  readonly #folder: string;
  readonly #file: string;
  /** Stands for the file that has been removed. */
  #way: number | undefined;
  #isClosed = false;

  /**
   * Opens it.
   *
   * @param net the Berkeley calls
   * @throws {Error} if there is no place for it
   */
  constructor(net: Sockets) {
    this.#net = net;
    this.#folder = privateFolder(PREFIX);
    this.#file = `${this.#folder}/socket`;
    try {
      this.fd = this.#open();
    } catch (error) {
      this.#remove();
      throw error;
    }
    let path: string | undefined;
    try {
      path = this.#findWay();
    } catch (error) {
      this.close();
      throw error;
    }
    this.path = path ?? this.#file;
    if (path !== undefined) this.#remove();
    else {
      // A second signal ends the process at once. Bun then says `exit`, and Deno `unload`.
      process.on("exit", this.#remove);
      globalThis.addEventListener("unload", this.#remove);
    }
  }

  #open(): number {
    const net = this.#net;
    const { AF_UNIX, SOCK_NONBLOCK } = net.constants;
    const fd = net.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK);
    try {
      net.bind(fd, { hostname: `${UNIX}${this.#file}`, port: 0 });
      net.listen(fd, BACKLOG);
      return fd;
    } catch (error) {
      net.close(fd);
      throw error;
    }
  }

  /**
   * Finds a way to the socket that needs no file.
   *
   * @returns `undefined` if there is none: without proc(5), or with that of other processes; and if
   * this process has capabilities of its file, or nobody may read that, for then its descriptors in
   * proc(5) belong to root
   */
  #findWay(): string | undefined {
    const libc = opened ??= moreFunctions(SIGNATURES);
    if (libc.prctl!(PR_GET_DUMPABLE, 0, 0, 0, 0) !== 1) return undefined;
    const way = this.#way = this.#net.open(this.#file, O_PATH);
    const path = `/proc/${runtime.pid}/fd/${way}`;
    const found = new Uint8Array(PATH_BYTES);
    const length: number = libc.readlink!(
      new TextEncoder().encode(`${path}\0`),
      found,
      found.length,
    );
    // There may be links in the path of its folder.
    const name = this.#file.slice(this.#folder.lastIndexOf("/"));
    const text = new TextDecoder().decode(found.subarray(0, Math.max(0, length)));
    return text.endsWith(name) ? path : undefined;
  }

  /** Closes it. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#net.close(this.fd);
    if (this.#way !== undefined) this.#net.close(this.#way);
    process.off("exit", this.#remove);
    globalThis.removeEventListener("unload", this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => {
    try {
      runtime.removeFile(this.#file);
    } catch {
      // It was never there, or somebody has cleaned up already.
    }
    try {
      runtime.removeFolder(this.#folder);
    } catch {
      // The same.
    }
  };
}
