/**
 * A client that may do anything: send half a message, say nothing, leave, reset.
 *
 * @module
 */

import { connect, createServer, type Socket } from "node:net";
import type { Address } from "../../protocol.ts";
import { within } from "./harness.ts";

/** The most characters of what was received that an error repeats. */
const LONGEST_QUOTE = 200;

/** One connection to a server. */
export class Peer implements AsyncDisposable {
  /** This end, as the server's log names it. */
  readonly name: string;
  readonly #socket: Socket;
  #received = "";
  #end: "fin" | "reset" | undefined;
  #isBroken = false;
  #changed = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.name = `${socket.localAddress ?? "127.0.0.1"}:${socket.localPort}`;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.#received += text;
      this.#change();
    });
    socket.on("end", () => this.#over("fin"));
    socket.on("error", () => {
      this.#isBroken = true;
      this.#over("reset");
    });
    socket.on("close", () => {
      this.#isBroken = true;
      this.#over("fin");
    });
  }

  /**
   * Connects. It rejects if the connection is refused.
   *
   * @param to the server @param from the own address; on Linux every one of 127.0.0.0/8 will do
   * @param first what it sends as soon as it is connected. Whoever sends it later may be late for a
   * short limit, where others use the processor
   */
  static connect({ hostname: host, port }: Address, from?: string, first = ""): Promise<Peer> {
    const { promise, resolve, reject } = Promise.withResolvers<Peer>();
    const own = from === undefined ? {} : { localAddress: from };
    const to = host.startsWith("unix:") ? { path: host.slice("unix:".length) } : { host, port };
    const socket = connect({ ...to, ...own, allowHalfOpen: true, noDelay: true });
    socket.once("error", reject);
    if (first !== "") socket.write(first, "latin1");
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(new Peer(socket));
    });
    return within(10_000, `a connection to port ${port}`, promise);
  }

  /**
   * Listens on a port of its own for one connection.
   *
   * @returns where, and who calls
   */
  static async listen(): Promise<{ address: Address; peer: Promise<Peer> }> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const arrived = Promise.withResolvers<Peer>();
    server.once("connection", (socket) => {
      server.close();
      arrived.resolve(new Peer(socket));
    });
    const listening = new Promise<void>((resolve) => server.once("listening", resolve));
    server.listen(0, "127.0.0.1");
    await within(5_000, "a peer to listen", listening);
    const { port } = server.address() as { port: number };
    return {
      address: { hostname: "127.0.0.1", port },
      peer: within(10_000, "a connection to the peer", arrived.promise),
    };
  }

  /** Sends text, each character up to U+00FF as one byte. */
  async send(text: string): Promise<this> {
    const sent = new Promise<void>((resolve) => {
      // If it fails, the next read tells.
      this.#socket.write(text, "latin1", () => resolve());
    });
    await within(10_000, "the peer's write", sent);
    return this;
  }

  /** Sends text without waiting until the kernel has taken it. */
  post(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Sends FIN. */
  finish(): void {
    this.#socket.end();
  }

  /** Waits for a line. */
  async line(): Promise<string> {
    const wait = async () => {
      for (;;) {
        const end = this.#received.indexOf("\n");
        if (end >= 0) {
          const line = this.#received.slice(0, end);
          this.#received = this.#received.slice(end + 1);
          return line;
        }
        if (this.#end !== undefined) throw new Error(`${this.#end} instead of a line`);
        await this.#changed.promise;
      }
    };
    return await within(15_000, "a line from the server", wait());
  }

  /** Waits until this many bytes have come, and takes them. */
  async take(count: number): Promise<string> {
    const wait = async () => {
      while (this.#received.length < count && this.#end === undefined) await this.#changed.promise;
      const taken = this.#received.slice(0, count);
      this.#received = this.#received.slice(count);
      if (taken.length < count) throw new Error(`${this.#end} after "${taken}"`);
      return taken;
    };
    return await within(15_000, `${count} bytes from the server`, wait());
  }

  /** Stops reading, so that what the server sends fills the kernel's buffers. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** How many of the bytes sent the kernel has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  /** Waits until the server closes. Returns everything that it has sent meanwhile. */
  async rest(): Promise<string> {
    const wait = async () => {
      while (this.#end === undefined) await this.#changed.promise;
      if (this.#end === "reset") throw new Error(`reset after ${quote(this.#received)}`);
      return this.#received;
    };
    return await within(15_000, "the server to close", wait());
  }

  /** Waits until the connection is over, in order or not. */
  async gone(): Promise<void> {
    await this.rest().catch((error) => {
      if (!String(error.message).startsWith("reset")) throw error;
    });
  }

  /** Whether nothing can be sent any more: the connection is closed, or was reset. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** What has come and was not taken yet. */
  get heard(): string {
    return this.#received;
  }

  /** Ends the connection with RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Leaves without saying anything. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#socket.closed) return;
    this.#socket.once("close", () => resolve());
    this.#socket.destroy();
    await within(5_000, "the peer to close", promise);
  }

  #over(how: "fin" | "reset"): void {
    this.#end ??= how;
    this.#change();
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

/** What was received, for an error: a long text by its length and its beginning. */
function quote(text: string): string {
  const begin = text.slice(0, LONGEST_QUOTE);
  return begin === text ? `"${text}"` : `${text.length} bytes that begin with "${begin}"`;
}

/** Makes one whole handshake. Returns when the server has closed. */
export async function handshake(address: Address, x: number): Promise<void> {
  await using peer = await Peer.connect(address);
  await finishHandshake(await peer.send(`HELLO ${x}\n`), x);
}

/**
 * Makes the rest of a handshake whose first message was sent.
 *
 * @param isAnswered whether the answer to it was read
 */
export async function finishHandshake(peer: Peer, x: number, isAnswered = false): Promise<void> {
  const answer = isAnswered ? `HELLO ${x + 1}` : await peer.line();
  if (answer !== `HELLO ${x + 1}`) throw new Error(`Answered ${answer}`);
  await peer.send(`HELLO ${x + 2}\n`);
  const rest = await peer.rest();
  if (rest !== "") throw new Error(`Said ${rest}`);
}
