/**
 * The dots on the stage: where each of them is, where it goes, and drawing them, ten thousand at a
 * time.
 *
 * @module
 */

import { type Look, lookOf, MEANINGS, SHAPES } from "./colours.ts";
import type { Dot } from "./scene.ts";
import type { Point, Rectangle } from "./wells.ts";

/** How fast a dot goes to its place: after this time it has gone two thirds of the way. */
const PACE_MS = 90;

/** From this number on a jump in time moves all dots at once. */
const MANY = 2_000;

/** Dots of this radius and more are drawn as rings and discs, and smaller ones as points. */
const POINT_RADIUS = 4;

/** Dots of this radius and more have room for a letter. */
const LETTER_RADIUS = 9;

/** A dot on the stage. */
export interface Body extends Point {
  x: number;
  y: number;
  /** Where it goes. */
  toX: number;
  toY: number;
  /** How much of it is seen, from 0 to 1. */
  alpha: number;
  look: Look;
  dot: Dot;
  /** Where it was, when its place was last found. */
  place: Dot["place"];
  thread: number | undefined;
  /** The number of the last round in which it was there. */
  round: number;
}

/** How dots are drawn. */
export interface Brush {
  readonly radius: number;
  /** The colour of each look, and of the ground. */
  readonly colours: ReadonlyMap<string, string>;
  /** The letter of a dot. */
  readonly letterOf: (dot: Dot) => string;
  /** Whether a dot is followed; `undefined` if none is. */
  readonly isFollowed: ((dot: Dot) => boolean) | undefined;
  /** How much of a dot is left, from 1 to 0. */
  readonly shareOf: (dot: Dot) => number;
  /** The font of letters. */
  readonly font: string;
}

/** The dots on the stage. */
export class Crowd {
  readonly #bodies = new Map<Dot, Body>();
  readonly #byLook = new Map<Look, Body[]>(MEANINGS.map(({ look }) => [look, []]));
  #round = 0;

  /** How many there are. */
  get size(): number {
    return this.#bodies.size;
  }

