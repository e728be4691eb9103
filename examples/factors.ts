/**
 * A whole protocol of one's own: the server's side, work that computes, what each server of it must
 * do, and a load. A line is a number, and the answer is its prime factors: to `84` it is `2 2 3 7`.
 * @module
 */
import * as protocol from "handshake/protocol";

/** The largest number. Whoever factors it divides ten million times. */
const MOST = 99_999_999_999_999;

/** How many divisors are tried in one slice: a millisecond or so of work. */
const SLICE = 100_000;

/** Work that computes, by name. Between two slices, at a `yield`, the driver may stop it. */
export const tasks = {
  *factor(number: number): Generator<void, string> {
    const factors: number[] = [];
    let rest = number;
    for (let from = 2; from * from <= rest; from += SLICE) {
      rest = divide(rest, from, factors);
      yield;
    }
    return [...factors, ...(rest > 1 ? [rest] : [])].join(" ");
  },
};

/** One slice. The loop that takes the time is in no generator, where Bun may run it far slower. */
function divide(rest: number, from: number, factors: number[]): number {
  for (let divisor = from; divisor < from + SLICE && divisor * divisor <= rest; divisor++) {
    for (; rest % divisor === 0; rest /= divisor) factors.push(divisor);
  }
  return rest;
}

/** The server's side: one conversation, from its first byte to its last. */
export default function* factors(): protocol.Protocol {
  const input = new protocol.Input();
  for (;;) {
    const line = yield* protocol.readLine(input, { limit: 64 });
    if (line === null) return; // the client's FIN
    const text = new TextDecoder().decode(line);
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    const answer = number >= 2 && number <= MOST
      ? yield* protocol.compute<string>("factor", number)
      : `ERR expected 2 to ${MOST}`;
    yield* protocol.write(protocol.encodeLine(answer));
  }
}

/** What `conform` demands: conversations, and mistakes after which a server goes on. */
export const conformance: protocol.Conformance = {
  examples: [
    { section: "lines", name: "84", turns: [{ send: "84\n", expect: "2 2 3 7\n" }], repeats: true },
    { section: "lines", name: "a prime", turns: [{ send: "97\n", expect: "97\n" }] },
  ],
  mistakes: [
    { section: "errors", name: "no number", turns: [{ send: "seven\n", expect: /^ERR expected/ }] },
  ],
};

/** What `bench` does: one run is one request and its answer. It throws if that is wrong. */
export function* load({ input, random }: protocol.LoadContext): protocol.Protocol {
  const number = random.between(2, 1_000) * random.between(2, 1_000); // so it is no prime
  yield* protocol.write(protocol.encodeLine(`${number}`));
  const line = yield* protocol.readLine(input, { limit: 64, during: "waiting for the factors" });
  const found = new TextDecoder().decode(line).split(" ").map(Number);
  if (found.length > 1 && found.reduce((a, b) => a * b) === number) return;
  throw new Error(`Cannot accept the answer: the factors of ${number} are not ${found.join(" ")}`);
}
