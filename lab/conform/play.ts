/**
 * Plays a conversation with the server, and finds out whether the server has held its part.
 *
 * @module
 */

import { explainConnectError } from "../../engine/dial/failures.ts";
import { AnswerJudge, describeExpected, isAwaited } from "./answer.ts";
import type { Move } from "./framing.ts";
import type { Finding } from "./results.ts";
import type { Stage } from "./stage.ts";
import { Talk } from "./talk.ts";

/** How to play. */
export interface PlayOptions {
  /** How long to wait between the pieces of a message, in milliseconds. */
  readonly gapMs?: number;
  /** How to end: wait for the server's FIN after one's own, or not at all. @default {"politely"} */
  readonly ends?: "strictly" | "politely";
  /** The size of the client's receive buffer, in bytes, if that can be chosen. */
  readonly receiveBuffer?: number;
  /** How long to wait when nothing comes, in milliseconds. @default the stage's */
  readonly timeoutMs?: number;
  /** How long all of it may take, in milliseconds. @default several times as long */
  readonly limitMs?: number;
}

/** What a conversation was like. */
export interface Played extends Finding {
  /** Whether the server has sent FIN after the client's FIN; `undefined` if that was not tried. */
  readonly hasClosed?: boolean;
  /** Why there was no connection, if there was none. */
  readonly connectError?: unknown;
}

/**
 * What a conversation has found, without what only the checker itself needs.
 *
 * @param played the conversation
 */
export function plain({ hasClosed: _, connectError: __, ...finding }: Played): Finding {
  return finding;
}

/** How long a server has that should close when nobody judges it by that, in milliseconds. */
const POLITE_MS = 500;

/** How often the timeout a conversation may take as a whole. */
const WHOLE = 4;

/** The name of the client in a conversation with one. */
const ONLY = "client";

/** Something went wrong, and the conversation is over. */
class Broken extends Error {
  override readonly name = "Broken";
  readonly finding: Played;

  constructor(finding: Played) {
    super(finding.remark);
    this.finding = finding;
  }
}

/**
 * Plays a conversation.
 *
 * @param stage the server and what is known about it
 * @param moves what is done and what must come
 * @param options how to play
 */
export async function play(
  stage: Stage,
  moves: readonly Move[],
  options: PlayOptions = {},
): Promise<Played> {
  const playing = new Playing(stage, options);
  try {
    return await playing.run(moves);
  } catch (error) {
    if (error instanceof Broken) return error.finding;
    throw error;
  } finally {
    playing.end();
  }
}

class Playing {
  readonly #stage: Stage;
  readonly #options: PlayOptions;
  readonly #timeoutMs: number;
  readonly #endsAt: number;
  readonly #talks = new Map<string, Talk>();
  readonly #remarks: string[] = [];
  readonly #beganAt = performance.now();
  /** How much the server had printed before. */
  readonly #printedBefore: number;

  constructor(stage: Stage, options: PlayOptions) {
    this.#printedBefore = stage.target.output?.().length ?? 0;
    this.#stage = stage;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? stage.timeoutMs;
    this.#endsAt = this.#beganAt + (options.limitMs ?? this.#timeoutMs * WHOLE);
  }

  async run(moves: readonly Move[]): Promise<Played> {
    const greeting: readonly Move[] = (this.#stage.conformance.greeting ?? [])
      .map(({ send: _, ...turn }) => ({ ...turn, pieces: [] }));
    const names = [...new Set(moves.map(({ client = ONLY }) => client))];
    let last: { talk: Talk; move: Move } | undefined;
    for (const move of moves) {
      const { client = ONLY } = move;
      let talk = this.#talks.get(client);
      if (talk === undefined) {
        talk = await this.#open(client);
        for (const said of greeting) await this.#take(talk, said, undefined);
      }
      await this.#make(talk, move);
      last = { talk, move };
    }
    const hasClosed = last === undefined ? undefined : await this.#part(last.talk, last.move);
    for (const name of names) this.#talks.get(name)?.close();
    const [remark] = this.#remarks;
    return {
      verdict: remark === undefined ? "passed" : "not strict",
      remark,
      ...(remark !== undefined && last !== undefined && {
        sent: last.talk.sent,
        expected: describeExpected(last.move),
        received: last.talk.received,
      }),
      ...(hasClosed !== undefined && { hasClosed }),
    };
  }

  async #open(client: string): Promise<Talk> {
    const { caller } = this.#stage;
    const { receiveBuffer } = this.#options;
    try {
      const talk = await Talk.open(caller, { withinMs: this.#timeoutMs, receiveBuffer });
      this.#talks.set(client, talk);
      return talk;
    } catch (error) {
      throw new Broken({
        verdict: "failed",
        remark: `no connection: ${explainConnectError(error).detail}`,
        sent: "nothing",
        expected: "a connection",
        received: "nothing",
        connectError: error,
      });
    }
  }

  /** Sends what the move says, and waits for what must come. */
  async #make(talk: Talk, move: Move): Promise<void> {
    // Both directions go on at once: a server that answers while it is sent to must not be stuck.
    const sending = talk.send(move.pieces, this.#options.gapMs).then(() => {
      if (move.finish === true) talk.finish();
    });
    await this.#take(talk, move, sending);
  }

