/**
 * What the runtimes do differently: the interface that `deno.ts` and `bun.ts` implement.
 *
 * @module
 */

import type { Listener } from "./listener.ts";
import type { Connection, ConnectOptions, ListenOptions } from "./transport.ts";

/** How wide a terminal is taken to be if it does not tell its width, in characters. */
export const USUAL_COLUMNS = 80;

/** How high a terminal is taken to be if it does not tell its height, in lines. */
export const USUAL_ROWS = 24;

/** The C type of a parameter or a result: a number of that width, or bytes passed by address. */
export type ForeignType = "i32" | "u32" | "buffer" | "pointer" | "void";

/** The C signatures of the functions of a library. */
export type ForeignSignatures = Readonly<Record<string, ForeignSignature>>;

/** The C signature of a function. */
export interface ForeignSignature {
  /** The types of its parameters. */
  readonly parameters: readonly ForeignType[];
  /** The type of its result. */
  readonly result: ForeignType;
  /**
   * The function's name in the library, if it is called by another one here: `syscall` takes
   * whatever the system call takes, and so has several signatures.
   */
  readonly symbol?: string;
}

/** The functions of an opened library. */
// deno-lint-ignore no-explicit-any -- a foreign function takes what its signature says
export type ForeignFunctions = Record<string, (...args: any[]) => any>;

/** A file that is being written. */
export interface WritableFile {
  /** Appends all of `bytes` to the file before it returns. */
  write(bytes: Uint8Array): void;
  /** Closes it. */
  close(): void;
}

/** A file that the system makes up anew each time it is read. */
export interface SystemFile {
  /** Its whole text, as it is now. */
  read(): string;
  /** Closes it. */
  close(): void;
}

/** What is known about a file without opening it (lstat(2)). */
export interface FileStatus {
  /** Whether it is the file of a Unix domain socket. */
  readonly isSocket: boolean;
  /** Whether it is an ordinary file, and no folder, device or link. */
  readonly isFile: boolean;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
  /** The number of the user who owns it. */
  readonly owner: number;
  /** Its permissions, for instance `0o644`. */
  readonly mode: number;
  /** The number of its device and its own on that device: together they tell it from all others. */
  readonly identity: string;
}

/** Another program that this process has started. */
export interface StartedProgram {
  /** The number of its process. */
  readonly pid: number;
  /** Resolves when it has ended, with how: `exit status 1`, or the name of a signal. */
  readonly ended: Promise<string>;
  /** Sends it a signal, if it has not ended. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
  /** Lets this process end although the program has not ended. */
  unref(): void;
}

/** How to start a Worker. */
export interface ThreadOptions {
  /**
   * How large the part of its memory may become in which objects begin their lives, in MiB. Where a
   * runtime cannot be told that, nothing happens.
   *
   * @default what the runtime thinks
   */
  readonly youngMiB?: number | undefined;
}

