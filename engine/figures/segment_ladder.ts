/**
 * `<segment-ladder>`: the segments between two ends of a connection, one below the other, and beside
 * them what each end's kernel and program did.
 *
 * ```html
 * <segment-ladder src="closing.jsonl"></segment-ladder>
 * ```
 *
 * It is a table, so there is nothing in it that cannot be read.
 *
 * @module
 */

import { formatTime } from "../values/units.ts";
import { define, make } from "./element.ts";
import { type Ladder, laddersOf, type Rung } from "./ladders.ts";
import { type FigureFrame, RecordingFigure } from "./recording_figure.ts";

/** The most connections that are drawn, and the most rows of each. */
const MOST_LADDERS = 8;
const MOST_RUNGS = 60;

const STYLE = `
.ladder + .ladder { margin-top: 1.25rem; }
table { table-layout: fixed; min-width: 17rem; }
caption { color: var(--figure-text); font-weight: 600; }
th, td { padding: 0.2rem 0.35rem; border-bottom: 0; vertical-align: middle; overflow-wrap: anywhere; }
thead th { border-bottom: 1px solid var(--figure-line); }
.time { width: 4.6rem; color: var(--figure-faint); text-align: right; }
.client { width: 26%; text-align: right; border-right: 2px solid var(--figure-line); }
.server { width: 26%; border-left: 2px solid var(--figure-line); }
th.client, th.server { border-inline: 0; }
.wire { text-align: center; padding-inline: 0; }
.state { font-weight: 600; }
.call { color: var(--figure-faint); }
.segment { display: grid; font-weight: 600; line-height: 1.2; }
.segment .arrow { position: relative; height: 0.9rem; }
.segment .arrow::before {
  content: "";
  position: absolute;
  inset: 50% 0.2rem auto;
  border-top: 2px solid currentColor;
}
.segment .arrow::after {
  content: "";
  position: absolute;
  top: calc(50% - 4px);
  border: 5px solid transparent;
}
.right .arrow::after { right: 0; border-left-color: currentColor; border-right: 0; }
.left .arrow::after { left: 0; border-right-color: currentColor; border-left: 0; }
.lost .arrow::before { border-top-style: dashed; }
.syn { color: var(--figure-accent); }
.fin { color: var(--figure-accept); }
.rst { color: var(--figure-rst); }
.data { color: var(--figure-computing); }
.plain { color: var(--figure-faint); }
.ladders { container-type: inline-size; }
@container (max-width: 480px) {
  table { font-size: 0.64em; min-width: 0; }
  th, td { padding-inline: 0.1rem; }
  .time { width: 2.7rem; padding-right: 0.3rem; white-space: nowrap; }
  .client, .server { width: 32%; }
  .state { font-weight: 500; }
}
`;

/** The segments of a recording. */
export class SegmentLadder extends RecordingFigure {
  protected override readonly frame: FigureFrame = {
    style: STYLE,
    label: "Segments between client and server",
    bodyClass: "ladders",
  };

  protected override drawIn(body: HTMLElement): void {
    if (this.lines.length === 0) return;
    const ladders = laddersOf(this.lines);
    const shown = ladders.slice(0, MOST_LADDERS).map((ladder, index) =>
      draw(ladder, ladders.length === 1 ? "" : `Connection ${index + 1}`)
    );
    const more = ladders.length - shown.length;
    if (more > 0) {
      shown.push(make("p", { class: "note", text: `${more} more connections are not drawn.` }));
    } else if (shown.length === 0) {
      shown.push(make("p", { class: "note", text: "This recording has no segments." }));
    }
    body.replaceChildren(...shown);
  }
}

/** One connection. */
function draw({ rungs, hasSegments }: Ladder, title: string): HTMLElement {
  const head = (["time", "client", "wire", "server"] as const).map((name) =>
    make("th", {
      class: name,
      text: name === "wire" ? "on the way" : name,
      attributes: { scope: "col" },
    })
  );
  const rows = rungs.slice(0, MOST_RUNGS).map(drawRung);
  const caption = title === "" ? [] : [make("caption", { text: title })];
  const notes = [
    ...hasSegments ? [] : ["The segments were not seen: that needs a network of one's own."],
    ...rungs.length > rows.length ? [`${rungs.length - rows.length} more lines are left out.`] : [],
  ].map((text) => make("p", { class: "note", text }));
  return make("div", {
    class: "ladder",
    children: [
      make("div", {
        class: "scroll",
        attributes: { tabindex: "0", role: "group", "aria-label": title || "Segments" },
        children: [make("table", {
          children: [
            ...caption,
            make("thead", { children: [make("tr", { children: head })] }),
            make("tbody", { children: rows }),
          ],
        })],
      }),
      ...notes,
    ],
  });
}

function drawRung({ us, client, server, segment }: Rung): HTMLElement {
  const side = (name: "client" | "server", said: Rung["client"]) =>
    make("td", {
      class: name,
      children: said.map(({ kind, text }) => make("div", { class: kind, text })),
    });
  const wire = segment === undefined ? [] : [make("div", {
    class: ["segment", segment.kind, segment.way, ...segment.isLost ? ["lost"] : []].join(" "),
    children: [
      make("span", { text: segment.isLost ? `${segment.text}, lost` : segment.text }),
      make("span", { class: "arrow", attributes: { "aria-hidden": "true" } }),
      make("span", {
        class: "unseen",
        text: segment.way === "right" ? "from client to server" : "from server to client",
      }),
    ],
  })];
  return make("tr", {
    children: [
      make("td", { class: "time", text: formatTime(us) }),
      side("client", client),
      make("td", { class: "wire", children: wire }),
      side("server", server),
    ],
  });
}

define("segment-ladder", SegmentLadder);
