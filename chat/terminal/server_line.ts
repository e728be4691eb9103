/**
 * Reads the lines of the server. Its counterpart, `chat/talk/notices.ts`, writes them.
 *
 * @module
 */

/** A line of the server, by the kinds that a reader tells apart. */
export type ServerLine =
  /** A line of the server's own; `text` is what follows its `* `. */
  | { readonly kind: "notice"; readonly text: string }
  /**
   * What somebody says: to the room, to one user in private, or as the operator to everybody. An
   * action is talk whose text begins with `* `.
   */
  | {
    readonly kind: "talk" | "private" | "operator";
    /** The name in the brackets; in `[you to bob]` it is `bob`. */
    readonly name: string;
    /** The text in the brackets before the name, for instance `you to `. */
    readonly before: string;
    /** The text in the brackets after the name, for instance ` to you`. */
    readonly after: string;
    readonly text: string;
  }
  /** None of these: the line is from some other kind of server. */
  | { readonly kind: "other"; readonly text: string };

const SAID = /^\[(?:(you to )(\S+)|(\S+?)( to you)?)\] (.*)$/s;

/**
 * Reads a line of the server.
 *
 * @param line the line without its line end
 */
export function readServerLine(line: string): ServerLine {
  if (line.startsWith("* ")) return { kind: "notice", text: line.slice(2) };
  const match = SAID.exec(line);
  if (match === null) return { kind: "other", text: line };
  const [, before = "", to, from, after = "", text = ""] = match;
  const name = (to ?? from) as string;
  const kind = before + after !== "" ? "private" : name === "server" ? "operator" : "talk";
  return { kind, name, before, after, text };
}
