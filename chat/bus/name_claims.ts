/**
 * The names of one server's users, and how servers settle who owns a name.
 *
 * Everything is decided in one place, the store: the server whose entry stands there owns the name.
 * To claim a free name, a server puts an entry there; this fails if there is one already. After a
 * split two servers may have granted the same name. Then both put their claims to the test. The
 * older claim replaces the younger one, and its server tells the other to look at the store again,
 * where the other finds that it has lost. When a server sees a name twice, in whatever way, it
 * looks at the store and does nothing else. So there is one loser, never two and never none.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { Holder } from "./wire.ts";

/** How many names are settled concurrently. */
const AT_A_TIME = 32;

/** How many times a claim is tried while others keep changing the same entry. */
const ATTEMPTS = 8;

/**
 * How long somebody may have to wait for a name because the store does not answer, in milliseconds.
 * After that the name is granted, and put to the test when the store answers.
 */
const PATIENCE_MS = 500;

/** The store's entry for a name. */
export interface NameEntry {
  /** The revision number of the entry. A change has to name the revision that it replaces. */
  readonly revision: number;
  /** Who has the name; `undefined` if nobody does. */
  readonly holder?: Holder | undefined;
}

/** The place where names are kept for all servers. A call fails if the store is out of reach. */
export interface NameStore {
  /** The entry of a key; `undefined` if there is none. */
  get(key: string): Promise<NameEntry | undefined>;
  /**
   * Replaces an entry.
   *
   * @param key the key of a name
   * @param holder who has the name
   * @param revision the revision to be replaced; 0 if there must be no entry
   * @returns the new revision; `undefined` if there is another entry
   */
  put(key: string, holder: Holder, revision: number): Promise<number | undefined>;
  /** Deletes the entry with this revision; returns whether it was there. */
  delete(key: string, revision: number): Promise<boolean>;
}

/** Is told what becomes of names. */
export interface NameObserver {
  /** A name of this server's user belongs to another server now. */
  onLost(name: string): void;
  /** A name of another server belongs to this one now. */
  onTakenOver(name: string, from: string): void;
}

/** The claim to a name for a user of this server. */
interface Claim {
  name: string;
  since: number;
  /** The revision of the entry in the store; 0 as long as it is unknown. */
  revision: number;
}

/** The names of the users of one server. */
export class NameClaims {
  readonly #server: string;
  readonly #observer: NameObserver;
  readonly #claims = new Map<string, Claim>();
  /** The keys of names that were given back while the store was out of reach. */
  readonly #released = new Set<string>();
  /** The last piece of work queued for each key: the work on one key is done in order. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Keys that are about to be put to the test. A second reason to do so changes nothing. */
  readonly #toSettle = new Set<string>();
  #store: NameStore | undefined;
  /** When each claim was made for which there is no answer yet; the oldest is the first. */
  readonly #unanswered = new Set<{ readonly at: number }>();

  /** @param server the name of this server @param observer is told what becomes of names */
  constructor(server: string, observer: NameObserver) {
    this.#server = server;
    this.#observer = observer;
  }

  /** Whether a user of this server has the name. */
  has(name: string): boolean {
    return this.#claims.has(keyOf(name));
  }

