/**
 * The exit statuses of every program of this project, in one table.
 *
 * @module
 */

/** Everything was done. */
export const EXIT_DONE = 0;

/** Something failed: a conversation, or a server that could not start. */
export const EXIT_FAILED = 1;

/** The command line was wrong. */
export const EXIT_USAGE = 2;

/** No connection to the server could be made. */
export const EXIT_NOT_CONNECTED = 3;

/** Something took too long. */
export const EXIT_TIMED_OUT = 4;

/** A threshold of the bench was not met. */
export const EXIT_THRESHOLD = 99;

/** A signal ended the program before it was done: 128 + SIGINT, as shells count. */
export const EXIT_SIGNALLED = 130;
