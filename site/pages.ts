/**
 * The table of the pages, in the order in which to read them. The sidebar is made of it, and the
 * tests look through it.
 *
 * @module
 */

/** A page. */
export interface Page {
  /** Its file, relative to this folder. */
  readonly file: string;
  /** What it is called in the sidebar. */
  readonly title: string;
  /**
   * Whether it teaches one idea. Such a page has all the parts of a lesson, in their order: see
   * {@linkcode PARTS}.
   */
  readonly isLesson: boolean;
}

/** Pages that belong together. */
export interface Chapter {
  /** What it is called in the sidebar. */
  readonly title: string;
  /** Its pages, in their order. */
  readonly pages: readonly Page[];
}

/** The most words that a lesson may have. What a reader reads counts: no code, no markup. */
export const MOST_WORDS = 900;

/**
 * The most commands that a lesson may have. The one below a figure, which makes the reader's own
 * recording, is not counted.
 */
export const MOST_COMMANDS = 2;

/** The headings of a lesson, in their order. Others may stand between them. */
export const PARTS = [
  /** The failure of the page before, reproduced by a command, with what it prints. */
  "What fails",
  /** A question, and behind it the figure. */
  "Predict",
  /** The idea, with code that is quoted from its file. */
  "The idea",
  /** What the simulator predicts beside what was measured, and the reader's own recording. */
  "Yours and ours",
  /** The simulator with its knobs. */
  "Play",
  /** What to try. */
  "Experiment",
  /** A command or a question whose answer is decided by doing it. */
  "Check",
] as const;

function lesson(name: string, title: string): Page {
  return { file: `lessons/${name}.md`, title, isLesson: true };
}

function page(name: string, title: string): Page {
  return { file: `${name}.md`, title, isLesson: false };
}

/** All pages. */
export const CHAPTERS: readonly Chapter[] = [
  {
    title: "Begin",
    pages: [
      page("index", "Five minutes"),
      page("start", "Install and start"),
      page("which-model", "Which model shall I use?"),
      page("own-protocol", "A protocol of your own"),
    ],
  },
  {
    title: "The models",
    pages: [
      lesson("sequential", "Sequential"),
      lesson("threaded", "A thread for each"),
      lesson("threadpool", "A pool of threads"),
      lesson("event", "An event loop"),
      lesson("nonblocking", "The loop written out"),
      lesson("cluster", "Several loops"),
      lesson("prefork", "Processes"),
      lesson("completion", "Completions"),
    ],
  },
  {
    title: "What lies beneath",
    pages: [
      lesson("accept-queue", "The accept queue"),
      lesson("handshake", "The handshake"),
      lesson("closing", "Closing"),
      lesson("blocking-and-readiness", "Blocking and readiness"),
      lesson("back-pressure", "Back-pressure"),
      lesson("off-loading", "Off-loading"),
      lesson("cost-of-a-thread", "The cost of a thread"),
      lesson("closing-a-server", "Closing a server"),
      lesson("measuring", "Measuring"),
      lesson("chat-and-fan-out", "Chat and fan-out"),
    ],
  },
  {
    title: "Look up and teach",
    pages: [
      page("common-errors", "Common errors"),
      page("failures", "Failures and attacks"),
      page("glossary", "Glossary"),
      page("teachers", "For teachers"),
    ],
  },
];

/** All pages, one after another. */
export const PAGES: readonly Page[] = CHAPTERS.flatMap(({ pages }) => pages);

/** The pages that teach one idea each. */
export const LESSONS: readonly Page[] = PAGES.filter(({ isLesson }) => isLesson);
