/**
 * The colours of all figures, and what they mean.
 *
 * Who cannot tell some colours apart still sees the difference: a connection that waits is a ring,
 * one for which something is done is a disc, a reset is a cross. The colours follow the scheme of
 * the page, light or dark, and each stands out from its ground by three to one at least (WCAG 1.4.11).
 *
 * @module
 */

import type { Dot } from "./scene.ts";

/** What a dot says by its colour and its shape. */
export type Look =
  | "accept"
  | "queue"
  | "reading"
  | "computing"
  | "writing"
  | "awaiting"
  | "held"
  | "closing"
  | "fin"
  | "rst"
  | "ended";

/** The shape of a dot. */
export type Shape = "ring" | "disc" | "cross";

/** A look in words. */
export interface Meaning {
  readonly look: Look;
  readonly shape: Shape;
  readonly words: string;
}

/** All looks, in the order of a connection's life. */
export const MEANINGS: readonly Meaning[] = [
  { look: "accept", shape: "ring", words: "waits in the accept queue" },
  { look: "queue", shape: "ring", words: "waits for a thread" },
  { look: "reading", shape: "ring", words: "its peer is to send" },
  { look: "computing", shape: "disc", words: "computing" },
  { look: "writing", shape: "disc", words: "its peer is to take what was sent" },
  { look: "awaiting", shape: "ring", words: "another thread computes for it" },
  { look: "held", shape: "ring", words: "its loop computes for another" },
  { look: "closing", shape: "ring", words: "its conversation is over" },
  { look: "fin", shape: "ring", words: "ended with FIN" },
  { look: "rst", shape: "cross", words: "ended with RST" },
  { look: "ended", shape: "ring", words: "ended, not known how" },
];

/** The shape of each look. */
export const SHAPES: ReadonlyMap<Look, Shape> = new Map(
  MEANINGS.map(({ look, shape }) => [look, shape]),
);

/** How a connection looks at a moment. */
export function lookOf({ place, doing, ending }: Dot): Look {
  switch (place) {
    case "accept queue":
      return "accept";
    case "hand-over queue":
    case "taken":
      return "queue";
    case "thread":
      return LOOKS[doing];
    case "closing":
      return "closing";
    case "ended":
      return ending === "FIN" ? "fin" : ending === "RST" ? "rst" : "ended";
  }
}

const LOOKS: Readonly<Record<Dot["doing"], Look>> = {
  waiting: "queue",
  reading: "reading",
  computing: "computing",
  writing: "writing",
  "waiting for computing": "awaiting",
  "waiting for the loop": "held",
};

/** The colours as custom properties, for a style sheet: one in light and one in dark. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  ground: ["#ffffff", "#171b22"],
  box: ["#f5f7fa", "#1f252e"],
  well: ["#ffffff", "#161b22"],
  line: ["#d9dfe8", "#353e4b"],
  text: ["#1a2230", "#e8ecf2"],
  faint: ["#566174", "#a3afc0"],
  accent: ["#2458c5", "#8db4ff"],
  accept: ["#c74e00", "#ff9257"],
  queue: ["#a06a00", "#f2bd4b"],
  reading: ["#66758c", "#93a3b8"],
  computing: ["#00795a", "#35d6a6"],
  writing: ["#0067a5", "#62bcff"],
  awaiting: ["#9a3f84", "#e59acd"],
  held: ["#c74e00", "#ff9257"],
  closing: ["#66758c", "#93a3b8"],
  fin: ["#66758c", "#93a3b8"],
  rst: ["#b8123a", "#ff8095"],
  ended: ["#66758c", "#93a3b8"],
};

/** The style sheet that defines the colours. A page may define others of the same names. */
export const COLOUR_STYLE: string = `:host, :root {\n${
  Object.entries(COLOURS).map(([name, [light, dark]]) =>
    `  --figure-${name}: light-dark(${light}, ${dark});`
  ).join("\n")
}\n}\n${MEANINGS.map(({ look }) => `.of-${look} { color: var(--figure-${look}); }`).join("\n")}\n`;
