/**
 * The names of all servers in a bucket of NATS: its key-value store, on JetStream.
 *
 * @module
 */

import { type KV, Kvm } from "@nats-io/kv";
import { jetstream, JetStreamApiCodes, JetStreamApiError, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { NameEntry, NameStore } from "./name_claims.ts";
import { decodeHolder, encode, type Holder } from "./wire.ts";

/** How a bucket is opened. */
export interface NameBucketOptions {
  /** How long an entry stands that nobody puts there again, in milliseconds. */
  readonly ttlMs: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Is called when it cannot be reached, before the call that found out fails. */
  readonly onFailure: (error: Error) => void;
}

/** What is written to see whether it can be: no name begins like this. */
const TRIAL_PREFIX = "=";

/** A bucket of names. */
export class NameBucket implements NameStore {
  /** How long an entry stands, in milliseconds: whoever made the bucket has decided that. */
  readonly ttlMs: number;
  readonly #kv: KV;
  readonly #onFailure: (error: Error) => void;

  private constructor(kv: KV, ttlMs: number, onFailure: (error: Error) => void) {
    this.#kv = kv;
    this.ttlMs = ttlMs;
    this.#onFailure = onFailure;
  }

  /**
   * Opens a bucket, and makes it if it is not there. It is kept in memory: after a restart of the
   * NATS server all names are claimed anew. It is open when something was written to it.
   *
   * @param connection to a NATS server
   * @param name the bucket's
   * @param server the name of this server
   * @param options how
   */
  static async open(
    connection: NatsConnection,
    name: string,
    server: string,
    { ttlMs, timeoutMs, onFailure }: NameBucketOptions,
  ): Promise<NameBucket> {
    const kv = await new Kvm(jetstream(connection, { timeout: timeoutMs })).create(name, {
      ttl: ttlMs,
      storage: StorageType.Memory,
      history: 1,
      // An entry is read where it is changed: no copy of the bucket lags behind.
      allow_direct: false,
    });
    const { ttl } = await kv.status();
    const trial = `${TRIAL_PREFIX}${server}`;
    await kv.delete(trial, { previousSeq: await kv.put(trial, "") });
    return new NameBucket(kv, ttl === 0 ? ttlMs : ttl, onFailure);
  }

  /** What stands under a key. */
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
      return await question();
    } catch (error) {
      this.#onFailure(error as Error);
      throw error;
    }
  }
}

/** The answer, or `undefined` if another entry stood there than the one that was to be replaced. */
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
