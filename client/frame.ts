/**
 * The client of `frame`: sends frames and prints their answers as they arrive.
 *
 * @module
 */

import { frameClient, frameGreeting, type FrameOptions, isFrame } from "../protocols/frame.ts";
import { Input } from "../protocols/input.ts";
import type { Values } from "../engine/cli/flags.ts";
import type { EventCall, EventDialer } from "../engine/dial/dialer.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";
import {
  clientFailureKind,
  ConnectError,
  exitStatusOf,
  messageOf,
} from "../engine/dial/failures.ts";
import { type Messages, readMessages } from "./input.ts";
import { printAnswer, printNote, showBytes } from "./output.ts";
import { makeEventDialer, type Speaker, timeoutOf } from "./speaker.ts";
import { connect, findAddresses, type Target } from "../engine/dial/target.ts";

/** How long the server may take to say `*`, by default: it may serve one client at a time. */
export const GREETING_TIMEOUT = "30s";

/** How long an answer may take, by default: longer than a server computes. */
export const ANSWER_TIMEOUT = "130s";

/** The most connections at one time. */
const CONNECTIONS = 256;

/** `--protocol frame`. */
export const frame: Speaker = {
  form: {
    positionals: [],
    rest: {
      name: "argument",
      kind: "string",
      help:
        "in frame, echo: what to send; by default the lines of standard input (echo: its bytes)",
    },
  },
  flags: [
    {
      name: "one-connection",
      kind: "boolean",
      help: "in frame: send frames one after another over one connection, not each over its own",
    },
    {
      name: "no-prime",
      kind: "boolean",
      help: "in frame: the server takes ^P7$ as data, not as a question",
    },
  ],
  run,
};

async function run(values: Values, target: Target): Promise<number> {
  const frames = readMessages(
    values.argument as readonly string[] | undefined,
    (message) => isFrame(message) ? undefined : "^ and $ begin and end a frame",
  );
  using dialer = makeEventDialer(timeoutOf(values, ANSWER_TIMEOUT));
  const options = {
    prime: values.noPrime !== true,
    greetingTimeoutMs: timeoutOf(values, GREETING_TIMEOUT),
  };
  const client = new FrameClient(dialer, target, await findAddresses(target), options);
  if (values.oneConnection === true) await client.sendInOrder(frames);
  else await client.sendAtOnce(frames);
  return client.exitStatus;
}

/** How frames are sent. */
interface Options extends FrameOptions {
  /** How long the server may take to say `*`, in milliseconds; 0 means no limit. */
  readonly greetingTimeoutMs: number;
}

/** Sends frames and prints their answers or their failures. */
class FrameClient {
  readonly #dialer: EventDialer;
  readonly #target: Target;
  readonly #addresses: readonly string[];
  readonly #options: Options;
  readonly #underWay = new Set<Promise<void>>();
  /** Resolved when no more frames are to be sent. */
  readonly #stopped = Promise.withResolvers<void>();
  /** Whether that is so. The first connection that cannot be made stops all of them. */
  #isStopped = false;
  /** 0 as long as nothing has failed, then the status of the first failure. */
  exitStatus: number = EXIT_DONE;

  constructor(
    dialer: EventDialer,
    target: Target,
    addresses: readonly string[],
    options: Options,
  ) {
    this.#dialer = dialer;
    this.#target = target;
    this.#addresses = addresses;
    this.#options = options;
  }

  /** Sends each frame over a connection of its own, as soon as the frame is there. */
  async sendAtOnce(frames: Messages): Promise<void> {
    try {
      await Promise.race([this.#begin(frames), this.#stopped.promise]);
    } finally {
      await Promise.all(this.#underWay);
    }
  }

  async #begin(frames: Messages): Promise<void> {
    for await (const frame of frames) {
      if (this.#isStopped) return;
      const sending = this.#send(frame).finally(() => this.#underWay.delete(sending));
      this.#underWay.add(sending);
      if (this.#underWay.size >= CONNECTIONS) await Promise.race(this.#underWay);
    }
  }

  /** Never rejects: the failure of one frame does not concern the others. */
  async #send(frame: Uint8Array): Promise<void> {
    try {
      const input = new Input();
      const call = await this.#connect(input);
      await this.#exchange(call, input, frame);
      call.connection.close();
    } catch (error) {
      this.#fail(error, showBytes(frame));
    }
  }

  /**
   * Sends frames one after another over one connection. Each waits for the answer to the one
   * before. So its time is its own, and if the server closes, it is known at which frame it did.
   */
  async sendInOrder(frames: Messages): Promise<void> {
    let shown: string | undefined;
    try {
      const input = new Input();
      const call = await this.#connect(input);
      for await (const frame of frames) {
        shown = showBytes(frame);
        await this.#exchange(call, input, frame);
        shown = undefined;
      }
      call.connection.close();
    } catch (error) {
      // The caller reports what was wrong with a line before it became a frame.
      if (shown === undefined) throw error;
      this.#fail(error, shown);
      printNote("client: the connection is over: nothing is sent after this frame");
    }
  }

  async #connect(input: Input): Promise<EventCall> {
    const call = await connect(this.#dialer, this.#target, this.#addresses);
    const { greetingTimeoutMs: readTimeoutMs } = this.#options;
    await call.exchange(frameGreeting(input), { readTimeoutMs });
    return call;
  }

  async #exchange(call: EventCall, input: Input, frame: Uint8Array): Promise<void> {
    const sentAt = performance.now();
    const answer = await call.exchange(frameClient(input, frame, this.#options));
    const ms = (performance.now() - sentAt).toFixed(1);
    printAnswer(`${showBytes(frame)} → ${showBytes(answer)}  ${ms} ms`);
  }

  #fail(error: unknown, shown: string): void {
    if (this.exitStatus === EXIT_DONE) this.exitStatus = exitStatusOf(clientFailureKind(error));
    if (!(error instanceof ConnectError)) {
      return printNote(`client: ${shown}: ${messageOf(error)}`);
    }
    if (!this.#isStopped) printNote(`client: ${messageOf(error)}`);
    this.#isStopped = true;
    this.#stopped.resolve();
  }
}
