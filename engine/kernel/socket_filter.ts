/**
 * Filters of classic BPF: the kernel asks such a program what becomes of each message that is about to
 * be put into a socket (socket(7), `SO_ATTACH_FILTER`).
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import type { Sockets } from "../net/sockets.ts";
import { SO_ATTACH_FILTER } from "./linux.ts";

/** A program of classic BPF: its instructions, four numbers each (bpf(4), `linux/filter.h`). */
export type Filter =
  readonly (readonly [code: number, ifTrue: number, ifFalse: number, value: number])[];

/** The instructions that are used (`linux/bpf_common.h`). */
export const BPF = {
  LOAD_WORD: 0x20,
  LOAD_BYTE: 0x30,
  LOAD_HALF: 0x28,
  LOAD_HALF_BEHIND_HEADER: 0x48,
  LOAD_HEADER_LENGTH: 0xb1,
  SHIFT_RIGHT: 0x74,
  JUMP_IF_EQUAL: 0x15,
  JUMP_IF_ANY_BIT: 0x45,
  RETURN: 0x06,
} as const;

/**
 * Attaches a filter to a socket (socket(7), `SO_ATTACH_FILTER`). A socket of TCP shows it each segment
 * from the header of TCP on; recent kernels allow that to CAP_NET_ADMIN only.
 *
 * @param net the calls
 * @param fd the socket
 * @param filter what becomes of each packet
 * @throws {SocketError} if this process may not
 */
export function attachFilter(net: Sockets, fd: number, filter: Filter): void {
  const instructions = new Uint8Array(new ArrayBuffer(filter.length * 8));
  const view = new DataView(instructions.buffer);
  filter.forEach(([code, ifTrue, ifFalse, value], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value, true);
  });
  // A `struct sock_fprog`: how many instructions, and where they are. The kernel copies them.
  const program = new Uint8Array(16);
  const header = new DataView(program.buffer);
  header.setUint16(0, filter.length, true);
  header.setBigUint64(8, runtime.addressOf(instructions), true);
  net.setOptionBytes(fd, net.constants.SOL_SOCKET, SO_ATTACH_FILTER, program);
}
