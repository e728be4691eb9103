/**
 * Lines over time: what a server's figures were in the last minute.
 *
 * @module
 */

import { make, setText } from "./element.ts";

/** A line. */
export interface Series<Point> {
  /** Its name, if there are several. */
  readonly name: string;
  /** Its value; `undefined` where it is not known. */
  readonly of: (point: Point) => number | undefined;
}

/** What a chart shows. */
export interface ChartOptions<Point> {
  readonly title: string;
  readonly series: readonly Series<Point>[];
  /** Writes a value. */
  readonly format: (value: number) => string;
  /** The top of the scale is never less than this. */
  readonly least: number;
  /** The top of the scale is a round number of these. @default {1} */
  readonly unit?: number;
}

/** A point in time. */
export interface Timed {
  readonly at: number;
}

/** For how long before the present a chart shows values, in microseconds. */
const WINDOW_US = 60_000_000;

/** How the lines differ besides their colour. */
const DASHES: readonly (readonly number[])[] = [[], [5, 3]];

/** The height of a chart, in pixels. */
const HEIGHT = 72;

/** A chart. */
export class LineChart<Point extends Timed> {
  readonly root: HTMLElement;
  readonly #options: ChartOptions<Point>;
  readonly #value: HTMLElement;
  readonly #top: HTMLElement;
  readonly #canvas: HTMLCanvasElement;

  /** @param options what it shows */
  constructor(options: ChartOptions<Point>) {
    this.#options = options;
    this.#value = make("p", { class: "value", text: "–" });
    this.#top = make("span", { class: "top" });
    this.#canvas = make("canvas", { attributes: { "aria-hidden": "true" } });
    this.root = make("figure", {
      class: "chart",
      children: [
        make("figcaption", {
          children: [make("h3", { text: options.title }), this.#value],
        }),
        make("div", { class: "plot", children: [this.#canvas, this.#top] }),
      ],
    });
  }

  /**
   * Shows values.
   *
   * @param points the values, in the order of time
   * @param us the present
   */
  show(points: readonly Point[], us: number): void {
    const { series, format, least, unit = 1 } = this.#options;
    const shown = points.filter(({ at }) => at > us - WINDOW_US && at <= us);
    const last = shown.at(-1);
    const known = series.flatMap(({ name, of }) => {
      const value = last && of(last);
      if (value === undefined) return [];
      return [name === "" ? format(value) : `${name} ${format(value)}`];
    });
    setText(this.#value, known.length === 0 ? "not known" : known.join(" · "));
    const values = shown.flatMap((point) => series.map(({ of }) => of(point) ?? 0));
    const most = roundUp(Math.max(least, ...values) / unit) * unit;
    setText(this.#top, format(most));
    this.#draw(shown, us, most);
  }

  #draw(points: readonly Point[], us: number, most: number): void {
    const { width } = this.#canvas.getBoundingClientRect();
    const ratio = Math.min(2, devicePixelRatio);
    const [pixels, rows] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
    if (this.#canvas.width !== pixels || this.#canvas.height !== rows) {
      this.#canvas.width = pixels;
      this.#canvas.height = rows;
    }
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const style = getComputedStyle(this.#canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const x = (at: number) => (1 - (us - at) / WINDOW_US) * width;
    const y = (value: number) => 1 + (1 - value / most) * (HEIGHT - 2);
    context.strokeStyle = style.borderBottomColor;
    context.lineWidth = 1;
    for (const share of [0, 1]) {
      context.beginPath();
      context.moveTo(0, y(share * most));
      context.lineTo(width, y(share * most));
      context.stroke();
    }
    context.strokeStyle = style.color;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    for (const [index, { of }] of this.#options.series.entries()) {
      context.setLineDash([...DASHES[index] ?? []]);
      context.beginPath();
      let isOn = false;
      for (const point of points) {
        const value = of(point);
        if (value === undefined) {
          isOn = false;
          continue;
        }
        if (isOn) context.lineTo(x(point.at), y(value));
        else context.moveTo(x(point.at), y(value));
        isOn = true;
      }
      context.stroke();
    }
    context.setLineDash([]);
  }
}

/** The next number of the form 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
