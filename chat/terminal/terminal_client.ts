/**
 * The client at a terminal: one session over as many connections as it takes.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { EventCall, EventDialer } from "../../engine/dial/dialer.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_SIGNALLED } from "../../engine/cli/exit_status.ts";
import {
  ConnectError,
  explainConnectError,
  InterruptedError,
  messageOf,
} from "../../engine/dial/failures.ts";
import { connect, findAddresses, type Target } from "../../engine/dial/target.ts";
import { Backoff } from "../../engine/net/backoff.ts";
import { onInterrupt } from "../../engine/process/interrupts.ts";
import { encodeLine, escapeText, stripControls } from "../../protocols/text.ts";
import { type Command, parseCommand } from "../talk/commands.ts";
import { LINE_LIMIT } from "../talk/lines.ts";
import { MARK_LIMIT } from "../talk/looks.ts";
import { LOBBY } from "../talk/names.ts";
import { Appearance } from "./appearance.ts";
import { complete } from "./completion.ts";
import { LineEditor, TYPED_CHARACTERS } from "./line_editor.ts";
import { Link } from "./link.ts";
import { OwnLines } from "./own_lines.ts";
import { readServerLine } from "./server_line.ts";
import { SessionState } from "./session_state.ts";

/** The first and the longest wait between attempts to connect, in milliseconds. */
const RECONNECT = { firstMs: 1_000, mostMs: 30_000 };

/** The waits before asking again for a name that a lost connection may still hold. */
const RECLAIM = { firstMs: 1_000, mostMs: 16_000 };

/** How many times the client asks again for such a name. */
const RECLAIM_TRIES = 5;

/** How long the client waits for the server's goodbye at the end, in milliseconds. */
const GOODBYE_MS = 2_000;

/** The message for a user who types or pastes more than the line can hold. */
const FULL = `the line is full: what comes after its ${TYPED_CHARACTERS} characters is left out`;

const QUIT = "/quit";

/** The most unsent lines that are shown. Of the rest only the number is shown. */
const UNSENT_LINES = 100;

/** The attempts to get the user's name back after a connection was lost. */
interface Claims {
  readonly waits: Backoff;
  readonly ended: AbortController;
  left: number;
}

/** The options of the client at a terminal. */
export interface TerminalClientOptions {
  /** The name to begin with. */
  readonly nick?: string | undefined;
  /** The room to begin in. */
  readonly room?: string | undefined;
  /** Whether colours may be used. */
  readonly hasColours: boolean;
}

/** A session with a user at a terminal. */
export class TerminalClient {
  readonly #dialer: EventDialer;
  readonly #target: Target;
  readonly #appearance: Appearance;
  readonly #state: SessionState;
  readonly #ownLines = new OwnLines();
  readonly #reconnects = new Backoff(RECONNECT);
  readonly #leaving = Promise.withResolvers<void>();
  readonly #waits = new AbortController();
  #editor: LineEditor | undefined;
  #link: Link | undefined;
  /** Unset on the first connection: if the name is taken then, somebody else has it. */
  #claims: Claims | undefined;
  /** Whether the server has ever let the user in. */
  #wasWelcome = false;
  #exitStatus: number | undefined;

  /** @param dialer makes connections @param target the server @param options what the user wants */
  constructor(dialer: EventDialer, target: Target, options: TerminalClientOptions) {
    this.#dialer = dialer;
    this.#target = target;
    this.#appearance = new Appearance(options.hasColours);
    this.#state = new SessionState(options.nick, options.room);
  }

  /**
   * Runs the session until one side has had enough.
   *
   * @param call the first connection
   * @returns the exit status
   */
  async run(call: EventCall): Promise<number> {
    const leave = () => this.#leave(EXIT_DONE);
    const editor = this.#editor = new LineEditor(this.#prompt, {
      onLine: (text) => this.#take(text),
      onEnd: leave,
      onFull: () => void this.#tell(FULL),
      onLeftOut: (lines) => void this.#tell(leftOut(lines)),
      complete: (text) => complete(text, this.#state),
    });
    const forget = onInterrupt(() => this.#leave(EXIT_SIGNALLED));
    try {
      for (let next: EventCall | undefined = call; next !== undefined;) {
        const why = await this.#hold(next);
        next = why === undefined ? undefined : await this.#reconnect(why);
      }
      return this.#exitStatus ?? EXIT_DONE;
    } finally {
      editor.close();
      forget();
    }
  }

