/**
 * What the servers of one chat send each other. It is JSON, and every field is checked.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import { hasTower } from "../talk/looks.ts";
import { isName, keyOf } from "../talk/names.ts";
import type { BusEvent, BusMessage, Presence } from "./bus.ts";
import { EVENTS_LIMIT } from "./outgoing_events.ts";
import type { RosterPart } from "./peer_directory.ts";

/** The most bytes that a packet may have. A longer one is not even parsed. */
export const PACKET_LIMIT = 64 * 1024;

/** The most characters of one text. */
const TEXT_LIMIT = 4096;

/** The most bytes that one user takes in a roster: two names, a time, and the JSON around them. */
const USER_BYTES = 160;

/** What one server sends another, or all others. */
export type Packet =
  & {
    /** The server that sent it. */
    readonly from: string;
  }
  & (
    /** Something has happened. The first event of a server has the number 1. */
    | { readonly kind: "event"; readonly number: number; readonly event: BusEvent }
    /** Several things have happened, one after the other. The number is that of the first. */
    | { readonly kind: "events"; readonly number: number; readonly events: readonly BusEvent[] }
    /** The server is alive, and this is the number of its last event. */
    | { readonly kind: "beat"; readonly number: number }
    /** A part of the list of the server's users. */
    | { readonly kind: "roster" } & RosterPart
    /** The server wants the roster of the receiver. */
    | { readonly kind: "ask" }
    /** The server's users are gone. */
    | { readonly kind: "goodbye" }
    /** A message for the receiver alone. */
    | { readonly kind: "message"; readonly message: BusMessage }
    /** The server holds a name by an older claim than the receiver's. */
    | { readonly kind: "taken"; readonly name: string }
  );

/** The holder of a name. */
export interface Holder {
  /** The server whose user has the name. */
  readonly server: string;
  /** When that user took it, in milliseconds since 1970. */
  readonly since: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Encodes a packet or the holder of a name. */
export function encode(value: Packet | Holder): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/**
 * Decodes a packet.
 *
 * @param bytes what came; it may be from anybody
 * @returns the packet, without fields that do not belong to it; `undefined` if it is invalid
 */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  return decode(bytes, packetOf);
}

/**
 * Decodes the holder of a name.
 *
 * @param bytes an entry of the bucket; it may be from anybody
 * @returns the holder; `undefined` if the entry is invalid
 */
export function decodeHolder(bytes: Uint8Array): Holder | undefined {
  return decode(bytes, (fields) => ({
    server: fields.name("server"),
    since: fields.count("since"),
  }));
}

/**
 * Cuts a roster into parts that fit into packets.
 *
 * @param users all users of the server
 * @param number the number of the last event that is reflected in the roster
 * @param partBytes the most bytes that the users of one part may take
 */
export function cutRoster(
  users: readonly Presence[],
  number: number,
  partBytes: number,
): RosterPart[] {
  const size = Math.max(1, Math.floor(partBytes / USER_BYTES));
  const parts = Math.max(1, Math.ceil(users.length / size));
  return Array.from({ length: parts }, (_, part) => ({
    number,
    part,
    parts,
    users: users.slice(part * size, (part + 1) * size),
  }));
}

/** A packet is invalid. This error does not leave the module. */
class InvalidError extends Error {
  override readonly name = "InvalidError";
}

