/**
 * The adapter for Deno; `bun.ts` is its mirror image.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import {
  hostForRuntime,
  inZone,
  splitZone,
  UNIX,
  unixPathForRuntime,
  withZoneOf,
} from "./address.ts";
import { AcceptPolicy } from "./accept_policy.ts";
import { Listener } from "./listener.ts";
import {
  type FileStatus,
  type ForeignFunctions,
  type ForeignSignatures,
  type Runtime,
  type StartedProgram,
  type SystemFile,
  type ThreadOptions,
  USUAL_COLUMNS,
  USUAL_ROWS,
  type WritableFile,
} from "./adapter.ts";
import {
  ACCEPT_QUEUE,
  Connection,
  type ConnectOptions,
  endsOf,
  FIRST_FLIGHT,
  type ListenOptions,
  type Pulled,
  type Sink,
  UNREAD_LIMIT,
} from "./transport.ts";
import { readAll } from "./read_all.ts";
import { writeAll } from "./write_all.ts";

/**
 * The size of the first read buffer. A pending read holds its buffer, so that is small while a
 * connection is idle and grows when it has been filled.
 */
const SMALL_READ = 512;

/** What is used here of a Worker of `node:worker_threads`. */
interface NodeWorker {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  terminate(): Promise<unknown>;
  on(event: "message", heard: (message: unknown) => void): void;
  on(event: "error", heard: (error: Error) => void): void;
}

/** Where that comes from. The first look at `process` takes a while, and most threads need none. */
interface NodeModules {
  readonly process: {
    getBuiltinModule(name: "node:worker_threads"): {
      readonly SHARE_ENV: symbol;
      readonly Worker: new (url: URL, options: Record<string, unknown>) => NodeWorker;
    };
  };
}

/**
 * A Worker whose young generation stays small. V8 lets it grow to 16 MiB while much of what is made
 * lives on, as ten thousand new connections do, and gives that memory back only when its thread
 * rests in the runtime's event loop. Only a Worker of `node:worker_threads` can be told a limit. In
 * all that is used of it, it behaves like the runtime's own.
 */
class BoundedThread {
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onerror: ((event: Pick<ErrorEvent, "message" | "error" | "preventDefault">) => void) | null =
    null;
  readonly #worker: NodeWorker;

  constructor(url: string, name: string, youngMiB: number) {
    const { process } = globalThis as unknown as NodeModules;
    const { SHARE_ENV, Worker } = process.getBuiltinModule("node:worker_threads");
    this.#worker = new Worker(new URL(url), {
      name,
      // Otherwise all variables would be copied, and the user might be asked whether they may.
      env: SHARE_ENV,
      argv: Deno.args,
      resourceLimits: { maxYoungGenerationSizeMb: youngMiB },
    });
    this.#worker.on("message", (data) => this.onmessage?.({ data }));
    this.#worker.on("error", (error) => {
      const message = `Uncaught ${error.name}: ${error.message}`;
      this.onerror?.({ message, error, preventDefault: () => {} });
    });
  }

  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}

