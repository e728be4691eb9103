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

/** The instructions that are used (`linux/bpf_common.h`, `linux/filter.h`). */
export const BPF = {
  LOAD_WORD: 0x20,
  LOAD_BYTE: 0x30,
  LOAD_HALF: 0x28,
  LOAD_HALF_BEHIND_HEADER: 0x48,
  LOAD_BYTE_BEHIND_HEADER: 0x50,
  LOAD_HEADER_LENGTH: 0xb1,
  LOAD_STORED: 0x60,
  STORE: 0x02,
  SET_X: 0x01,
  MOVE_TO_X: 0x07,
  ADD: 0x04,
  ADD_X: 0x0c,
  AND: 0x54,
  MODULO: 0x94,
  SHIFT_LEFT: 0x64,
  SHIFT_RIGHT: 0x74,
  JUMP: 0x05,
  JUMP_IF_EQUAL: 0x15,
  JUMP_IF_ANY_BIT: 0x45,
  RETURN: 0x06,
} as const;

/** Drops every message: a socket with it hears nothing. */
export const DROP_ALL: Filter = [[BPF.RETURN, 0, 0, 0]];

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
  attachProgram(net, fd, SO_ATTACH_FILTER, encodeFilter(filter));
}

/**
 * Gives a socket a program.
 *
 * @param net the calls
 * @param fd the socket
 * @param option the option of socket(7) that says what the program is for
 * @param instructions what {@linkcode encodeFilter} returned
 * @throws {SocketError} if the kernel refuses it
 */
export function attachProgram(
  net: Sockets,
  fd: number,
  option: number,
  instructions: Uint8Array,
): void {
  net.setOptionBytes(fd, net.constants.SOL_SOCKET, option, programOf(instructions));
}

/**
 * The instructions of a program as the kernel takes them.
 *
 * @param filter the program
 * @returns an array of `struct sock_filter`
 */
export function encodeFilter(filter: Filter): Uint8Array {
  const instructions = new Uint8Array(new ArrayBuffer(filter.length * 8));
  const view = new DataView(instructions.buffer);
  filter.forEach(([code, ifTrue, ifFalse, value], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value, true);
  });
  return instructions;
}

/**
 * Says how many instructions there are, and where. The kernel copies them.
 *
 * @param instructions what {@linkcode encodeFilter} returned
 * @returns a `struct sock_fprog`
 */
export function programOf(instructions: Uint8Array): Uint8Array {
  const program = new Uint8Array(16);
  const view = new DataView(program.buffer);
  view.setUint16(0, instructions.length / 8, true);
  view.setBigUint64(8, runtime.addressOf(instructions), true);
  return program;
}
