/**
 * Names of users and of rooms: which are valid, and when two of them are the same.
 *
 * @module
 */

/** The most characters, and bytes, that a name may have. */
export const NAME_LIMIT = 32;

/** What a name may be, for messages about invalid names. */
export const NAME_SYNTAX = `1 to ${NAME_LIMIT} ASCII letters, digits, _ or -`;

/** The room in which everybody begins. */
export const LOBBY = "lobby";

const NAME = new RegExp(`^[A-Za-z0-9_-]{1,${NAME_LIMIT}}$`);
const GUEST = /^guest-\d+$/i;

/**
 * Whether a text is a valid name of a user or a room. Such a name can be part of a NATS subject.
 *
 * @param text any text
 */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/**
 * Whether a name is one that users cannot take: the server's own, or one that it gives to guests.
 *
 * @param name the name of a user
 */
export function isReserved(name: string): boolean {
  return keyOf(name) === "server" || GUEST.test(name);
}

/**
 * The key under which a name is kept. Names that differ only in case are the same.
 *
 * @param name the name of a user or a room
 */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/**
 * The name of a user who has not chosen one.
 *
 * @param number 1 or more
 */
export function guestName(number: number): string {
  return `guest-${number}`;
}
