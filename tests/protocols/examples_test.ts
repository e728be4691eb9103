/**
 * The examples without a network.
 *
 * @module
 */

import fc from "fast-check";
import factors, { tasks as factorTasks } from "../../examples/factors.ts";
import kv from "../../examples/kv.ts";
import primeTime, { tasks } from "../../examples/prime_time.ts";
import { failureKind, MessageTooLongError } from "../../protocol.ts";
import { assertEquals, assertInstanceOf, test } from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";

const pure = { pure: true };

// Prime Time.

const ask = (number: string) => `{"method":"isPrime","number":${number}}\n`;
const answer = (prime: boolean) => `{"method":"isPrime","prime":${prime}}\n`;
const MALFORMED = '{"method":"malformed"}\n';

/** The answers to a client that sends this, then FIN. */
const answers = (text: string) => hold(primeTime(), [bytesOf(text)], tasks).text;

const NUMBERS: readonly (readonly [string, boolean])[] = [
  ["7", true],
  ["8", false],
  ["0", false],
  ["1", false],
  ["2", true],
  ["-7", false],
  ["-0", false],
  ["7.5", false],
  ["0.7", false],
  ["7.0", true],
  ["7.000e0", true],
  ["0.07e2", true],
  ["1.30E+1", true],
  ["20e-1", true],
  ["70e-2", false],
  ["7e1", false],
  ["1e400", false],
  ["1e999999999", false],
  ["1e-999999999", false],
  ["9007199254740993", false],
  ["18446744073709551615", false],
  ["18446744073709551616", false],
  ["18446744073709551629", true],
  ["170141183460469231731687303715884105727", true],
  ["170141183460469231731687303715884105729", false],
  // 2^67 - 1, which Mersenne believed to be prime, and a Carmichael number.
  ["147573952589676412927", false],
  ["1590231231043178376951698401", false],
  ["7".repeat(900), false],
];

for (const [number, prime] of NUMBERS) {
  const shown = number.length > 40 ? `a number of ${number.length} digits` : number;
  test(`prime_time says that ${shown} is ${prime ? "" : "not "}prime`, () => {
    assertEquals(answers(ask(number)), answer(prime));
  }, pure);
}

test("prime_time ignores the order of a request's fields, and other fields", () => {
  const request = '{ "x": [{ "number": "seven" }, null], "number" : 7, "method": "isPrime" }\r\n';
  assertEquals(answers(request), answer(true));
}, pure);

for (
  const request of [
    "",
    "{}",
    "null",
    "7",
    "[]",
    '"isPrime"',
    "{",
    "isPrime 7",
    '{"method":"isPrime"}',
    '{"number":7}',
    '{"method":"isprime","number":7}',
    '{"method":7,"number":7}',
    '{"method":"isPrime","number":"7"}',
    '{"method":"isPrime","number":true}',
    '{"method":"isPrime","number":null}',
    '{"method":"isPrime","number":[7]}',
    '{"method":"isPrime","number":{"source":"7"}}',
    '{"method":"isPrime","number":07}',
    '{"method":"isPrime","number":7}}',
  ]
) {
  test(`prime_time answers ${request || "an empty line"} as malformed, and ends`, () => {
    const talk = new Talk(primeTime(), tasks);
    talk.answer(bytesOf(`${ask("7")}${request}\n${ask("8")}`));
    assertEquals([talk.text, talk.over], [answer(true) + MALFORMED, true]);
    assertEquals(failureKind(talk.error), "malformed");
  }, pure);
}

test("prime_time refuses a line without end when more than 1024 bytes have come", () => {
  const talk = new Talk(primeTime(), tasks);
  talk.answer(bytesOf("7".repeat(1024)));
  assertEquals(talk.over, false);
  talk.answer(bytesOf("7"));
  assertEquals(talk.text, MALFORMED);
  assertInstanceOf(talk.error, MessageTooLongError);
}, pure);

test("prime_time calls nothing malformed but what the client sent", () => {
  const talk = new Talk(primeTime(), tasks);
  talk.throw(new Error("The driver's own"));
  assertEquals([talk.text, talk.over], ["", true]);
  assertEquals(answers('{"method":'), "", "an unfinished line at FIN");
}, pure);