/** A word that nobody notifies: a thread that waits on it sleeps. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

class DenoConnection extends Connection {
  readonly #conn: Deno.TcpConn | Deno.UnixConn;
  readonly #zone: string | undefined;
  #buffer = new Uint8Array(SMALL_READ);
  #reader: Sink | undefined;
  #watcher: Sink | undefined;
  #writer: Sink | undefined;
  #writing: Uint8Array | undefined;
  /** How many bytes were pushed. What the peer has taken of them is not known. */
  #sent = 0;
  #reading = false;
  /** Whether the last read filled its buffer: then there may be more. */
  #wasFilled = false;
  #arrived: Pulled;
  #ended = false;
  #failure: Error | undefined;
  #closed = false;

  /**
   * @param conn the connection
   * @param zone its zone, which Deno does not tell
   * @param hasNoDelay whether it has no Nagle delay already
   */
  constructor(conn: Deno.TcpConn | Deno.UnixConn, zone?: string, hasNoDelay = false) {
    super();
    this.#conn = conn;
    this.#zone = zone;
    // With Nagle's algorithm the second of two small writes would wait for an acknowledgement.
    if (!hasNoDelay && "setNoDelay" in conn) conn.setNoDelay(true);
  }

  override get localAddress(): Address {
    return inZone(addressOf(this.#conn.localAddr), this.#zone);
  }

  override get remoteAddress(): Address {
    return inZone(addressOf(this.#conn.remoteAddr), this.#zone);
  }

  override pull(sink: Sink): Pulled {
    const arrived = this.#arrived;
    if (arrived !== undefined) {
      this.#arrived = undefined;
      return arrived;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return null;
    this.#reader = sink;
    if (!this.#reading) this.#read();
    return undefined;
  }

  override get hasUnread(): boolean {
    return this.#arrived instanceof Uint8Array || this.#wasFilled;
  }

  override get mayLose(): boolean {
    return this.hasUnread || this.#sent > FIRST_FLIGHT;
  }

  override unpull(): void {
    this.#reader = undefined;
    this.#watcher = undefined;
  }

  override watch(sink: Sink): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#watcher = sink;
    if (this.#reading || this.#arrived !== undefined) return;
    // The caller may still hold the bytes of the last read, so this read gets another buffer.
    this.#buffer = new Uint8Array(SMALL_READ);
    this.#read();
  }

  #read(): void {
    this.#reading = true;
    this.#conn.read(this.#buffer).then(this.#onRead, this.#onReadError);
  }

  readonly #onRead = (count: number | null): void => {
    this.#reading = false;
    this.#ended = count === null;
    this.#wasFilled = count === this.#buffer.length;
    const chunk = count === null ? null : this.#take(count);
    const sink = this.#reader;
    this.#reader = undefined;
    if (sink !== undefined) return sink.onRead(chunk);
    this.#arrived = chunk;
    if (chunk === null) this.#watcher?.onEnd?.();
  };

  readonly #onReadError = (error: Error): void => {
    this.#reading = false;
    this.#failure = error;
    const sink = this.#reader ?? this.#watcher;
    this.#reader = undefined;
    this.#watcher = undefined;
    sink?.onError(error);
  };

  #take(count: number): Uint8Array {
    const buffer = this.#buffer;
    if (count === buffer.length && count < UNREAD_LIMIT) {
      this.#buffer = new Uint8Array(Math.min(UNREAD_LIMIT, count * 4));
    } else if (count < SMALL_READ && buffer.length > SMALL_READ) {
      this.#buffer = new Uint8Array(SMALL_READ);
    }
    return buffer.subarray(0, count);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    if (bytes.length === 0) return true;
    this.#sent += bytes.length;
    this.#writer = sink;
    this.#writing = bytes;
    this.#conn.write(bytes).then(this.#onWritten, this.#onWriteError);
    return false;
  }

  readonly #onWritten = (count: number): void => {
    const bytes = this.#writing as Uint8Array;
    if (count < bytes.length) {
      this.#writing = bytes.subarray(count);
      this.#conn.write(this.#writing).then(this.#onWritten, this.#onWriteError);
      return;
    }
    const sink = this.#writer as Sink;
    this.#writer = undefined;
    this.#writing = undefined;
    sink.onWritten();
  };

  readonly #onWriteError = (error: Error): void => {
    const sink = this.#writer;
    this.#writer = undefined;
    this.#writing = undefined;
    sink?.onError(error);
  };

  override get pending(): number {
    return this.#writing?.length ?? 0;
  }

  override get ends(): string {
    return endsOf(this.localAddress, this.remoteAddress);
  }

  override closeWrite(): void {
    // It rejects if the peer has gone. The next read reports that too.
    if (!this.#closed) this.#conn.closeWrite().catch(() => {});
  }

  override close(): void {
    // A second close would throw `BadResource`.
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }
}

