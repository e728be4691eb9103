/**
 * A chat server that says what a test tells it to say. It is for tests of the client in which the
 * order of events matters; the real server would decide the order by itself.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Address } from "../../protocol.ts";
import { until, within } from "./harness.ts";
import { Other } from "./other.ts";

/** One connection of a client, as the server sees it. */
export class Visitor {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  #begun = "";
  #isFinished = false;

  /** @param socket the connection */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      const pieces = (this.#begun + text).split("\n");
      this.#begun = pieces.pop() as string;
      this.#lines.push(...pieces);
    });
    socket.on("end", () => this.#isFinished = true);
    socket.on("close", () => this.#isFinished = true);
  }

  /** Says lines. */
  say(...lines: readonly string[]): void {
    this.sayRaw(lines.map((line) => `${line}\n`).join(""));
  }

  /** Sends bytes that need not be a whole line. */
  sayRaw(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Greets the client as the real server does. */
  welcome(name = "guest-7", ...others: readonly string[]): void {
    this.say("* welcome: type a line to talk, /help for commands, /quit or exit to leave");
    this.say(`* you are ${name} in lobby`);
    if (others.length > 0) this.say(`* also here: ${others.join(", ")}`);
  }

  /** Waits for the next line. */
  async line(): Promise<string> {
    await until("a line of the client", () => this.#lines.length > 0 || this.#isFinished);
    const line = this.#lines.shift();
    if (line === undefined) throw new Error(`no line, but the end after "${this.#begun}"`);
    return line;
  }

  /** The lines that no test has asked for yet. */
  get unread(): readonly string[] {
    return this.#lines;
  }

  /** Waits for the client's FIN. */
  finished(): Promise<void> {
    return until("the client's FIN", () => this.#isFinished);
  }

  /** Closes in order. */
  end(): void {
    this.#socket.end();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  /** Reads nothing more, so that what the client sends fills the kernel's buffers. */
  pause(): void {
    this.#socket.pause();
  }

  /** Goes on reading, and throws everything away. */
  discard(): void {
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
  }

  /** How many bytes of what was said the kernel has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength;
  }
}

/** Listens for clients. */
export class ScriptedChat implements AsyncDisposable {
  readonly #other: Other;
  readonly #arrived: Visitor[];

  private constructor(other: Other, arrived: Visitor[]) {
    this.#other = other;
    this.#arrived = arrived;
  }

  /** @param port the port to listen on; 0 picks a free one */
  static async listen(port = 0): Promise<ScriptedChat> {
    const arrived: Visitor[] = [];
    const other = await Other.listen((socket) => arrived.push(new Visitor(socket)), port);
    return new ScriptedChat(other, arrived);
  }

  /** The address that it listens on. */
  get address(): Address {
    return this.#other.address;
  }

  /** Waits for the next client. */
  async visitor(): Promise<Visitor> {
    await until("a client to connect", () => this.#arrived.length > 0, 15_000);
    return this.#arrived.shift() as Visitor;
  }

  /** Stops listening, and cuts all connections. */
  [Symbol.asyncDispose](): Promise<void> {
    return within(5_000, "the scripted chat to close", this.#other[Symbol.asyncDispose]());
  }
}
