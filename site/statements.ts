/**
 * What the texts say of the figures that were measured, and whether it follows from them.
 *
 * A sentence that has a figure in it is written by `deno task quotes`, below a mark, as the tables are:
 *
 * ```md
 * <!-- stated memory -->
 * ```
 *
 * A sentence without one, which says who is ahead of whom, stands in {@linkcode CLAIMS}. A test finds
 * it in its page, and asks whether it is so.
 *
 * @module
 */

import { wrap } from "../lab/report/screen.ts";
import { formatBytes, formatTime } from "../engine/values/units.ts";
import {
  COLUMNS,
  type Measured,
  type MeasuredCosts,
  MeasuredError,
  type MeasuredLoad,
  NO_BREAK,
} from "./measured.ts";

/** How many clients talk at a time under the loads. */
const CLIENTS = 50;

/** How many people are in the chat of the first of the three loads. */
const PEOPLE = 10_000;

/** The models in which whoever waits has no thread. */
const LOOPS: readonly string[] = ["nonblocking", "completion", "event"];

/** A loop is well ahead if it does so many times as much as any model with a thread for each client. */
const WELL_AHEAD = 1.2;

/** Two loops are alike if the slower one does this part of what the faster one does. */
const ALIKE = 0.9;

/** A loop is not far behind if it does this part of what the best one does. */
const NOT_FAR_BEHIND = 0.8;

/**
 * Paragraphs with figures, by their names. One throws {@linkcode MeasuredError} if what it says does
 * not follow from the figures any more: then it is to be written anew.
 */
const STATEMENTS: Readonly<Record<string, (measured: Measured) => readonly string[]>> = {
  "fifty-clients": fiftyClients,
  "ten-thousand": tenThousand,
  "fewer-calls": fewerCalls,
  "thread-start": threadStart,
};

function fiftyClients(measured: Measured): readonly string[] {
  const { messages } = measured.loads;
  const threads = messages.filter(({ mode }) => !LOOPS.includes(mode) && mode !== "cluster");
  const most = Math.max(...threads.map(({ rate }) => rate));
  const ahead = messages.filter(({ mode }) => LOOPS.includes(mode)).map(({ rate }) => rate / most);
  insist(Math.min(...ahead) > WELL_AHEAD, "the loops are well ahead in messages");
  const [event, prefork] = [loadOf(messages, "event"), loadOf(messages, "prefork")];
  const own = costsOn(measured, "deno").process_bytes ?? NaN;
  insist(CLIENTS * own < (prefork.peak_memory_bytes ?? NaN) / 2, "processes share much memory");
  return [
    `- In messages a loop does ${times(Math.min(...ahead))} to ${
      times(Math.max(...ahead))
    } times ` +
    "as much as the best model with a thread for each client. Fifty threads take turns on a few " +
    "cores, and a loop does not.",
    "- `cluster` cannot show here what it is for. The load needs the same cores, so there is little " +
    "left to win. Measure it with the load on another machine.",
    "- Clients that stay need a thread each in the pools too. So in _messages_ each pool had fifty " +
    "workers, and its memory is that of fifty Workers. With four it is a fraction, and then only " +
    "four clients can stay.",
    "- _Memory_ is what all processes of the server have in memory, at most. What processes share, " +
    "above all the program itself, is counted in each of them. So the figure of `prefork`, " +
    `${formatBytes(prefork.peak_memory_bytes)}, is too large: a process that has served nobody ` +
    `has ${formatBytes(own)} for itself, and fifty have ${formatBytes(CLIENTS * own)}.`,
    `- _Threads_ are all threads of these processes. \`event\` is one loop, and has ` +
    `${event.threads} all the same: nearly all the others are the runtime's own helpers. They ` +
    "compile code, collect garbage, and do what would block the loop, such as reading files. They " +
    "serve no client. Each Worker and each process brings helpers of its own.",
    "- `sequential` serves one connection at a time, so fifty that stay are not for it.",
    "- _CPU each_ is the processor time of the server for a message.",
    "- _B beside A_ is the time of the echo beside the long prime. It shows who makes others wait.",
  ];
}

function tenThousand(measured: Measured): readonly string[] {
  const all = (figure: (costs: MeasuredCosts) => number) =>
    onEach(measured, (costs) => formatBytes(PEOPLE * figure(costs)));
  return [
    "By the table above ten thousand idle connections of `event` " +
    `take ${all((costs) => costs.idle_event_bytes)}, and ten thousand threads of \`threaded\` ` +
    `${all((costs) => costs.thread_bytes)}.`,
  ];
}