/** An address as Deno tells it. */
function addressOf(told: Deno.NetAddr | Deno.UnixAddr): Address {
  if (!("path" in told)) return told;
  // A client's end has no path.
  const path = (told.path ?? "").replace(/^\0/, "@");
  return { hostname: UNIX + path, port: 0 };
}

/** To count descriptors, the C library has to be loaded: a server starts faster without. */
const UNCHECKED = 16;

class DenoListener extends Listener {
  override readonly address: Address;
  override readonly descriptor: number | undefined;
  readonly #listener: Deno.TcpListener;
  readonly #zone: string | undefined;
  readonly #onAcceptError: ListenOptions["onAcceptError"] | undefined;
  readonly #policy: AcceptPolicy;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** How many connections are accepted before free descriptors are counted for the first time. */
  #unchecked = UNCHECKED;
  /** How many connections may have come before the listener had its options. */
  #early = ACCEPT_QUEUE + 1;
  #accepting = false;
  #closed = false;

  constructor(options: ListenOptions) {
    const { hostname: host, port, reusePort = false, find, onAcceptError, reserve } = options;
    const hostname = hostForRuntime(host);
    super();
    const shared = reusePort && { reusePort };
    const open = (): Deno.TcpListener =>
      Deno.listen({ hostname, port, tcpBacklog: ACCEPT_QUEUE, ...shared });
    // Deno does not tell the descriptor.
    let listener: Deno.TcpListener | undefined;
    this.descriptor = find?.(() => (listener = open()).addr);
    this.#listener = listener ?? open();
    this.#onAcceptError = onAcceptError;
    this.#zone = splitZone(host).zone;
    this.#policy = new AcceptPolicy(reserve);
    this.address = withZoneOf(this.#listener.addr, host);
  }

  protected override wake(): void {
    if (this.#accepting || !this.wantsMore) return;
    // A listener that is about to close looks more often: its time is short.
    if (this.#retry !== undefined && !this.isStopping) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#unchecked === 0 && this.#policy.isShort) {
      return this.#rest(new Error("nearly out of descriptors"), this.#policy.pause());
    }
    this.#accepting = true;
    this.#listener.accept().then(this.#onAccept, this.#onError);
  }

  readonly #onAccept = (conn: Deno.TcpConn): void => {
    this.#accepting = false;
    this.#policy.accepted();
    if (this.#unchecked > 0) this.#unchecked--;
    if (this.#early > 0) this.#early--;
    let connection: Connection;
    try {
      // The times are the system's, usually two hours: Deno cannot set others.
      if (this.keepAlive !== undefined) conn.setKeepAlive(true);
      const hasNoDelay = this.inheritsNoDelay && this.#early === 0;
      connection = new DenoConnection(conn, this.#zone, hasNoDelay);
    } catch (error) {
      // The peer had left before the first option could be set.
      conn.close();
      this.#onAcceptError?.(error as Error, 0);
      return this.wake();
    }
    this.arrive(connection);
    this.wake();
  };

  readonly #onError = (error: Error): void => {
    this.#accepting = false;
    // The pending accept of a closed listener rejects with `BadResource`.
    if (this.#closed) return;
    const waitMs = this.#policy.failed(error);
    if (waitMs > 0) return this.#rest(error, waitMs);
    this.#onAcceptError?.(error, waitMs);
    this.wake();
  };

  /** Accepts nobody for a while. */
  #rest(error: Error, waitMs: number): void {
    if (!this.isStopping) this.#onAcceptError?.(error, waitMs);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, waitMs);
  }

  protected override get isShort(): boolean {
    return this.#retry !== undefined;
  }

  protected override closeSocket(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#listener.close();
  }
}

function requirePermission(name: "read" | "write", path: string): void {
  if (Deno.permissions.querySync({ name, path }).state === "granted") return;
  throw new Error(`no permission to ${name} that path (--allow-${name})`);
}

/** Takes a descriptor, in a way that the permissions allow. */
function openProbe(): Disposable {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    // A program that may start a thread may read the thread's module.
    return Deno.openSync(new URL(import.meta.url));
  }
}

/** Deno. */
export const denoRuntime: Runtime = {
  name: "deno",
  get version() {
    return Deno.version.deno;
  },
  get os() {
    return Deno.build.os;
  },
  get arch() {
    return Deno.build.arch;
  },
  get executable() {
    return Deno.execPath();
  },
  get args() {
    return Deno.args;
  },
  get pid() {
    return Deno.pid;
  },
  get cpus() {
    return navigator.hardwareConcurrency;
  },
  get isMainThread() {
    return !("DedicatedWorkerGlobalScope" in globalThis);
  },
  get threadName() {
    return this.isMainThread ? undefined : (globalThis as { name?: string }).name;
  },
  descriptorsPerThread: 6,
  stopsBusyThreads: false,
  hearsSignalsInThreads: true,
  resumesTogether: true,
  get hasNodeModules() {
    // They ask for the path of this very program, and without proc(5) that ends the process.
    const path = "/proc/self";
    const { state } = Deno.permissions.querySync({ name: "read", path });
    // Without that permission it cannot be known, and nobody must be asked for it.
    if (Deno.build.os !== "linux" || state !== "granted") return true;
    try {
      Deno.lstatSync(path);
      return true;
    } catch (error) {
      return !(error instanceof Deno.errors.NotFound);
    }
  },

  variable(name: string): string | undefined {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : undefined;
  },

  removeVariable(name: string): void {
    Deno.env.delete(name);
  },

  fileUrl(path: string): URL {
    // Node.js's function comes with its `process`, which needs the path of this very program. Where
    // there is no proc(5), asking for that ends the process.
    const isWindows = Deno.build.os === "windows";
    const encode = (text: string) =>
      (isWindows ? text.replaceAll("\\", "/") : text.replace(/\/+/g, "/"))
        .replace(/[%\\?#\s]/g, encodeURIComponent);
    const encoded = encode(path);
    if (isWindows && /^[a-z]:\//i.test(encoded)) return new URL(`file:///${encoded}`);
    if (encoded.startsWith("/") && !isWindows) return new URL(`file://${encoded}`);
    const folder = encode(Deno.cwd()).replace(/^\/?/, "/");
    return new URL(encoded.startsWith("/") ? encoded : `./${encoded}`, `file://${folder}/`);
  },

  provideModule(): void {
    // A program on Deno has a deno.json, and its import map holds for every module.
  },

  whyNoReusePort(): string | undefined {
    // Without this setting a request for the option ends the process, and cannot be caught.
    return "listenDatagram" in Deno
      ? undefined
      : `Deno needs "unstable": ["net"] in deno.json, or --unstable-net`;
  },

  listen(options: ListenOptions): Promise<Listener> {
    return Promise.resolve(new DenoListener(options));
  },

  whyNoSource(): string | undefined {
    return "Deno's own sockets cannot choose the address that they come from";
  },

  async connect({ hostname: host, port, signal }: ConnectOptions): Promise<Connection> {
    const path = unixPathForRuntime(host);
    if (path !== undefined) {
      return new DenoConnection(await Deno.connect({ transport: "unix", path }));
    }
    const hostname = hostForRuntime(host);
    const conn = await Deno.connect({ hostname, port, ...(signal && { signal }) });
    try {
      return new DenoConnection(conn, splitZone(host).zone);
    } catch (error) {
      // The server has already reset the connection.
      conn.close();
      throw error;
    }
  },

  mayListen(hostname: string): boolean {
    return Deno.permissions.querySync({ name: "net", host: hostname }).state === "granted";
  },

  whyNoThreads(url: string): string | undefined {
    if (!url.startsWith("file:")) return undefined;
    const { state } = Deno.permissions.querySync({ name: "read", path: new URL(url) });
    return state === "granted" ? undefined : "no permission to read their module (--allow-read)";
  },

  startThread(url: string, name: string, { youngMiB }: ThreadOptions = {}): Worker {
    // Node.js's Workers run modules of the file system only.
    const isBounded = youngMiB !== undefined && url.startsWith("file:") && this.hasNodeModules;
    return isBounded
      ? new BoundedThread(url, name, youngMiB) as unknown as Worker
      : new Worker(url, { type: "module", name });
  },

  async messageTaker() {
    const { receiveMessageOnPort } = await import("node:worker_threads");
    return receiveMessageOnPort as unknown as Awaited<ReturnType<Runtime["messageTaker"]>>;
  },

  // V8 has a flag for that, and it has to be set before the program begins.
  collectGarbage: undefined,

  waitWhile(words: Int32Array, index: number, value: number, ms: number): void {
    Atomics.wait(words, index, value, ms);
  },

  mayCallForeign(): boolean {
    return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  },

  openLibrary(path: string, signatures: ForeignSignatures): ForeignFunctions {
    const symbols = Object.fromEntries(
      Object.entries(signatures).map(([alias, { symbol: name, parameters, result }]) => [
        alias,
        { parameters, result, ...(name !== undefined && { name }) },
      ]),
    );
    return Deno.dlopen(path, symbols as Deno.ForeignLibraryInterface).symbols as ForeignFunctions;
  },

  readInt(pointer: unknown): number {
    return new Deno.UnsafePointerView(pointer as Deno.PointerObject).getInt32(0);
  },

  numberOf(pointer: unknown): bigint {
    return Deno.UnsafePointer.value(pointer as Deno.PointerValue);
  },

  addressOf(bytes: Uint8Array): bigint {
    return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>));
  },

  codeOf(_foreign: (...args: never[]) => unknown): undefined {
    return undefined;
  },

  pointerTo(address: number): unknown {
    return Deno.UnsafePointer.create(BigInt(address));
  },

  memoryAt(pointer: unknown, bytes: number): ArrayBuffer {
    return Deno.UnsafePointerView.getArrayBuffer(pointer as Deno.PointerObject, bytes);
  },

  hasDescriptors(count: number): boolean {
    const probes: Disposable[] = [];
    try {
      while (probes.length < count) probes.push(openProbe());
      return true;
    } catch (error) {
      // Without permission to open anything there is no way to tell.
      return error instanceof Deno.errors.NotCapable;
    } finally {
      for (const probe of probes) probe[Symbol.dispose]();
    }
  },

  onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2", handler: () => void): () => void {
    // Windows has neither SIGTERM nor SIGUSR2.
    const isMissing = signal === "SIGTERM" || signal === "SIGUSR2";
    if (isMissing && Deno.build.os === "windows") return () => {};
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  },

  onStray(handler: (error: unknown) => void): () => void {
    const onError = (event: ErrorEvent) => {
      event.preventDefault();
      handler(event.error);
    };
    const onRejection = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      handler(event.reason);
    };
    globalThis.addEventListener("error", onError);
    globalThis.addEventListener("unhandledrejection", onRejection);
    return () => {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    };
  },

  refuseExit(refuse: () => never): void {
    // `process.exit` of Node.js ends in the same function.
    Object.assign(Deno, { exit: refuse });
    Object.assign(globalThis, { close: refuse });
  },

  unrefTimer(timer: ReturnType<typeof setTimeout>): void {
    Deno.unrefTimer(timer);
  },

  print(to: "stdout" | "stderr", bytes: Uint8Array): Promise<number> {
    return Deno[to].write(bytes);
  },

  printNow(to: "stdout" | "stderr", text: string): void {
    const write = (bytes: Uint8Array) => Deno[to].writeSync(bytes);
    writeAll(new TextEncoder().encode(text), write, (ms) => Atomics.wait(NEVER, 0, 0, ms));
  },

  async readInput(buffer: Uint8Array): Promise<number> {
    return await Deno.stdin.read(buffer) ?? 0;
  },

  isTerminal(of: "stdin" | "stdout" | "stderr"): boolean {
    return Deno[of].isTerminal();
  },

  columns(of: "stdout" | "stderr"): number {
    return Deno[of].isTerminal() ? Deno.consoleSize().columns || USUAL_COLUMNS : Infinity;
  },

  rows(of: "stdout" | "stderr"): number {
    return Deno[of].isTerminal() ? Deno.consoleSize().rows || USUAL_ROWS : Infinity;
  },

  createFile(path: string | URL): WritableFile {
    if (Deno.permissions.querySync({ name: "write", path }).state !== "granted") {
      throw new Error("no permission to write it (--allow-write)");
    }
    const file = Deno.openSync(path, { write: true, create: true, truncate: true });
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      },
      close: () => file.close(),
    };
  },

  requireFileAccess(path: string): void {
    requirePermission("read", path);
    requirePermission("write", path);
  },

  statusOf(path: string): FileStatus | undefined {
    requirePermission("read", path);
    try {
      const { isSocket, isFile, isDirectory, uid, mode, dev, ino } = Deno.lstatSync(path);
      return {
        isSocket: isSocket === true,
        isFile,
        isFolder: isDirectory,
        owner: uid ?? 0,
        mode: (mode ?? 0) & 0o7777,
        identity: `${dev} ${ino}`,
      };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },

  changeMode(path: string, mode: number): void {
    requirePermission("write", path);
    Deno.chmodSync(path, mode);
  },

  removeFile(path: string): void {
    requirePermission("write", path);
    Deno.removeSync(path);
  },

  realPath(path: string): string {
    requirePermission("read", path);
    return Deno.realPathSync(path);
  },

  renameFile(from: string, to: string): void {
    requirePermission("read", from);
    requirePermission("write", from);
    requirePermission("write", to);
    Deno.renameSync(from, to);
  },

  makePrivateFolder(folder: string, prefix: string): string {
    requirePermission("read", folder);
    requirePermission("write", folder);
    return Deno.makeTempDirSync({ dir: folder, prefix });
  },

  removeFolder(path: string): void {
    requirePermission("write", path);
    Deno.removeSync(path);
  },

  startProgram(
    path: string,
    args: readonly string[],
    folder: string,
    isApart = false,
  ): Promise<StartedProgram> {
    if (Deno.permissions.querySync({ name: "run", command: path }).state !== "granted") {
      throw new Error(`no permission to start ${path} (--allow-run)`);
    }
    const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    const how = { args: [...args], cwd: folder, detached: isApart, ...streams };
    const child = new Deno.Command(path, how).spawn();
    let isOver = false;
    const ended = child.status.then(({ code, signal }) => {
      isOver = true;
      return signal ?? `exit status ${code}`;
    });
    return Promise.resolve({
      pid: child.pid,
      ended,
      signal(name) {
        if (!isOver) Deno.kill(child.pid, name);
      },
      unref: () => child.unref(),
    });
  },

  openSystemFile(path: string): SystemFile | undefined {
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path);
    } catch {
      // This system has no such file, or reading it takes more than that permission.
      return undefined;
    }
    return {
      read() {
        file.seekSync(0, Deno.SeekMode.Start);
        return readAll((buffer) => file.readSync(buffer) ?? 0);
      },
      close: () => file.close(),
    };
  },

  memory(): number | undefined {
    // It says 0 if it cannot tell.
    return Deno.memoryUsage().rss || undefined;
  },

  countDescriptors(): number | undefined {
    const path = "/proc/self/fd";
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
    try {
      // One of them is that of the folder itself.
      return [...Deno.readDirSync(path)].length - 1;
    } catch {
      // This system has no such folder, or no descriptor to read it with is left.
      return undefined;
    }
  },

  exit(code: number): never {
    Deno.exit(code);
  },
};