  /**
   * Takes the dots of a moment.
   *
   * @param dots the dots
   * @returns whether one has come, gone or changed its place, and whether one looks different
   */
  keep(dots: readonly Dot[]): { readonly hasMoved: boolean; readonly hasChanged: boolean } {
    const round = ++this.#round;
    let [hasMoved, hasChanged] = [false, false];
    for (const dot of dots) {
      const body = this.#bodies.get(dot);
      if (body === undefined) {
        hasMoved = true;
        this.#bodies.set(dot, {
          ...{ x: NaN, y: NaN, toX: NaN, toY: NaN, alpha: 0, round, dot },
          look: lookOf(dot),
          place: dot.place,
          thread: dot.thread,
        });
        continue;
      }
      body.round = round;
      const look = lookOf(dot);
      // Those that have ended fade away.
      hasChanged ||= look !== body.look || dot.place === "ended";
      body.look = look;
      if (body.place === dot.place && body.thread === dot.thread) continue;
      hasMoved = true;
      body.place = dot.place;
      body.thread = dot.thread;
    }
    if (this.#bodies.size > dots.length) {
      for (const [dot, body] of this.#bodies) if (body.round !== round) this.#bodies.delete(dot);
      hasMoved = true;
    }
    return { hasMoved, hasChanged: hasChanged || hasMoved };
  }

  /** Where a dot is. */
  find(dot: Dot): Body | undefined {
    return this.#bodies.get(dot);
  }

  /** Says where a dot goes. One that is new appears a little before that place. */
  send(dot: Dot, { x, y }: Point, enters: Point): void {
    const body = this.#bodies.get(dot);
    if (body === undefined) return;
    body.toX = x;
    body.toY = y;
    if (!Number.isNaN(body.x)) return;
    body.x = x + enters.x;
    body.y = y + enters.y;
  }

  /**
   * Moves all dots towards their places.
   *
   * @param passedMs for how long
   * @param jumps whether they are there at once
   * @returns whether one still moves
   */
  move(passedMs: number, jumps: boolean): boolean {
    const share = jumps ? 1 : 1 - Math.exp(-passedMs / PACE_MS);
    let moves = false;
    for (const body of this.#bodies.values()) {
      const [x, y] = [body.toX - body.x, body.toY - body.y];
      if (share === 1 || Math.abs(x) + Math.abs(y) < 0.4) {
        body.x = body.toX;
        body.y = body.toY;
      } else {
        body.x += x * share;
        body.y += y * share;
        moves = true;
      }
      if (body.alpha >= 1) continue;
      body.alpha = Math.min(1, jumps ? 1 : body.alpha + passedMs / (2 * PACE_MS));
      moves = true;
    }
    return moves;
  }

  /** Whether so many dots should jump when another moment is shown. */
  get isLarge(): boolean {
    return this.#bodies.size > MANY;
  }

  /** The dot nearest to a place, if one is near. */
  nearest({ x, y }: Point, within: number): Dot | undefined {
    let [best, least] = [undefined as Body | undefined, within * within];
    for (const body of this.#bodies.values()) {
      const square = (body.x - x) ** 2 + (body.y - y) ** 2;
      if (square > least) continue;
      [best, least] = [body, square];
    }
    return best?.dot;
  }

  /** Draws all dots. */
  draw(context: CanvasRenderingContext2D, brush: Brush): void {
    const { radius, colours } = brush;
    for (const bodies of this.#byLook.values()) bodies.length = 0;
    for (const body of this.#bodies.values()) {
      if (!Number.isNaN(body.x)) this.#byLook.get(body.look)?.push(body);
    }
    for (const [look, bodies] of this.#byLook) {
      if (bodies.length === 0) continue;
      const colour = colours.get(look) as string;
      if (radius < POINT_RADIUS) drawPoints(context, bodies, colour, radius);
      else drawShapes(context, bodies, look, colour, brush);
    }
    context.globalAlpha = 1;
    const { isFollowed } = brush;
    if (isFollowed === undefined) return;
    for (const body of this.#bodies.values()) {
      if (!isFollowed(body.dot)) continue;
      context.strokeStyle = colours.get("accent") as string;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(body.x, body.y, Math.max(radius + 4, 7), 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** Small dots: all of a colour in one go. Squares of this size look round, and are fast. */
function drawPoints(
  context: CanvasRenderingContext2D,
  bodies: readonly Body[],
  colour: string,
  radius: number,
): void {
  context.globalAlpha = 1;
  context.fillStyle = colour;
  if (radius < 2.5) {
    const side = 2 * radius;
    for (const { x, y } of bodies) context.fillRect(x - radius, y - radius, side, side);
    return;
  }
  context.beginPath();
  for (const { x, y } of bodies) {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.fill();
}

/** Large dots: rings, discs and crosses, with a letter where there is room. */
function drawShapes(
  context: CanvasRenderingContext2D,
  bodies: readonly Body[],
  look: Look,
  colour: string,
  { radius, colours, letterOf, shareOf, font }: Brush,
): void {
  const shape = SHAPES.get(look);
  const ground = colours.get("well") as string;
  const width = Math.max(1.5, radius * 0.26);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.font = font;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const body of bodies) {
    const { x, y, dot } = body;
    context.globalAlpha = body.alpha * shareOf(dot);
    context.beginPath();
    if (shape === "cross") {
      const arm = radius * 0.7;
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x + arm, y - arm);
      context.lineTo(x - arm, y + arm);
      context.stroke();
      continue;
    }
    context.arc(x, y, shape === "ring" ? radius - width / 2 : radius, 0, 2 * Math.PI);
    context.fillStyle = shape === "ring" ? ground : colour;
    context.fill();
    if (shape === "ring") context.stroke();
    if (radius < LETTER_RADIUS) continue;
    context.fillStyle = shape === "ring" ? colour : ground;
    context.fillText(letterOf(dot), x, y + 0.5);
  }
  context.globalAlpha = 1;
}

/** The middle of a rectangle. */
export function middleOf({ x, y, width, height }: Rectangle): Point {
  return { x: x + width / 2, y: y + height / 2 };
}
