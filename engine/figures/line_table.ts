/**
 * `<line-table>`: the lines of a chat, and when each of them has reached which user.
 *
 * ```html
 * <line-table src="chat.jsonl" names="Ann|Bob|Cid"></line-table>
 * ```
 *
 * @module
 */

import type { LineEvent } from "../recording/events.ts";
import { formatTime } from "../values/units.ts";
import { define, make } from "./element.ts";
import { inOrder, type Line } from "./lines.ts";
import { type FigureFrame, RecordingFigure } from "./recording_figure.ts";

/** The most lines and users that are shown. */
const MOST_LINES = 24;
const MOST_USERS = 12;

const STYLE = `
table { min-width: max-content; }
th, td { padding: 0.3rem 0.6rem; }
td { white-space: nowrap; }
.says { font-weight: 600; color: var(--figure-accent); }
.hears { color: var(--figure-computing); }
.never { color: var(--figure-rst); }
`;

/** A line, and whom it has reached. */
export interface SpreadLine {
  /** Its number. */
  readonly line: number;
  /** Who has said it: an address; `undefined` if that was not seen. */
  readonly speaker: string | undefined;
  /** How long it took to each who has heard it, by address, in microseconds. */
  readonly heard: ReadonlyMap<string, number>;
}

/** The lines of a chat, and its users. */
export interface Spread {
  /** The users by their addresses, in the order in which they came. */
  readonly users: readonly string[];
  /** The lines, in the order in which they were said. */
  readonly lines: readonly SpreadLine[];
}

/**
 * Finds out which line has reached whom.
 *
 * @param lines the recording
 */
export function spreadOf(lines: readonly Line[]): Spread {
  const sorted = inOrder(lines);
  const users = sorted.flatMap((line) => line.type === "begun" ? [line.peer] : []);
  const events = sorted.filter((line): line is LineEvent => line.type === "line");
  const said = new Map<number, { at: number; speaker: string; heard: Map<string, number> }>();
  for (const { line, at, peer, does } of events) {
    if (does === "says") said.set(line, { at, speaker: peer, heard: new Map() });
  }
  for (const { line, at, peer, does } of events) {
    const known = said.get(line);
    if (does === "hears") known?.heard.set(peer, Math.max(0, at - known.at));
  }
  return {
    users,
    lines: [...said].map(([line, { speaker, heard }]) => ({ line, speaker, heard })),
  };
}

/** The lines of a chat. */
export class LineTable extends RecordingFigure {
  protected override readonly frame: FigureFrame = {
    style: STYLE,
    label: "Which line has reached whom",
  };

  protected override drawIn(body: HTMLElement): void {
    if (this.lines.length === 0) return;
    const spread = spreadOf(this.lines);
    const users = spread.users.slice(0, MOST_USERS);
    const lines = spread.lines.slice(0, MOST_LINES);
    if (lines.length === 0) {
      body.replaceChildren(make("p", { class: "note", text: "Nobody has said a line." }));
      return;
    }
    const name = (index: number) => this.names[index] ?? `user ${index + 1}`;
    const heads = ["line", ...users.map((_, index) => name(index))].map((text) =>
      make("th", { text, attributes: { scope: "col" } })
    );
    const rows = lines.map((line) =>
      make("tr", {
        children: [
          make("th", { text: String(line.line), attributes: { scope: "row" } }),
          ...users.map((user) => make("td", cellOf(line, user))),
        ],
      })
    );
    const left = [
      ...spread.users.length > users.length ? [`${spread.users.length - users.length} users`] : [],
      ...spread.lines.length > lines.length ? [`${spread.lines.length - lines.length} lines`] : [],
    ];
    body.replaceChildren(
      make("div", {
        class: "scroll",
        attributes: { tabindex: "0", role: "group", "aria-label": "Lines and users" },
        children: [make("table", {
          children: [
            make("thead", { children: [make("tr", { children: heads })] }),
            make("tbody", { children: rows }),
          ],
        })],
      }),
      ...left.length === 0
        ? []
        : [make("p", { class: "note", text: `${left.join(" and ")} more are not shown.` })],
    );
  }
}

function cellOf({ speaker, heard }: SpreadLine, user: string): { class: string; text: string } {
  if (user === speaker) return { class: "says", text: "says it" };
  const us = heard.get(user);
  if (us === undefined) return { class: "never", text: "has not read it" };
  return { class: "hears", text: formatTime(us) };
}

define("line-table", LineTable);