  async #take(talk: Talk, move: Move, sending: Promise<void> | undefined): Promise<void> {
    if (!isAwaited(move) && move.prints === undefined) {
      await this.#sent(talk, sending);
      return;
    }
    if (isAwaited(move)) await this.#await(talk, move, sending);
    if (move.prints !== undefined) await this.#printed(talk, move.prints);
  }

  /** Waits until everything was sent, where no answer tells. */
  async #sent(talk: Talk, sending: Promise<void> | undefined): Promise<void> {
    if (sending === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), Math.max(0, this.#endsAt - performance.now()));
    });
    const how = await Promise.race([sending, late]);
    clearTimeout(timer);
    if (how !== "late") return;
    throw this.#broken(talk, { pieces: [] }, "the server does not take what is sent");
  }

  async #await(talk: Talk, move: Move, sending: Promise<void> | undefined): Promise<void> {
    const { inbox } = talk;
    const judge = new AnswerJudge(move, this.#stage.conformance.ignores);
    let isSent = sending === undefined;
    void sending?.then(() => isSent = true);
    let progressAt = performance.now();
    let total = -1;
    for (;;) {
      if (inbox.total !== total) {
        total = inbox.total;
        progressAt = performance.now();
      }
      const now = performance.now();
      // While it is still being sent to, the server may be waiting for more.
      const isSilent = isSent && now - progressAt >= this.#timeoutMs;
      const isLate = isSilent || now >= this.#endsAt || this.#stage.signal.aborted;
      const answer = judge.judge(inbox.unread, inbox.ending, isLate);
      if (answer.progress === "whole") {
        inbox.take(answer.length);
        if (answer.because !== undefined) this.#remarks.push(answer.because);
        // Where nothing was said, nothing can be lost.
        if (move.closes === true && inbox.ending === "reset" && inbox.total > 0) {
          this.#remarks.push("RST in place of FIN: on a long way the last words may be lost");
        }
        return;
      }
      if (answer.progress === "impossible") {
        throw this.#broken(talk, move, this.#whyWrong(talk));
      }
      if (isLate && !isSilent && judge.right > 0 && !this.#stage.signal.aborted) {
        // A server that is slow but right has shown enough.
        throw new Broken({
          verdict: "passed",
          remark: `${judge.right} bytes came in ${
            ((now - this.#beganAt) / 1000).toFixed(0)
          } s, all right`,
        });
      }
      if (isLate) {
        const seconds = (isSilent ? this.#timeoutMs : now - this.#beganAt) / 1000;
        const why = isSilent
          ? `nothing more came for ${seconds} s`
          : `it was not over after ${seconds.toFixed(0)} s`;
        throw this.#broken(talk, move, why);
      }
      await inbox.change(
        Math.min(this.#endsAt - now, this.#timeoutMs - (now - progressAt), 250) + 1,
      );
    }
  }

  #whyWrong({ inbox }: Talk): string {
    if (inbox.length === 0 && inbox.ending === "reset") {
      return "the server has reset the connection";
    }
    if (inbox.length === 0 && inbox.ending === "fin") return "the server has closed the connection";
    if (inbox.ending === "reset") return "another answer, and the server has reset the connection";
    return "another answer";
  }

  /** Waits until the server has printed a text. */
  async #printed(talk: Talk, text: string): Promise<void> {
    const { output } = this.#stage.target;
    if (output === undefined) return;
    const until = performance.now() + this.#timeoutMs;
    while (!output().slice(this.#printedBefore).includes(text)) {
      if (performance.now() >= until) {
        throw new Broken({
          verdict: "failed",
          remark: "the server has not printed it",
          sent: talk.sent,
          expected: `"${text}" on standard output`,
          received: "another output",
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /**
   * Sends FIN, and looks that nothing more comes.
   *
   * @returns whether the server has closed in time
   */
  async #part(talk: Talk, last: Move): Promise<boolean> {
    const { inbox } = talk;
    const isStrict = this.#options.ends === "strictly";
    const hasFinished = last.finish === true;
    if (inbox.ending === undefined && !hasFinished) talk.finish();
    const until = performance.now() +
      (isStrict ? this.#timeoutMs : Math.min(POLITE_MS, this.#timeoutMs));
    const judge = new AnswerJudge({ closes: true }, this.#stage.conformance.ignores);
    for (;;) {
      const left = until - performance.now();
      const { progress } = judge.judge(inbox.unread, inbox.ending, false);
      // Whoever has answered in another way may go on in that way.
      const isWrong = progress === "impossible" && this.#remarks.length === 0;
      if (isWrong && this.#stage.conformance.ignores === undefined) {
        throw this.#broken(talk, { pieces: [], closes: true }, "more came than the answer");
      }
      if (inbox.ending === "reset" && isStrict && inbox.total > 0) {
        this.#remarks.push("RST in place of FIN");
      }
      if (inbox.ending !== undefined) return true;
      if (left <= 0) return false;
      await inbox.change(left);
    }
  }

  #broken(talk: Talk, move: Move, why: string): Broken {
    return new Broken({
      verdict: "failed",
      remark: why,
      sent: talk.sent,
      expected: describeExpected(move),
      received: talk.received,
    });
  }

  end(): void {
    for (const talk of this.#talks.values()) talk.close();
  }
}
