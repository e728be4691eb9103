/**
 * Draws heat maps: time to the right, how long answers took upwards, and how many they were as a
 * colour. It runs in a browser as it is, before the script of the page.
 *
 * @module
 */

// @ts-check
"use strict";

/** @typedef {import("../heat.ts").HeatColumn} Column */
/** @typedef {{ name: string, heat: readonly Column[] }} Row */
/**
 * @typedef {{
 *   make: (tag: string, attributes: Record<string, string>, ...children: (Node | string)[]) => HTMLElement,
 *   themed: (name: string) => string,
 *   time: (us: number) => string,
 *   count: (value: number) => string,
 *   colour: "answers" | "share",
 *   bandsADecade: number,
 *   note: string,
 *   choice: HTMLElement,
 * }} Tools
 */
/** @typedef {(rows: readonly Row[], tools: Tools) => HTMLElement} HeatMap */
/**
 * What all maps of a figure have in common.
 *
 * @typedef {{ low: number, high: number, until: number, most: number }} Span
 */

(() => {
  /** The room for the names of the axes, in pixels. */
  const LEFT = 52;
  const RIGHT = 10;
  const TOP = 6;
  const BOTTOM = 22;

  /** The colours from few to many, on white and on black: in both, many differs most from the ground. */
  const RAMPS = {
    light: ["#dce7fb", "#93b4f2", "#5a6fd8", "#6a2f9c", "#35083f"],
    dark: ["#27345a", "#3f5fc0", "#8a8cf0", "#f0b49a", "#ffefb0"],
  };

  function isDark() {
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /**
   * A colour between few and many.
   *
   * @param {number} share from 0 to 1
   */
  function ramp(share) {
    const colours = isDark() ? RAMPS.dark : RAMPS.light;
    const at = Math.min(1, Math.max(0, share)) * (colours.length - 1);
    const step = Math.min(colours.length - 2, Math.floor(at));
    const parts = [1, 3, 5].map((from) => {
      const [before, after] = [step, step + 1].map((index) =>
        parseInt(/** @type {string} */ (colours[index]).slice(from, from + 2), 16)
      );
      const value = /** @type {number} */ (before) +
        (/** @type {number} */ (after) - /** @type {number} */ (before)) * (at - step);
      return Math.round(value);
    });
    return `rgb(${parts.join(" ")})`;
  }

  /** @param {Column} column @returns {[band: number, count: number][]} */
  function bandsOf({ bands }) {
    /** @type {[number, number][]} */
    const pairs = [];
    for (let at = 0; at < bands.length; at += 2) {
      pairs.push([/** @type {number} */ (bands[at]), /** @type {number} */ (bands[at + 1])]);
    }
    return pairs;
  }

  /**
   * What the colour of a cell stands for.
   *
   * @param {Column} column
   * @param {number} count
   * @param {Tools} tools
   */
  function weight(column, count, { colour }) {
    return colour === "share" ? count / Math.max(1, column.answers) : count;
  }

  /** @param {readonly Row[]} rows @param {Tools} tools @returns {Span} */
  function spanOf(rows, tools) {
    const span = { low: Infinity, high: -Infinity, until: 0, most: 0 };
    for (const { heat } of rows) {
      for (const column of heat) {
        span.until = Math.max(span.until, column.to);
        for (const [band, count] of bandsOf(column)) {
          span.low = Math.min(span.low, band);
          span.high = Math.max(span.high, band);
          span.most = Math.max(span.most, weight(column, count, tools));
        }
      }
    }
    if (span.low > span.high) return { ...span, low: 0, high: 10, most: 1 };
    // At least a power of ten, so that small differences do not look large.
    const missing = tools.bandsADecade - (span.high - span.low + 1);
    if (missing <= 0) return span;
    span.low = Math.max(0, span.low - Math.floor(missing / 2));
    span.high = Math.max(span.high, span.low + tools.bandsADecade - 1);
    return span;
  }

  /** @param {number} share @param {Tools} tools */
  function percent(share, { count }) {
    const percentage = share * 100;
    return percentage > 0 && percentage < 0.01 ? "under 0.01 %" : `${count(percentage)} %`;
  }

  /** @param {Column} column */
  function when({ from, to }) {
    const short = (/** @type {number} */ at) => String(Number(at.toFixed(2)));
    return `${short(from)}–${short(to)} s`;
  }

  /**
   * One map, which can be read by mouse and by keyboard.
   *
   * @param {Row} row
   * @param {Span} span
   * @param {number} height in pixels
   * @param {Tools} tools
   */
  function strip({ name, heat }, span, height, tools) {
    const { make, themed, time, count, bandsADecade } = tools;
    const edge = (/** @type {number} */ band) => 10 ** (band / bandsADecade);
    const reading = make("output", { class: "reading", "aria-live": "polite" });
    const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", {
      tabindex: "0",
      role: "application",
      "aria-label": `Heat map of ${name}: ${summary(heat)}. ` +
        "The arrow keys read it; the table below says the same.",
    }));
    const plot = make("div", { class: "heat" }, canvas);
    plot.style.height = `${height}px`;
    const bands = span.high - span.low + 1;
    /** The cell that is read. @type {{ column: number, band: number } | undefined} */
    let cell;

    function place() {
      const { width, height } = plot.getBoundingClientRect();
      const [across, down] = [width - LEFT - RIGHT, height - TOP - BOTTOM];
      return {
        width,
        height,
        x: (/** @type {number} */ at) => LEFT + at / Math.max(span.until, 1e-9) * across,
        y: (/** @type {number} */ band) => TOP + (span.high + 1 - band) / bands * down,
        secondAt: (/** @type {number} */ x) => (x - LEFT) / across * span.until,
        bandAt: (/** @type {number} */ y) =>
          Math.min(
            span.high,
            Math.max(span.low, Math.floor(span.high + 1 - (y - TOP) / down * bands)),
          ),
      };
    }

    function draw() {
      const { width, height, x, y } = place();
      if (width === 0) return;
      const scale = devicePixelRatio || 1;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.scale(scale, scale);
      context.font = "12px system-ui, sans-serif";
      context.textBaseline = "middle";
      const bottom = y(span.low);
      for (const column of heat) {
        const [left, right] = [x(column.from), x(column.to)];
        // A narrow gap, as long as there is room for it.
        const gap = right - left > 4 ? 1 : 0;
        for (const [band, count] of bandsOf(column)) {
          const share = Math.log1p(weight(column, count, tools) * 1e4) /
            Math.log1p(span.most * 1e4);
          const counted = Math.log1p(count) / Math.log1p(span.most);
          context.fillStyle = ramp(tools.colour === "share" ? share : counted);
          // On whole pixels, so that no ground shows between two cells.
          const [top, end] = [Math.round(y(band + 1)), Math.round(y(band))];
          context.fillRect(left, top, Math.max(1, right - left - gap), end - top);
        }
        if (column.answers === 0) {
          context.strokeStyle = themed("line");
          for (let at = left - bottom + TOP; at < right; at += 7) {
            context.save();
            context.beginPath();
            context.rect(left, TOP, right - left, bottom - TOP);
            context.clip();
            context.beginPath();
            context.moveTo(at, bottom);
            context.lineTo(at + bottom - TOP, TOP);
            context.stroke();
            context.restore();
          }
        }
        if (column.errors > 0) {
          context.fillStyle = themed("bad");
          context.fillRect(left, bottom - 4, Math.max(2, right - left - gap), 4);
        }
      }
      context.strokeStyle = context.fillStyle = themed("faint");
      context.textAlign = "right";
      for (let band = span.low; band <= span.high + 1; band++) {
        if (band % bandsADecade !== 0) continue;
        context.globalAlpha = 0.25;
        context.fillRect(LEFT, y(band) - 0.5, width - LEFT - RIGHT, 1);
        context.globalAlpha = 1;
        context.fillText(time(edge(band)).replace(/\.0+(?= )/, ""), LEFT - 6, y(band));
      }
      context.textAlign = "center";
      const every = stepOf(span.until, (width - LEFT - RIGHT) / 56);
      for (let at = 0; at <= span.until + 1e-9; at += every) {
        context.fillText(`${Number(at.toFixed(6))} s`, Math.min(x(at), width - 16), bottom + 13);
      }
      if (cell === undefined) return;
      const column = /** @type {Column} */ (heat[cell.column]);
      context.lineWidth = 2;
      context.strokeStyle = themed("text");
      const [left, top] = [x(column.from), y(cell.band + 1)];
      context.strokeRect(left, top, Math.max(3, x(column.to) - left), y(cell.band) - top);
    }

    /** @param {number} index @param {number} band */
    function read(index, band) {
      const column = heat[index];
      if (column === undefined) return;
      cell = { column: index, band };
      const found = bandsOf(column).find(([one]) => one === band)?.[1] ?? 0;
      const where = `${when(column)} · ${time(edge(band))} to ${time(edge(band + 1))}`;
      const failed = column.errors > 0 ? ` · errors ${count(column.errors)}` : "";
      const share = percent(found / Math.max(1, column.answers), tools);
      reading.textContent = column.answers === 0
        ? `${when(column)}: no answer${failed}`
        : `${where}: ${count(found)} of ${count(column.answers)} answers, ${share}${failed}`;
      draw();
    }

    function forget() {
      cell = undefined;
      reading.textContent = "";
      draw();
    }

    /** The band with the most answers. @param {number} index */
    function fullest(index) {
      const bands = bandsOf(/** @type {Column} */ (heat[index]));
      return bands.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? span.low;
    }

    canvas.addEventListener("mousemove", ({ offsetX, offsetY }) => {
      const { secondAt, bandAt } = place();
      const at = secondAt(offsetX);
      const index = heat.findIndex(({ to }) => at < to);
      if (at < 0 || index < 0) return forget();
      read(index, bandAt(offsetY));
    });
    canvas.addEventListener("mouseleave", () => {
      if (document.activeElement !== canvas) forget();
    });
    canvas.addEventListener("focus", () => {
      if (cell === undefined) read(0, fullest(0));
    });
    canvas.addEventListener("blur", forget);
    canvas.addEventListener("keydown", (event) => {
      const { column, band } = cell ?? { column: 0, band: fullest(0) };
      const last = heat.length - 1;
      const to = /** @type {Record<string, [number, number]>} */ ({
        ArrowLeft: [Math.max(0, column - 1), band],
        ArrowRight: [Math.min(last, column + 1), band],
        ArrowUp: [column, Math.min(span.high, band + 1)],
        ArrowDown: [column, Math.max(span.low, band - 1)],
        Home: [0, band],
        End: [last, band],
      })[event.key];
      if (to === undefined) return;
      event.preventDefault();
      read(...to);
    });
    new ResizeObserver(draw).observe(plot);
    return { head: reading, plot };
  }

  /** A round step, so that there are at most so many. @param {number} span @param {number} most */
  function stepOf(span, most) {
    const least = Math.max(1e-6, span / Math.max(1, most));
    // A run may be shorter than a second.
    for (let power = 10 ** Math.floor(Math.log10(least));; power *= 10) {
      for (const step of [1, 2, 5]) if (step * power >= least) return step * power;
    }
  }

  /** What a map shows, in words. @param {readonly Column[]} heat */
  function summary(heat) {
    const silent = heat.filter(({ answers }) => answers === 0).length;
    const failed = heat.filter(({ errors }) => errors > 0).length;
    return `${heat.length} columns, ${silent} without an answer, ${failed} with errors`;
  }

  /** The same as a table. @param {readonly Row[]} rows @param {Tools} tools */
  function table(rows, { make, time, count }) {
    const cells = (/** @type {"th" | "td"} */ tag, /** @type {readonly string[]} */ texts) =>
      make("tr", {}, ...texts.map((text) => make(tag, tag === "th" ? { scope: "col" } : {}, text)));
    const known = (/** @type {number | null} */ us) => us === null ? "–" : time(us);
    const lines = rows.flatMap(({ name, heat }) =>
      heat.map((column) =>
        cells("td", [
          name,
          when(column),
          count(column.answers),
          count(column.errors),
          known(column.p50_us),
          known(column.p99_us),
          known(column.max_us),
        ])
      )
    );
    const head = cells("th", ["server", "time", "answers", "errors", "p50", "p99", "max"]);
    const whole = make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
    return make(
      "details",
      { class: "as-table" },
      make("summary", {}, "The same as a table"),
      make("div", { class: "scroll" }, whole),
    );
  }

  /** What the colours stand for. @param {Span} span @param {Tools} tools */
  function key(span, tools) {
    const { make, count, colour } = tools;
    const bar = make("span", { class: "ramp", "aria-hidden": "true" });
    const stops = Array.from({ length: 9 }, (_, index) => ramp(index / 8));
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const most = colour === "share" ? percent(span.most, tools) : count(span.most);
    return make("span", { class: "key" }, colour === "share" ? "few" : "1", bar, most);
  }

  /** @type {HeatMap} */
  function heatMap(rows, tools) {
    const { make, note, choice } = tools;
    const span = spanOf(rows, tools);
    const height = rows.length === 1 ? 260 : rows.length < 4 ? 170 : 120;
    const caption = make(
      "figcaption",
      {},
      make("h2", {}, "How long answers took, second by second"),
      key(span, tools),
      choice,
      make(
        "p",
        { class: "note" },
        "Each cell counts the answers that came in that time and took that long. The colours are " +
          "logarithmic: a single answer is seen. Hatched: no answer came. Red at the bottom: errors. " +
          note,
      ),
    );
    const strips = rows.map((row) => {
      const { head, plot } = strip(row, span, height, tools);
      const name = rows.length === 1 ? "" : row.name;
      return make(
        "div",
        { class: "strip" },
        make("p", { class: "strip-head" }, make("strong", {}, name), head),
        plot,
      );
    });
    return make("figure", { class: "card wide heats" }, caption, ...strips, table(rows, tools));
  }

  // @ts-ignore the script of the page takes it from here
  globalThis.heatMap = heatMap;
})();
