/**
 * What threads have recorded of a connection just before its beginning: a record has room for one text
 * and two times.
 *
 * @module
 */

import { RECORD, type TrackRecord } from "./timeline_track.ts";

/** What is known of a connection besides its beginning. */
export interface Before {
  /** Its client, if its peer is a proxy that has named it. */
  readonly client?: string;
  /** When the kernel had opened it at the latest, if it has waited to be accepted, in milliseconds. */
  readonly connected?: number;
}

/** Keeps what comes before a beginning until that comes. */
export class Foreword {
  #id = 0;
  #before: Before = {};

  /**
   * Takes a record, if it is of this kind.
   *
   * @returns whether it is
   */
  take({ kind, id, from, text }: TrackRecord): boolean {
    if (kind !== RECORD.client && kind !== RECORD.connected) return false;
    const known = id === this.#id ? this.#before : {};
    this.#id = id;
    this.#before = kind === RECORD.client
      ? { ...known, client: text }
      : { ...known, connected: from };
    return true;
  }

  /** What has come before the beginning of a connection. @param id its number */
  of(id: number): Before {
    return id === this.#id ? this.#before : NOTHING;
  }
}

const NOTHING: Before = {};
