/**
 * Small servers as people write them, each with one of the weaknesses that are known of such
 * servers, or slow but right: `weak_server.ts PORT WEAKNESS`.
 *
 * @module
 */

import process from "node:process";
// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { ReadyDialer } from "../../engine/dial/ready_dialer.ts";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import type { ReadyConnection } from "../../engine/net/ready_connection.ts";
import { encodeLine } from "../../protocol.ts";

/** What the servers do, by name. The first word is the protocol. */
export const WEAKNESSES = {
  "hello-right": "nothing is wrong",
  "hello-read": "takes one read for one message",
  "hello-reset": "dies of a reset",
  "hello-descriptors": "stops accepting after descriptors ran out",
  "hello-leak": "keeps a descriptor of each connection that is reset",
  "hello-bytewise": "answers a byte at a time, and is right",
  "hello-sequential": "serves one client at a time, and is right",
  "echo-right": "nothing is wrong",
  "echo-last-words": "loses the last words: it closes before they are sent",
  "echo-hoard": "keeps what a client does not read",
  "echo-sequential": "serves one client at a time, and is right",
} as const;

/** One of them. */
export type Weakness = keyof typeof WEAKNESSES;

/** How much text is kept of a client at most: nobody is to fill the memory of a test. */
const MOST_TEXT = 4096;

class WeakServer {
  readonly #weakness: Weakness;
  readonly #loop = new ReadyDialer();
  readonly #listener: number;
  /** Who waits for a sequential server. */
  readonly #queue: ReadyConnection[] = [];
  #isBusy = false;

  constructor(port: number, weakness: Weakness) {
    const { sockets, poller } = this.#loop;
    this.#weakness = weakness;
    this.#listener = sockets.openListener({ hostname: "127.0.0.1", port }, { nonBlocking: true });
    poller.add(this.#listener, sockets.constants.POLLIN);
    this.#loop.attend(this.#listener, () => this.#accept());
  }

  #accept(): void {
    const { sockets, poller } = this.#loop;
    for (;;) {
      const sockaddr = new Uint8Array(SOCKADDR_SIZE);
      const fd = sockets.acceptNonBlocking(this.#listener, sockaddr);
      if (fd === -sockets.constants.errno.EAGAIN) return;
      if (fd < 0) {
        // Others rest for a moment, and accept on.
        poller.modify(this.#listener, 0);
        if (this.#weakness === "hello-descriptors") return;
        setTimeout(() => poller.modify(this.#listener, sockets.constants.POLLIN), 20);
        return;
      }
      const connection = this.#loop.adopt(fd, sockaddr);
      if (!this.#weakness.endsWith("-sequential")) void this.#serve(connection);
      else {
        this.#queue.push(connection);
        void this.#serveQueue();
      }
    }
  }

  async #serveQueue(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#serve(next);
    }
    this.#isBusy = false;
  }

  async #serve(connection: ReadyConnection): Promise<void> {
    try {
      if (this.#weakness.startsWith("hello")) await this.#hello(connection);
      else await this.#echo(connection);
    } catch (error) {
      const isReset = (error as { code?: unknown }).code === "ECONNRESET";
      if (this.#weakness === "hello-reset" && isReset) {
        console.error(`cannot go on: ${(error as Error).message}`);
        process.exit(1);
      }
      if (this.#weakness === "hello-leak") return;
    }
    if (this.#weakness === "echo-last-words") connection.reset();
    else connection.close();
  }

  async #hello(connection: ReadyConnection): Promise<void> {
    let text = "";
    let isOver = false;
    const message = async (): Promise<number> => {
      for (;;) {
        const [line, end] = this.#weakness === "hello-read"
          ? [text.trim(), text.length]
          : [/^[^\n\0]*[\n\0]/.exec(text)?.[0] ?? "", /[\n\0]/.exec(text)?.index ?? 0];
        if (line !== "" || /^[\n\0]/.test(text)) {
          text = this.#weakness === "hello-read" ? "" : text.slice(end + 1);
          const [, digits] = /^\s*HELLO[ \t]+([+-]?\d+)[\s\0]*$/.exec(line) ?? [];
          const isInRange = Number(digits) === (Number(digits) | 0);
          if (digits === undefined || !isInRange || line.trim().length > 64) throw new RangeError();
          return Number(digits);
        }
        if (text.length > 65) throw new RangeError();
        const bytes = await connection.read();
        if (bytes === null) throw new Error("the client has gone");
        text = (text + new TextDecoder("latin1").decode(bytes)).slice(0, MOST_TEXT);
      }
    };
    try {
      const x = await message();
      await this.#say(connection, `HELLO ${x + 1 | 0}`);
      if (await message() !== (x + 2 | 0)) throw new RangeError();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      await this.#say(connection, "ERROR expected another message");
      isOver = true;
    }
    connection.closeWrite();
    // Closing with unread bytes would be a RST.
    while (isOver && await connection.read() !== null);
  }

  async #say(connection: ReadyConnection, line: string): Promise<void> {
    const bytes = encodeLine(line);
    if (this.#weakness !== "hello-bytewise") return await connection.write(bytes);
    for (const byte of bytes) {
      await connection.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #echo(connection: ReadyConnection): Promise<void> {
    let writing = Promise.resolve();
    for (;;) {
      const bytes = await connection.read();
      if (bytes === null) break;
      const copy = bytes.slice();
      // So late that FIN comes before the last words were sent.
      if (this.#weakness === "echo-last-words") writing = writing.then(() => delay(10));
      writing = writing.then(() => connection.write(copy));
      if (this.#weakness === "echo-right" || this.#weakness === "echo-sequential") await writing;
      else writing.catch(() => connection.close());
    }
    if (this.#weakness !== "echo-last-words") await writing;
    if (this.#weakness !== "echo-last-words") connection.closeWrite();
  }
}

const [port = "0", weakness = "hello-right"] = process.argv.slice(2);
if (!Object.hasOwn(WEAKNESSES, weakness)) throw new RangeError(`there is no ${weakness}`);
new WeakServer(Number(port), weakness as Weakness);
