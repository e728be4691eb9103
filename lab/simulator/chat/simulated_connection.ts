/**
 * A connection of the simulated network, as the real chat takes connections.
 *
 * @module
 */

import { Connection, type Pulled, type Sink } from "../../../engine/net/transport.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { StepCosts } from "../conversation.ts";
import type { End } from "../network.ts";
import type { VirtualLoop } from "./virtual_loop.ts";

/** A connection whose events come in the turns of a virtual loop. */
export class SimulatedConnection extends Connection {
  override readonly localAddress: Address;
  override readonly remoteAddress: Address;
  readonly #end: End;
  readonly #loop: VirtualLoop<End>;
  readonly #costs: StepCosts;
  /** Who waits for bytes, for the end, and until what was pushed is taken. */
  #reader: Sink | undefined;
  #watcher: Sink | undefined;
  #writer: Sink | undefined;
  /** What was pushed and not taken. */
  #rest: Uint8Array = NOTHING;
  #isNoted = false;
  #isClosed = false;

  /**
   * @param end the server's end
   * @param loop the loop of the server's thread
   * @param costs what calls cost
   */
  constructor(end: End, loop: VirtualLoop<End>, costs: StepCosts) {
    super();
    this.localAddress = end.local;
    this.remoteAddress = end.remote;
    this.#end = end;
    this.#loop = loop;
    this.#costs = costs;
    end.onChange = () => this.#note();
  }

  override pull(sink: Sink): Pulled {
    this.#watcher = undefined;
    const pulled = this.#receive();
    this.#reader = pulled === undefined ? sink : undefined;
    return pulled;
  }

  override get hasUnread(): boolean {
    return this.#end.hasUnread;
  }

  override unpull(): void {
    this.#reader = this.#watcher = undefined;
  }

  override watch(sink: Sink): void {
    this.#watcher = sink;
    this.#note();
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    this.#watcher = undefined;
    this.#rest = bytes;
    if (this.#send()) return true;
    this.#writer = sink;
    return false;
  }

  override get pending(): number {
    return this.#rest.length + this.#end.pending;
  }

  override closeWrite(): void {
    this.#end.closeWrite();
  }

  override close(): void {
    this.#isClosed = true;
    this.#end.close();
  }

  override reset(): void {
    this.#isClosed = true;
    this.#end.reset();
  }

  /** Something has changed at this end: the loop looks at it in one of its next turns. */
  #note(): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    this.#loop.event(() => {
      this.#isNoted = false;
      this.#look();
    }, this.#end);
  }

  #look(): void {
    this.#goOnWriting();
    // What was told to the writer may have closed the connection.
    if (this.#isClosed) return;
    if (this.#reader !== undefined) this.#tellReader(this.#reader);
    else if (this.#watcher !== undefined) this.#tellWatcher(this.#watcher);
  }

  #goOnWriting(): void {
    const writer = this.#writer;
    if (this.#isClosed || writer === undefined) return;
    let isWritten: boolean;
    try {
      isWritten = this.#send();
    } catch (error) {
      this.#writer = undefined;
      return writer.onError(error as Error);
    }
    if (!isWritten) return;
    this.#writer = undefined;
    writer.onWritten();
  }

  #tellReader(reader: Sink): void {
    let pulled: Pulled;
    try {
      pulled = this.#receive();
    } catch (error) {
      this.#reader = undefined;
      return reader.onError(error as Error);
    }
    if (pulled === undefined) return;
    this.#reader = undefined;
    reader.onRead(pulled);
  }

  #tellWatcher(watcher: Sink): void {
    if (this.#end.isReset) {
      this.#watcher = undefined;
      watcher.onError(resetError());
    } else if (!this.#end.hasUnread && this.#end.receive() === null) {
      this.#watcher = undefined;
      watcher.onEnd?.();
    }
  }

  #receive(): Pulled {
    if (this.#end.isReset) throw resetError();
    const bytes = this.#end.receive();
    if (bytes !== undefined) {
      const { receiveUs, byteUs } = this.#costs;
      this.#loop.spend(receiveUs + (bytes?.length ?? 0) * byteUs);
    }
    return bytes;
  }

  /** Sends what is left of what was pushed. Returns whether that is all of it. */
  #send(): boolean {
    if (this.#end.isReset) throw resetError();
    const { sendUs, byteUs } = this.#costs;
    const taken = this.#end.send(this.#rest);
    this.#loop.spend(sendUs + taken * byteUs);
    this.#rest = taken < this.#rest.length ? this.#rest.subarray(taken) : NOTHING;
    return this.#rest.length === 0;
  }
}

const NOTHING = new Uint8Array(0);

/** As the runtimes call it when a peer has reset the connection. */
function resetError(): Error {
  return Object.assign(new Error("Connection reset by peer"), { code: "ECONNRESET" });
}
