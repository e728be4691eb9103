/**
 * `--record` of the quiz: what was asked, what was seen when it was done, what was answered, and the
 * score, in one recording. `observe replay` shows it again.
 *
 * @module
 */

import { type Event, type Header, moveEvent } from "../../engine/recording/events.ts";
import { RecordingFile } from "../../engine/recording/recording_file.ts";
import type { Question } from "./question.ts";
import { type Round, scoreOf } from "./score.ts";

/** What a server has recorded. */
export interface ServerRecording {
  readonly header: Header;
  readonly events: readonly Event[];
}

/** A quiz that is recorded. */
export class QuizRecording implements Disposable {
  readonly #file: RecordingFile;
  readonly #rounds: Round[] = [];
  /** How many threads and connections the servers so far had: the next one's are counted on. */
  #threads = 0;
  #connections = 0;

  /**
   * Begins it.
   *
   * @param path the file; an existing file is overwritten
   * @throws {Error} if it cannot be written; the message is one line
   */
  constructor(path: string) {
    this.#file = RecordingFile.create(path, { by: "quiz" });
  }

  /** A question is asked. */
  ask({ id, text, answers }: Question): void {
    this.#file.add({ type: "question", at: this.#file.now(), lesson: id, text, answers });
  }

  /**
   * Something was seen of sockets.
   *
   * @param event what
   * @param beganUs from when on its time is counted, in microseconds since 1970
   */
  see(event: Event, beganUs: number): void {
    // The facts follow, those of all experiments in the same way.
    if (event.type !== "fact") this.#file.add(this.#moved(event, beganUs));
  }

  /** A server has run, and has recorded itself. */
  add({ header, events }: ServerRecording): void {
    const { by, began_us: beganUs } = header;
    this.#file.add({ type: "note", at: this.#file.at(beganUs), text: `a server: ${by}` });
    let [threads, connections] = [0, 0];
    for (const event of events) {
      if (event.type === "end") continue;
      if ("thread" in event) threads = Math.max(threads, event.thread ?? 0);
      if ("connection" in event) connections = Math.max(connections, event.connection ?? 0);
      this.#file.add(this.#moved(event, beganUs));
    }
    this.#threads += threads;
    this.#connections += connections;
  }

  /** A question was answered. */
  answer(round: Round): void {
    this.#rounds.push(round);
    const { finding, bet, right, question: { why, book } } = round;
    const at = this.#file.now();
    // They follow from all that was seen, whenever each of them was established.
    for (const fact of finding.facts) this.#file.add({ ...fact, type: "fact", at });
    if (finding.whyNot !== undefined) {
      this.#file.add({ type: "note", at, text: `not run: ${finding.whyNot}` });
    }
    if (right === undefined) {
      const shown = finding.shown === undefined ? "none of them" : `answer ${finding.shown}`;
      const given = bet === undefined ? "" : `answer ${bet} was given; `;
      const text = `${given}the run shows ${shown}, and the book says ${book}: not counted`;
      this.#file.add({ type: "note", at, text });
    } else {
      this.#file.add({ type: "result", at, ...bet !== undefined && { given: bet }, right, why });
    }
    this.#file.flush();
  }

  /**
   * Writes the score, and closes the file.
   *
   * @throws {Error} if something could not be written; the message is one line
   */
  finish(): void {
    const text = scoreOf(this.#rounds).join(" ");
    this.#file.add({ type: "note", at: this.#file.now(), text });
    this.#file.finish();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** The same event in the time of this recording, with numbers that no other server's have. */
  #moved(event: Event, beganUs: number): Event {
    return {
      ...moveEvent(event, (us) => this.#file.at(beganUs + us)),
      ..."thread" in event && event.thread !== undefined && {
        thread: event.thread + this.#threads,
      },
      ..."connection" in event && event.connection !== undefined && {
        connection: event.connection + this.#connections,
      },
    } as Event;
  }
}
