/**
 * The steps of a conversation: what `yield*` does with each of them.
 *
 * @module
 */

import {
  compute,
  type Effect,
  Input,
  PeerGoneError,
  type Protocol,
  read,
  readLine,
  readWithin,
  report,
  type Step,
  write,
  writeLine,
} from "../../protocol.ts";
import { madeHere, tracedSteps } from "../../protocols/asked_here.ts";
import { assert, assertEquals, assertInstanceOf, test } from "../kit/harness.ts";
import { bytesOf, hold, Talk } from "../kit/conversation.ts";

const pure = { pure: true };

/** Every step: what it asks for, and what it returns when the driver gives it `answer`. */
const STEPS: readonly {
  readonly name: string;
  readonly make: () => Step<unknown>;
  readonly effect: Effect;
  readonly answer: unknown;
  readonly result: unknown;
}[] = [
  { name: "read", make: read, effect: { kind: "read" }, answer: null, result: null },
  {
    name: "readWithin",
    make: () => readWithin(7),
    effect: { kind: "read", withinMs: 7 },
    answer: undefined,
    result: undefined,
  },
  {
    name: "write",
    make: () => write(bytesOf("x")),
    effect: { kind: "write", bytes: bytesOf("x") },
    answer: undefined,
    result: undefined,
  },
  {
    name: "writeLine",
    make: () => writeLine(bytesOf("x")),
    effect: { kind: "write", bytes: bytesOf("x\n") },
    answer: undefined,
    result: undefined,
  },
  {
    name: "compute",
    make: () => compute("sum", [1, 2]),
    effect: { kind: "compute", task: "sum", argument: [1, 2] },
    answer: 3,
    result: 3,
  },
  {
    name: "report",
    make: () => report("x"),
    effect: { kind: "report", message: "x" },
    answer: undefined,
    result: undefined,
  },
  {
    name: "readLine",
    make: () => readLine(new Input(), { limit: 9 }),
    effect: { kind: "read" },
    answer: bytesOf("x\n"),
    result: bytesOf("x"),
  },
];

/** A conversation of one step, which notes how the step ended. */
function* around(step: Step<unknown>, notes: unknown[]): Protocol<unknown> {
  try {
    return yield* step;
  } catch (error) {
    notes.push(error);
    return "caught";
  } finally {
    notes.push("finally");
  }
}

for (const { name, make, effect, answer, result } of STEPS) {
  test(`${name} asks once, and returns the answer`, () => {
    const notes: unknown[] = [];
    const conversation = around(make(), notes);
    assertEquals(conversation.next(), { done: false, value: effect });
    assertEquals(conversation.next(answer), { done: true, value: result });
    assertEquals(notes, ["finally"]);
  }, pure);

  test(`an error of the driver is thrown where the protocol waits in ${name}`, () => {
    const notes: unknown[] = [];
    const conversation = around(make(), notes);
    conversation.next();
    const error = new Error("of the driver");
    assertEquals(conversation.throw(error), { done: true, value: "caught" });
    assert(notes[0] === error);
    assertEquals(notes[1], "finally");
  }, pure);

  test(`a conversation that is ended while it waits in ${name} cleans up`, () => {
    const notes: unknown[] = [];
    const conversation = around(make(), notes);
    conversation.next();
    assertEquals(conversation.return("ended"), { done: true, value: "ended" });
    assertEquals(notes, ["finally"]);
  }, pure);
}

/** Reads two lines, each with its words for the error. */
function* twoLines(): Protocol<readonly string[]> {
  const input = new Input();
  const text = new TextDecoder();
  const first = text.decode(yield* readLine(input, { limit: 9, during: "the first" }));
  const second = text.decode(yield* readLine(input, { limit: 9, during: "the second" }));
  return [first, second];
}

test("readLine reads no more than it needs", () => {
  const both = hold(twoLines(), ["a\nb\n"]);
  assertEquals([both.result, both.reads], [["a", "b"], 1]);
  const apart = hold(twoLines(), ["a\n", "b\n"]);
  assertEquals([apart.result, apart.reads], [["a", "b"], 2]);
  const cut = hold(twoLines(), ["a\nb", "\n"]);
  assertEquals([cut.result, cut.reads], [["a", "b"], 2]);
}, pure);

test(
  "readLine says what was going on when the FIN came, if the protocol gives it the words",
  () => {
    const { error } = hold(twoLines(), ["a\nb"]);
    assertInstanceOf(error, PeerGoneError);
    assertEquals(error.during, "the second");
    const silent = hold(around(readLine(new Input(), { limit: 9 }), []), ["b"]);
    assertEquals([silent.result, silent.error], [null, undefined]);
  },
  pure,
);

test("readLine takes unended bytes as a message when nothing follows within the grace", () => {
  const options = { limit: 9, graceMs: 5, isComplete: () => true, during: "reading" };
  for (const after of [undefined, null]) {
    const talk = new Talk(around(readLine(new Input(), options), []));
    assertEquals(talk.withinMs, undefined);
    talk.answer(bytesOf("whole"));
    assertEquals(talk.withinMs, 5);
    talk.answer(after);
    assertEquals(new TextDecoder().decode(talk.result as Uint8Array), "whole");
  }
}, pure);

test("an error of a driver learns who has asked, and no trace grows without end", () => {
  const told = (error: Error) => {
    const talk = new Talk(function* asking(): Protocol {
      yield* read();
    }());
    // A driver makes its error in a place of its own.
    talk.throw(error);
    assertEquals(talk.error, error, "it is the same error");
    return String(error.stack);
  };
  const error = new TypeError("refused");
  assert(!String(error.stack).includes("asking"));
  assert(told(error).includes("asking"));
  for (let times = 0; times < 100; times++) told(error);
  assert(told(error).length < 20_000);
  // What peers do is nobody's mistake, and happens often.
  assert(!told(new PeerGoneError("waiting")).includes("asking"));
  // Where its trace cannot be written, it is passed on as it is.
  told(Object.freeze(new TypeError("frozen")));
}, pure);

test(
  "a step without its star is told with its place the second time, after a thousand others too",
  () => {
    const tell = () => {
      const talk = new Talk(function* asking(): Protocol {
        for (let times = 0; times < 1_000; times++) yield* report("more");
        yield write(bytesOf("x")) as unknown as Effect;
      }());
      return String((talk.error as Error).stack);
    };
    tell();
    assert(tell().includes("asking"));
  },
  pure,
);

test("once no more steps are traced, the last one is let go", () => {
  const keeps = (step: unknown) => {
    const error = new Error("made");
    const before = String(error.stack);
    return madeHere(error, step).stack !== before;
  };
  new Talk(function* (): Protocol {
    yield report("x") as unknown as Effect;
  }());
  let last: unknown = report("x");
  assert(keeps(last));
  while (tracedSteps > 0) last = report("x");
  assert(!keeps(last));
}, pure);

test("an unfinished message at the FIN is not returned, and can still be taken", () => {
  const talk = hold(
    (function* (): Protocol {
      const input = new Input();
      for (;;) {
        const line = yield* readLine(input, { limit: 9 });
        if (line !== null) continue;
        if (input.length > 0) yield* write(input.takeAll());
        return;
      }
    })(),
    [bytesOf("one\ntw"), bytesOf("o")],
  );
  assertEquals(talk.text, "two");
}, pure);
