/**
 * What only the event-driven driver does: conversations one after another on one connection, work
 * that is done elsewhere, and errors that come from outside at any time.
 *
 * @module
 */

import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Elsewhere } from "../../engine/drivers/elsewhere.ts";
import { Session, type SessionOptions } from "../../engine/drivers/session.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { ComputeTimeoutError, type Protocol, READ, type ReadAnswer } from "../../protocol.ts";
import { bytesOf } from "../kit/conversation.ts";
import { NO_LIMITS } from "../kit/driver_thread.ts";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  test,
  until,
  within,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";

/** Work that the test itself finishes. */
class Works implements Elsewhere {
  /** What has happened, in order. */
  readonly story: string[] = [];
  #done: (error: unknown, result: unknown) => void = () => {};

  begin(what: string, argument: unknown, done: (error: unknown, result: unknown) => void) {
    this.story.push(`begin ${what} ${argument}`);
    this.#done = done;
    return {
      cancel: () => void this.story.push("cancel"),
      giveWay: () => void this.story.push("give way"),
    };
  }

  finish(error: unknown, result?: unknown): void {
    this.#done(error, result);
  }
}

/** A connection for conversations, and its peer. */
class Table implements AsyncDisposable {
  readonly peer: Peer;
  readonly works = new Works();
  readonly #connection: Connection;
  readonly #listener: Listener;
  readonly #deadlines = new TimedDeadlines();

  private constructor(listener: Listener, peer: Peer, connection: Connection) {
    this.#listener = listener;
    this.peer = peer;
    this.#connection = connection;
  }

  static async open(): Promise<Table> {
    const listener = await runtime.listen({ hostname: "127.0.0.1", port: 0 });
    const [peer, { value }] = await within(
      5_000,
      "a connection",
      Promise.all([Peer.connect(listener.address), listener.next()]),
    );
    return new Table(listener, peer, value as Connection);
  }

  /** Begins a conversation. `over` is settled when the conversation is over. */
  hold<Result>(
    conversation: Protocol<Result>,
    own: Partial<SessionOptions> = {},
  ): { session: Session<Result>; over: Promise<Result> } {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const options = { ...NO_LIMITS, ...own, deadlines: this.#deadlines };
    const session = new Session(this.#connection, conversation, options, (error, result) => {
      if (error === undefined) resolve(result as Result);
      else reject(error);
    });
    session.start();
    promise.catch(() => {});
    return { session, over: within(10_000, "the conversation to end", promise) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    this.#deadlines[Symbol.dispose]();
    await this.peer[Symbol.asyncDispose]();
    this.#listener.close();
  }
}

/** Asks, and returns the answer. */
function* ask(question: string): Protocol<string> {
  yield { kind: "write", bytes: bytesOf(question) };
  const answer: ReadAnswer = yield READ;
  return new TextDecoder().decode(answer ?? undefined);
}

function* computeFor(argument: number): Protocol<unknown> {
  return yield { kind: "compute", task: "work", argument };
}

test("conversations that keep the connection open follow each other on it", async () => {
  await using table = await Table.open();
  for (const [question, answer] of [["one?", "1"], ["two?", "2"]] as const) {
    const { over } = table.hold(ask(question), { keepOpen: true });
    assertEquals(await table.peer.take(4), question);
    await table.peer.send(answer);
    assertEquals(await over, answer);
  }
  const { over } = table.hold(ask("last"));
  assertEquals(await table.peer.take(4), "last");
  await table.peer.send("3");
  assertEquals([await over, await table.peer.rest()], ["3", ""]);
});

// deno-lint-ignore require-yield -- it fails at once
function* fail(): Protocol {
  throw new Error("mine");
}

test("a conversation that fails closes its connection even if it was to keep it open", async () => {
  await using table = await Table.open();
  const { over } = table.hold(fail(), { keepOpen: true });
  await assertRejects(() => over, Error, "mine");
  assertEquals(await table.peer.rest(), "");
});

/** Reads, reports, and returns the error of its next read. */
function* reportAndRead(log: string[]): Protocol<string> {
  yield READ;
  yield { kind: "report", message: "now" };
  log.push("goes on");
  try {
    yield READ;
  } catch (error) {
    return (error as Error).message;
  }
  return "not told";
}

test("an abort of a running conversation takes effect when the conversation waits", async () => {
  await using table = await Table.open();
  const log: string[] = [];
  const { session, over } = table.hold(reportAndRead(log), {
    onReport: () => session.abort(new Error("enough")),
  });
  await table.peer.send("x");
  assertEquals(await over, "enough");
  assertEquals(log, ["goes on"]);
  session.abort(new Error("over already"));
  session.cut(new Error("over already"));
});

/** Returns the error of its work. */
function* failToCompute(): Protocol<unknown> {
  try {
    return yield* computeFor(1);
  } catch (error) {
    return error;
  }
}

test("a conversation waits for work that is done elsewhere, which answers or fails", async () => {
  await using table = await Table.open();
  const { works } = table;
  const first = table.hold(computeFor(1), { offload: works, keepOpen: true });
  works.finish(undefined, "done");
  assertEquals(await first.over, "done");
  const second = table.hold(computeFor(2), { offload: works });
  works.finish(new Error("failed"));
  await assertRejects(() => second.over, Error, "failed");
  assertEquals(works.story, ["begin work 1", "begin work 2"]);
});

test("work gives way when the peer has sent FIN, and is cancelled when it is gone", async () => {
  await using table = await Table.open();
  const { works, peer } = table;
  const { over } = table.hold(computeFor(1), { offload: works });
  peer.finish();
  await until("the work to give way", () => works.story.includes("give way"));
  works.finish(undefined, 1);
  assertEquals(await over, 1);
  assertEquals(works.story, ["begin work 1", "give way"]);

  await using other = await Table.open();
  const { over: lost } = other.hold(computeFor(2), { offload: other.works });
  other.peer.reset();
  await assertRejects(() => lost, Error, "Peer gone while waiting for a computation");
  assertEquals(other.works.story, ["begin work 2", "cancel"]);
});

test("work that takes too long is cancelled, and its answer is ignored", async () => {
  await using table = await Table.open();
  const { works } = table;
  const { over } = table.hold(failToCompute(), { offload: works, computeTimeoutMs: 20 });
  assertInstanceOf(await over, ComputeTimeoutError);
  assertEquals(works.story, ["begin work 1", "cancel"]);
  works.finish(undefined, "too late");
});

test("an argument that cannot be sent is an error that is thrown into the conversation", async () => {
  await using table = await Table.open();
  const refused = new DOMException("not cloned", "DataCloneError");
  const elsewhere: Elsewhere = {
    begin() {
      throw refused;
    },
  };
  const { over } = table.hold(failToCompute(), { offload: elsewhere });
  assertEquals(await over, refused);
});
