/**
 * The adapter for Bun; `deno.ts` is its mirror image.
 *
 * @module
 */

import {
  canonicalHost,
  hostForRuntime,
  inZone,
  splitZone,
  UNIX,
  unixPathForRuntime,
  withZoneOf,
} from "./address.ts";
import type { Address } from "../../protocols/effects.ts";
import { Listener } from "./listener.ts";
import {
  type FileStatus,
  type ForeignFunctions,
  type ForeignSignature,
  type ForeignSignatures,
  type Runtime,
  type StartedProgram,
  type SystemFile,
  USUAL_COLUMNS,
  USUAL_ROWS,
  type WritableFile,
} from "./adapter.ts";
import {
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

/** The members of Bun that are used here. Bun's types cannot be loaded together with Deno's. */
interface BunGlobal {
  readonly version: string;
  readonly argv: readonly string[];
  readonly isMainThread: boolean;
  listen(options: unknown): BunTcpListener;
  connect(options: unknown): Promise<BunSocket>;
  sleepSync(ms: number): void;
  gc(isAwaited: boolean): void;
  spawn(command: readonly string[], options: unknown): BunChild;
  plugin(options: { readonly name: string; setup(build: BunBuild): void }): void;
}

interface BunChild {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  kill(signal: string): void;
  unref(): void;
}

interface BunBuild {
  module(name: string, load: () => { exports: unknown; loader: "object" }): void;
}

interface BunTcpListener {
  readonly hostname: string;
  readonly port: number;
  readonly fd: number;
  stop(closeConnections?: boolean): void;
}

interface BunSocket {
  data: BunConnection;
  readonly fd: number;
  setKeepAlive(enable: boolean, initialDelay: number): boolean;
  // All four are undefined once the connection is closed.
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  pause(): void;
  resume(): void;
  shutdown(): void;
  end(): void;
  terminate(): void;
}

interface BunForeign {
  dlopen(path: string, symbols: unknown): { symbols: ForeignFunctions };
  read: { i32(pointer: number, offset: number): number };
  ptr(bytes: Uint8Array): number;
  toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer;
}

interface BunFiles {
  openSync(path: string | URL, flags: string): number;
  closeSync(descriptor: number): void;
  write(
    descriptor: number,
    bytes: Uint8Array,
    done: (error: Error | null, count: number) => void,
  ): void;
  read(
    descriptor: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: null,
    done: (error: Error | null, count: number) => void,
  ): void;
  lstatSync(
    path: string,
    options: { readonly bigint: true },
  ): {
    readonly dev: bigint;
    readonly ino: bigint;
    readonly uid: bigint;
    readonly mode: bigint;
    isSocket(): boolean;
    isFile(): boolean;
    isDirectory(): boolean;
  };
  chmodSync(path: string, mode: number): void;
  unlinkSync(path: string): void;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  mkdtempSync(prefix: string): string;
  rmdirSync(path: string): void;
  writeSync(descriptor: number, bytes: Uint8Array): number;
  readdirSync(path: string): readonly string[];
  readSync(
    descriptor: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
}

interface TerminalSize {
  readonly columns?: number;
  readonly rows?: number;
}

interface BunTerminals {
  isatty(descriptor: number): boolean;
}

interface BunThreads {
  receiveMessageOnPort(port: MessagePort): { readonly message: unknown } | undefined;
  readonly workerData?: { readonly threadName?: string };
}

interface BunUrls {
  pathToFileURL(path: string): URL;
}

/** The members of Node.js's `process` that are used here. On Bun `process` is a global. */
interface BunProcess {
  memoryUsage(): { rss: number };
  readonly argv0: string;
  readonly pid: number;
  readonly env: Record<string, string | undefined>;
  readonly platform: string;
  readonly arch: string;
  on(event: string, handler: (error?: unknown) => void): void;
  off(event: string, handler: (error?: unknown) => void): void;
  cwd(): string;
  exit(code: number): never;
  readonly stdout: TerminalSize;
  readonly stderr: TerminalSize;
  // deno-lint-ignore no-explicit-any -- each module has a type of its own
  getBuiltinModule(name: string): any;
}

// Read only on Bun. Deno loads this file too, and there the first look at `process` takes longer
// than everything else that a Worker does when it starts.
const { Bun, process } = ("Bun" in globalThis ? globalThis : {}) as unknown as {
  Bun: BunGlobal;
  process: BunProcess;
};

// Modules of Bun and Node.js are loaded by a call, not by an import: Deno loads this file too.
const foreign = (): BunForeign => process.getBuiltinModule("bun:ffi");
const fs = (): BunFiles => process.getBuiltinModule("node:fs");
const urls = (): BunUrls => process.getBuiltinModule("node:url");
const terminals = (): BunTerminals => process.getBuiltinModule("node:tty");
const threads = (): BunThreads => process.getBuiltinModule("node:worker_threads");

const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 };

const FOREIGN_TYPES = { i32: "i32", u32: "u32", buffer: "buffer", pointer: "ptr", void: "void" };

/** The system's error for a socket that is used after it was closed. */
function notConnected(): Error {
  return Object.assign(new Error("Cannot write: the connection is closed"), { code: "EPIPE" });
}

/** How long a thread that waits sleeps until it looks again, in milliseconds. */
const SLICE_MS = 10;

/** How much Bun receives at a time at most, in bytes. */
const BUN_RECEIVES = 512 * 1024;

class BunConnection extends Connection {
  readonly #socket: BunSocket;
  readonly #zone: string | undefined;
  #local: Address | undefined;
  #remote: Address | undefined;
  #reader: Sink | undefined;
  #watcher: Sink | undefined;
  #writer: Sink | undefined;
  #writing: Uint8Array | undefined;
  /** How many bytes were pushed. What the peer has taken of them is not known. */
  #sent = 0;
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #paused = false;
  /** Whether the kernel may have more than Bun has read: it stopped in the middle. */
  #mayHaveMore = false;
  #ended = false;
  #failure: Error | undefined;
  #closed = false;

  /** @param socket the connection @param zone its zone, which Bun does not tell */
  constructor(socket: BunSocket, zone?: string) {
    super();
    this.#socket = socket;
    this.#zone = zone;
  }

  override get localAddress(): Address {
    const { localAddress: hostname = "0.0.0.0", localPort: port = 0 } = this.#socket;
    return this.#local ??= inZone({ hostname, port }, this.#zone);
  }

  override get remoteAddress(): Address {
    // Bun forgets it when the connection closes. Those who need it later must ask before that.
    const { remoteAddress: hostname = "0.0.0.0", remotePort: port = 0 } = this.#socket;
    return this.#remote ??= inZone({ hostname, port }, this.#zone);
  }

  override pull(sink: Sink): Pulled {
    if (this.#unreadBytes > 0) {
      const chunk = this.#unread.shift() as Uint8Array;
      this.#unreadBytes -= chunk.length;
      return chunk;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return null;
    this.#reader = sink;
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    return undefined;
  }

  override get hasUnread(): boolean {
    return this.#unreadBytes > 0 || this.#mayHaveMore;
  }

  override get mayLose(): boolean {
    return this.hasUnread || this.#sent > FIRST_FLIGHT;
  }

  override unpull(): void {
    this.#reader = undefined;
    this.#watcher = undefined;
  }

  override watch(sink: Sink): void {
    // After FIN a reset may still come.
    if (this.#failure === undefined) this.#watcher = sink;
  }

  /** Leaves what comes in the kernel, until the first pull. */
  rest(): void {
    if (this.#closed || this.#paused) return;
    this.#paused = true;
    this.#mayHaveMore = true;
    this.#socket.pause();
  }

  onData(chunk: Uint8Array): void {
    this.#mayHaveMore = chunk.length >= BUN_RECEIVES;
    const sink = this.#reader;
    if (sink !== undefined) {
      this.#reader = undefined;
      sink.onRead(chunk);
      return;
    }
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.length;
    if (this.#unreadBytes >= UNREAD_LIMIT && !this.#paused && !this.#closed) {
      this.#paused = true;
      this.#mayHaveMore = true;
      this.#socket.pause();
    }
  }

  onEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    const sink = this.#reader;
    this.#reader = undefined;
    if (sink !== undefined) sink.onRead(null);
    else this.#watcher?.onEnd?.();
  }

  onClose(error?: Error): void {
    this.#closed = true;
    // After an early reset Bun's `write` takes nothing, and the close is reported without an error.
    if (error === undefined && this.#writer === undefined) return this.onEnd();
    this.#lose(error ?? notConnected());
  }

  #lose(error: Error): void {
    this.#failure = error;
    // The reader and the writer may be two different sinks.
    const sinks = new Set([this.#writer, this.#reader ?? this.#watcher]);
    this.#reader = undefined;
    this.#watcher = undefined;
    this.#writer = undefined;
    for (const sink of sinks) sink?.onError(error);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    this.#sent += bytes.length;
    const taken = this.#socket.write(bytes);
    if (taken === bytes.length) return true;
    if (this.#failure !== undefined) throw this.#failure;
    // The peer has reset the connection. Bun reports nothing more about a paused socket and never
    // closes it, so the caller, who gets this error, has to close it.
    if (taken < 0 || this.#closed) throw notConnected();
    // Bun drops the bytes that it did not take. They are written again when the socket drains.
    this.#writer = sink;
    this.#writing = bytes.subarray(taken);
    return false;
  }

  onDrain(): void {
    const sink = this.#writer;
    if (sink === undefined) return;
    const bytes = this.#writing as Uint8Array;
    const taken = this.#socket.write(bytes);
    if (taken < 0) return this.#lose(notConnected());
    if (taken < bytes.length) {
      this.#writing = bytes.subarray(taken);
      return;
    }
    this.#writer = undefined;
    this.#writing = undefined;
    sink.onWritten();
  }

  override get pending(): number {
    return this.#writing?.length ?? 0;
  }

  override get ends(): string {
    return endsOf(this.localAddress, this.remoteAddress);
  }

  override reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.terminate();
  }

  override closeWrite(): void {
    if (!this.#closed) this.#socket.shutdown();
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.end();
  }
}

/** A connection to a Unix domain socket, whose addresses Bun does not tell. */
class BunUnixConnection extends BunConnection {
  readonly #server: Address;

  constructor(socket: BunSocket, hostname: string) {
    super(socket);
    this.#server = { hostname, port: 0 };
  }

  override get localAddress(): Address {
    return { hostname: UNIX, port: 0 };
  }

  override get remoteAddress(): Address {
    return this.#server;
  }
}

/** The handlers that the sockets of a listener and of a client share. */
const HANDLERS = {
  binaryType: "uint8array",
  data: (socket: BunSocket, chunk: Uint8Array) => socket.data.onData(chunk),
  drain: (socket: BunSocket) => socket.data.onDrain(),
  end: (socket: BunSocket) => socket.data.onEnd(),
  close: (socket: BunSocket, error?: Error) => socket.data?.onClose(error),
  // What a handler throws arrives here. Nothing that a peer does may end the process.
  error: (socket: BunSocket, error: Error) => socket.data?.onClose(error),
};

class BunListener extends Listener {
  override readonly address: Address;
  override readonly descriptor: number | undefined;
  readonly #listener: BunTcpListener;

  constructor(options: ListenOptions) {
    const { hostname, port, reusePort = false, reserve } = options;
    const { zone } = splitZone(hostname);
    super();
    let ceiling: number | undefined;
    this.#listener = Bun.listen({
      hostname: hostForRuntime(hostname),
      port,
      reusePort,
      allowHalfOpen: true,
      socket: {
        ...HANDLERS,
        open: (socket: BunSocket) => {
          socket.data = new BunConnection(socket, zone);
          // Bun sends ten probes, one a second (as libuv does).
          if (this.keepAlive !== undefined) socket.setKeepAlive(true, this.keepAlive.idleMs);
          // Without descriptors Bun would ask the kernel for the next connection without a pause.
          if (socket.fd >= (ceiling ??= reserve?.ceiling() ?? Infinity)) {
            socket.data.close();
            this.onOverflow?.("nearly out of descriptors");
          } else this.arrive(socket.data);
        },
      },
    });
    // Bun gives the host back as it was given.
    const { hostname: host, port: bound, fd } = this.#listener;
    this.address = withZoneOf({ hostname: canonicalHost(host), port: bound }, hostname);
    this.descriptor = fd >= 0 ? fd : undefined;
  }

  protected override held(connection: Connection): void {
    (connection as BunConnection).rest();
  }

  protected override wake(): void {
    // Bun accepts by itself and cannot be told to wait.
  }

  protected override get isShort(): boolean {
    // Bun does not tell that it cannot accept.
    return !bunRuntime.hasDescriptors(1);
  }

  protected override closeSocket(): void {
    this.#listener.stop();
  }
}

/** Bun. */
export const bunRuntime: Runtime = {
  name: "bun",
  get version() {
    return Bun.version;
  },
  get os() {
    return process.platform === "win32" ? "windows" : process.platform;
  },
  get arch() {
    return process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : process.arch;
  },
  get executable() {
    return process.argv0;
  },
  get args() {
    return Bun.argv.slice(2);
  },
  get pid() {
    return process.pid;
  },
  get cpus() {
    return navigator.hardwareConcurrency;
  },
  get isMainThread() {
    return Bun.isMainThread;
  },
  get threadName() {
    return this.isMainThread ? undefined : threads().workerData?.threadName;
  },
  descriptorsPerThread: 2,
  stopsBusyThreads: true,
  hearsSignalsInThreads: false,
  resumesTogether: false,
  hasNodeModules: true,

  variable(name: string): string | undefined {
    return process.env[name];
  },

  removeVariable(name: string): void {
    delete process.env[name];
  },

  fileUrl(path: string): URL {
    return urls().pathToFileURL(path);
  },

  provideModule(name: string, exports: Readonly<Record<string, unknown>>): void {
    // This holds for this thread only. It works in an executable too.
    const setup = (build: BunBuild) => build.module(name, () => ({ exports, loader: "object" }));
    Bun.plugin({ name, setup });
  },

  whyNoReusePort(): string | undefined {
    return undefined;
  },

  listen(options: ListenOptions): Promise<Listener> {
    return Promise.resolve(new BunListener(options));
  },

  whyNoSource(): string | undefined {
    return undefined;
  },

  connect({ hostname, port, source, signal }: ConnectOptions): Promise<Connection> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let late = false;
      const abort = () => {
        late = true;
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const settle = () => signal?.removeEventListener("abort", abort);
      const unix = unixPathForRuntime(hostname);
      Bun.connect({
        ...(unix === undefined ? { hostname: hostForRuntime(hostname), port } : { unix }),
        ...(source !== undefined && { localAddress: source }),
        allowHalfOpen: true,
        socket: {
          ...HANDLERS,
          open: (socket: BunSocket) => {
            settle();
            socket.data = unix === undefined
              ? new BunConnection(socket, splitZone(hostname).zone)
              : new BunUnixConnection(socket, hostname);
            if (late) socket.data.close();
            else resolve(socket.data);
          },
          connectError: (_socket: BunSocket, error: Error) => {
            settle();
            reject(error);
          },
        },
      }).catch((error: Error) => {
        settle();
        reject(error);
      });
    });
  },

  mayListen(): boolean {
    return true;
  },

  whyNoThreads(): string | undefined {
    return undefined;
  },

  startThread(url: string, name: string): Worker {
    return new Worker(url, { type: "module", workerData: { threadName: name } } as WorkerOptions);
  },

  messageTaker() {
    return Promise.resolve(threads().receiveMessageOnPort);
  },

  collectGarbage: () => Bun.gc(true),

  waitWhile(words: Int32Array, index: number, value: number, ms: number): void {
    // Bun's Atomics.wait counts by the system's clock. When that is set back by an hour, a wait of a
    // second takes an hour longer.
    const endsAt = performance.now() + ms;
    while (Atomics.load(words, index) === value) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return;
      Bun.sleepSync(Math.min(leftMs, SLICE_MS));
    }
  },

  mayCallForeign(): boolean {
    return true;
  },

  openLibrary(path: string, signatures: ForeignSignatures): ForeignFunctions {
    const convert = ({ parameters, result }: ForeignSignature) => ({
      args: parameters.map((type) => FOREIGN_TYPES[type]),
      returns: FOREIGN_TYPES[result],
    });
    const all = Object.entries(signatures);
    const plain = all.filter(([, { symbol }]) => symbol === undefined)
      .map(([name, signature]) => [name, convert(signature)]);
    // One library of Bun has one function of a name.
    const aliased = all.filter(([, { symbol }]) => symbol !== undefined)
      .map(([alias, signature]) => {
        const symbol = signature.symbol as string;
        const { symbols } = foreign().dlopen(path, { [symbol]: convert(signature) });
        return [alias, symbols[symbol]];
      });
    const { symbols } = plain.length === 0
      ? { symbols: {} }
      : foreign().dlopen(path, Object.fromEntries(plain));
    return aliased.length === 0 ? symbols : { ...symbols, ...Object.fromEntries(aliased) };
  },

  readInt(pointer: unknown): number {
    return foreign().read.i32(pointer as number, 0);
  },

  numberOf(pointer: unknown): bigint {
    return BigInt((pointer as number | null) ?? 0);
  },

  addressOf(bytes: Uint8Array): bigint {
    return BigInt(foreign().ptr(bytes));
  },

  codeOf(foreign: (...args: never[]) => unknown): bigint | undefined {
    const { ptr } = foreign as unknown as { readonly ptr?: number };
    return ptr === undefined ? undefined : BigInt(ptr);
  },

  pointerTo(address: number): unknown {
    return address;
  },

  memoryAt(pointer: unknown, bytes: number): ArrayBuffer {
    return foreign().toArrayBuffer(pointer as number, 0, bytes);
  },

  hasDescriptors(count: number): boolean {
    if (this.os === "windows") return true;
    const probes: number[] = [];
    try {
      while (probes.length < count) probes.push(fs().openSync("/dev/null", "r"));
      return true;
    } catch {
      return false;
    } finally {
      for (const probe of probes) fs().closeSync(probe);
    }
  },

  onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2", handler: () => void): () => void {
    process.on(signal, handler);
    return () => process.off(signal, handler);
  },

  onStray(handler: (error: unknown) => void): () => void {
    const events = ["uncaughtException", "unhandledRejection"];
    for (const event of events) process.on(event, handler);
    return () => {
      for (const event of events) process.off(event, handler);
    };
  },

  refuseExit(refuse: () => never): void {
    Object.assign(process, { exit: refuse, reallyExit: refuse });
    Object.assign(globalThis, { close: refuse });
  },

  unrefTimer(timer: ReturnType<typeof setTimeout>): void {
    (timer as unknown as { unref(): void }).unref();
  },

  print(to: "stdout" | "stderr", bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs().write(DESCRIPTORS[to], bytes, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  },

  printNow(to: "stdout" | "stderr", text: string): void {
    const write = (bytes: Uint8Array) => fs().writeSync(DESCRIPTORS[to], bytes);
    writeAll(new TextEncoder().encode(text), write, (ms) => Bun.sleepSync(ms));
  },

  readInput(buffer: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs().read(DESCRIPTORS.stdin, buffer, 0, buffer.length, null, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  },

  isTerminal(of: "stdin" | "stdout" | "stderr"): boolean {
    return terminals().isatty(DESCRIPTORS[of]);
  },

  columns(of: "stdout" | "stderr"): number {
    return terminals().isatty(DESCRIPTORS[of]) ? process[of].columns || USUAL_COLUMNS : Infinity;
  },

  rows(of: "stdout" | "stderr"): number {
    return terminals().isatty(DESCRIPTORS[of]) ? process[of].rows || USUAL_ROWS : Infinity;
  },

  createFile(path: string | URL): WritableFile {
    const file = fs().openSync(path, "w");
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) at += fs().writeSync(file, bytes.subarray(at));
      },
      close: () => fs().closeSync(file),
    };
  },

  requireFileAccess(): void {
    // On Bun only the system decides.
  },

  statusOf(path: string): FileStatus | undefined {
    try {
      const status = fs().lstatSync(path, { bigint: true });
      return {
        isSocket: status.isSocket(),
        isFile: status.isFile(),
        isFolder: status.isDirectory(),
        owner: Number(status.uid),
        mode: Number(status.mode) & 0o7777,
        identity: `${status.dev} ${status.ino}`,
      };
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
  },

  changeMode(path: string, mode: number): void {
    fs().chmodSync(path, mode);
  },

  removeFile(path: string): void {
    fs().unlinkSync(path);
  },

  realPath(path: string): string {
    return fs().realpathSync(path);
  },

  renameFile(from: string, to: string): void {
    fs().renameSync(from, to);
  },

  makePrivateFolder(folder: string, prefix: string): string {
    return fs().mkdtempSync(`${folder}/${prefix}`);
  },

  removeFolder(path: string): void {
    fs().rmdirSync(path);
  },

  startProgram(
    path: string,
    args: readonly string[],
    folder: string,
    isApart = false,
  ): Promise<StartedProgram> {
    const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    const how = { cwd: folder, env: process.env, detached: isApart, ...streams };
    const child = Bun.spawn([path, ...args], how);
    return Promise.resolve({
      pid: child.pid,
      ended: child.exited.then(() => child.signalCode ?? `exit status ${child.exitCode}`),
      signal(name) {
        if (child.exitCode === null && child.signalCode === null) child.kill(name);
      },
      unref: () => child.unref(),
    });
  },

  openSystemFile(path: string): SystemFile | undefined {
    let file: number;
    try {
      file = fs().openSync(path, "r");
    } catch {
      // This system has no such file.
      return undefined;
    }
    return {
      read: () => readAll((buffer, at) => fs().readSync(file, buffer, 0, buffer.length, at)),
      close: () => fs().closeSync(file),
    };
  },

  memory(): number | undefined {
    try {
      return process.memoryUsage().rss;
    } catch {
      // Without free descriptors it cannot tell.
      return undefined;
    }
  },

  countDescriptors(): number | undefined {
    try {
      // One of them is that of the folder itself.
      return fs().readdirSync("/proc/self/fd").length - 1;
    } catch {
      // This system has no such folder, or no descriptor to read it with is left.
      return undefined;
    }
  },

  exit(code: number): never {
    return process.exit(code);
  },
};
