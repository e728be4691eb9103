/**
 * Berkeley sockets whose receive timeout is kept to the fraction of a millisecond.
 *
 * The kernel's own (`SO_RCVTIMEO`, socket(7)) is counted by a coarse clock, and may come tens of
 * milliseconds late.
 *
 * @module
 */

import { library } from "../../../engine/net/libc.ts";
import { Sockets } from "../../../engine/net/sockets.ts";

/** The calls for one descriptor at a time, which does not block. */
export class PatientSockets extends Sockets {
  #receiveTimeoutMs = Infinity;

  /** Makes the calls. */
  constructor() {
    super(library());
  }

  override setReceiveTimeout(_fd: number, ms: number): void {
    this.#receiveTimeoutMs = ms === 0 ? Infinity : ms;
  }

  override recv(fd: number, buffer: Uint8Array, flags = 0): number {
    const { MSG_DONTWAIT, POLLIN } = this.constants;
    if ((flags & MSG_DONTWAIT) === 0) {
      const ready = this.#receiveTimeoutMs === Infinity
        ? this.poll(fd, POLLIN, -1)
        : this.waitFine(fd, this.#receiveTimeoutMs);
      if (ready < 0) return ready;
    }
    // It does not block, so without anything to receive this is the timeout: `EAGAIN`.
    return super.recv(fd, buffer, flags);
  }
}
