/**
 * Prime Time, problem 1 of Protohackers: the answer to `{"method":"isPrime","number":7}` and a line
 * feed is `{"method":"isPrime","prime":true}`. Any other line ends the conversation. Try
 * `deno run -A modes/event.ts 8080 --protocol examples/prime_time.ts`, and connect with `nc`.
 * @module
 */
import * as protocol from "handshake/protocol";

/** CPU-bound work by name. It runs in place, or in Workers that import this module too. */
export const tasks = { isPrime: (n: bigint) => n >> 64n ? isLikelyPrime(n) : protocol.isPrime(n) };

/** One conversation, from its first byte to its last. `yield*` asks for all that takes time. */
export default function* primeTime(): protocol.Protocol {
  const input = new protocol.Input();
  try {
    for (;;) {
      const line = yield* protocol.readLine(input, { limit: 1024 }); // so no number is endless
      if (line === null) return;
      const prime = yield* protocol.compute("isPrime", parseRequest(line));
      yield* protocol.write(protocol.encodeLine(JSON.stringify({ method: "isPrime", prime })));
    }
  } catch (error) {
    const isMistake = ["malformed", "too long"].includes(protocol.failureKind(error));
    if (isMistake) yield* protocol.write(protocol.encodeLine('{"method":"malformed"}'));
    throw error; // for the log; perhaps the peer has gone, or the time is over
  }
}

function parseRequest(line: Uint8Array): bigint {
  try {
    const { method, number } = JSON.parse(new TextDecoder().decode(line), revive as () => unknown);
    if (method === "isPrime" && typeof number === "bigint") return number;
  } catch { /* It is not JSON, or it is `null`. */ }
  throw new protocol.MalformedMessageError('a request "isPrime"', protocol.escapeBytes(line, 24));
}

/** The exact integer, from its text (TypeScript does not know that argument); 0 if it is none. */
function revive(_key: string, value: unknown, { source }: { source: string }): unknown {
  if (typeof value !== "number") return value;
  const [, whole = "", fraction = "", exponent = ""] = /^(\d+)\.?(\d*)e?(.*)$/i.exec(source) ?? [];
  const digits = (whole + fraction).replace(/0+$/, "");
  // With more zeros after the digits it is a multiple of ten; with fewer than none, a fraction.
  return whole.length - digits.length + Number(exponent) === 0 ? BigInt(digits) : 0n;
}

/** The test of Miller and Rabin. Beyond 64 bits, trial division would take years. */
function* isLikelyPrime(n: bigint): Generator<void, boolean> {
  for (const base of [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]) {
    if (!passes(n, base)) return false;
    yield; // the driver may stop it here
  }
  return true;
}

/** One slice. The loop that takes the time is in no generator, where Bun may run it far slower. */
function passes(n: bigint, base: bigint): boolean {
  let [power, root] = [1n, 1n];
  for (const bit of (n - 1n).toString(2)) {
    [root, power] = [power, power * power % n];
    if (power === 1n && root !== 1n && root !== n - 1n) return false;
    if (bit === "1") power = power * base % n;
  }
  return power === 1n;
}
