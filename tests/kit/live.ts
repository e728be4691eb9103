/**
 * Those who look at a server's live view: what they ask, and what they are told.
 *
 * @module
 */

import { sockets } from "../../engine/net/sockets.ts";
import type { Event, EventType, Header } from "../../engine/recording/events.ts";
import type { Address } from "../../protocol.ts";
import { assert, until } from "./harness.ts";
import type { Answered } from "./metrics.ts";
import { Peer } from "./peer.ts";

/** An event of one type. */
export type EventOf<Type extends EventType> = Extract<Event, { type: Type }>;

/** Where a live view is. */
export interface LiveAddress {
  readonly at: Address;
  /** `/TOKEN/`. */
  readonly path: string;
}

/** Takes the address of a page apart. @param text what contains it, for instance a first line */
export function liveIn(text: string): LiveAddress {
  const [, bracketed, plain, port, path] =
    /http:\/\/(?:\[([^\]]+)\]|([^:/ ]+)):(\d+)(\/[0-9a-f]{32}\/)/.exec(text) ?? [];
  assert(path !== undefined, text);
  return { at: { hostname: (bracketed ?? plain) as string, port: Number(port) }, path };
}

/**
 * Asks on a connection of its own.
 *
 * @param at where @param line the method and the path @param fields the header fields, without
 * `Connection`; by default the host is right @param content what is sent
 */
export async function ask(
  { port, hostname }: Address,
  line: string,
  fields: readonly string[] = [`Host: 127.0.0.1:${port}`],
  content = "",
): Promise<Answered> {
  await using peer = await Peer.connect({ hostname, port });
  const head = [`${line} HTTP/1.1`, ...fields, "Connection: close"];
  if (content !== "") head.push(`Content-Length: ${content.length}`);
  await peer.send(`${head.join("\r\n")}\r\n\r\n${content}`);
  const text = await peer.rest();
  const [answer = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
  return { status: Number(answer.split(" ")[1]), head: answer, content: body };
}

/** Presses a button, as the page does. */
export async function press({ at, path }: LiveAddress, action: string): Promise<Answered> {
  const host = `127.0.0.1:${at.port}`;
  return await ask(at, `POST ${path}do`, [
    `Host: ${host}`,
    `Origin: http://${host}`,
    "Content-Type: application/x-www-form-urlencoded",
  ], `action=${action}`);
}

/** What somebody has heard of a stream. */
interface Listener extends AsyncDisposable {
  /** All that has come so far. */
  readonly heard: string;
}

/** How much the kernel may keep for somebody who does not read, in bytes. It takes about twice that. */
const FEW_BYTES = 16 * 1024;

/**
 * A client that reads nothing until it is told to. Others would read on into buffers of their own, and
 * into the kernel's, which have some hundred kilobytes.
 */
export class DeafPeer implements Listener {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(64 * 1024);
  #heard = "";
  #isDeaf = true;

  /** Connects and says something. @param at where @param text what it says */
  constructor(at: Address, text: string) {
    const net = sockets();
    const { SOCK_STREAM, SOL_SOCKET, SO_RCVBUF } = net.constants;
    this.#fd = net.socket(net.familyOf(at), SOCK_STREAM);
    net.setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, FEW_BYTES);
    net.connect(this.#fd, at);
    net.send(this.#fd, new TextEncoder().encode(text));
  }

  /** Begins to read. */
  resume(): void {
    this.#isDeaf = false;
  }

  get heard(): string {
    const net = sockets();
    while (!this.#isDeaf) {
      const count = net.recv(this.#fd, this.#buffer, net.constants.MSG_DONTWAIT);
      if (count <= 0) break;
      this.#heard += new TextDecoder("latin1").decode(this.#buffer.subarray(0, count));
    }
    return this.#heard;
  }

  /** Leaves. */
  [Symbol.asyncDispose](): Promise<void> {
    sockets().close(this.#fd);
    return Promise.resolve();
  }
}

/** Somebody who reads along. */
export class Watcher<Source extends Listener = Peer> implements AsyncDisposable {
  readonly peer: Source;
  readonly #lines: (Header | Event)[] = [];
  /** How much of what was heard is among them. */
  #read = 0;

  private constructor(peer: Source) {
    this.peer = peer;
  }

  /** Begins to read. */
  static async open({ at, path }: LiveAddress): Promise<Watcher> {
    const peer = await Peer.connect(at);
    await peer.send(askFor(at, path));
    return new Watcher(peer);
  }

  /** Asks for the events, and does not read them yet. */
  static deaf({ at, path }: LiveAddress): Watcher<DeafPeer> {
    return new Watcher(new DeafPeer(at, askFor(at, path)));
  }

  /** The lines of the recording so far, as text. */
  get text(): string {
    const { heard } = this.peer;
    const whole = heard.slice(0, heard.lastIndexOf("\n") + 1);
    return whole.split("\n").filter((line) => line.startsWith("data: "))
      .map((line) => `${line.slice("data: ".length)}\n`).join("");
  }

  /** The same, read. */
  get lines(): readonly (Header | Event)[] {
    const { heard } = this.peer;
    const end = heard.lastIndexOf("\n") + 1;
    for (const line of heard.slice(this.#read, end).split("\n")) {
      if (line.startsWith("data: ")) this.#lines.push(JSON.parse(line.slice("data: ".length)));
    }
    this.#read = Math.max(this.#read, end);
    return this.#lines;
  }

  /** The events of a type so far. */
  all<Type extends EventType>(type: Type): EventOf<Type>[] {
    return this.lines.filter((line): line is EventOf<Type> => line.type === type);
  }

  /** Waits for an event. @param what it, in words @param type its type @param is whether this is it */
  async find<Type extends EventType>(
    what: string,
    type: Type,
    is: (event: EventOf<Type>) => boolean = () => true,
  ): Promise<EventOf<Type>> {
    let found: EventOf<Type> | undefined;
    await until(what, () => {
      found = this.all(type).find(is);
      return found !== undefined;
    });
    return found as EventOf<Type>;
  }

  /** The connections that it was told of and that are not over. */
  get open(): ReadonlyMap<number, EventOf<"begun">> {
    const open = new Map<number, EventOf<"begun">>();
    for (const line of this.lines) {
      if (line.type === "begun") open.set(line.connection, line);
      else if (line.type === "over") open.delete(line.connection);
    }
    return open;
  }

  /** Stops reading along. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}

/** The request for the events. */
function askFor({ port }: Address, path: string): string {
  return `GET ${path}events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
}
