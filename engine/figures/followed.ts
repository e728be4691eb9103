/**
 * The connection that a reader follows: where it is, and its life, line by line. It may be followed
 * before it has a number, from the accept queue on.
 *
 * @module
 */

import { formatTime } from "../values/units.ts";
import { make, setText } from "./element.ts";
import { doingOf, placeOf, titleOf } from "./picture_table.ts";
import type { Dot, Happening, Scene, View } from "./scene.ts";

/** How many lines of a connection's life are shown. */
const MOST_LINES = 200;

/** How connections and what happens to them are called. */
export interface LifeNaming {
  /** The name of a connection. */
  readonly nameOf: (connection: number) => string;
  /** What happens, with the names of connections. */
  readonly named: (happening: Happening) => string;
}

/** What is shown of the connection that is followed. */
export class Followed {
  /** The element to put somewhere. It is hidden while nobody is followed. */
  readonly root: HTMLElement;
  readonly #naming: LifeNaming;
  readonly #title = make("p");
  readonly #list = make("ol", {
    attributes: { tabindex: "0", "aria-label": "What has happened to it" },
  });
  /** Who is followed: by a number, or by a dot that has none yet. */
  #connection: number | undefined;
  #id: number | undefined;
  /** What is shown of its life; empty if nothing is. */
  #shown = "";
  #from = "";

  /** @param naming what everything is called */
  constructor(naming: LifeNaming) {
    this.#naming = naming;
    this.root = make("div", { class: "followed", children: [this.#title, this.#list] });
    this.root.hidden = true;
  }

  /** The number of the connection that is followed; `undefined` if nobody is, or if it has none yet. */
  get connection(): number | undefined {
    return this.#connection;
  }

  /** Whether somebody is followed. */
  get isSomebody(): boolean {
    return this.#connection !== undefined || this.#id !== undefined;
  }

  /** Follows a connection by its number, or a dot; nobody, if neither is given. */
  follow({ connection, id }: Partial<Pick<Dot, "connection" | "id">> = {}): void {
    this.#connection = connection;
    this.#id = id;
    this.#shown = "";
    this.#from = "";
    this.#list.replaceChildren();
  }

  /** Whether a dot is the one that is followed. */
  is({ connection, id }: Dot): boolean {
    return this.#connection === undefined ? id === this.#id : connection === this.#connection;
  }

  /** The picture has begun anew: dots have other numbers. */
  renew(): void {
    this.#id = undefined;
    this.#shown = "";
  }

  /**
   * Writes what a moment shows of it.
   *
   * @param view the moment @param scene everything that is known
   * @param fromUs the moment from which times are counted
   */
  show(view: View, scene: Scene, fromUs: number): void {
    this.root.hidden = !this.isSomebody;
    if (!this.isSomebody) return;
    const track = scene.find(this.#connection, this.#id);
    if (track === undefined) {
      const name = this.#connection === undefined ? "It" : this.#naming.nameOf(this.#connection);
      const why = this.#shown === ""
        ? "is not known: it has not come yet, or is no longer remembered"
        : "is no longer remembered: it was over long ago";
      return setText(this.#title, `${name}${this.#from} ${why}`);
    }
    // From now on it has a number, and is found by that.
    this.#connection = track.connection;
    this.#id = track.id;
    const life = scene.lifeOf(track).slice(-MOST_LINES);
    this.#from = `, from ${track.peer},`;
    const dot = view.dots.find(({ id }) => id === track.id);
    const name = track.connection === undefined
      ? `A connection (${dot === undefined ? "no number" : titleOf(dot, this.#naming.nameOf)})`
      : this.#naming.nameOf(track.connection);
    setText(this.#title, `${name}${this.#from} ${this.#where(dot, view, life)}`);
    this.#write(track, view, fromUs, life);
  }

  #where(dot: Dot | undefined, view: View, life: readonly Happening[]): string {
    if (dot !== undefined) {
      const place = `${dot.place === "thread" ? "is served by" : "is here:"} ${placeOf(dot, view)}`;
      const since = formatTime(Math.max(0, view.us - dot.sinceUs));
      return `${place}: ${doingOf(dot, this.#naming.nameOf)} · ${since}`;
    }
    const isOver = life.some(({ us }) => us <= view.us);
    return isOver ? "is in the picture no more" : "is not there yet";
  }

  #write({ id }: Dot, view: View, fromUs: number, life: readonly Happening[]): void {
    const past = life.filter(({ us }) => us <= view.us + 0.5).length;
    const shown = `${id} ${life.length} ${past} ${life.at(-1)?.us}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.replaceChildren(...life.map((happening, index) =>
      make("li", {
        class: index < past ? "past" : "",
        children: [
          make("time", { text: formatTime(Math.max(0, happening.us - fromUs)) }),
          make("span", { text: this.#naming.named(happening) }),
        ],
      })
    ));
    this.#scrollTo(this.#list.children[past - 1] as HTMLElement | undefined);
  }

  /** Shows what has happened last, unless somebody reads there. */
  #scrollTo(line: HTMLElement | undefined): void {
    const list = this.#list;
    if (list.matches(":hover, :focus")) return;
    const below = (line?.offsetTop ?? 0) + (line?.offsetHeight ?? 0);
    list.scrollTop = Math.max(0, below - list.clientHeight);
  }
}
