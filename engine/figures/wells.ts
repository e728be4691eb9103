/**
 * Where dots stand in their boxes: in a queue, around a loop, or in rows.
 *
 * @module
 */

/** A rectangle on the stage, in CSS pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A place on the stage. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How far the centres of two dots are apart, in radii of a dot. */
const APART = 2.6;

/** The angle between a seed of a sunflower and the next one. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/**
 * The radius of dots.
 *
 * @param count how many there are in all
 */
export function radiusFor(count: number): number {
  if (count <= 30) return 10;
  if (count <= 120) return 7;
  if (count <= 500) return 4.5;
  if (count <= 2_000) return 3;
  return 1.8;
}

/** How far apart so many dots stand in a rectangle, at most {@linkcode APART}. */
function spacing({ width, height }: Rectangle, count: number, radius: number): number {
  const wanted = radius * APART;
  let space = Math.min(wanted, Math.sqrt(width * height / Math.max(1, count)));
  while (
    space > 0.5 &&
    Math.max(1, Math.floor(width / space)) * Math.max(1, Math.floor(height / space)) < count
  ) space *= 0.97;
  return space;
}

/**
 * The places of a queue. The first one stands at the way out, on the right, and the others behind it
 * in columns; where the way leads down, at the bottom, and the others above it in rows.
 *
 * @param well the rectangle
 * @param count how many dots
 * @param radius their radius
 * @param isDown whether the way leads down
 */
export function queuePlaces(
  well: Rectangle,
  count: number,
  radius: number,
  isDown: boolean,
): (index: number) => Point {
  const space = spacing(well, count, radius);
  const { x, y, width, height } = well;
  if (isDown) {
    const columns = Math.max(1, Math.floor(width / space));
    return (index) => ({
      x: x + space * (index % columns + 0.5),
      y: y + height - space * (Math.floor(index / columns) + 0.5),
    });
  }
  const rows = Math.max(1, Math.floor(height / space));
  return (index) => ({
    x: x + width - space * (Math.floor(index / rows) + 0.5),
    y: y + space * (index % rows + 0.5),
  });
}

/** Places in rows, from the top left. */
export function rowPlaces(
  well: Rectangle,
  count: number,
  radius: number,
): (index: number) => Point {
  const space = spacing(well, count, radius);
  const columns = Math.max(1, Math.floor(well.width / space));
  return (index) => ({
    x: well.x + space * (index % columns + 0.5),
    y: well.y + space * (Math.floor(index / columns) + 0.5),
  });
}

/** Where a loop is, and how far its dots are from its centre at most. */
export interface Circle extends Point {
  readonly radius: number;
}

/** The largest circle in a rectangle, with room for dots on it. */
export function circleIn({ x, y, width, height }: Rectangle, dot: number): Circle {
  const radius = Math.max(4, Math.min(width, height) / 2 - dot - 3);
  return { x: x + width / 2, y: y + height / 2, radius };
}

/**
 * The places around a loop. A place stays where it is when others come. As long as there is room, they
 * are on the circle, each as far as possible from those before; then they fill it.
 *
 * @param into remembers the places
 * @param circle the loop
 * @param places how many places there are
 * @param radius the radius of the dots
 */
export function loopPlaces(into: Places, circle: Circle, places: number, radius: number): void {
  const around = Math.floor(2 * Math.PI * circle.radius / (radius * APART));
  const room = 2 ** Math.floor(Math.log2(Math.max(1, around)));
  const isAround = places <= room;
  const all = 2 ** Math.ceil(Math.log2(Math.max(1, places)));
  into.set(`${circle.x} ${circle.y} ${circle.radius} ${isAround ? 0 : all}`, (place) => {
    if (isAround) {
      return onCircle(circle, circle.radius, 2 * Math.PI * reversed(place) - Math.PI / 2);
    }
    // The middle stays free for the hand's hub.
    const share = Math.sqrt(0.06 + 0.94 * (place + 0.5) / all);
    return onCircle(circle, circle.radius * share, place * GOLDEN);
  });
}

function onCircle({ x, y }: Point, radius: number, angle: number): Point {
  return { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) };
}

/** A number with its binary digits in the reverse order behind the point: 1 → ½, 2 → ¼, 3 → ¾. */
function reversed(number: number): number {
  let [value, share] = [0, 0.5];
  for (let rest = number; rest > 0; rest >>= 1, share /= 2) {
    if ((rest & 1) === 1) value += share;
  }
  return value;
}

/** Remembers places as long as nothing changes on which they depend. */
export class Places {
  #key = "";
  #find: (index: number) => Point = () => ({ x: 0, y: 0 });
  readonly #known: Point[] = [];

  /**
   * Says how places are found from now on.
   *
   * @param key another one, whenever the places are others @param find finds a place
   */
  set(key: string, find: (index: number) => Point): void {
    if (key === this.#key) return;
    this.#key = key;
    this.#find = find;
    this.#known.length = 0;
  }

  /** A place. */
  at(index: number): Point {
    return this.#known[index] ??= this.#find(index);
  }
}

/** Gives numbers to things as long as they are there: each time the lowest that is free. */
export class Slots<Thing> {
  readonly #slots = new Map<Thing, { readonly number: number; round: number }>();
  readonly #free: number[] = [];
  #next = 0;
  #round = 0;

  /** How many numbers were needed so far. */
  get size(): number {
    return this.#next;
  }

  /** Keeps the numbers of these things, gives numbers to new ones, and takes back all others. */
  keep(things: readonly Thing[]): void {
    const round = ++this.#round;
    let fresh: Thing[] | undefined;
    for (const thing of things) {
      const slot = this.#slots.get(thing);
      if (slot === undefined) (fresh ??= []).push(thing);
      else slot.round = round;
    }
    const kept = things.length - (fresh?.length ?? 0);
    if (this.#slots.size > kept) this.#takeBack(round);
    for (const thing of fresh ?? []) {
      this.#slots.set(thing, { number: this.#free.pop() ?? this.#next++, round });
    }
  }

  #takeBack(round: number): void {
    for (const [thing, slot] of this.#slots) {
      if (slot.round === round) continue;
      this.#slots.delete(thing);
      this.#free.push(slot.number);
    }
    if (this.#slots.size === 0) {
      this.#free.length = 0;
      this.#next = 0;
    }
    this.#free.sort((one, other) => other - one);
  }

  /** The number of a thing; 0 if it has none. */
  of(thing: Thing): number {
    return this.#slots.get(thing)?.number ?? 0;
  }
}
