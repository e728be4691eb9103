/**
 * A process that takes the listener of another one over.
 *
 * @module
 */

import { pause } from "../../values/pause.ts";
import { escapeText } from "../../../protocols/text.ts";
import { formatDuration } from "../../values/durations.ts";
import { UNIX } from "../../net/address.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Successor } from "../core/handover.ts";
import type { Journal } from "../journal/journal.ts";
import { TAKEOVER_MS } from "./offer.ts";
import { type Message, NonsenseError, Talk, VERSION } from "./talk.ts";

/** How often to look whether the old server has answered, in milliseconds. */
const LOOK_MS = 2;

/** How long the old server may take to let go, once this one serves, in milliseconds. */
const YIELD_MS = 2_000;

/** What the old server has given. */
export type Given = Extract<Message, { readonly say: "listener" }>;

/** The conversation of a newcomer with the server that had the listener before. */
export class Newcomer {
  /** What it was given. */
  readonly given: Given;
  /** The descriptors that came with it. */
  readonly descriptors: readonly number[];
  readonly #talk: Talk;

  private constructor(talk: Talk, given: Given, descriptors: readonly number[]) {
    this.#talk = talk;
    this.given = given;
    this.descriptors = descriptors;
  }

  /** The process that had the listener before. */
  get pid(): number {
    return this.#talk.peer.pid;
  }

  /**
   * Asks whoever offers a listener for it.
   *
   * @param net the Berkeley calls
   * @param path the path of the socket
   * @param user the number of this user
   * @param withinMs how long they may take to answer, in milliseconds
   * @returns `undefined` if nobody offers one there
   * @throws {Error} if somebody is there who does not give it
   */
  static async ask(
    net: Sockets,
    path: string,
    user: number,
    withinMs: number = TAKEOVER_MS,
  ): Promise<Newcomer | undefined> {
    const until = performance.now() + withinMs;
    let talk: Talk | "nobody" | "busy" = "nobody";
    while (performance.now() < until) {
      talk = call(net, path);
      if (talk === "nobody") return undefined;
      if (talk === "busy") {
        await pause(LOOK_MS);
        continue;
      }
      const newcomer = await Newcomer.#askIn(net, talk, user, until);
      // Whoever was there has just closed the socket, perhaps because another one has taken over.
      if (newcomer !== "end") return newcomer;
    }
    const who = talk instanceof Talk ? `process ${talk.peer.pid}` : "whoever is there";
    throw new Error(`${who} has not answered within ${formatDuration(withinMs)}`);
  }

  static async #askIn(
    net: Sockets,
    talk: Talk,
    user: number,
    until: number,
  ): Promise<Newcomer | "end"> {
    const { peer } = talk;
    try {
      if (peer.user !== user) {
        throw new Error(`process ${peer.pid}, which offers it, is that of user ${peer.user}`);
      }
      if (!talk.tell({ say: "take" })) return end(talk);
      const heard = await hearWithin(talk, until);
      // It has hung up, or the time is over.
      if (heard === "end" || heard === undefined) return end(talk);
      const { message, version, descriptors } = heard;
      const isGiven = version === VERSION && message.say === "listener" &&
        descriptors.length > 0 && descriptors.length === message.sockets.length;
      if (isGiven) return new Newcomer(talk, message, descriptors);
      for (const fd of descriptors) net.close(fd);
      if (message.say === "no") {
        throw new Error(`process ${peer.pid} refuses: ${escapeText(message.why)}`);
      }
      if (version !== VERSION) {
        throw new Error(`process ${peer.pid} speaks version ${version}, and not ${VERSION}`);
      }
      const what = `${escapeText(message.say)}, with ${descriptors.length} descriptors`;
      throw new Error(`process ${peer.pid} has not given it, but said ${what}`);
    } catch (error) {
      talk.close();
      throw error;
    }
  }

  /**
   * Says that this server serves, and waits until the old one has let go. The old one still answers
   * others at the path, until {@linkcode Newcomer.close}.
   *
   * @param journal is told if it does not answer
   * @param successor what this server tells the old one
   * @throws {Error} if it does not let go: then it goes on, and this server must end
   */
  async serves(journal: Journal, successor: Successor = {}): Promise<void> {
    const { pid } = this.#talk.peer;
    this.#talk.tell({ say: "serving", ...successor });
    let heard: ReturnType<Talk["hear"]>;
    try {
      heard = await hearWithin(this.#talk, performance.now() + YIELD_MS);
    } catch (error) {
      // Nobody knows what it does now.
      if (!(error instanceof NonsenseError)) throw error;
    }
    if (typeof heard === "object" && heard.message.say === "yours") return;
    if (typeof heard === "object" && heard.message.say === "no") {
      throw new Error(`process ${pid} goes on: ${escapeText(heard.message.why)}`);
    }
    // It has died, or it is stopped. Somebody has to serve.
    const text = "process {pid} has not said that it stops accepting: this server goes on alone";
    journal.log({ level: "warning", text, properties: { pid } });
  }

  /** Ends the conversation. May be called again. */
  close(): void {
    this.#talk.close();
  }
}

function end(talk: Talk): "end" {
  talk.close();
  return "end";
}

/** Calls whoever listens at a path. */
function call(net: Sockets, path: string): Talk | "nobody" | "busy" {
  const { AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK, errno } = net.constants;
  const fd = net.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
  const result = net.connectNonBlocking(
    fd,
    net.writeAddress({ hostname: `${UNIX}${path}`, port: 0 }),
  );
  if (result === 0) return new Talk(net, fd);
  net.close(fd);
  if (result === -errno.ENOENT || result === -errno.ECONNREFUSED) return "nobody";
  if (result === -errno.EAGAIN) return "busy";
  throw new SocketError("connect", -result);
}

async function hearWithin(talk: Talk, until: number): Promise<ReturnType<Talk["hear"]>> {
  for (;;) {
    const heard = talk.hear();
    if (heard !== undefined || performance.now() >= until) return heard;
    await pause(LOOK_MS);
  }
}
