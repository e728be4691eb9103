/**
 * Tells the kernel which of several listeners on one port gets the next connections.
 *
 * Listeners that share a port by `SO_REUSEPORT` are a group, and each has a number in it. A program
 * of classic BPF that is attached to the group returns the number of the listener that gets a
 * segment (`SO_ATTACH_REUSEPORT_CBPF`, socket(7), since Linux 4.6). Nobody needs a privilege for
 * that. The kernel asks the program for each segment that belongs to no connection yet: for a SYN,
 * and for the acknowledgement of a SYN cookie.
 *
 * @module
 */

import { attachProgram, BPF, encodeFilter } from "../../kernel/socket_filter.ts";
import type { Sockets } from "../../net/sockets.ts";

const SO_ATTACH_REUSEPORT_CBPF = 51;

/** The first byte of the IP header, whatever the segment's own offset is (`SKF_NET_OFF`). */
const NETWORK = -0x10_0000;
/** A random number (`SKF_AD_OFF + SKF_AD_RANDOM`). */
const RANDOM = -0x1000 + 56;

const {
  LOAD_WORD,
  LOAD_BYTE,
  LOAD_HALF_BEHIND_HEADER,
  LOAD_BYTE_BEHIND_HEADER,
  LOAD_STORED,
  STORE,
  SET_X,
  LOAD_HEADER_LENGTH,
  ADD,
  ADD_X,
  AND,
  MODULO,
  SHIFT_LEFT,
  SHIFT_RIGHT,
  MOVE_TO_X,
  JUMP_IF_EQUAL,
  JUMP,
  RETURN,
} = BPF;

const TCP = 6;
/** Extension headers of IPv6 that say how long they are in units of 8 bytes (RFC 8200). */
const EXTENSIONS = [0, 43, 60];
/** How many of them are looked behind. Nobody sends as many. */
const MOST_EXTENSIONS = 4;

const FLAGS_AT = 13;
const SYN = 0x02;
const ACK = 0x10;

/** A number that no listener of a group has: the kernel then chooses by a hash of the addresses. */
const BY_HASH = 0xffff_ffff;

/** An instruction; a label as a target means "go on there if equal". */
interface Step {
  readonly code: number;
  readonly k: number;
  /** Where to go if the comparison holds, or always for a jump. */
  readonly to?: string;
}

/** Writes a program, in which jumps go to labels. All jumps lead forward. */
class Program {
  readonly #steps: Step[] = [];
  readonly #labels = new Map<string, number>();

  add(code: number, k = 0, to?: string): this {
    this.#steps.push({ code, k, ...(to !== undefined && { to }) });
    return this;
  }

  label(name: string): this {
    this.#labels.set(name, this.#steps.length);
    return this;
  }

  /** An array of `struct sock_filter`. */
  get bytes(): Uint8Array {
    return encodeFilter(this.#steps.map(({ code, k, to }, index) => {
      const distance = to === undefined ? 0 : this.#labels.get(to) as number - index - 1;
      return [code, code === JUMP_IF_EQUAL ? distance : 0, 0, code === JUMP ? distance : k];
    }));
  }
}

/**
 * A program that gives new connections to some of the listeners of a group.
 *
 * @param members the numbers of those listeners; each gets as many as the others
 * @param rest the number of the listener that gets all other segments; by default the kernel chooses
 * @param port a source port: segments from it are treated as SYNs, whatever they are
 * @returns an array of `struct sock_filter`
 */
export function steerSyns(
  members: readonly number[],
  rest: number = BY_HASH,
  port?: number,
): Uint8Array {
  const program = new Program();
  // The version stands in the first four bits of both headers. A listener of IPv6 gets both.
  program.add(LOAD_BYTE, NETWORK).add(SHIFT_RIGHT, 4).add(JUMP_IF_EQUAL, 6, "six");
  program.add(LOAD_HEADER_LENGTH, NETWORK).add(JUMP, 0, "segment");
  program.label("six").add(SET_X, 40).add(LOAD_BYTE, NETWORK + 6);
  for (let turn = 0; turn < MOST_EXTENSIONS; turn++) {
    program.add(JUMP_IF_EQUAL, TCP, "segment");
    for (const header of EXTENSIONS) program.add(JUMP_IF_EQUAL, header, `behind ${turn}`);
    // An unknown header: what cannot be read is taken for a SYN.
    program.add(JUMP, 0, "syn").label(`behind ${turn}`);
    program.add(LOAD_BYTE_BEHIND_HEADER, NETWORK).add(STORE, 0);
    program.add(LOAD_BYTE_BEHIND_HEADER, NETWORK + 1).add(ADD, 1).add(SHIFT_LEFT, 3).add(ADD_X);
    program.add(MOVE_TO_X).add(LOAD_STORED, 0);
  }
  program.add(JUMP_IF_EQUAL, TCP, "segment").add(JUMP, 0, "syn");
  program.label("segment");
  if (port !== undefined) {
    program.add(LOAD_HALF_BEHIND_HEADER, NETWORK).add(JUMP_IF_EQUAL, port, "syn");
  }
  program.add(LOAD_BYTE_BEHIND_HEADER, NETWORK + FLAGS_AT).add(AND, SYN | ACK);
  program.add(JUMP_IF_EQUAL, SYN, "syn").add(RETURN, rest);
  program.label("syn");
  if (members.length > 1) program.add(LOAD_WORD, RANDOM).add(MODULO, members.length);
  members.slice(1).forEach((member, index) => {
    program.add(JUMP_IF_EQUAL, index, `not ${index}`).add(JUMP, 0, `next ${index}`);
    program.label(`not ${index}`).add(RETURN, member).label(`next ${index}`);
  });
  return program.add(RETURN, members[0] as number).bytes;
}

/** A program with which the kernel chooses by itself, as without any. */
export function steerNothing(): Uint8Array {
  return new Program().add(RETURN, BY_HASH).bytes;
}

/**
 * Gives a group of listeners a program. It takes the place of an earlier one.
 *
 * @param calls the Berkeley calls
 * @param listener any listener of the group
 * @param program an array of `struct sock_filter`
 * @throws {SocketError} if the kernel knows no such programs, or if the listener is in no group
 */
export function attachSteering(calls: Sockets, listener: number, program: Uint8Array): void {
  attachProgram(calls, listener, SO_ATTACH_REUSEPORT_CBPF, program);
}
