/**
 * Who comes, goes and takes another name in one room. While little happens, the members are told of
 * each change at once. When more happens than anybody could read, the changes are gathered for a
 * moment: telling each of a thousand members of a thousand others would cost a million lines.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { keyOf } from "../talk/names.ts";
import { changed, type ChangeKind, gathered } from "../talk/notices.ts";
import { type FloodLimits, FloodMeter } from "./flood_meter.ts";

/** How long changes are gathered, in milliseconds. */
export const GATHER_MS = 100;

/**
 * How many notices of who comes and goes are given to the members of a room one by one. Sixty
 * members are given ten a second, which is as much as anybody can read.
 */
export const NEWS_LIMITS: FloodLimits = { rate: 600, burst: 600 };

/** A room with fewer hearers than this counts as one with so many: nobody reads faster. */
const LEAST_HEARERS = 4;

/** What the news of a room need. */
export interface NewsParts {
  /** How many notices all members together hear one by one; beyond that they are gathered. */
  readonly limits: FloodLimits;
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** How many members hear a notice. */
  population(): number;
  /** Tells the members something; one of them may be left out. */
  tell(notice: string, except?: object): void;
}

/** One change. */
export interface Change {
  readonly kind: ChangeKind;
  /** The user's name before it. */
  readonly name: string;
  /** The room that was joined, how the user left, or the new name: what the notice ends with. */
  readonly what: string;
}

/** A change that was not told yet. */
interface Untold extends Change {
  /** Who need not hear of it if it is told alone. */
  readonly except?: object | undefined;
}

/** The changes in one room. */
export class News {
  readonly #parts: NewsParts;
  readonly #meter: FloodMeter;
  readonly #end = new Deadline(() => this.#tellAll(), true);
  /** Those who have come, by the keys of their names. */
  readonly #joined = new Map<string, Untold>();
  /** Those who have gone. A name may have been here, and gone, several times. */
  #left: Untold[] = [];
  /** Those who have another name, by the key of the one that they have now. */
  readonly #renamed = new Map<string, Untold>();

  /** @param parts what the news need */
  constructor(parts: NewsParts) {
    this.#parts = parts;
    this.#meter = new FloodMeter(parts.limits, parts.deadlines.now);
  }

  /** Whether changes are being gathered. */
  get isGathering(): boolean {
    return this.#joined.size + this.#left.length + this.#renamed.size > 0;
  }

  /**
   * Something has changed.
   *
   * @param change what
   * @param except who need not hear of it if it is told alone
   */
  add(change: Change, except?: object): void {
    const { population, tell, deadlines } = this.#parts;
    const { now } = deadlines;
    if (!this.isGathering) {
      if (this.#meter.spend(0, now) === 0) {
        this.#meter.spend(Math.max(LEAST_HEARERS, population()), now);
        return tell(changed(change.kind, change.name, change.what), except);
      }
      deadlines.set(this.#end, GATHER_MS, now);
    }
    this.#gather(change, except);
  }

  /** Puts a change with the others. Whoever came and went in the meantime was never here. */
  #gather(change: Change, except: object | undefined): void {
    const { kind, name, what } = change;
    const key = keyOf(name);
    if (kind === "joined") {
      this.#joined.set(key, { ...change, except });
      return;
    }
    const came = this.#joined.get(key);
    const known = came ?? this.#renamed.get(key) ?? change;
    this.#joined.delete(key);
    if (came === undefined) this.#renamed.delete(key);
    if (kind === "left") {
      if (came === undefined) this.#left.push({ ...change, name: known.name, except });
    } else if (came !== undefined) this.#joined.set(keyOf(what), { ...came, name: what });
    else if (known.name !== what) {
      this.#renamed.set(keyOf(what), { ...change, name: known.name, except });
    }
  }

  /** Tells what was gathered: first who has gone, because others may have their names by now. */
  #tellAll(): void {
    const { tell } = this.#parts;
    const kinds = [this.#left, [...this.#renamed.values()], [...this.#joined.values()]];
    this.#left = [];
    this.#renamed.clear();
    this.#joined.clear();
    const isOne = kinds.reduce((count, changes) => count + changes.length, 0) === 1;
    for (const changes of kinds) {
      const [first] = changes;
      if (first === undefined) continue;
      const { kind, name, what, except } = first;
      if (changes.length > 1) tell(gathered(kind, changes));
      else tell(changed(kind, name, what), isOne ? except : undefined);
    }
  }
}
