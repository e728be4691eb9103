/**
 * A server offers its listener to the next process, at a socket of its own.
 *
 * Newcomers are rare, and nothing here is urgent. So nobody waits for them in a system call: the main
 * thread looks from time to time.
 *
 * @module
 */

import { formatDuration } from "../../values/durations.ts";
import { SOCKADDR_SIZE, UNIX } from "../../net/address.ts";
import { runtime } from "../../net/runtime.ts";
import { openListening, type SocketFile } from "../../net/socket_file.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Successor } from "../core/handover.ts";
import type { Journal } from "../journal/journal.ts";
import { type Heard, type Message, Talk, toldIn, VERSION } from "./talk.ts";

/** How long a newcomer that has the listener may take until it serves, in milliseconds. */
export const TAKEOVER_MS = 10_000;

/** How long visitors may take, in milliseconds. */
export interface OfferLimits {
  /** Until they have said what they want. */
  readonly firstWordMs: number;
  /** Until they serve, once they have the listener. */
  readonly takeoverMs: number;
}

const LIMITS: OfferLimits = { firstWordMs: 2_000, takeoverMs: TAKEOVER_MS };

/** How often to look while somebody is there, in milliseconds. */
const BUSY_MS = 5;

/**
 * How often to look whether somebody has come, in milliseconds: at first often, and more and more rarely
 * the longer nobody has come. A server that idles for days must cost next to nothing, and whoever comes
 * has {@linkcode TAKEOVER_MS} of patience.
 */
const IDLE_MS = 100;
const MOST_IDLE_MS = 1_000;

/** How much longer nobody has come than it takes until the next look. */
const IDLE_SHARE = 20;

/** How many may be there at a time. The others wait until some have left. */
const MOST_VISITORS = 8;

/** How many wait in the accept queue. */
const BACKLOG = 16;

/** The mode of the socket's file: nobody but this user may connect. */
const MODE = 0o600;

/** The server, as the offer sees it. */
export interface Offerer {
  /** Is told what happens. */
  readonly journal: Journal;
  /** What a newcomer is given, and the descriptors that go with it. */
  give(): { readonly message: Message; readonly descriptors: readonly number[] };
  /**
   * Another process serves now, or will serve, because this one ends.
   *
   * @param pid the process
   * @param successor what it has told, if it serves
   */
  takenOver(pid: number, successor: Successor): void;
}

/** Somebody who has come to the socket. */
interface Visitor {
  readonly talk: Talk;
  /** Whether it has been given the listener. */
  hasListener: boolean;
  /** When it must have said the next thing. */
  until: number;
}

/** A socket at which a listener is offered. */
export class Offer {
  readonly #net: Sockets;
  readonly #fd: number;
  readonly #file: SocketFile | undefined;
  readonly #user: number;
  readonly #limits: OfferLimits;
  readonly #visitors = new Set<Visitor>();
  /** Who has taken over. As soon as it offers the listener itself, this socket closes. */
  #successor: Visitor | undefined;
  #offerer: Offerer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHurried = false;
  /** When somebody was there, or was expected, for the last time. */
  #busyAt = performance.now();
  #isClosed = false;

  /**
   * Opens the socket. Until {@linkcode Offer.begin}, those who come get no answer.
   *
   * @param net the Berkeley calls
   * @param path its path, in a private folder
   * @param user the number of this user
   * @param limits how long visitors may take
   * @throws {ListenError} if somebody listens there already, or if it cannot be made
   */
  constructor(net: Sockets, path: string, user: number, limits: OfferLimits = LIMITS) {
    const { AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK } = net.constants;
    const address = { hostname: `${UNIX}${path}`, port: 0 };
    const { listener, file } = openListening(net, address, () => {
      const fd = net.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
      try {
        net.bind(fd, address);
        // Nobody can connect before `listen`.
        runtime.changeMode(path, MODE);
        net.listen(fd, BACKLOG);
        return fd;
      } catch (error) {
        net.close(fd);
        throw error;
      }
    });
    this.#net = net;
    this.#fd = listener;
    this.#user = user;
    this.#limits = limits;
    this.#file = file;
  }

  /** Whether those who ask at its path come here. */
  get isReachable(): boolean {
    return this.#file?.isThere === true;
  }

  /** Moves the socket to another path in its folder, where it takes the place of another one. */
  moveTo(path: string): void {
    this.#file?.moveTo(path);
  }

  /**
   * Begins to answer.
   *
   * @param offerer the server
   */
  begin(offerer: Offerer): void {
    this.#offerer = offerer;
    this.#schedule();
  }

  /** From now on somebody is expected. */
  hurry(isHurried: boolean): void {
    this.#isHurried = isHurried;
    this.#schedule();
  }

  /**
   * Ends it: the server closes, or another process offers its listener.
   *
   * @param why what those are told who are there; if they are told nothing, they ask again at the
   * same path
   */
  close(why?: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const visitor of this.#visitors) this.#dismiss(visitor, why);
    // If another process has put its own socket there, that stays.
    this.#file?.remove();
    this.#net.close(this.#fd);
  }

