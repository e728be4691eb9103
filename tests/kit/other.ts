/**
 * Servers that are not part of this project: they do with each connection what a test says.
 *
 * @module
 */

import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { Address } from "../../protocol.ts";
import { within } from "./harness.ts";

/** A server that does with each connection what the test says. */
export class Other implements AsyncDisposable {
  readonly #server: NetServer;
  readonly #sockets = new Set<Socket>();

  private constructor(serve: (socket: Socket, index: number) => void) {
    let index = 0;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      // A client may leave in any way.
      socket.on("error", () => {});
      serve(socket, index++);
    });
  }

  /** @param serve is called for each connection @param port where to listen; 0 is a free port */
  static async listen(
    serve: (socket: Socket, index: number) => void,
    port = 0,
  ): Promise<Other> {
    const other = new Other(serve);
    await new Promise<void>((resolve) => other.#server.listen(port, "127.0.0.1", () => resolve()));
    return other;
  }

  /** Where it listens. */
  get address(): Address {
    return { hostname: "127.0.0.1", port: (this.#server.address() as { port: number }).port };
  }

  /** Stops listening, and cuts all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await within(5_000, "the other server to close", closed);
  }
}

/** An address on which nobody listens. */
export async function unusedAddress(): Promise<Address> {
  await using other = await Other.listen(() => {});
  return other.address;
}