/** The unchecked fields of a JSON object. Each method throws if its field is invalid. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null) throw new InvalidError("Expected an object");
    this.#fields = value as Record<string, unknown>;
  }

  /** Whether there is such a field. */
  has(field: string): boolean {
    return this.#fields[field] !== undefined;
  }

  /** The name of a server or a room. */
  name(field: string): string {
    const value = this.#fields[field];
    if (typeof value !== "string" || !isName(value)) throw new InvalidError(`Bad name: ${field}`);
    return value;
  }

  /** The name of a user. It must not be the operator's, so that nobody can pose as the operator. */
  user(field: string): string {
    const value = this.name(field);
    if (keyOf(value) === "server") throw new InvalidError(`Reserved name: ${field}`);
    return value;
  }

  /** Text that is safe on one line of a terminal. */
  text(field: string): string {
    const value = this.#fields[field];
    const isText = typeof value === "string" && value.length <= TEXT_LIMIT &&
      value.isWellFormed() && escapeText(value) === value && !hasTower(value);
    if (!isText) throw new InvalidError(`Bad text: ${field}`);
    return value;
  }

  /** An integer, 0 or more. */
  count(field: string): number {
    const value = this.#fields[field];
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      throw new InvalidError(`Bad number: ${field}`);
    }
    return value as number;
  }

  /** A boolean. */
  flag(field: string): boolean {
    const value = this.#fields[field];
    if (typeof value !== "boolean") throw new InvalidError(`Bad flag: ${field}`);
    return value;
  }

  /** A keyword, to be compared with the known ones. */
  word(field: string): unknown {
    return this.#fields[field];
  }

  /** An object inside this one. */
  inner(field: string): Fields {
    return new Fields(this.#fields[field]);
  }

  /** A list of objects inside this one. */
  list(field: string): Fields[] {
    const value = this.#fields[field];
    if (!Array.isArray(value)) throw new InvalidError(`Bad list: ${field}`);
    return value.map((item) => new Fields(item));
  }
}

function decode<Value>(bytes: Uint8Array, read: (fields: Fields) => Value): Value | undefined {
  if (bytes.length > PACKET_LIMIT) return undefined;
  try {
    return read(new Fields(JSON.parse(decoder.decode(bytes))));
  } catch (error) {
    // Not UTF-8, not JSON, or not what was expected.
    const isExpected = error instanceof InvalidError || error instanceof SyntaxError ||
      error instanceof TypeError;
    if (!isExpected) throw error;
    return undefined;
  }
}

function packetOf(fields: Fields): Packet {
  const from = fields.name("from");
  const kind = fields.word("kind");
  switch (kind) {
    case "event":
      return { kind, from, number: fields.count("number"), event: eventOf(fields.inner("event")) };
    case "events": {
      const events = fields.list("events");
      if (events.length > EVENTS_LIMIT) throw new InvalidError("Too many events");
      return { kind, from, number: fields.count("number"), events: events.map(eventOf) };
    }
    case "beat":
      return { kind, from, number: fields.count("number") };
    case "roster":
      return {
        kind,
        from,
        number: fields.count("number"),
        part: fields.count("part"),
        parts: fields.count("parts"),
        users: fields.list("users").map(presenceOf),
      };
    case "ask":
    case "goodbye":
      return { kind, from };
    case "message":
      return { kind, from, message: messageOf(fields.inner("message")) };
    case "taken":
      return { kind, from, name: fields.user("name") };
    default:
      throw new InvalidError("Unknown packet");
  }
}

function presenceOf(fields: Fields): Presence {
  return { name: fields.user("name"), room: fields.name("room"), since: fields.count("since") };
}

function eventOf(fields: Fields): BusEvent {
  const kind = fields.word("kind");
  switch (kind) {
    case "enter":
      return { kind, user: presenceOf(fields.inner("user")) };
    case "leave":
      return {
        kind,
        name: fields.user("name"),
        ...(fields.has("reason") && { reason: fields.text("reason") }),
      };
    case "move":
      return { kind, name: fields.user("name"), room: fields.name("room") };
    case "rename":
      return {
        kind,
        name: fields.user("name"),
        to: fields.user("to"),
        since: fields.count("since"),
      };
    case "say":
      return {
        kind,
        name: fields.user("name"),
        room: fields.name("room"),
        text: fields.text("text"),
        action: fields.flag("action"),
      };
    case "announce":
      return { kind, text: fields.text("text") };
    default:
      throw new InvalidError("Unknown event");
  }
}

function messageOf(fields: Fields): BusMessage {
  const kind = fields.word("kind");
  switch (kind) {
    case "whisper":
      return {
        kind,
        from: fields.user("from"),
        to: fields.user("to"),
        text: fields.text("text"),
      };
    case "unheard":
      return { kind, from: fields.user("from"), to: fields.user("to") };
    case "kick":
      return { kind, name: fields.user("name"), reason: fields.text("reason") };
    default:
      throw new InvalidError("Unknown message");
  }
}