  /**
   * The server ends. If somebody has the listener and is about to serve, that is who takes over: to end
   * both of them is in nobody's mind.
   *
   * @returns whether there is somebody
   */
  leave(): boolean {
    const heir = this.#heir;
    // It may have said something meanwhile, or have died.
    if (heir !== undefined) this.#attend(heir);
    if (heir !== undefined && this.#heir === heir) this.#yield(heir);
    return this.#successor !== undefined;
  }

  /** Does not let a process take over. @param pid the process @param why what it is told */
  refuse(pid: number, why: string): void {
    if (this.#successor !== undefined) return;
    for (const visitor of this.#visitors) {
      if (visitor.talk.peer.pid === pid) this.#dismiss(visitor, why);
    }
  }

  /** Who has the listener, and does not serve yet. */
  get #heir(): Visitor | undefined {
    if (this.#successor !== undefined) return undefined;
    return [...this.#visitors].find(({ hasListener }) => hasListener);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#offerer === undefined) return;
    const now = performance.now();
    const isBusy = this.#isHurried || this.#visitors.size > 0;
    if (isBusy) this.#busyAt = now;
    const idleMs = Math.min(MOST_IDLE_MS, Math.max(IDLE_MS, (now - this.#busyAt) / IDLE_SHARE));
    this.#timer = setTimeout(this.#look, isBusy ? BUSY_MS : idleMs);
    // What keeps the process running is its server.
    runtime.unrefTimer(this.#timer);
  }

  readonly #look = (): void => {
    if (this.#successor === undefined) this.#letIn();
    for (const visitor of this.#visitors) {
      if (this.#successor === undefined) this.#attend(visitor);
    }
    if (this.#successor !== undefined && hasLeft(this.#successor)) this.close();
    this.#schedule();
  };

  #letIn(): void {
    const { SOCK_NONBLOCK } = this.#net.constants;
    const peer = new Uint8Array(SOCKADDR_SIZE);
    while (this.#visitors.size < MOST_VISITORS && SOCK_NONBLOCK !== 0) {
      const fd = this.#net.acceptNonBlocking(this.#fd, peer);
      if (fd < 0) return;
      const talk = new Talk(this.#net, fd);
      const until = performance.now() + this.#limits.firstWordMs;
      const visitor = { talk, hasListener: false, until };
      if (talk.peer.user === this.#user) {
        this.#visitors.add(visitor);
        continue;
      }
      const { pid, user } = talk.peer;
      this.#log("warning", "process {pid} of user {user} may not take this listener over", {
        pid,
        user,
      });
      this.#dismiss(visitor, "only the same user may take the listener over");
    }
  }

  #attend(visitor: Visitor): void {
    const { pid } = visitor.talk.peer;
    try {
      for (;;) {
        const heard = visitor.talk.hear();
        if (heard === undefined) break;
        if (heard === "end") return this.#lost(visitor, "ended before it served");
        this.#answer(visitor, heard);
        if (!this.#visitors.has(visitor) || this.#successor === visitor) return;
      }
    } catch (error) {
      const reason = (error as Error).message;
      this.#log("warning", "process {pid} said nothing that is understood: {reason}", {
        pid,
        reason,
      });
      return this.#lost(visitor, "said nothing that is understood", reason);
    }
    if (performance.now() < visitor.until) return;
    const { firstWordMs, takeoverMs } = this.#limits;
    const time = formatDuration(visitor.hasListener ? takeoverMs : firstWordMs);
    this.#lost(visitor, `did not serve within ${time}`, `it took longer than ${time}`);
  }

  #answer(visitor: Visitor, { message, version, descriptors }: Heard): void {
    // Nobody was asked for any.
    for (const fd of descriptors) this.#net.close(fd);
    const { talk } = visitor;
    const { pid } = talk.peer;
    if (version !== VERSION) {
      const why = `this server speaks version ${VERSION} of the takeover, and not ${version}`;
      return this.#dismiss(visitor, why);
    }
    if (message.say === "serving" && visitor.hasListener) {
      return this.#yield(visitor, toldIn(message));
    }
    if (message.say !== "take" || visitor.hasListener) {
      return this.#dismiss(visitor, `"${message.say}" was not expected`);
    }
    const other = this.#heir;
    if (other !== undefined) {
      return this.#dismiss(visitor, `process ${other.talk.peer.pid} is just taking it over`);
    }
    const given = (this.#offerer as Offerer).give();
    if (!talk.tell(given.message, given.descriptors)) return this.#dismiss(visitor);
    visitor.hasListener = true;
    visitor.until = performance.now() + this.#limits.takeoverMs;
    this.#log("info", "process {pid} is about to take this listener over", { pid });
  }

  /** Another process serves. */
  #yield(visitor: Visitor, successor: Successor = {}): void {
    this.#successor = visitor;
    this.#offerer?.takenOver(visitor.talk.peer.pid, successor);
    visitor.talk.tell({ say: "yours" });
    visitor.until = performance.now() + this.#limits.takeoverMs;
  }

  /** A visitor has left, or has to. If it had the listener, people must know that nothing came of it. */
  #lost(visitor: Visitor, what: string, why?: string): void {
    if (visitor.hasListener) {
      const { pid } = visitor.talk.peer;
      this.#log("warning", "process {pid} {what}: this server goes on", { pid, what });
    }
    this.#dismiss(visitor, why);
  }

  #dismiss(visitor: Visitor, why?: string): void {
    this.#visitors.delete(visitor);
    if (why !== undefined) visitor.talk.tell({ say: "no", why });
    visitor.talk.close();
  }

  #log(
    level: "info" | "warning",
    text: string,
    properties: Readonly<Record<string, unknown>>,
  ): void {
    this.#offerer?.journal.log({ level, text, properties });
  }
}

/** Whether whoever has taken over offers the listener now, and has hung up. */
function hasLeft({ talk, until }: Visitor): boolean {
  try {
    return talk.hear() === "end" || performance.now() >= until;
  } catch {
    return true;
  }
}
