/**
 * A TUN device: a network interface whose other end is this program (Linux's
 * `Documentation/networking/tuntap.rst`). What the kernel sends through it is read here, and what is
 * written here the kernel takes for a packet that has come. So this program is the wire.
 *
 * Both ends of a connection are on this machine: the server has the device's address, and the client
 * connects to another one of the same network. A packet comes back with its two addresses swapped
 * ({@linkcode swapAddresses}), and the kernel takes it for one from that other address.
 *
 * @module
 */

import { SocketError } from "../../../engine/net/socket_error.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { giveAddress, interfaceRequest, raiseInterface } from "../interface.ts";

/** Where TUN devices are made. */
const CLONE = "/dev/net/tun";

/** Flags of open(2), on x86-64 and arm64 alike. */
const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;

const TUNSETIFF = 0x4004_54ca;
/** Packets begin with their IP header, and nothing stands before it. */
const IFF_TUN_NO_PI = 0x1001;

/** The longest packet: the MTU of a TUN device is 1500, as on Ethernet. */
const LONGEST = 2048;

/** There can be no TUN device here. */
export class DeviceError extends Error {
  /** The class's name. */
  override readonly name = "DeviceError";

  /** @param sentence why, and what can be done: without its full stop @param cause the error */
  constructor(sentence: string, cause: unknown) {
    super(`Cannot make the wire: ${sentence}`, { cause });
  }
}

/** A TUN device. It is gone when it is closed. */
export class TunDevice implements Disposable {
  /** Its name, for instance `wire0`. */
  readonly name: string;
  /** Its descriptor, to be waited for with poll(2). It is non-blocking. */
  readonly fd: number;
  readonly #net: Sockets;
  readonly #buffer = new Uint8Array(LONGEST);
  #isClosed = false;

  /**
   * Makes the device, sets it up and gives it an address.
   *
   * @param net the calls
   * @param name its name, 15 characters at most
   * @param hostname its address
   * @param prefix how many bits of the address are the network's
   * @throws {DeviceError} where there can be none
   */
  constructor(net: Sockets, name: string, hostname: string, prefix: number) {
    this.#net = net;
    this.name = name;
    this.fd = openClone(net);
    try {
      net.ioctl(this.fd, TUNSETIFF, interfaceRequest(name, IFF_TUN_NO_PI));
      raiseInterface(net, name);
      giveAddress(net, name, hostname, prefix);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes the next packet, without waiting.
   *
   * @returns the packet from its IP header on, valid until the next call; `undefined` if there is
   * none
   */
  read(): Uint8Array | undefined {
    const { EINTR } = this.#net.constants.errno;
    while (true) {
      const count = this.#net.read(this.fd, this.#buffer);
      if (count > 0) return this.#buffer.subarray(0, count);
      if (count !== -EINTR) return undefined;
    }
  }

  /**
   * Hands a packet to the kernel. When this returns, TCP has dealt with it.
   *
   * @param packet the packet, from its IP header on
   */
  write(packet: Uint8Array): void {
    const { EINTR } = this.#net.constants.errno;
    while (this.#net.write(this.fd, packet) === -EINTR);
  }

  /** Removes the device. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#net.close(this.fd);
  }
}

/**
 * Swaps the two addresses of a packet, of IPv4 or IPv6. Both checksums stay right, because a sum does
 * not depend on the order of what is added.
 *
 * @param packet the packet, from its IP header on
 * @returns another packet
 */
export function swapAddresses(packet: Uint8Array): Uint8Array {
  const swapped = packet.slice();
  const [at, length] = packet[0]! >> 4 === 6 ? [8, 16] as const : [12, 4] as const;
  swapped.set(packet.subarray(at + length, at + 2 * length), at);
  swapped.set(packet.subarray(at, at + length), at + length);
  return swapped;
}

function openClone(net: Sockets): number {
  try {
    return net.open(CLONE, O_RDWR | O_NONBLOCK);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    throw new DeviceError(explain(error), error);
  }
}

function explain({ code, message }: SocketError): string {
  switch (code) {
    case "ENOENT":
      return `${CLONE} is missing: load the kernel's module (\`sudo modprobe tun\`), or give the ` +
        `container the device (\`docker run --device ${CLONE}\`)`;
    case "EACCES":
    case "EPERM":
      return `this user may not open ${CLONE}: \`sudo chmod 0666 ${CLONE}\` allows it to all, which ` +
        "harms nobody, because a device can only be made in a network of one's own";
    default:
      return message;
  }
}