function fewerCalls({ loads }: Measured): readonly string[] {
  const [ready, done] = ["nonblocking", "completion"].map((mode) =>
    cpuOf(loadOf(loads.messages, mode))
  ) as [number, number];
  const share = Math.round((1 - done / ready) * 100);
  const saved = share > 0 ? `only ${share} %` : "nothing that can be measured";
  insist(share < 25, "fewer calls save little");
  return [
    "For the simulator `completion` and `nonblocking` are the same, because most of what a message " +
    "costs is TCP itself. The measured difference is small too. A message took " +
    `${formatTime(ready)} of a processor in \`nonblocking\`, and ${formatTime(done)} in ` +
    `\`completion\`. So the many calls that are not made save ${saved}. A system call is not as ` +
    "dear as many texts say.",
  ];
}

function threadStart(measured: Measured): readonly string[] {
  const alone = onEach(measured, (costs) => formatTime(costs.thread_starts_us));
  return [
    "The simulator charges 20 ms for each start. A real one, with nothing beside it, took " +
    `${alone}. The simulator also says that the threads of B and C start on one core, while A ` +
    "computes on the other. A real machine has more to do at that moment: each new thread also " +
    "reads and compiles its code.",
  ];
}

/** A sentence of a page, and when it is so. */
export interface Claim {
  /** The page. */
  readonly file: string;
  /** The sentence, or a part of it. */
  readonly says: string;
  /** Whether it follows from the figures. */
  holds(measured: Measured): boolean;
}

/** What the pages say of the figures without naming one. */
export const CLAIMS: readonly Claim[] = [
  {
    file: "which-model.md",
    says: "come, ask one thing and go, very many in a second",
    holds: ({ loads }) => {
      const order = loads.visits.toSorted((a, b) => b.rate - a.rate).map(({ mode }) => mode);
      return order.slice(0, 3).includes("event") && order.slice(0, 3).includes("cluster");
    },
  },
  {
    file: "which-model.md",
    says: "a loop does more than threads, and the loops differ little",
    holds: ({ loads: { messages } }) => {
      const rates = LOOPS.map((mode) => loadOf(messages, mode).rate);
      const others = messages.filter(({ mode }) => !LOOPS.includes(mode));
      return others.every(({ rate }) => rate * WELL_AHEAD < Math.min(...rates)) &&
        Math.min(...rates) > NOT_FAR_BEHIND * Math.max(...rates);
    },
  },
  {
    file: "which-model.md",
    says: "in messages they are ahead of all others in the table below. They measure alike, and " +
      "`event` is not far behind",
    holds: ({ loads: { messages } }) => {
      const [ready, done, event] = ["nonblocking", "completion", "event"]
        .map((mode) => loadOf(messages, mode).rate) as [number, number, number];
      const [less, more] = [Math.min(ready, done), Math.max(ready, done)];
      return event < less && less > ALIKE * more && event > NOT_FAR_BEHIND * more;
    },
  },
  {
    file: "which-model.md",
    says: "if you pay for processor time, or for the memory of connections that are idle",
    holds: ({ costs, loads: { messages } }) =>
      cpuOf(loadOf(messages, "nonblocking")) < cpuOf(loadOf(messages, "event")) &&
      Object.values(costs).every((its) =>
        (its.idle_nonblocking_bytes ?? Infinity) < its.idle_event_bytes
      ),
  },
  {
    file: "which-model.md",
    says: "to wait costs a few kilobytes, not a thread",
    holds: ({ costs }) =>
      Object.values(costs).every((its) => its.idle_event_bytes < 20_000 && its.thread_bytes > 1e6),
  },
  {
    file: "lessons/threadpool.md",
    says: "on Bun a thread starts faster, so the bar of `threaded` is shorter",
    holds: startsFasterOnBun,
  },
  {
    file: "lessons/cost-of-a-thread.md",
    says: "on Bun the difference is smaller, because a thread starts faster there",
    holds: startsFasterOnBun,
  },
  {
    file: "lessons/cost-of-a-thread.md",
    says: "takes a thousand times as long, more or less",
    holds: ({ costs }) =>
      Object.values(costs).every(({ thread_starts_us }) =>
        thread_starts_us > 300 * THREAD_OF_C_US && thread_starts_us < 3_000 * THREAD_OF_C_US
      ),
  },
  {
    file: "lessons/nonblocking.md",
    says: "A itself takes longer than where the loop computes in place",
    holds: ({ recordings }) => {
      const [away, inPlace] = ["nonblocking", "event-in-place"].map((name) =>
        recordings[name]?.find(({ name }) => name === "long prime")?.measured_us ?? NaN
      ) as [number, number];
      return away > inPlace;
    },
  },
  {
    file: "lessons/prefork.md",
    says: "To start a process takes longer than to start a thread",
    holds: ({ costs }) =>
      Object.values(costs).every((its) => its.process_starts_us > its.thread_starts_us),
  },
  {
    file: "lessons/nonblocking.md",
    says: "Both agree that nobody waits for A",
    holds: ({ recordings }) =>
      recordings["nonblocking"]?.every(({ waited_for }) => waited_for === null) === true,
  },
  {
    file: "lessons/prefork.md",
    says: "Both say what they say of a pool of two: nobody waits for A",
    holds: ({ recordings }) =>
      recordings["prefork"]?.every(({ waited_for }) => waited_for === null) === true,
  },
  {
    file: "lessons/completion.md",
    says: "fifty processes take many times what a loop takes",
    holds: ({ loads }) =>
      bytesOf(loadOf(loads.messages, "prefork")) >
        5 * bytesOf(loadOf(loads.messages, "nonblocking")),
  },
];