  /**
   * Starts to use a store, and puts all names to the test there.
   *
   * @param store the store
   */
  async attach(store: NameStore): Promise<void> {
    this.#store = store;
    // It may not be the same store as before: its revisions may differ.
    for (const claim of this.#claims.values()) claim.revision = 0;
    const released = [...this.#released];
    this.#released.clear();
    await forEach(released, (key) => this.#inTurn(key, () => this.#lookAndGiveBack(key)));
    await this.renew();
  }

  /** Goes on without a store: every name is granted. */
  detach(): void {
    this.#store = undefined;
  }

  /**
   * Claims a name.
   *
   * @param name the name; it may differ only in case from one that the same user has
   * @param since when the claim begins
   * @returns whether the user can have it
   */
  async claim(name: string, since: number): Promise<boolean> {
    const key = keyOf(name);
    const claim = this.#claims.get(key) ?? { name, since, revision: 0 };
    let isGranted = false;
    const answer = this.#inTurn(key, async () => {
      // Without a store the name is granted. If a new store comes instead, the claim goes there.
      for (let store = this.#store; store !== undefined; store = this.#store) {
        try {
          if (await this.#take(store, key, claim, () => false) !== true) return false;
          break;
        } catch (error) {
          // A store that cannot be reached gets detached. While it is not, trying again is no use.
          if (this.#store === store) throw error;
        }
      }
      // A name that was granted before the answer may have been given back by now.
      if (isGranted && this.#claims.get(key) !== claim) return true;
      this.#released.delete(key);
      this.#claims.set(key, Object.assign(claim, { name }));
      return true;
    });
    if (this.#store === undefined || await this.#isAnswered(answer)) return await answer;
    isGranted = true;
    this.#claims.set(key, Object.assign(claim, { name }));
    // If another server has the name, the older claim keeps it. A store that fails gets detached.
    answer.then((isOwn) => isOwn ? undefined : this.settle(name)).catch(() => {});
    return true;
  }

  /** Waits for an answer as long as people can be kept waiting; returns whether it has come. */
  async #isAnswered(answer: Promise<unknown>): Promise<boolean> {
    const asked = { at: performance.now() };
    this.#unanswered.add(asked);
    const done = () => void this.#unanswered.delete(asked);
    const settled = answer.then(done, done).then(() => true);
    // If the store has kept others waiting for so long already, nobody else has to.
    const [oldest = asked] = this.#unanswered;
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    let timer = setTimeout(() => {
      // The answer may be here already, if it was this server that was too busy to read it.
      timer = setTimeout(() => resolve(false));
    }, PATIENCE_MS - (asked.at - oldest.at));
    const isAnswered = await Promise.race([settled, late]);
    clearTimeout(timer);
    return isAnswered;
  }

  /**
   * Gives a name back, in whatever spelling. If no other work on that name is under way, the store
   * is told before this returns. So whoever hears of it afterwards finds the name free.
   *
   * @param name the name
   */
  release(name: string): void {
    const key = keyOf(name);
    const claim = this.#claims.get(key);
    if (claim === undefined) return;
    this.#claims.delete(key);
    const isStored = claim.revision > 0;
    this.#giveBack(key, claim).catch(() => {
      // The store is out of reach. Whoever attached it knows that already.
      if (isStored) this.#released.add(key);
    });
  }

  /** Gives all names back, and waits until those given back earlier are done too. */
  async releaseAll(): Promise<void> {
    const claims = [...this.#claims];
    this.#claims.clear();
    await forEach(claims, ([key, claim]) => this.#giveBack(key, claim));
    await Promise.all(this.#turns.values());
  }

  /** Puts all names to the test, which also keeps them from expiring. */
  async renew(): Promise<void> {
    await forEach([...this.#claims.keys()], (key) => this.settle(key));
  }

  /**
   * Puts a name to the test: another server may have it.
   *
   * @param name any name
   */
  async settle(name: string): Promise<void> {
    const key = keyOf(name);
    if (!this.#claims.has(key) || this.#toSettle.has(key)) return;
    this.#toSettle.add(key);
    await this.#inTurn(key, async () => {
      this.#toSettle.delete(key);
      const claim = this.#claims.get(key);
      const store = this.#store;
      if (claim === undefined || store === undefined) return;
      const isOlder = (holder: Holder) =>
        claim.since < holder.since ||
        (claim.since === holder.since && this.#server < holder.server);
      const isLost = await this.#take(store, key, claim, isOlder) === false;
      if (!isLost || this.#claims.get(key) !== claim) return;
      this.#claims.delete(key);
      this.#observer.onLost(claim.name);
    });
  }

  /**
   * Puts a claim into the store. It may replace another only if the caller says so.
   *
   * @returns whether the claim stands there; `undefined` if others kept changing the entry
   */
  async #take(
    store: NameStore,
    key: string,
    claim: Claim,
    mayReplace: (holder: Holder) => boolean,
  ): Promise<boolean | undefined> {
    let { revision } = claim;
    let former: Holder | undefined;
    const own = { server: this.#server, since: claim.since };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const put = await store.put(key, own, revision);
      if (put !== undefined) {
        claim.revision = put;
        if (former !== undefined) this.#observer.onTakenOver(claim.name, former.server);
        return true;
      }
      const entry = await store.get(key);
      former = entry?.holder?.server === this.#server ? undefined : entry?.holder;
      if (former !== undefined && !mayReplace(former)) return false;
      revision = entry?.revision ?? 0;
    }
    return undefined;
  }

  /** Gives a name back: the entry that its claim knows of, or else the one that is found. */
  #giveBack(key: string, claim: Claim): Promise<void> {
    const store = this.#store;
    return this.#inTurn(key, async () => {
      if (this.#claims.has(key)) return;
      if (this.#store === undefined) {
        if (claim.revision > 0) this.#released.add(key);
        return;
      }
      // Another store has other revisions.
      const isKnown = claim.revision > 0 && this.#store === store;
      if (isKnown && await store.delete(key, claim.revision)) return;
      await this.#lookAndGiveBack(key);
    });
  }

  /** Deletes the entry of a key if it is this server's and no user has taken the name again. */
  async #lookAndGiveBack(key: string): Promise<void> {
    if (this.#claims.has(key)) return;
    if (this.#store === undefined) {
      this.#released.add(key);
      return;
    }
    const entry = await this.#store.get(key);
    if (entry?.holder?.server === this.#server) await this.#store.delete(key, entry.revision);
  }

  /** Does some work on a key after all earlier work on it, or at once if there is none. */
  #inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.get(key)?.then(work) ?? work();
    const done = turn.then(() => {}, () => {}).then(() => {
      if (this.#turns.get(key) === done) this.#turns.delete(key);
    });
    this.#turns.set(key, done);
    return turn;
  }
}

/** Does the same work for all items, a few at a time; fails with the first failure. */
async function forEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const line = async () => {
    while (next < items.length) await work(items[next++] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, line));
}
