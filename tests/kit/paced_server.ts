/**
 * A server of known behaviour, as a process: it echoes at once, or after a time, or so many times a
 * second and no more. Its arguments are its port, and then `delay` or `rate` with a number.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import process from "node:process";
import { isMainModule } from "../../engine/net/runtime.ts";

/** When answers are due that come at a pace: each so long after the one before it. */
export class Pace {
  readonly #everyMs: number;
  #lastAt = -Infinity;

  /** @param rate how many there are in a second */
  constructor(rate: number) {
    this.#everyMs = 1_000 / rate;
  }

  /**
   * When the answer to a request is due. While requests wait, no time is lost: an answer that was
   * late delays none of those after it.
   *
   * @param now when the request has come, in milliseconds
   */
  next(now: number): number {
    return this.#lastAt = Math.max(now, this.#lastAt) + this.#everyMs;
  }
}

/** An answer, and when it is due. */
interface Due {
  readonly at: number;
  readonly socket: Socket;
  readonly bytes: Uint8Array;
}

function serve(port: number, dueAt: (now: number) => number): void {
  const waiting: Due[] = [];
  let isAwake = false;
  const turn = () => {
    const now = performance.now();
    while (waiting.length > 0 && (waiting[0] as Due).at <= now) {
      const { socket, bytes } = waiting.shift() as Due;
      if (!socket.destroyed) socket.write(bytes);
    }
    isAwake = waiting.length > 0;
    if (isAwake) setTimeout(turn, Math.max(0, (waiting[0] as Due).at - now));
  };
  createServer({ noDelay: true }, (socket) => {
    // A load may end its connections in any way.
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const now = performance.now();
      const at = dueAt(now);
      if (at <= now) return void socket.write(bytes);
      waiting.push({ at, socket, bytes });
      if (!isAwake) turn();
    });
  }).listen(port, "127.0.0.1");
}

if (isMainModule(import.meta)) {
  const [port, kind, value] = process.argv.slice(2);
  const number = Number(value);
  const pace = new Pace(number);
  const dues: Readonly<Record<string, (now: number) => number>> = {
    delay: (now) => now + number,
    rate: (now) => pace.next(now),
  };
  serve(Number(port), dues[kind ?? ""] ?? ((now) => now));
}
