/**
 * A server to put under load. It echoes, but the test decides when and what.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import type { Address } from "../../protocol.ts";
import { within } from "./harness.ts";

/** What to do with bytes that have arrived. */
export type Reaction = (
  bytes: Uint8Array,
  socket: Socket,
  /** How many times bytes have arrived before, over all connections. */
  index: number,
) => void;

/** The server. */
export class LoadServer implements AsyncDisposable {
  /** The address that it listens on. */
  readonly address: Address;
  /** How many connections it has accepted. */
  accepted = 0;
  /** How many times bytes have arrived. */
  arrivals = 0;
  /** The addresses of the clients, in the order of their coming. */
  readonly clients: string[] = [];
  /** What happened, in order: `accepted`, or how many bytes arrived. */
  readonly story: ("accepted" | number)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
  }

  /**
   * Listens on a free port.
   *
   * @param react reacts to what arrives; without it, everything is echoed
   * @param greeting what each client hears first
   * @param hostname where it listens
   */
  static async start(
    react: Reaction = (bytes, socket) => void socket.write(bytes),
    greeting = "",
    hostname = "127.0.0.1",
  ): Promise<LoadServer> {
    const server = createServer({ allowHalfOpen: false, noDelay: true });
    const listening = new Promise<void>((resolve) => server.once("listening", resolve));
    server.listen(0, hostname, 4096);
    await within(5_000, "a server to listen", listening);
    const made = new LoadServer(server, {
      hostname,
      port: (server.address() as { port: number }).port,
    });
    server.on("connection", (socket) => {
      if (greeting !== "") socket.write(greeting);
      made.#welcome(socket, react);
    });
    return made;
  }

  #welcome(socket: Socket, react: Reaction): void {
    this.accepted++;
    this.clients.push(socket.remoteAddress ?? "");
    this.story.push("accepted");
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A load may end its connections in any way.
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      this.story.push(bytes.length);
      react(bytes, socket, this.arrivals++);
    });
  }

  /** Ends all connections and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await within(5_000, "a server to close", closed);
  }
}
