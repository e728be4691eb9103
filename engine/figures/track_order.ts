/**
 * The connections of a scene in the order in which they come, and those that are in the picture.
 *
 * @module
 */

import type { Track } from "./track.ts";

/** So many connections get their places one by one; for more, all are put into order. */
const MOST_PLACED = 256;

/** The connections of a scene. */
export class TrackOrder {
  /** In the order of {@linkcode Track.fromUs}, and those that have no place there yet. */
  #tracks: Track[] = [];
  #unplaced: Track[] = [];
  /** Whether none of them comes earlier than was known when it got its place. */
  #isSorted = true;
  /** Those in the picture at the last look, and how many had come by then. */
  #present: Track[] = [];
  #come = 0;
  #lookedUs = -Infinity;
  #lingeredUs = 0;

  /** All of them, in the order in which they come. */
  get all(): readonly Track[] {
    this.#sort();
    return this.#tracks;
  }

  /** Adds one. When it comes must be known before the next look. */
  add(track: Track): void {
    this.#unplaced.push(track);
  }

  /** More is known of when one comes. @param track it @param beforeUs what was known before */
  comes({ fromUs }: Track, beforeUs: number): void {
    if (beforeUs < Infinity && fromUs < beforeUs) this.#isSorted = false;
  }

  /** The next look begins anew: somebody may be in the picture again. */
  lookAnew(): void {
    this.#lookedUs = Infinity;
  }

  /** Keeps only some. @param isKept says which */
  keep(isKept: (track: Track) => boolean): void {
    this.#sort();
    this.#tracks = this.#tracks.filter(isKept);
    this.lookAnew();
  }

  /**
   * Those that are in the picture at a moment.
   *
   * @param us the moment @param lingerUs for how long whoever has ended stays
   * @param areEndsTold whether the kernel tells of connections that end
   */
  presentAt(us: number, lingerUs: number, areEndsTold: boolean): readonly Track[] {
    this.#sort();
    const isOn = us >= this.#lookedUs && lingerUs === this.#lingeredUs;
    if (!isOn) {
      this.#present = [];
      this.#come = 0;
    }
    const hasGone = (track: Track) => track.hasEnded(us - lingerUs, areEndsTold);
    if (isOn && this.#present.some(hasGone)) {
      this.#present = this.#present.filter((track) => !hasGone(track));
    }
    for (; this.#come < this.#tracks.length; this.#come++) {
      const track = this.#tracks[this.#come] as Track;
      if (track.fromUs > us) break;
      if (!hasGone(track)) this.#present.push(track);
    }
    this.#lookedUs = us;
    this.#lingeredUs = lingerUs;
    return this.#present;
  }

  #sort(): void {
    const unplaced = this.#unplaced;
    if (this.#isSorted && unplaced.length === 0) return;
    this.#unplaced = [];
    if (this.#isSorted && unplaced.length <= MOST_PLACED) {
      for (const track of unplaced) this.#place(track);
      return;
    }
    for (const track of unplaced) this.#tracks.push(track);
    this.#tracks.sort((one, other) => one.fromUs - other.fromUs);
    this.#isSorted = true;
    this.lookAnew();
  }

  /** Most come nearly in the order of time. */
  #place(track: Track): void {
    const tracks = this.#tracks;
    const { fromUs } = track;
    let at = tracks.length;
    while (at > 0 && (tracks[at - 1] as Track).fromUs > fromUs) at--;
    if (at === tracks.length) tracks.push(track);
    else tracks.splice(at, 0, track);
    if (at >= this.#come) return;
    // It has come before the last look.
    this.#come++;
    this.#present.push(track);
  }
}
