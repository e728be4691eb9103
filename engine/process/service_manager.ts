/**
 * What this process tells the service manager that has started it, above all systemd (sd_notify(3)):
 * a datagram of assignments, `READY=1`, to the Unix domain socket that NOTIFY_SOCKET names.
 *
 * @module
 */

import { UNIX } from "../net/address.ts";
import { describeSystemError } from "../net/constants.ts";
import { runtime } from "../net/runtime.ts";
import { SocketError } from "../net/socket_error.ts";
import { type Sockets, sockets } from "../net/sockets.ts";

/** How often, and how many times, a message is sent again for which there was no room. */
const AGAIN_MS = 20;
const ATTEMPTS = 50;

/** The service manager of this process. */
export class ServiceManager {
  /**
   * Within which time it wants to hear again and again that the service is well, in milliseconds;
   * `undefined` if it does not care (sd_watchdog_enabled(3)).
   */
  readonly watchdogMs: number | undefined;
  readonly #net: Sockets;
  readonly #sockaddr: Uint8Array;
  readonly #onError: (reason: string) => void;
  #hasFailed = false;

  private constructor(net: Sockets, sockaddr: Uint8Array, onError: (reason: string) => void) {
    this.#net = net;
    this.#sockaddr = sockaddr;
    this.#onError = onError;
    this.watchdogMs = takeWatchdog();
  }

  /**
   * Finds the service manager.
   *
   * @param onError is told, once, why it cannot be told anything
   * @returns `undefined` if there is none
   */
  static find(onError: (reason: string) => void): ServiceManager | undefined {
    const path = runtime.variable("NOTIFY_SOCKET");
    if (path === undefined || path === "") return undefined;
    try {
      if (!/^[/@]./.test(path)) throw new Error(`it is neither a path nor @NAME: "${path}"`);
      const net = sockets();
      const sockaddr = net.writeAddress({ hostname: `${UNIX}${path}`, port: 0 });
      return new ServiceManager(net, sockaddr, onError);
    } catch (error) {
      onError(describeSystemError(error));
      return undefined;
    }
  }

  /**
   * Tells it something. It waits for nobody.
   *
   * @param state the assignments by name, for instance `READY` and `1`
   */
  tell(state: Readonly<Record<string, string | number>>): void {
    const lines = Object.entries(state).map(([name, value]) =>
      `${name}=${String(value).replaceAll("\n", " ")}`
    );
    this.#send(new TextEncoder().encode(lines.join("\n")), ATTEMPTS);
  }

  #send(bytes: Uint8Array, attempts: number): void {
    const net = this.#net;
    const { AF_UNIX, SOCK_DGRAM, MSG_DONTWAIT, errno } = net.constants;
    let failure: unknown;
    try {
      const fd = net.socket(AF_UNIX, SOCK_DGRAM);
      // `sendto` does not know how long the name of an abstract socket is.
      const connected = net.connectNonBlocking(fd, this.#sockaddr);
      const result = connected < 0 ? connected : net.send(fd, bytes, MSG_DONTWAIT);
      net.close(fd);
      if (result >= 0) return;
      if ((result === -errno.EAGAIN || result === -errno.EINTR) && attempts > 0) {
        runtime.unrefTimer(setTimeout(() => this.#send(bytes, attempts - 1), AGAIN_MS));
        return;
      }
      failure = new SocketError(connected < 0 ? "connect" : "send", -result);
    } catch (error) {
      failure = error;
    }
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onError(describeSystemError(failure));
  }
}

/**
 * Reads how often the service manager wants to hear. The variable that says which process is meant is
 * removed: if it is this one, it is the one as well that this one may start to take its place.
 */
function takeWatchdog(): number | undefined {
  const pid = runtime.variable("WATCHDOG_PID");
  const microseconds = runtime.variable("WATCHDOG_USEC");
  if (pid !== undefined && pid !== String(runtime.pid)) return undefined;
  if (pid !== undefined) runtime.removeVariable("WATCHDOG_PID");
  if (microseconds === undefined || !/^\d{1,15}$/.test(microseconds)) return undefined;
  return Number(microseconds) / 1_000 || undefined;
}