/** What the runtimes do differently. Both adapters have these members in this order. */
export interface Runtime {
  /** `deno` or `bun`. */
  readonly name: string;
  /** Its version, for instance `2.9.6`. */
  readonly version: string;
  /** `linux`, `darwin` or `windows`. */
  readonly os: string;
  /** `x86_64` or `aarch64`. */
  readonly arch: string;
  /** The program, as a user may have typed it: the runtime, or an executable that contains it. */
  readonly executable: string;
  /** The arguments of the command line, without runtime and script. */
  readonly args: readonly string[];
  /** The number of this process. */
  readonly pid: number;
  /** How many processors there are. */
  readonly cpus: number;
  /** Whether this is the process's main thread and not a Worker. */
  readonly isMainThread: boolean;
  /** The name that {@linkcode Runtime.startThread} gave this Worker. */
  readonly threadName: string | undefined;
  /** How many descriptors a Worker takes, rounded up. */
  readonly descriptorsPerThread: number;
  /** Whether `terminate` ends a Worker that is busy computing. */
  readonly stopsBusyThreads: boolean;
  /** Whether {@linkcode Runtime.onSignal} works in Workers too, while the main thread is busy. */
  readonly hearsSignalsInThreads: boolean;
  /**
   * Whether what was ready together resumes together: callback after callback, and only then a
   * microtask that the first of them has queued. Otherwise that runs after each callback.
   */
  readonly resumesTogether: boolean;
  /** Whether the modules of Node.js can be loaded here. Where they cannot, trying ends the process. */
  readonly hasNodeModules: boolean;
  /** A variable of the environment; `undefined` if it may not be read. Never asks the user. */
  variable(name: string): string | undefined;
  /** Removes a variable from the environment that programs get which this process starts. */
  removeVariable(name: string): void;
  /** The URL of a file; a relative path starts at the current directory. */
  fileUrl(path: string): URL;
  /**
   * Provides a module under a bare name that no import map knows, for the modules that are imported
   * from now on.
   */
  provideModule(name: string, exports: Readonly<Record<string, unknown>>): void;
  /** Why listeners cannot share a port; `undefined` where they can. */
  whyNoReusePort(): string | undefined;
  /** Listens with the runtime's own listener. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Why the runtime's own sockets cannot choose the address that they come from, if so. */
  whyNoSource(): string | undefined;
  /** Connects with the runtime's own sockets. */
  connect(options: ConnectOptions): Promise<Connection>;
  /** Whether it may listen on any port of an address; it asks nobody. */
  mayListen(hostname: string): boolean;
  /** Why no Worker can be started from a module; `undefined` where it can. Never asks. */
  whyNoThreads(url: string): string | undefined;
  /** Starts a Worker that knows its name before its module runs. */
  startThread(url: string, name: string, options?: ThreadOptions): Worker;
  /**
   * Loads the function that takes the oldest message out of a port without waiting. It returns
   * `undefined` if there is none.
   */
  messageTaker(): Promise<(port: MessagePort) => { readonly message: unknown } | undefined>;
  /**
   * Collects the garbage of this thread before it returns, and gives the memory back; `undefined` where
   * a program cannot ask for that.
   */
  readonly collectGarbage: (() => void) | undefined;
  /**
   * Blocks this thread while a word in shared memory has a value, as `Atomics.wait` does, for a time
   * that does not depend on the system's clock.
   */
  waitWhile(words: Int32Array, index: number, value: number, ms: number): void;
  /** Whether foreign functions may be called. Never asks the user. */
  mayCallForeign(): boolean;
  /** Opens a library. Throws if it is not there. */
  openLibrary(path: string, signatures: ForeignSignatures): ForeignFunctions;
  /** Reads a C `int` from the address that a foreign function returned. */
  readInt(pointer: unknown): number;
  /** The address that a foreign function returned, as a number; 0 is none. */
  numberOf(pointer: unknown): bigint;
  /** The address of bytes in memory, for a structure that holds it. Keep the bytes meanwhile. */
  addressOf(bytes: Uint8Array): bigint;
  /** Where the code of a foreign function is; `undefined` if the runtime does not tell. */
  codeOf(foreign: (...args: never[]) => unknown): bigint | undefined;
  /** The address that has a number, as foreign functions take it. */
  pointerTo(address: number): unknown;
  /** The memory at such an address. It belongs to nobody here, and is never collected. */
  memoryAt(pointer: unknown, bytes: number): ArrayBuffer;
  /**
   * Whether `count` more descriptors are free, as far as that can be told without foreign calls.
   */
  hasDescriptors(count: number): boolean;
  /** Calls `handler` at each such signal, until the returned function is called. */
  onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2", handler: () => void): () => void;
  /**
   * Calls `handler` for each error that nothing in this thread catches, also for a rejection that
   * nobody awaits, until the returned function is called. Meanwhile no such error ends the thread.
   */
  onStray(handler: (error: unknown) => void): () => void;
  /**
   * From now on every attempt of code in this Worker to end it, as by `process.exit`, calls `refuse`
   * instead. No runtime tells the main thread of such an end.
   */
  refuseExit(refuse: () => never): void;
  /** Lets the process end although this timer has not fired. */
  unrefTimer(timer: ReturnType<typeof setTimeout>): void;
  /** Writes some of `bytes` to standard output or error without blocking the thread. */
  print(to: "stdout" | "stderr", bytes: Uint8Array): Promise<number>;
  /** Writes all of `text` to standard output or error before it returns. */
  printNow(to: "stdout" | "stderr", text: string): void;
  /** Reads some bytes of standard input into `buffer` and returns how many; 0 at its end. */
  readInput(buffer: Uint8Array): Promise<number>;
  /** Whether the stream is a terminal, where a person reads or types. */
  isTerminal(of: "stdin" | "stdout" | "stderr"): boolean;
  /** How many characters fit on a line; `Infinity` if the stream is not a terminal. */
  columns(of: "stdout" | "stderr"): number;
  /** How many lines fit on the screen; `Infinity` if the stream is not a terminal. */
  rows(of: "stdout" | "stderr"): number;
  /**
   * Creates a file, or empties the one that is there. Never asks the user.
   *
   * @throws {Error} if it cannot be written
   */
  createFile(path: string | URL): WritableFile;
  /**
   * Makes sure that this process may make, look at and remove a file, as far as the runtime decides
   * that. Never asks the user.
   *
   * @throws {Error} that names what is missing
   */
  requireFileAccess(path: string): void;
  /**
   * Looks at a file; at a symbolic link itself. Never asks the user.
   *
   * @returns `undefined` if there is none
   * @throws {Error} if it may not be looked at
   */
  statusOf(path: string): FileStatus | undefined;
  /**
   * Changes who may use a file (chmod(2)). Never asks the user.
   *
   * @throws {Error} if that is not permitted
   */
  changeMode(path: string, mode: number): void;
  /**
   * Removes a file (unlink(2)). Never asks the user.
   *
   * @throws {Error} if that is not permitted
   */
  removeFile(path: string): void;
  /**
   * The same path without symbolic links (realpath(3)). Never asks the user.
   *
   * @throws {Error} if there is no such file, or if it may not be looked at
   */
  realPath(path: string): string;
  /**
   * Gives a file another name in its folder (rename(2)). Never asks the user.
   *
   * @throws {Error} if that is not permitted
   */
  renameFile(from: string, to: string): void;
  /**
   * Makes a folder for this user alone, mode 0700 (mkdtemp(3)). Never asks the user.
   *
   * @param folder where
   * @param prefix what its name begins with
   * @returns its path
   * @throws {Error} if that is not permitted
   */
  makePrivateFolder(folder: string, prefix: string): string;
  /**
   * Removes an empty folder (rmdir(2)). Never asks the user.
   *
   * @throws {Error} if that is not permitted, or if something is in it
   */
  removeFolder(path: string): void;
  /**
   * Starts another program, with the environment and the standard streams of this one. Never asks
   * the user.
   *
   * @param path its file, or its name if PATH leads to it
   * @param args its arguments
   * @param folder its current directory
   * @param isApart whether it gets a session of its own (setsid(2)): what a terminal or a shell sends
   * to this process and all of its group does not reach it
   * @throws {Error} if there is no such program, or if it may not be started
   */
  startProgram(
    path: string,
    args: readonly string[],
    folder: string,
    isApart?: boolean,
  ): Promise<StartedProgram>;
  /**
   * Opens a file that the system makes up when it is read, such as `/proc/self/stat` (proc(5));
   * `undefined` if there is no such file or if it may not be read. Never asks the user.
   */
  openSystemFile(path: string): SystemFile | undefined;
  /** The resident memory of this process, in bytes; `undefined` if it cannot be told now. */
  memory(): number | undefined;
  /**
   * How many descriptors of this process are open, as `/proc/self/fd` shows them (proc(5));
   * `undefined` if that cannot be told now. Never asks the user.
   */
  countDescriptors(): number | undefined;
  /** Ends the process. */
  exit(code: number): never;
}
