/**
 * Ends an accept(2) that waits for too long, on a listener that blocks and belongs to others too.
 *
 * Whether accept(2) waits is a property of the listener (O_NONBLOCK), and all processes that hold the
 * listener share it: whoever changes it changes it for the others, who may count on it. No flag of
 * accept4(2) says "not this time", and no listener can be opened a second time. poll(2) tells that a
 * connection has come, but another process may take it before accept(2) does, and then the call waits
 * for the next one, for ever perhaps. So a timer of this thread ends it: a timer sends the thread a
 * signal (timer_create(2), `SIGEV_THREAD_ID`), and that ends the call: see `harmless_signal.ts`.
 *
 * It costs two more calls for each connection, about 2 to 20 microseconds. Listeners that this project
 * opens do not block, and need no alarm.
 *
 * @module
 */

import type { ForeignSignatures } from "./adapter.ts";
import { harmlessSignal } from "./harmless_signal.ts";
import { moreFunctions } from "./libc.ts";
import type { AcceptAlarm, Sockets } from "./sockets.ts";

/** After how long a call is ended, and how often again if the signal came before the call. */
const ALARM_NS = 1_000_000n;

/** The clock that nobody sets back, and the kind of timer that signals a thread (timer_create(2)). */
const CLOCK_MONOTONIC = 1;
const SIGEV_THREAD_ID = 4;

const SIGNATURES = {
  gettid: { parameters: [], result: "i32" },
  timer_create: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // A timer's name is a pointer in C and a small number in truth.
  timer_settime: { parameters: ["u32", "i32", "buffer", "buffer"], result: "i32" },
} as const satisfies ForeignSignatures;

/**
 * Sees to it that to accept from a listener never blocks this thread for long: see
 * `Sockets.boundAccepts`. It does nothing if the listener does not block.
 *
 * @param net the calls with which this thread accepts
 * @param listener the listener
 * @throws {Error} where the system has no such timers
 */
export function boundAccepts(net: Sockets, listener: number): void {
  if (!net.isNonBlocking(listener)) net.boundAccepts(listener, alarmOfThread ??= makeAlarm());
}

let alarmOfThread: AcceptAlarm | undefined;

function makeAlarm(): AcceptAlarm {
  const libc = moreFunctions(SIGNATURES);
  const signal = harmlessSignal();
  // A `struct sigevent`: a value of 8 bytes, the signal, the kind, the thread.
  const event = new DataView(new ArrayBuffer(64));
  event.setInt32(8, signal, true);
  event.setInt32(12, SIGEV_THREAD_ID, true);
  event.setInt32(16, libc.gettid!(), true);
  const made = bytesOf(8);
  if (libc.timer_create!(CLOCK_MONOTONIC, new Uint8Array(event.buffer), made) !== 0) {
    throw new Error("Cannot accept from a listener that blocks: there is no timer");
  }
  const timer = new DataView(made.buffer).getUint32(0, true);
  // Each is a `struct itimerspec`: the interval and the first time, in seconds and nanoseconds.
  const [on, off, before] = [bytesOf(32), bytesOf(32), bytesOf(32)];
  const times = new DataView(on.buffer);
  times.setBigInt64(8, ALARM_NS, true);
  times.setBigInt64(24, ALARM_NS, true);
  return {
    set: () => void libc.timer_settime!(timer, 0, on, before),
    clear: () => void libc.timer_settime!(timer, 0, off, before),
  };
}

/** Bytes that never move in memory: see `message_buffer.ts`. */
function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}