test("prime_time answers in order, however the bytes are cut", () => {
  const numbers = fc.array(fc.integer({ min: -9, max: 10_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(numbers, fc.integer({ min: 1, max: 50 }), (numbers, length) => {
    const sent = bytesOf(numbers.map((number) => ask(String(number))).join(""));
    const talk = hold(primeTime(), cut(sent, [length]), tasks);
    assertEquals(talk.text, numbers.map((number) => answer(naive(number))).join(""));
  }));
}, pure);

test("prime_time knows products of two primes beyond 64 bits", () => {
  for (const [p, q] of [[4_294_967_311n, 4_294_967_357n], [4_294_967_311n, 4_294_967_311n]]) {
    assertEquals(answers(ask(String((p as bigint) * (q as bigint)))), answer(false));
  }
}, pure);

function naive(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n >= 2;
}

// The key-value store. All connections share it, so each test uses other keys.

/** The answers to a client that sends these lines, then FIN. */
function store(...lines: string[]): string[] {
  return hold(kv(), [bytesOf(lines.map((line) => `${line}\n`).join(""))]).text.split("\n").slice(
    0,
    -1,
  );
}

test("kv sets, gets and deletes", () => {
  assertEquals(
    store("GET a", "SET a 1", "GET a", "SET a 2", "GET a", "DEL a", "DEL a", "GET a"),
    ["(nil)", "OK", "1", "OK", "2", "(integer) 1", "(integer) 0", "(nil)"],
  );
}, pure);

test("kv is shared between connections, and outlives them", () => {
  assertEquals(store("SET shared yes"), ["OK"]);
  assertEquals(store("GET shared", "DEL shared"), ["yes", "(integer) 1"]);
}, pure);

test("kv takes commands in any case, and white space in any amount", () => {
  assertEquals(store("set  b\t1 ", "  gEt b\r", "DEL b"), ["OK", "1", "(integer) 1"]);
}, pure);

test("kv has no keys but those that clients have set", () => {
  assertEquals(store("GET constructor", "GET __proto__", "SET __proto__ 1", "DEL __proto__"), [
    "(nil)",
    "(nil)",
    "OK",
    "(integer) 1",
  ]);
}, pure);

test("kv answers a mistake with an ERR line, and goes on", () => {
  assertEquals(
    store("FLY a", "toString", "SET c", "SET c 1 2", "GET", "DEL c d", "SET\x1b c", "GET c"),
    [
      "ERR unknown command 'FLY'",
      "ERR unknown command 'TOSTRING'",
      "ERR wrong number of arguments for 'SET'",
      "ERR wrong number of arguments for 'SET'",
      "ERR wrong number of arguments for 'GET'",
      "ERR wrong number of arguments for 'DEL'",
      "ERR unknown command 'SET\\x1b'",
      "(nil)",
    ],
  );
}, pure);

test("kv limits the length of keys, values and lines", () => {
  const [key, value] = ["k".repeat(64), "v".repeat(1024)];
  assertEquals(store(`SET ${key} ${value}`, `GET ${key}`, `DEL ${key}`), [
    "OK",
    value,
    "(integer) 1",
  ]);
  assertEquals(store(`SET ${key}k 1`, `SET d ${value}v`, "GET d"), [
    "ERR key too long: at most 64 characters",
    "ERR value too long: at most 1024 characters",
    "(nil)",
  ]);
  const talk = hold(kv(), [bytesOf(`GET d\n${"x".repeat(2050)}`)]);
  assertEquals(talk.text, "(nil)\nERR line too long\n");
  assertInstanceOf(talk.error, MessageTooLongError);
}, pure);

test("kv limits the number of its keys, and has room again when one is deleted", () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `full-${index}`);
  try {
    assertEquals(store(...keys.map((key) => `SET ${key} 1`)), keys.map(() => "OK"));
    assertEquals(store("SET other 1", `SET ${keys[0]} 2`, `GET ${keys[0]}`), [
      "ERR the store is full",
      "OK",
      "2",
    ]);
    assertEquals(store(`DEL ${keys[0]}`, "SET other 1", "DEL other"), [
      "(integer) 1",
      "OK",
      "(integer) 1",
    ]);
  } finally {
    store(...keys.map((key) => `DEL ${key}`));
  }
}, pure);

test("kv gives the same answers however the bytes are cut", () => {
  const sent = bytesOf("SET e 1\nGET e\r\nDEL e\0GET e\n");
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), (length) => {
    assertEquals(hold(kv(), cut(sent, [length])).text, "OK\n1\n(integer) 1\n(nil)\n");
  }));
}, pure);

// Factors.

test("factors answers with the prime factors, however the bytes are cut", () => {
  const numbers = [2, 84, 97, 1_000_000, 99_999_999_999_973];
  const sent = bytesOf(`${numbers.join("\n")}\n1\n100000000000000\nseven\n-6\n84`);
  const error = "ERR expected 2 to 99999999999999\n";
  const expected = `2\n2 2 3 7\n97\n2 2 2 2 2 2 5 5 5 5 5 5\n99999999999973\n${error.repeat(4)}`;
  for (const length of [1, 7, 100]) {
    assertEquals(hold(factors(), cut(sent, [length]), factorTasks).text, expected);
  }
}, pure);