  /** Talks over one connection; returns why it was lost, or `undefined` if the session is over. */
  async #hold(call: EventCall): Promise<string | undefined> {
    const link = this.#link = new Link(call.connection, (lines) => this.#hear(lines));
    this.#editor?.setPrompt(this.#prompt);
    for (const line of this.#state.introduction) link.send(line);
    const { error, unsent } = await link.ended;
    this.#link = undefined;
    this.#endClaims();
    const { saidGoodbye, isShuttingDown, room } = this.#state;
    const isWelcome = room !== undefined;
    this.#state.reconnect();
    this.#ownLines.reconnect();
    await this.#tellUnsent(unsent.filter((line) => line !== QUIT));
    if (this.#isLeaving) return undefined;
    if (saidGoodbye && !isShuttingDown && (isWelcome || !this.#wasWelcome)) {
      // A user who was never let in, for instance because the server is full, has failed.
      this.#exitStatus = isWelcome ? EXIT_DONE : EXIT_FAILED;
      return undefined;
    }
    this.#wasWelcome ||= isWelcome;
    return error === undefined || saidGoodbye
      ? "the server has closed the connection"
      : explainConnectError(error).detail;
  }

  /** Connects again, sooner or later; `undefined` if the user has had enough of it. */
  async #reconnect(lost: string): Promise<EventCall | undefined> {
    this.#editor?.setPrompt(this.#prompt);
    for (let why = `link lost: ${lost}`; !this.#isLeaving;) {
      // When a server starts again, not all its clients should come at the same moment.
      const waitMs = this.#reconnects.next() * (0.75 + Math.random() / 2);
      await this.#tell(`${why}: trying again in ${(waitMs / 1000).toFixed(1)} s`);
      await delay(waitMs, { signal: this.#waits.signal }).catch(() => {});
      if (this.#isLeaving) break;
      try {
        const addresses = await Promise.race([findAddresses(this.#target), this.#leaving.promise]);
        if (addresses === undefined) break;
        const call = await connect(this.#dialer, this.#target, addresses);
        await this.#tell("connected again");
        this.#claims = {
          waits: new Backoff(RECLAIM),
          ended: new AbortController(),
          left: RECLAIM_TRIES,
        };
        return call;
      } catch (error) {
        if (error instanceof InterruptedError) break;
        if (!(error instanceof ConnectError)) throw error;
        why = messageOf(error);
      }
    }
    return undefined;
  }

  /** Shows what the server says, and learns from it. */
  async #hear(texts: readonly string[]): Promise<void> {
    const now = new Date();
    const lines: string[] = [];
    for (const text of texts) {
      const line = readServerLine(text);
      const isEcho = this.#ownLines.isEcho(line, this.#state.name);
      this.#state.hear(line);
      if (!isEcho) lines.push(this.#appearance.heard(line, now));
    }
    if (this.#state.room !== undefined) this.#reconnects.reset();
    this.#editor?.setPrompt(this.#prompt);
    await this.#editor?.print(lines);
    const refused = this.#state.takeRefusedName();
    if (refused !== undefined) void this.#claimAgain(refused);
  }

  /** Takes a line that was typed; returns whether it was taken. */
  #take(typed: string): boolean {
    const text = stripControls(typed);
    const command = parseCommand(text);
    if (command.kind === "nothing") return true;
    if (command.kind === "quit") {
      this.#leave(EXIT_DONE);
      return true;
    }
    const problem = this.#problemOf(text, command);
    if (problem !== undefined) {
      void this.#tell(problem);
      return false;
    }
    this.#follow(command, text);
    return true;
  }

  /** Sends a line; returns why it cannot be sent. */
  #problemOf(text: string, { kind }: Command): string | undefined {
    if (kind === "unseen") return "not sent: there is nothing to be seen in this line";
    if (kind === "tower") return `not sent: a character may carry ${MARK_LIMIT} marks`;
    const bytes = encodeLine(text).length - 1;
    if (bytes > LINE_LIMIT) {
      return `not sent: this line has ${bytes} bytes, and the limit is ${LINE_LIMIT}`;
    }
    // The line is not kept to be sent later. The talk will have gone on by then, and nobody would
    // know what the line answers.
    if (this.#link === undefined) {
      return "not sent: there is no link; the line stays here until then";
    }
    return this.#link.send(text)
      ? undefined
      : "not sent: the server does not keep up with you; send it again in a moment";
  }

  /** Shows what was sent, unless the server shows it. */
  #follow(command: Command, typed: string): void {
    switch (command.kind) {
      case "say":
        return this.#showOwn(command.text);
      case "act":
        return this.#showOwn(`* ${command.text}`);
      case "whisper":
        return;
      case "join":
        this.#ownLines.joined(command.room === "" ? LOBBY : command.room);
        break;
      case "nick":
        // The user wants another name now.
        this.#endClaims();
        break;
    }
    void this.#editor?.print([this.#appearance.typed(escapeText(typed), new Date())]);
  }

  #showOwn(text: string): void {
    const shown = escapeText(text);
    this.#ownLines.said(shown);
    const name = this.#state.name ?? "you";
    const line = { kind: "talk", name, before: "", after: "", text: shown } as const;
    void this.#editor?.print([this.#appearance.heard(line, new Date())]);
  }

  /** Asks later for a name that the user's own lost connection may still hold. */
  async #claimAgain(name: string): Promise<void> {
    const claims = this.#claims;
    if (claims === undefined) return;
    if (claims.left-- === 0) {
      this.#endClaims();
      return await this.#tell(`${name} is still taken: to ask again, type /nick ${name}`);
    }
    const waitMs = claims.waits.next();
    await this.#tell(
      `the lost connection may still hold ${name}: asking again in ${waitMs / 1000} s`,
    );
    await delay(waitMs, { signal: claims.ended.signal }).catch(() => {});
    if (!claims.ended.signal.aborted) this.#link?.send(`/nick ${name}`);
  }

  #endClaims(): void {
    this.#claims?.ended.abort();
    this.#claims = undefined;
  }

  /** Ends the session: in order if there is a link, and at once when called for the second time. */
  #leave(exitStatus: number): void {
    const isFirst = !this.#isLeaving;
    this.#exitStatus ??= exitStatus;
    this.#leaving.resolve();
    this.#waits.abort();
    this.#dialer.interrupt();
    this.#editor?.close();
    const link = this.#link;
    if (link === undefined) return;
    if (!isFirst || !link.send(QUIT)) return link.close();
    link.finish();
    setTimeout(() => link.close(), GOODBYE_MS);
  }

  get #isLeaving(): boolean {
    return this.#exitStatus !== undefined;
  }

  /** Shows the lines that were taken but could not be sent. */
  async #tellUnsent(lines: readonly string[]): Promise<void> {
    const shown = lines.slice(0, UNSENT_LINES).map((line) => `not sent: ${line}`);
    const more = lines.length - shown.length;
    await this.#tell(...shown, ...(more > 0 ? [`not sent: ${countLines(more)} more`] : []));
  }

  async #tell(...texts: string[]): Promise<void> {
    const now = new Date();
    await this.#editor?.print(texts.map((text) => this.#appearance.told(escapeText(text), now)));
  }

  get #prompt(): string {
    if (this.#link === undefined) return "(no link)> ";
    const { name, room } = this.#state;
    return name === undefined ? "> " : `${name} in ${room}> `;
  }
}

/** The message about lines that were left out, being pasted after one that could not be sent. */
function leftOut(lines: number): string {
  return `not sent: ${countLines(lines)} more, pasted after the one that stays here`;
}

function countLines(count: number): string {
  return count === 1 ? "1 line" : `${count} lines`;
}
