/**
 * A key-value store in the manner of Redis' inline commands: each line is answered with a line.
 * `SET colour blue` says `OK`, then `GET colour` says `blue`, `DEL colour` says `(integer) 1`, and
 * another `GET colour` says `(nil)`. Try `deno run -A modes/event.ts 8080 --protocol
 * examples/kv.ts`
 *
 * The store is a variable of this module, so all connections of one thread share it. The modes
 * `sequential`, `nonblocking` and `event` have only one such thread. But threads of JavaScript
 * share no variables: in `threaded`, `threadpool`, `cluster` and `berkeley` EACH WORKER HAS ITS OWN
 * STORE, and a client that connects again may find another one.
 * @module
 */
import * as protocol from "handshake/protocol";

const store = new Map<string, string>();

/** The limits of the store: how many keys, and how long keys and values are, in characters. */
const LIMITS = { keys: 10_000, key: 64, value: 1024 };

/** What a client is told for whom there is no room. */
export const refusal = (why: string) => `ERR ${why}`;
export const opening = "client"; // nothing is said before its first line

/** A conversation. It answers mistakes too, and goes on until the client's FIN. */
export default function* kv(): protocol.Protocol {
  const input = new protocol.Input();
  try {
    for (;;) {
      const line = yield* protocol.readLine(input, { limit: 2048 });
      if (line === null) return;
      const [command = "", ...words] = new TextDecoder().decode(line).trim().split(/\s+/);
      yield* protocol.write(protocol.encodeLine(answer(command.toUpperCase(), words)));
    }
  } catch (error) {
    // Nobody knows where the next line begins, so this one is the last.
    const isTooLong = error instanceof protocol.MessageTooLongError;
    if (isTooLong) yield* protocol.write(protocol.encodeLine("ERR line too long"));
    throw error;
  }
}

function answer(command: string, words: readonly string[]): string {
  const [key = "", value = ""] = words;
  const count = { SET: 2, GET: 1, DEL: 1 }[command];
  if (count === undefined) return `ERR unknown command '${protocol.escapeText(command)}'`;
  if (words.length !== count) return `ERR wrong number of arguments for '${command}'`;
  if (key.length > LIMITS.key) return `ERR key too long: at most ${LIMITS.key} characters`;
  if (value.length > LIMITS.value) return `ERR value too long: at most ${LIMITS.value} characters`;
  switch (command) {
    case "SET":
      if (!store.has(key) && store.size >= LIMITS.keys) return "ERR the store is full";
      store.set(key, value);
      return "OK";
    case "DEL":
      return `(integer) ${store.delete(key) ? 1 : 0}`;
    default:
      return store.get(key) ?? "(nil)";
  }
}
