/**
 * The names that the users of one server have, and how servers settle who has one.
 *
 * All is decided in one place, the store: whoever stands there has the name. A claim of a free name
 * is put there, and fails if another stands there already. After a split, when two servers have
 * granted the same name, both put theirs to the test: the older claim takes the place of the
 * younger, which is told to look there again, and finds that it has lost. A name seen twice, in
 * whatever way, is a reason to look there and nothing more: so there is one loser, never two and
 * never none.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { Holder } from "./wire.ts";

/** How many names are settled at a time. */
const AT_A_TIME = 32;

/** How often a claim is tried against others that change the same entry meanwhile. */
const ATTEMPTS = 8;

/** What stands in the store under a name. */
export interface NameEntry {
  /** The number of the entry: a change has to name the one that it replaces. */
  readonly revision: number;
  /** Who has the name; `undefined` if nobody. */
  readonly holder?: Holder | undefined;
}

/** Where names are kept for all servers. A call fails if the store cannot be reached. */
export interface NameStore {
  /** What stands under a key; `undefined` if nothing does. */
  get(key: string): Promise<NameEntry | undefined>;
  /**
   * Replaces an entry.
   *
   * @param key the key of a name
   * @param holder who has it
   * @param revision of the entry that is replaced; 0 if there must be none
   * @returns the new revision; `undefined` if another entry stands there
   */
  put(key: string, holder: Holder, revision: number): Promise<number | undefined>;
  /** Deletes the entry of this revision; returns whether it stood there. */
  delete(key: string, revision: number): Promise<boolean>;
}

/** Who is told of what became of a name. */
export interface NameObserver {
  /** A name that a user of this server had is another's now. */
  onLost(name: string): void;
  /** A name that another server had is this one's now. */
  onTakenOver(name: string, from: string): void;
}

/** A name of a user of this server. */
interface Claim {
  name: string;
  since: number;
  /** The entry in the store; 0 as long as it is not known. */
  revision: number;
}

/** The names of the users of one server. */
export class NameClaims {
  readonly #server: string;
  readonly #observer: NameObserver;
  readonly #claims = new Map<string, Claim>();
  /** Names given back while the store could not be told. */
  readonly #released = new Set<string>();
  /** The last thing to be done about each key: one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Keys that are about to be put to the test: more reasons make no difference. */
  readonly #toSettle = new Set<string>();
  #store: NameStore | undefined;

  /** @param server this one @param observer is told what becomes of names */
  constructor(server: string, observer: NameObserver) {
    this.#server = server;
    this.#observer = observer;
  }

  /** Whether a user of this server has the name. */
  has(name: string): boolean {
    return this.#claims.has(keyOf(name));
  }

  /**
   * Uses a store, and puts all names to the test there.
   *
   * @param store which
   */
  async attach(store: NameStore): Promise<void> {
    this.#store = store;
    // It may be another store than before, with other revisions.
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
   * Takes a name.
   *
   * @param name which; its letters may differ in case from one that the same user has
   * @param since when she wants it from
   * @returns whether she can have it
   */
  claim(name: string, since: number): Promise<boolean> {
    const key = keyOf(name);
    return this.#inTurn(key, async () => {
      const claim = this.#claims.get(key) ?? { name, since, revision: 0 };
      // Without a store it is granted; with a new one in its place it is put to the test there.
      for (let store = this.#store; store !== undefined; store = this.#store) {
        try {
          if (await this.#take(store, key, claim, () => false) !== true) return false;
          break;
        } catch (error) {
          // Whoever fails to reach a store detaches it; until then there is nothing to hope for.
          if (this.#store === store) throw error;
        }
      }
      this.#released.delete(key);
      this.#claims.set(key, Object.assign(claim, { name }));
      return true;
    });
  }

  /**
   * Gives a name back, in whatever spelling. If nothing else is under way about it, the store is
   * told before this returns: who is told of it afterwards finds the name free.
   *
   * @param name which
   */
  release(name: string): void {
    const key = keyOf(name);
    const claim = this.#claims.get(key);
    if (claim === undefined) return;
    this.#claims.delete(key);
    const isStored = claim.revision > 0;
    this.#giveBack(key, claim).catch(() => {
      // The store is out of reach, which whoever attached it knows already.
      if (isStored) this.#released.add(key);
    });
  }

  /** Gives all names back, and waits for those that were given back before. */
  async releaseAll(): Promise<void> {
    const claims = [...this.#claims];
    this.#claims.clear();
    await forEach(claims, ([key, claim]) => this.#giveBack(key, claim));
    await Promise.all(this.#turns.values());
  }

  /** Puts all names to the test, and so keeps them from expiring. */
  async renew(): Promise<void> {
    await forEach([...this.#claims.keys()], (key) => this.settle(key));
  }

  /**
   * Puts a name to the test: another may have it.
   *
   * @param name any
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
   * Puts a claim into the store, where it may replace others only if the caller says so.
   *
   * @returns whether it stands there; `undefined` if others changed the entry all the time
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

  /** Gives a name back that stands where its claim says, or wherever it is found. */
  #giveBack(key: string, claim: Claim): Promise<void> {
    const store = this.#store;
    return this.#inTurn(key, async () => {
      if (this.#claims.has(key)) return;
      if (this.#store === undefined) {
        if (claim.revision > 0) this.#released.add(key);
        return;
      }
      // Another store has other numbers.
      const isKnown = claim.revision > 0 && this.#store === store;
      if (isKnown && await store.delete(key, claim.revision)) return;
      await this.#lookAndGiveBack(key);
    });
  }

  /** Deletes the entry of a key, if it is this server's and nobody has the name again. */
  async #lookAndGiveBack(key: string): Promise<void> {
    if (this.#claims.has(key)) return;
    if (this.#store === undefined) {
      this.#released.add(key);
      return;
    }
    const entry = await this.#store.get(key);
    if (entry?.holder?.server === this.#server) await this.#store.delete(key, entry.revision);
  }

  /** Does something about a key when all before it is done: at once, if nothing is before it. */
  #inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.get(key)?.then(work) ?? work();
    const done = turn.then(() => {}, () => {}).then(() => {
      if (this.#turns.get(key) === done) this.#turns.delete(key);
    });
    this.#turns.set(key, done);
    return turn;
  }
}

/** Does the same for all items, a few at a time; fails with the first failure. */
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
