/**
 * The definition of a protocol as data: conversations that a server must hold, and what it may do
 * besides. `lab/conform.ts` checks any server against it.
 *
 * A protocol of your own exports it beside its server's side, or in a module of its own:
 *
 * ```ts
 * import type { Conformance } from "./conformance.ts";
 *
 * export const conformance: Conformance = {
 *   examples: [{
 *     section: "lines",
 *     name: "a key that was set is found",
 *     turns: [
 *       { send: "SET colour blue\n", expect: "OK\n" },
 *       { send: "GET colour\n", expect: "blue\n" },
 *     ],
 *     repeats: true,
 *   }],
 *   mistakes: [{
 *     section: "errors",
 *     name: "an unknown command",
 *     turns: [{ send: "FLY\n", expect: /^ERR / }],
 *   }],
 * };
 * ```
 *
 * @module
 */

/** What is said: text, which is sent as UTF-8, or bytes. */
export type Words = string | Uint8Array;

/**
 * What must come. Words must come exactly so, and the server may cut them anywhere. A regular
 * expression must match the next line, without its line end.
 */
export type Expected = Words | RegExp;

/** One turn of a conversation: what the client does, and what must come of it. */
export interface Turn {
  /**
   * Which client, where there are several: a word. A client connects at its first turn.
   *
   * @default {"client"}
   */
  readonly client?: string;
  /** What the client sends. Left out where the server speaks by itself. */
  readonly send?: Words;
  /** Whether the client sends FIN after that. It still reads. @default {false} */
  readonly finish?: boolean;
  /** What must come then. Left out where nothing is waited for. */
  readonly expect?: Expected;
  /** What must come, in words, where a regular expression would tell people too little. */
  readonly means?: string;
  /** Whether the server must close then, with FIN and without another byte. @default {false} */
  readonly closes?: boolean;
  /** What the server must have printed then, on a line of its standard output, if that is seen. */
  readonly prints?: string;
  /** What may come instead. The server is right then, but not strict. */
  readonly lenient?: readonly Leniency[];
}

/** An answer that the definition does not ask for, but that does no harm. */
export interface Leniency {
  /** What comes instead. Nothing if left out. */
  readonly expect?: Expected;
  /** Whether the server closes after it. @default {false} */
  readonly closes?: boolean;
  /** What the user is told, in words. */
  readonly because: string;
}

/** A conversation, and what it shows. */
export interface Example {
  /** The section of the definition that it is about. */
  readonly section: string;
  /** What it shows, in a few words. */
  readonly name: string;
  /** The conversation, after the {@linkcode Conformance.greeting}. */
  readonly turns: readonly Turn[];
  /**
   * Whether the client may cut and join what it sends in any way. Then the example is checked in
   * other framings too: split at every position, a byte at a time, all in one write, and with FIN
   * behind it. An example with several clients, or one that is large, is never cut.
   *
   * @default {true}
   */
  readonly framings?: boolean;
  /** Whether the turns can be repeated on one connection. @default {false} */
  readonly repeats?: boolean;
}

/** What a server must do to conform to a protocol. */
export interface Conformance {
  /** What the server says first on each connection. */
  readonly greeting?: readonly Turn[];
  /** Conversations as they should be. The first one is what honest clients do while others attack. */
  readonly examples: readonly Example[];
  /** Conversations in which the client makes a mistake. The next client must be served all the same. */
  readonly mistakes?: readonly Example[];
  /**
   * What a client does to be served and to stay, after the greeting: so many clients can be counted
   * at once. By default it is the first turn of the first example that expects an answer.
   */
  readonly stays?: readonly Turn[];
  /** Lines that may come at any time, and that are not about the client. */
  readonly ignores?: RegExp;
  /** Bytes that never become a whole message. @default {"x" again and again} */
  readonly endless?: Words;
}
