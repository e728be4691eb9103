/**
 * What a line of the server is: the other half of `chat/talk/notices.ts`, which writes them.
 *
 * @module
 */

/** A line as a person tells them apart. */
export type ServerLine =
  /** The server's own; `text` is what follows its `* `. */
  | { readonly kind: "notice"; readonly text: string }
  /**
   * What somebody says: to the room, to one user alone, or as the operator to everybody. An action
   * is talk whose text begins with `* `.
   */
  | {
    readonly kind: "talk" | "private" | "operator";
    /** Who, as it stands in the brackets; of `[you to bob]` it is `bob`. */
    readonly name: string;
    /** What stands in the brackets before the name, for instance `you to `. */
    readonly before: string;
    /** What stands in the brackets after the name, for instance ` to you`. */
    readonly after: string;
    readonly text: string;
  }
  /** None of these: another server than ours. */
  | { readonly kind: "other"; readonly text: string };

const SAID = /^\[(?:(you to )(\S+)|(\S+?)( to you)?)\] (.*)$/s;

/**
 * Reads a line of the server.
 *
 * @param line without its end
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
