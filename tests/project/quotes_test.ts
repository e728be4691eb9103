/**
 * The code that the lessons quote is what the scripts say today.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import {
  fillTables,
  lessons,
  quoteAll,
  QuoteError,
  quoteEverything,
  quoteOf,
} from "../../scripts/quotes.ts";
import type { Measured } from "../../site/measured.ts";
import { formatBytes } from "../../engine/values/units.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows, test } from "../kit/harness.ts";

const root = new URL("../../", import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

let seen = 0;
for (const path of lessons()) {
  if (!/<!-- (?:quote|measured|stated|exports) /.test(read(path))) continue;
  seen++;
  test(`${path} quotes what is true today (if not: deno task quotes)`, () => {
    const text = read(path);
    assertEquals(text, quoteEverything(text));
  });
}

test("there is a lesson that quotes", () => assert(seen > 0));

const CODE = `before();
onThread("a", {
  one() {
    for (const fd of all) {

      serve(fd);
    }
  },
});

if (one) {
  two();
} else {
  three();
}
last();
`;

test("a quote is one statement, to the bracket that closes it", () => {
  assertEquals(quoteOf(CODE, "before"), "before();");
  assertEquals(quoteOf(CODE, "for ("), "for (const fd of all) {\n\n  serve(fd);\n}");
  assertEquals(quoteOf(CODE, "serve("), "serve(fd);");
  assertEquals(quoteOf(CODE, "if ("), "if (one) {\n  two();\n} else {\n  three();\n}");
  assertEquals(quoteOf(CODE, "onThread("), CODE.split("\n").slice(1, 9).join("\n"));
  assertEquals(quoteOf(CODE, "last"), "last();");
});

const LESSON = `A page.

<!-- quote a.ts: serve( -->

\`\`\`ts
serve(it);
\`\`\`

The end.
`;

test("a document that differs from the code by one character is written anew", () => {
  const today = quoteAll(LESSON, () => CODE);
  assertEquals(today, LESSON.replace("serve(it)", "serve(fd)"));
  assertEquals(quoteAll(today, () => CODE), today);
  const tomorrow = quoteAll(today, () => CODE.replace("serve(fd)", "serve(fd, more)"));
  assertEquals(tomorrow, LESSON.replace("serve(it)", "serve(fd, more)"));
});

test("a quote of a line that is gone, or that is there twice, is an error", () => {
  for (const code of ["", "serve(1);\nserve(2);\n"]) {
    const { message } = assertThrows(() => quoteAll(LESSON, () => code), QuoteError);
    assertEquals(
      message,
      `Cannot quote a.ts: ${code === "" ? 0 : 2} lines begin with "serve("`,
    );
  }
  const bare = LESSON.replace("```ts", "```sh");
  assertThrows(() => quoteAll(bare, () => CODE), QuoteError, "no block of code");
});

const MEASURED = {
  facts: { end: [{ what: "is over", predicted: "soon", measured: null }] },
  recordings: {
    pool: [
      { name: "one", predicted_us: 100_000, measured_us: 123_456, waited_us: 0, waited_for: null },
      { name: "two", predicted_us: null, measured_us: 512, waited_us: 1_500, waited_for: "one" },
    ],
    shut: [
      {
        name: "late",
        predicted_us: 20,
        measured_us: 1_000_000,
        waited_us: 0,
        waited_for: null,
        was_refused: true,
        refusal_predicted: true,
      },
    ],
  },
} as unknown as Measured;

test("a table shows what was predicted beside what was measured", () => {
  const text = "Before.\n\n<!-- measured pool -->\n\n| old |\n| --- |\n\nBehind.\n";
  const filled = fillTables(text, MEASURED);
  assertEquals(
    filled,
    `Before.

<!-- measured pool -->

| client | predicted | measured |   waited for |
| ------ | --------: | -------: | -----------: |
| one    |    100 ms |   123 ms |       nobody |
| two    |         – |   512 µs | one, 1.50 ms |

Behind.
`,
  );
  assertEquals(fillTables(filled, MEASURED), filled);
  const cells = (name: string) =>
    fillTables(`<!-- measured ${name} -->\n\n`, MEASURED).split("\n")[4]?.replaceAll(/ +/g, " ");
  assertEquals(cells("shut"), "| late | refused after 20 µs | refused after 1.00 s | nobody |");
  assertEquals(cells("end"), "| is over | soon | – |");
  assertThrows(
    () => fillTables(text.replace("pool", "pond"), MEASURED),
    QuoteError,
    'Cannot fill in pond: nothing was measured of "pond"',
  );
});

test("a paragraph that states a figure is written from what was measured, or not at all", () => {
  const measured: Measured = JSON.parse(read("site/measured.json"));
  const text = "<!-- stated ten-thousand -->\n\n:::\n";
  const filled = fillTables(text, measured);
  const bytes = measured.costs["bun"]?.idle_event_bytes ?? NaN;
  assertStringIncludes(filled.replaceAll("\n", " "), `${formatBytes(10_000 * bytes)} on Bun`);
  assert(filled.endsWith("\n\n:::\n"), filled);
  assert(filled.split("\n").every((line) => line.length <= 100), filled);
  assertEquals(fillTables(filled.replace(/\btake .*/, "take 1 MiB."), measured), filled);
  const without = { ...measured, loads: { ...measured.loads, messages: [] } };
  assertThrows(() => fillTables("<!-- stated fewer-calls -->\n\n", without), QuoteError);
  const slow = measured.loads.messages.map((load) => ({ ...load, rate: 1 }));
  assertThrows(
    () =>
      fillTables("<!-- stated fifty-clients -->\n\n", {
        ...measured,
        loads: { ...measured.loads, messages: slow },
      }),
    QuoteError,
    "does not follow",
  );
});
