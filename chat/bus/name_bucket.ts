/**
 * The names of all servers, in a bucket of NATS' key-value store, which runs on JetStream.
 *
 * @module
 */

import { type KV, Kvm } from "@nats-io/kv";
import { jetstream, JetStreamApiCodes, JetStreamApiError, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { NameEntry, NameStore } from "./name_claims.ts";
import { decodeHolder, encode, type Holder } from "./wire.ts";

/** Options for opening a bucket. */
export interface NameBucketOptions {
  /** How long an entry lives unless it is written again, in milliseconds. */
  readonly ttlMs: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Is called when the bucket cannot be reached, before the call that found out fails. */
  readonly onFailure: (error: Error) => void;
}

/** The prefix of the key that is written as a trial. No name begins with it. */
const TRIAL_PREFIX = "=";

/** A bucket of names. */
export class NameBucket implements NameStore {
  /** How long an entry lives, in milliseconds. Whoever made the bucket decided that. */
  readonly ttlMs: number;
  /** Is told that the bucket was gone, and that there is a new one. */
  onRemade: (() => void) | undefined;
  readonly #make: () => Promise<KV>;
  readonly #onFailure: (error: Error) => void;
  #kv: KV;
  /** The attempt to make the bucket anew, while it lasts. */
  #remaking: Promise<void> | undefined;

  private constructor(
    kv: KV,
    make: () => Promise<KV>,
    ttlMs: number,
    onFailure: (error: Error) => void,
  ) {
    this.#kv = kv;
    this.#make = make;
    this.ttlMs = ttlMs;
    this.#onFailure = onFailure;
  }

  /**
   * Opens a bucket, and makes it if it does not exist. It is kept in memory: after a restart of the
   * NATS server all names are claimed anew. The bucket counts as open once a trial entry was
   * written to it.
   *
   * @param connection a connection to a NATS server
   * @param name the name of the bucket
   * @param server the name of this server
   * @param options how to open it
   */
  static async open(
    connection: NatsConnection,
    name: string,
    server: string,
    { ttlMs, timeoutMs, onFailure }: NameBucketOptions,
  ): Promise<NameBucket> {
    const make = () =>
      new Kvm(jetstream(connection, { timeout: timeoutMs })).create(name, {
        ttl: ttlMs,
        storage: StorageType.Memory,
        history: 1,
        // Reads go to where writes go, not to a replica of the bucket that may lag behind.
        allow_direct: false,
      });
    const kv = await make();
    const { ttl } = await kv.status();
    const trial = `${TRIAL_PREFIX}${server}`;
    await kv.delete(trial, { previousSeq: await kv.put(trial, "") });
    return new NameBucket(kv, make, ttl === 0 ? ttlMs : ttl, onFailure);
  }

  /** Reads the entry of a key. */
  get(key: string): Promise<NameEntry | undefined> {
    return this.#ask(async () => {
      const entry = await this.#kv.get(key);
      if (entry === null) return undefined;
      const { revision, operation, value } = entry;
      return { revision, holder: operation === "PUT" ? decodeHolder(value) : undefined };
    });
  }

  /** Replaces an entry. */
  put(key: string, holder: Holder, revision: number): Promise<number | undefined> {
    return this.#ask(() =>
      unlessChanged(this.#kv.put(key, encode(holder), { previousSeq: revision }))
    );
  }

  /** Deletes an entry. */
  delete(key: string, revision: number): Promise<boolean> {
    return this.#ask(async () => {
      const deleted = this.#kv.delete(key, { previousSeq: revision }).then(() => true);
      return await unlessChanged(deleted) ?? false;
    });
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question().catch(async (error) => {
        if (!isMissing(error)) throw error;
        await (this.#remaking ??= this.#remake());
        return await question();
      });
    } catch (error) {
      this.#onFailure(error as Error);
      throw error;
    }
  }

  /** Makes the bucket anew. Talk has nothing to do with it, so the link need not be given up. */
  async #remake(): Promise<void> {
    try {
      this.#kv = await this.#make();
    } finally {
      this.#remaking = undefined;
    }
    this.onRemade?.();
  }
}

/** Whether an error says that there is no such bucket, though there was one. */
function isMissing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === JetStreamApiCodes.StreamNotFound;
  // Nobody listens where entries are put. The package does not export the class of this error.
  return (error as Error).name === "JetStreamNotEnabled";
}

/** The answer, or `undefined` if the entry to be replaced had been changed in the meantime. */
async function unlessChanged<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isChanged = error instanceof JetStreamApiError &&
      error.code === JetStreamApiCodes.StreamWrongLastSequence;
    if (!isChanged) throw error;
    return undefined;
  }
}
