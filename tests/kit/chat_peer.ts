/**
 * A user of the chat, at the other end of a real connection.
 *
 * @module
 */

import type { Address } from "../../protocol.ts";
import { assertEquals } from "./harness.ts";
import { bytesOf } from "./conversation.ts";
import { Peer } from "./peer.ts";

/** The first line that everybody reads. */
export const WELCOME = "* welcome: type a line to talk, /help for commands, /quit or exit to leave";

/** The last line that everybody reads. */
export const GOODBYE = "* goodbye";

/** One user, who reads and writes lines of text. */
export class ChatPeer implements AsyncDisposable {
  /** The name that the user was given, or has asked for. */
  readonly name: string;
  /** The user's connection. */
  readonly peer: Peer;

  private constructor(peer: Peer, name: string) {
    this.peer = peer;
    this.name = name;
  }

  /**
   * Enters the chat, and waits until the server has said so.
   *
   * @param server the server to connect to
   * @param name the name to take; if it is left out, the user stays a guest
   */
  static async enter(server: { readonly address: Address }, name?: string): Promise<ChatPeer> {
    const peer = await Peer.connect(server.address);
    const user = new ChatPeer(peer, name ?? "");
    const given = await user.find(/^\* you are (guest-\d+) in lobby$/);
    if (name === undefined) return new ChatPeer(peer, given[1] as string);
    await user.say(`/nick ${name}`);
    await user.find(`* you are now ${name}`);
    return user;
  }

  /** Sends a line. */
  async say(text: string): Promise<this> {
    await this.peer.send(encode(`${text}\n`));
    return this;
  }

  /** Sends lines without waiting until the kernel has taken them. */
  post(...lines: readonly string[]): void {
    this.peer.post(encode(lines.map((line) => `${line}\n`).join("")));
  }

  /** Waits for a line. */
  async line(): Promise<string> {
    return decode(await this.peer.line());
  }

  /** Waits for lines, and asserts that they are these. */
  async reads(...lines: readonly string[]): Promise<void> {
    for (const line of lines) assertEquals(await this.line(), line);
  }

  /** Waits for a line that equals or matches this. Lines before it are skipped. */
  async find(wanted: string | RegExp): Promise<readonly string[]> {
    for (;;) {
      const line = await this.line();
      if (line === wanted) return [line];
      const match = wanted instanceof RegExp ? wanted.exec(line) : null;
      if (match !== null) return match;
    }
  }

  /** Waits until the server closes in order, and returns all lines that came before that. */
  async rest(): Promise<string[]> {
    return decode(await this.peer.rest()).split("\n").slice(0, -1);
  }

  /** Leaves without saying goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}

/** The UTF-8 bytes of a text, each as one character. */
export function encode(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function decode(bytes: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(bytes));
}
