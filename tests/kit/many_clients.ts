/**
 * Very many clients of a server in one process: each is a descriptor, and nearly no memory.
 *
 * @module
 */

import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { assert } from "./harness.ts";

/** How many clients wait for their answers at the same time. */
const AT_ONCE = 50;

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 20_000;

/** What clients say, and what they hear. */
interface Words {
  readonly greeting: string;
  readonly question: string;
  readonly answer: string;
}

/** A protocol that they speak. */
export type Talk = "echo" | "frame";

const WORDS: Readonly<Record<Talk, Words>> = {
  echo: { greeting: "", question: "a".repeat(64), answer: "a".repeat(64) },
  frame: { greeting: "*", question: `^${"a".repeat(62)}$`, answer: "b".repeat(62) },
};

/** Very many clients of a server, which a single thread deals with. */
export class ManyClients implements Disposable {
  readonly #net: Sockets = sockets();
  readonly #buffer = new Uint8Array(4_096);
  readonly #fds: number[] = [];
  readonly #words: Words;
  readonly #question: Uint8Array;

  /**
   * Connects, one after another, and hears the greetings.
   *
   * @param server where the server is
   * @param talk what it speaks
   * @param count how many there are
   * @param from their own address
   */
  constructor(server: Address, talk: Talk, count: number, from: string) {
    const net = this.#net;
    const words = WORDS[talk];
    const { AF_INET, SOCK_STREAM } = net.constants;
    this.#words = words;
    this.#question = new TextEncoder().encode(words.question);
    for (let each = 0; each < count; each++) {
      const fd = net.socket(AF_INET, SOCK_STREAM);
      this.#fds.push(fd);
      // There are not enough ports at one address for all who come and go.
      net.bindSource(fd, net.writeAddress({ hostname: from, port: 0 }));
      net.connect(fd, server);
      net.setReceiveTimeout(fd, ANSWER_MS);
    }
    for (const fd of this.#fds) this.#hear(fd, words.greeting);
  }

  /** Each of them asks so many times, and gets its answers. @throws {Error} if one does not */
  ask(times: number): void {
    for (let time = 0; time < times; time++) {
      for (let first = 0; first < this.#fds.length; first += AT_ONCE) {
        const some = this.#fds.slice(first, first + AT_ONCE);
        for (const fd of some) this.#net.send(fd, this.#question);
        for (const fd of some) this.#hear(fd, this.#words.answer);
      }
    }
  }

  #hear(fd: number, text: string): void {
    let heard = "";
    while (heard.length < text.length) {
      const count = this.#net.recv(fd, this.#buffer);
      assert(count > 0, `${count} after ${heard}`);
      heard += new TextDecoder().decode(this.#buffer.subarray(0, count));
    }
    assert(heard === text, heard);
  }

  /** Each of them says that it is done, and sees that the server is. @throws {Error} if it is not */
  finish(): void {
    const net = this.#net;
    for (const fd of this.#fds) net.shutdown(fd, net.constants.SHUT_WR);
    for (const fd of this.#fds) {
      const count = net.recv(fd, this.#buffer);
      assert(count === 0, `${count} in place of the end`);
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) this.#net.close(fd);
  }
}