/** What a thread of C takes to start, in microseconds, as the page has it. */
const THREAD_OF_C_US = 20;

function startsFasterOnBun(measured: Measured): boolean {
  return costsOn(measured, "bun").thread_starts_us < costsOn(measured, "deno").thread_starts_us;
}

/**
 * The paragraph that a mark asks for.
 *
 * @param measured all that was measured
 * @param name its name
 * @returns lines of Markdown, as `deno fmt` leaves them
 * @throws {MeasuredError} if there is none of that name, or if it is not so any more
 */
export function statementOf(measured: Measured, name: string): string {
  const state = STATEMENTS[name];
  if (state === undefined) throw new MeasuredError(`there is no statement "${name}"`);
  return state(measured).flatMap((text) => {
    const [mark = ""] = /^(?:-|\d+\.) /.exec(text) ?? [];
    // A line never ends inside code or between a number and its unit.
    const kept = text.slice(mark.length).replaceAll(/`[^`]*`/g, unbroken)
      .replaceAll(/\d (?=(?:µs|ms|s|B|KiB|MiB|GiB|%)(?:\W|$))/g, unbroken);
    return wrap(kept, COLUMNS - mark.length).map((line, index) =>
      `${index === 0 ? mark : " ".repeat(mark.length)}${line.replaceAll(NO_BREAK, " ")}`
    );
  }).join("\n");
}

function unbroken(text: string): string {
  return text.replaceAll(" ", NO_BREAK);
}

function insist(isSo: boolean, what: string): void {
  if (!isSo) throw new MeasuredError(`it does not follow from what was measured that ${what}`);
}

/** A text for each runtime, as `1 MiB on Deno and 2 MiB on Bun`. */
function onEach({ costs }: Measured, say: (costs: MeasuredCosts) => string): string {
  return Object.entries(costs)
    .map(([name, its]) => `${say(its)} on ${name.slice(0, 1).toUpperCase()}${name.slice(1)}`)
    .join(" and ");
}

function costsOn({ costs }: Measured, runtime: string): MeasuredCosts {
  const its = costs[runtime];
  if (its === undefined) throw new MeasuredError(`nothing was measured on ${runtime}`);
  return its;
}

function loadOf(loads: readonly MeasuredLoad[], mode: string): MeasuredLoad {
  const load = loads.find((load) => load.mode === mode);
  if (load === undefined) throw new MeasuredError(`${mode} was not measured`);
  return load;
}

function bytesOf({ peak_memory_bytes }: MeasuredLoad): number {
  return peak_memory_bytes ?? NaN;
}

/** The processor time of a message, in microseconds. */
function cpuOf({ cores, rate }: MeasuredLoad): number {
  return (cores ?? NaN) / rate * 1e6;
}

function times(factor: number): string {
  return factor.toFixed(1);
}
