/**
 * Draws the charts of the page from the data in the page. It runs in a browser as it is.
 *
 * @module
 */

// @ts-check
"use strict";

(() => {
  /** @typedef {import("../page_data.ts").EntryPicture} Entry */
  /** @typedef {import("../page_data.ts").ContestPicture} Contest */
  /** @typedef {import("../../load/results.ts").Second} Second */
  /** @typedef {import("chart.js").ChartConfiguration} Configuration */
  /** @typedef {import("chart.js").ChartDataset<any, any>} Dataset */
  /** @typedef {(value: number) => string} Format */

  /** @type {typeof import("chart.js").Chart} */
  // @ts-ignore the library has made it a global
  const Chart = globalThis.Chart;

  /** @type {import("./heat.js").HeatMap} */
  // @ts-ignore the script before this one has made it a global
  const heatMap = globalThis.heatMap;

  /** @type {import("./flame.js").FlameGraph} */
  // @ts-ignore the script before this one has made it a global
  const flameGraph = globalThis.flameGraph;

  /** From how many servers on the curves of only the best are drawn at first. */
  const MANY = 16;

  /** How many of them are drawn then. */
  const BEST = 8;

  /** The dashes of the curves: those of one colour differ in them. */
  const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

  /** Ten colours that most people can tell apart, on white and on black. Later ones are computed. */
  const COLOURS = [
    "#4269d0",
    "#e0a010",
    "#ff725c",
    "#3bb5a0",
    "#3ca951",
    "#f26fa2",
    "#a463f2",
    "#7aa6f0",
    "#9c6b4e",
    "#868b95",
  ];

  /** The name of the curve of a rate that changes, as it was asked for. */
  const DUE = "due";

  /** The percentiles that the axis names: one request in this many takes longer. */
  const NAMED = [1, 2, 4, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

  /** A scale that spans at least a decade and names 1, 2 and 5. */
  const LOGARITHMIC = {
    type: "logarithmic",
    afterDataLimits: (/** @type {any} */ scale) => {
      const middle = Math.sqrt(scale.min * scale.max);
      scale.min = Math.min(scale.min, middle / Math.sqrt(10));
      scale.max = Math.max(scale.max, middle * Math.sqrt(10));
    },
    afterBuildTicks: (/** @type {any} */ scale) => {
      const decades = Math.log10(scale.max / scale.min);
      const steps = decades > 5 ? [1] : decades > 3 ? [1, 3] : [1, 2, 5];
      scale.ticks = [];
      for (let power = Math.floor(Math.log10(scale.min)); 10 ** power <= scale.max; power++) {
        for (const step of steps) {
          const value = step * 10 ** power;
          if (value >= scale.min && value <= scale.max) scale.ticks.push({ value });
        }
      }
    },
  };

  /** @type {import("../page_data.ts").PageData} */
  const data = JSON.parse(/** @type {string} */ (element("data").textContent));

  /** What the reader has chosen. */
  const chosen = {
    contest: 0,
    /** @type {Set<string>} */
    hidden: new Set(),
    /** Where there are many, those whose curves are drawn. @type {Set<string> | undefined} */
    drawn: undefined,
    /** @type {"latency" | "service"} */
    clock: "latency",
    isLogarithmic: true,
    /** What the colours of the heat map stand for. @type {"answers" | "share"} */
    heat: "answers",
  };

  /** @type {import("chart.js").Chart[]} */
  let drawn = [];

  const time = unit(data.units.time);
  const count = unit(data.units.count);
  /** The bytes in 1 on the axes of memory, so that round figures stand there. */
  const MIB = 2 ** 20;
  const bytes = unit(data.units.bytes);
  /** @type {Format} */
  const memory = (mebibytes) => bytes(mebibytes * MIB);
  /** @type {Format} */
  const rate = (value) => {
    const text = count(value);
    return text.includes(" ") ? `${text}/s` : `${text} /s`;
  };
  /** @type {Format} */
  const cores = (value) => {
    const text = String(Number(value.toFixed(2)));
    return text === "1" ? "1 core" : `${text} cores`;
  };

  /**
   * @param {string} id
   * @returns {HTMLElement}
   */
  function element(id) {
    return /** @type {HTMLElement} */ (document.getElementById(id));
  }

  /**
   * @param {string} tag
   * @param {Record<string, string>} attributes
   * @param {(Node | string)[]} children
   */
  function make(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /**
   * A button that stays pressed or not.
   *
   * @param {boolean} isPressed
   * @param {() => void} press
   * @param {(Node | string)[]} children
   */
  function toggle(isPressed, press, ...children) {
    const button = make(
      "button",
      { type: "button", "aria-pressed": String(isPressed) },
      ...children,
    );
    button.addEventListener("click", () => {
      press();
      draw();
    });
    return button;
  }

  /**
   * Writes a figure with three digits, in the unit that suits.
   *
   * @param {readonly (readonly [name: string, size: number])[]} units
   * @returns {Format}
   */
  function unit(units) {
    return (value) => {
      const [name, size] = units.findLast(([, size]) => value >= size * 0.9995) ?? ["", 1];
      const scaled = value / size;
      const places = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
      const text = size === 1 && Number.isInteger(value) ? String(value) : scaled.toFixed(places);
      return name === "" ? text : `${text} ${name}`;
    };
  }

  /** The same for an axis, where only round figures stand. @param {Format} format */
  function tick(format) {
    return (/** @type {string | number} */ value) =>
      format(Number(value)).replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
  }

  /** @param {readonly number[]} values */
  function mean(values) {
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  /** A colour of the style sheet. @param {string} name */
  function themed(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  /** @param {Entry} entry */
  function colourOf({ colour }) {
    const chosen = COLOURS[colour];
    if (chosen !== undefined) return chosen;
    // By the golden angle, each further hue lies between those before it.
    const hue = (colour * 137.508 + 20) % 360;
    const lightness = isDark() ? [0.6, 0.72, 0.52] : [0.47, 0.6, 0.38];
    return hexOf(hue, [0.62, 0.5, 0.75][colour % 3] ?? 0.6, lightness[colour % 3] ?? 0.5);
  }

  /**
   * A colour by its hue, saturation and lightness.
   *
   * @param {number} hue in degrees
   * @param {number} saturation from 0 to 1
   * @param {number} lightness from 0 to 1
   */
  function hexOf(hue, saturation, lightness) {
    const reach = saturation * Math.min(lightness, 1 - lightness);
    const part = (/** @type {number} */ shift) => {
      const at = (shift + hue / 30) % 12;
      const value = lightness - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1));
      return Math.round(255 * value).toString(16).padStart(2, "0");
    };
    return `#${part(0)}${part(8)}${part(4)}`;
  }

  /** @param {Entry} entry */
  function dashOf({ colour, isDashed }) {
    const turn = Math.floor(colour / COLOURS.length) * 2 + Number(isDashed);
    return DASHES[turn % DASHES.length] ?? [];
  }

  /** Whether the ground is dark: what is drawn on it must be light. */
  function isDark() {
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /** Whether there is not much room. */
  function isNarrow() {
    return matchMedia("(max-width: 54rem)").matches;
  }

  /** @returns {Contest} */
  function contest() {
    return /** @type {Contest} */ (data.contests[chosen.contest]);
  }

  /** The entries that are shown. */
  function entries() {
    return contest().entries.filter(({ name }) => !chosen.hidden.has(name));
  }

  /** The entries whose curves are drawn. */
  function curves() {
    const { drawn } = chosen;
    return drawn === undefined ? entries() : entries().filter(({ name }) => drawn.has(name));
  }

  /** The names of those with the highest rates, or with a target rate the lowest p99. */
  function best() {
    const { entries, targetRate } = contest();
    const slow = (/** @type {Entry} */ { latency }) =>
      latency.findLast(({ one_in }) => one_in <= 100)?.us ?? Infinity;
    const sorted = [...entries].sort((a, b) =>
      targetRate === null ? mean(b.rates) - mean(a.rates) : slow(a) - slow(b)
    );
    return new Set(sorted.slice(0, BEST).map(({ name }) => name));
  }

  /**
   * Adds a chart to the page.
   *
   * @param {string} title
   * @param {string} note
   * @param {{ height: number, isWide?: boolean, choice?: HTMLElement, into?: string }} options
   * @param {Configuration} configuration
   */
  function chart(title, note, options, configuration) {
    const { height, isWide = false, choice, into = "charts" } = options;
    const canvas = /** @type {HTMLCanvasElement} */ (
      make("canvas", { role: "img", "aria-label": `${title}. ${note}` })
    );
    const plot = make("div", { class: "plot" }, canvas);
    plot.style.minHeight = `${height}px`;
    const caption = make("figcaption", {}, make("h2", {}, title));
    if (choice !== undefined) caption.append(choice);
    if (note !== "") caption.append(make("p", { class: "note" }, note));
    element(into).append(
      make("figure", { class: isWide ? "card wide" : "card" }, caption, plot),
    );
    drawn.push(new Chart(canvas, configuration));
  }

  /**
   * Draws bars, the best first, with a point for each repeat.
   *
   * @param {string} title
   * @param {string} note
   * @param {(entry: Entry) => readonly number[] | null} valuesOf
   * @param {Format} format
   * @param {{ isMoreBetter: boolean, isWide?: boolean, target?: number | null }} options
   */
  function bars(title, note, valuesOf, format, { isMoreBetter, isWide = false, target = null }) {
    const rows = entries()
      .flatMap((entry) => {
        const values = valuesOf(entry);
        return values === null ? [] : [{ entry, values, mean: mean(values) }];
      })
      .sort((a, b) => isMoreBetter ? b.mean - a.mean : a.mean - b.mean);
    // A single bar tells nothing.
    if (rows.length === 0) return;
    if (rows.length === 1 && rows[0]?.values.length === 1 && target === null) return;
    const labels = rows.map(({ entry }) => entry.name);
    const isFaint = (/** @type {Entry} */ { name }) => chosen.drawn?.has(name) === false;
    /** @type {Dataset} */
    const points = {
      type: "scatter",
      label: "a repeat",
      data: rows.flatMap(({ values }, row) =>
        values.length < 2 ? [] : values.map((value) => ({ x: value, y: labels[row] }))
      ),
      backgroundColor: themed("card"),
      borderColor: themed("text"),
      borderWidth: 1.5,
      radius: 3.5,
      hoverRadius: 5,
    };
    /** @type {Dataset} */
    const means = {
      type: "bar",
      label: "mean",
      data: rows.map(({ mean }) => mean),
      backgroundColor: rows.map(({ entry }) =>
        colourOf(entry) + (isFaint(entry) ? "38" : entry.isDashed ? "70" : "e0")
      ),
      borderColor: rows.map(({ entry }) => colourOf(entry) + (isFaint(entry) ? "80" : "ff")),
      borderWidth: 1.5,
      borderRadius: 4,
      maxBarThickness: 26,
    };
    // Many bars are thinner, so that they can be seen together.
    const each = rows.length > MANY ? 22 : 30;
    chart(title, note, { height: 56 + rows.length * each, isWide }, {
      type: "bar",
      data: { labels, datasets: [points, means] },
      options: options({
        indexAxis: "y",
        layout: { padding: { right: VALUES + 2 } },
        interaction: { mode: "nearest", axis: "y", intersect: false },
        scales: {
          x: axis(
            { beginAtZero: true, ...(target === null ? {} : { suggestedMax: target }) },
            format,
          ),
          y: { grid: { display: false }, border: { display: false }, ticks: named(labels) },
        },
        plugins: {
          tooltip: {
            callbacks: {
              title: ([item]) => item?.label ?? "",
              label: ({ dataset, parsed }) => `${dataset.label} ${format(parsed.x ?? 0)}`,
            },
          },
        },
      }),
      plugins: [
        ...(target === null ? [] : [line("x", target, `due ${format(target)}`)]),
        valued(rows.map(({ mean }) => mean), format),
      ],
    });
  }

  /** The room to the right of the bars, in pixels: their values stand there. */
  const VALUES = 66;

  /**
   * The value of each bar, in a column of their own: beside the bars they would lie on the points.
   *
   * @param {readonly number[]} values
   * @param {Format} format
   * @returns {import("chart.js").Plugin}
   */
  function valued(values, format) {
    return {
      id: "values",
      afterDatasetsDraw({ ctx, chartArea: { right }, scales }) {
        ctx.save();
        ctx.font = "600 11px system-ui, sans-serif";
        ctx.textAlign = "right";
        ctx.textBaseline = "middle";
        ctx.fillStyle = themed("text");
        values.forEach((value, row) => {
          ctx.fillText(format(value), right + VALUES, scales["y"]?.getPixelForValue(row) ?? 0);
        });
        ctx.restore();
      },
    };
  }

  /**
   * Names beside the bars. If there is little room, they are shortened, and never so far that two of
   * them look alike.
   *
   * @param {readonly string[]} labels
   */
  function named(labels) {
    const most = isNarrow() ? 18 : 36;
    const isLong = labels.some((label) => [...label].length > most);
    // What all names have in common tells the least.
    let shown = isLong ? withoutCommon(labels, most) : labels;
    for (let length = most; length < 200; length += 4) {
      const short = shown.map((label) => shorten(label, length));
      if (new Set(short).size < new Set(labels).size) continue;
      shown = short;
      break;
    }
    return {
      autoSkip: false,
      color: themed("text"),
      font: { size: isNarrow() ? 11 : 12 },
      callback: (/** @type {string | number} */ _, /** @type {number} */ index) => shown[index],
    };
  }

  /**
   * Leaves out words with which all texts begin, and words with which all end: as many as must be.
   *
   * @param {readonly string[]} texts
   * @param {number} most how many characters there may be
   */
  function withoutCommon(texts, most) {
    const all = texts.map((text) => text.split(" "));
    const [first = []] = all;
    const least = Math.min(...all.map(({ length }) => length));
    if (texts.length < 2) return texts;
    let from = 0;
    while (from < least - 1 && all.every((words) => words[from] === first[from])) from++;
    let after = 0;
    const isShared = () => all.every((words) => words.at(-1 - after) === first.at(-1 - after));
    while (after < least - 1 - from && isShared()) after++;
    const rest = (/** @type {number} */ from, /** @type {number} */ after) =>
      all.map((words) => {
        const own = words.slice(from, words.length - after).join(" ");
        return `${from > 0 ? "…" : ""}${own}${after > 0 ? "…" : ""}`;
      });
    const fits = (/** @type {readonly string[]} */ some) =>
      some.every((text) => [...text].length <= most);
    while (after > 0 && fits(rest(from, after - 1))) after--;
    while (from > 0 && fits(rest(from - 1, after))) from--;
    return rest(from, after);
  }

  /**
   * Shortens a text in its middle: names that begin alike differ at their end.
   *
   * @param {string} text
   * @param {number} most how many characters stay
   */
  function shorten(text, most) {
    const letters = [...text];
    if (letters.length <= most) return text;
    const after = Math.floor((most - 1) / 2);
    return `${letters.slice(0, most - 1 - after).join("")}…${letters.slice(-after).join("")}`;
  }

  /**
   * A dashed line across a chart: the rate that was asked for.
   *
   * @param {"x" | "y"} scale
   * @param {number} value
   * @param {string} text
   * @param {number} number which line of the chart this is: their texts stand one below the other
   * @returns {import("chart.js").Plugin}
   */
  function line(scale, value, text, number = 0) {
    return {
      id: `line${number}`,
      afterDatasetsDraw({ ctx, chartArea: { left, right, top, bottom }, scales }) {
        const at = scales[scale]?.getPixelForValue(value) ?? NaN;
        if (!(at >= (scale === "x" ? left : top) && at <= (scale === "x" ? right : bottom))) return;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = themed("faint");
        ctx.setLineDash([5, 4]);
        ctx.beginPath();
        if (scale === "x") {
          ctx.moveTo(at, top);
          ctx.lineTo(at, bottom);
        } else {
          ctx.moveTo(left, at);
          ctx.lineTo(right, at);
        }
        ctx.stroke();
        ctx.font = "12px system-ui, sans-serif";
        ctx.textAlign = "right";
        // Above the line, if there is room.
        const beside = at - 16 < top ? at + 14 : at - 5;
        // To the left of the line, if there is room.
        const isLeft = scale === "y" || at - 5 - ctx.measureText(text).width >= left;
        if (!isLeft) ctx.textAlign = "left";
        const [x, y] = scale === "x"
          ? [isLeft ? at - 5 : at + 5, top + 12 + 16 * number]
          : [right - 5, beside];
        ctx.fillText(text, x, y);
        ctx.restore();
      },
    };
  }

  /**
   * Draws lines, one for each entry that is shown.
   *
   * @param {string} title
   * @param {string} note
   * @param {(entry: Entry) => { x: number, y: number | null }[]} pointsOf
   * @param {Format} format
   * @param {{
   *   x: any, logarithmic?: boolean, where: Format, height?: number, isWide?: boolean,
   *   choice?: HTMLElement, target?: number | null,
   *   course?: readonly { x: number, y: number }[] | null
   * }} how
   */
  function lines(title, note, pointsOf, format, how) {
    const { x, logarithmic = false, where, height = 260, course = null, ...rest } = how;
    const { target = null, ...place } = rest;
    const datasets = curves().map((entry) => ({
      label: entry.name,
      data: pointsOf(entry),
      borderColor: colourOf(entry),
      backgroundColor: colourOf(entry),
      borderDash: dashOf(entry),
      borderWidth: 2,
      pointRadius: 0,
      pointHoverRadius: 4,
      pointHitRadius: 8,
    })).filter(({ data }) => data.some(({ y }) => y !== null));
    if (datasets.length === 0) return;
    // A single point makes no line.
    for (const dataset of datasets) if (dataset.data.length === 1) dataset.pointRadius = 3;
    const scale = logarithmic ? LOGARITHMIC : { beginAtZero: true };
    /** @type {Dataset[]} */
    const asked = course === null ? [] : [{
      label: DUE,
      data: course,
      borderColor: themed("faint"),
      borderDash: [5, 4],
      borderWidth: 1.5,
      pointRadius: 0,
      pointHitRadius: 0,
      pointHoverRadius: 0,
    }];
    chart(title, note, { height, ...place }, {
      type: "line",
      data: { datasets: [...datasets, ...asked] },
      options: options({
        interaction: { mode: "index", axis: "x", intersect: false },
        scales: {
          x,
          y: axis({ ...scale, ...(target === null ? {} : { suggestedMax: target }) }, format),
        },
        plugins: {
          tooltip: {
            filter: ({ dataset }) => dataset.label !== DUE,
            itemSort: (a, b) => (b.parsed.y ?? 0) - (a.parsed.y ?? 0),
            callbacks: {
              title: ([item]) => where(item?.parsed.x ?? 0),
              label: ({ dataset, parsed }) => ` ${dataset.label}: ${format(parsed.y ?? 0)}`,
            },
          },
        },
      }),
      plugins: target === null ? [] : [line("y", target, `due ${format(target)}`)],
    });
  }

  /**
   * @param {any} scale
   * @param {Format} format
   */
  function axis(scale, format) {
    return {
      grid: { color: themed("line") },
      border: { display: false },
      ...scale,
      ticks: {
        color: themed("faint"),
        maxRotation: 0,
        autoSkipPadding: 16,
        maxTicksLimit: isNarrow() ? 5 : 8,
        callback: tick(format),
        ...scale.ticks,
      },
    };
  }

  /**
   * The options that all charts share.
   *
   * @param {import("chart.js").ChartOptions<"line">} own
   * @returns {any}
   */
  function options(own) {
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      ...own,
      plugins: {
        legend: { display: false },
        ...own.plugins,
        tooltip: {
          backgroundColor: themed("text"),
          titleColor: themed("card"),
          bodyColor: themed("card"),
          padding: 10,
          cornerRadius: 6,
          boxPadding: 4,
          ...own.plugins?.tooltip,
        },
      },
    };
  }

  /** The percentile that one request in so many exceeds. @type {Format} */
  function percentile(oneIn) {
    if (oneIn <= 1) return "0 %";
    const nines = Math.max(0, Math.ceil(Math.log10(oneIn) - 1e-9) - 1);
    return `${Number((100 * (1 - 1 / oneIn)).toFixed(nines))} %`;
  }

  /** An axis on which each further nine takes the same room. */
  function percentiles() {
    return axis({
      type: "logarithmic",
      min: 1,
      ticks: { callback: (/** @type {any} */ value) => percentile(Number(value)), autoSkip: false },
      afterBuildTicks: (/** @type {any} */ scale) => {
        // The percentiles between the nines appear only if there is room.
        const least = scale.chart.width < 600 ? 10 : scale.chart.width < 800 ? 4 : 0;
        const room = Math.max(60, scale.chart.width - 90) / Math.log10(Math.max(10, scale.max));
        let last = -Infinity;
        // A name takes about 8 pixels for each of its characters.
        scale.ticks = NAMED.filter((oneIn) => {
          if (oneIn > scale.max || (oneIn < least && oneIn !== 1)) return false;
          const at = Math.log10(oneIn) * room;
          const half = percentile(oneIn).length * 4 + 4;
          if (at - half < last) return false;
          last = at + half;
          return true;
        }).map((value) => ({ value }));
      },
    }, percentile);
  }

  /** @param {Second} second @param {number} index @param {readonly Second[]} all */
  function lengthOf({ at }, index, all) {
    return at - (all[index - 1]?.at ?? 0);
  }

  /**
   * @param {(second: Second, index: number, all: readonly Second[]) => number | null} of
   * @returns {(entry: Entry) => { x: number, y: number | null }[]}
   */
  function over(of) {
    return ({ seconds }) =>
      seconds.map((second, index) => ({ x: second.at, y: of(second, index, seconds) }));
  }

  /** Draws the times of runs at different rates. */
  function drawStudy() {
    const { study } = data;
    if (study === null) return;
    const { isSearch, slow, steps, marks } = study;
    const curves = /** @type {const} */ ([
      ["response", "slow", 2, []],
      ["response", "p50", 0, []],
      ["service", "slow", 2, [6, 4]],
      ["service", "p50", 0, [6, 4]],
    ]);
    const datasets = curves.map(([clock, percentile, colour, borderDash]) => ({
      label: `${clock} ${percentile === "slow" ? slow : percentile}`,
      data: steps.map((step) => {
        const us = step[clock][percentile];
        return { x: step.rate, y: us === null ? null : Math.max(us, 1) };
      }),
      borderColor: COLOURS[colour],
      backgroundColor: clock === "service" ? themed("card") : COLOURS[colour],
      borderDash: [...borderDash],
      borderWidth: 2,
      // The steps of a search lie close together, and some rates were measured several times.
      showLine: !isSearch,
      pointStyle: steps.map(({ isPassed }) => isPassed ? "circle" : "crossRot"),
      pointRadius: isSearch ? 5 : 4,
      pointHoverRadius: 6,
    })).filter((curve) => curve.data.some(({ y }) => y !== null));
    if (datasets.length === 0) return;
    const note = "Response time counts from when a request was due, service time from sending. " +
      (isSearch
        ? "A cross is a step that did not pass."
        : "A cross is a step that was overloaded, or that the load limited.");
    chart("Latency by rate", note, { height: 360, into: "study" }, {
      type: "line",
      data: { datasets: /** @type {any} */ (datasets) },
      options: options({
        interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: { x: axis(LOGARITHMIC, rate), y: axis(LOGARITHMIC, time) },
        plugins: {
          legend: {
            display: true,
            position: "bottom",
            labels: { color: themed("text"), usePointStyle: true, pointStyle: "line" },
          },
          tooltip: {
            callbacks: {
              title: ([item]) => {
                const step = steps[item?.dataIndex ?? 0];
                return step === undefined ? "" : `${rate(step.rate)} due · ${step.verdict}`;
              },
              label: ({ dataset, parsed }) => ` ${dataset.label}: ${time(parsed.y ?? 0)}`,
            },
          },
        },
      }),
      plugins: marks.map((mark, index) => line("x", mark.rate, mark.text, index)),
    });
  }

  function drawCharts() {
    const { targetRate, course } = contest();
    const isOpen = targetRate !== null;
    const isLate = (/** @type {Entry} */ { rates }) => rates.length > 1;
    const repeats = entries().some(isLate) ? "Bars are means; each point is a repeat." : "";
    bars("Throughput", repeats, ({ rates }) => rates, rate, {
      isMoreBetter: true,
      isWide: true,
      target: targetRate,
    });

    const choice = make("div", { class: "choice" });
    if (isOpen) {
      for (
        const [clock, name]
          of /** @type {const} */ ([["latency", "response"], ["service", "service"]])
      ) {
        choice.append(toggle(chosen.clock === clock, () => chosen.clock = clock, name));
      }
    }
    choice.append(
      toggle(chosen.isLogarithmic, () => chosen.isLogarithmic = !chosen.isLogarithmic, "log"),
    );
    const clock = isOpen ? chosen.clock : "latency";
    const from = !isOpen
      ? "From sending to the answer."
      : clock === "latency"
      ? "From when a request was due to its answer."
      : "From sending to the answer: waiting before it does not count.";
    lines(
      "Latency by percentile",
      `${from} All repeats together.`,
      (entry) => entry[clock].map(({ one_in, us }) => ({ x: one_in, y: Math.max(us, 1) })),
      time,
      {
        x: percentiles(),
        logarithmic: chosen.isLogarithmic,
        where: (oneIn) => `${percentile(oneIn)} took at most`,
        height: 340,
        isWide: true,
        choice,
      },
    );

    const seconds = axis({ type: "linear", min: 0 }, (at) => `${at} s`);
    const where = (/** @type {number} */ at) => `second ${Number(at.toFixed(2))}`;
    const usual = entries().some(isLate) ? "The repeat with the median rate." : "";
    const options = { x: seconds, where };
    lines("Rate over time", usual, over((second) => second.rate), rate, {
      ...options,
      ...(course === null ? { target: targetRate } : { course }),
    });
    lines("p99 over time", usual, over(({ p99_us }) => p99_us), time, {
      ...options,
      logarithmic: chosen.isLogarithmic,
    });
    drawHeat(usual);
    lines(
      "CPU of the server over time",
      usual,
      over((second, index, all) =>
        second.cpu_s === null ? null : second.cpu_s / lengthOf(second, index, all)
      ),
      cores,
      options,
    );
    lines(
      "Memory of the server over time",
      usual,
      over(({ memory_bytes: size }) => size === null ? null : size / MIB),
      memory,
      {
        ...options,
      },
    );
    bars(
      "Answers for each second of CPU",
      "More is better.",
      (entry) => entry.perCpuSecond,
      count,
      {
        isMoreBetter: true,
      },
    );
    bars(
      "Memory at most",
      "Less is better.",
      (entry) => entry.memory?.map((size) => size / MIB) ?? null,
      memory,
      {
        isMoreBetter: false,
      },
    );
  }

  /** @param {string} usual which repeat is shown */
  function drawHeat(usual) {
    const rows = curves().flatMap(({ name, heat }) => heat === null ? [] : [{ name, heat }]);
    if (rows.length === 0) return;
    const choice = make("div", { class: "choice" });
    for (const colour of /** @type {const} */ (["answers", "share"])) {
      const name = colour === "share" ? "share of the second" : colour;
      choice.append(toggle(chosen.heat === colour, () => chosen.heat = colour, name));
    }
    const figure = heatMap(rows, {
      make,
      themed,
      time,
      count,
      colour: chosen.heat,
      bandsADecade: data.bandsADecade,
      note: usual,
      choice,
    });
    element("charts").append(figure);
  }

  function drawChoices() {
    const contests = data.contests.length < 2
      ? []
      : data.contests.map(({ title }, index) =>
        toggle(index === chosen.contest, () => {
          chosen.contest = index;
          chooseCurves();
        }, title)
      );
    element("contests").replaceChildren(...contests);
    const { entries } = contest();
    const { drawn } = chosen;
    const choices = drawn === undefined ? [] : [
      make("span", { class: "note" }, `Curves of ${drawn.size} of ${entries.length}:`),
      toggle(same(drawn, best()), () => chosen.drawn = best(), `best ${BEST}`),
      toggle(
        drawn.size === entries.length,
        () => chosen.drawn = new Set(entries.map(({ name }) => name)),
        "all",
      ),
      toggle(drawn.size === 0, () => chosen.drawn = new Set(), "none"),
    ];
    element("legend").replaceChildren(
      ...(choices.length === 0 ? [] : [make("div", { class: "choice" }, ...choices)]),
      // Where there are many, those whose curves are drawn come first.
      ...entries.toSorted((a, b) =>
        Number(drawn?.has(b.name) ?? false) - Number(drawn?.has(a.name) ?? false)
      ).map((entry) => {
        const { name } = entry;
        return toggle(
          drawn === undefined ? !chosen.hidden.has(name) : drawn.has(name),
          () => {
            if (drawn !== undefined) {
              if (!drawn.delete(name)) drawn.add(name);
            } else if (!chosen.hidden.delete(name)) chosen.hidden.add(name);
          },
          swatchOf(entry),
          name,
        );
      }),
    );
  }

  /** A piece of an entry's curve. @param {Entry} entry */
  function swatchOf(entry) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [name, value] of Object.entries({ x1: 0, x2: 24, y1: 5, y2: 5 })) {
      line.setAttribute(name, String(value));
    }
    line.setAttribute("stroke", colourOf(entry));
    line.setAttribute("stroke-width", "3");
    line.setAttribute("stroke-dasharray", dashOf(entry).join(" "));
    svg.setAttribute("class", "swatch");
    svg.setAttribute("viewBox", "0 0 24 10");
    svg.setAttribute("aria-hidden", "true");
    svg.append(line);
    return svg;
  }

  /**
   * Whether two sets hold the same names.
   *
   * @param {Set<string>} some
   * @param {Set<string>} others
   */
  function same(some, others) {
    return some.size === others.size && [...some].every((name) => others.has(name));
  }

  /** Where there are many servers, begins with the curves of the best. */
  function chooseCurves() {
    chosen.drawn = contest().entries.length > MANY ? best() : undefined;
  }

  function draw() {
    if (data.contests.length === 0) return;
    const { scrollY } = globalThis;
    for (const chart of drawn) chart.destroy();
    drawn = [];
    element("pictures").hidden = false;
    element("charts").replaceChildren();
    element("study").replaceChildren();
    drawStudy();
    drawChoices();
    drawCharts();
    scrollTo({ top: scrollY });
  }

  /** Makes a click on a column's head sort the table by it. */
  function makeSortable() {
    const table = element("runs");
    const heads = [...table.querySelectorAll("th")];
    const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
    heads.forEach((head, column) =>
      head.addEventListener("click", () => {
        const isDescending = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
        const key = (/** @type {Element} */ row) =>
          /** @type {HTMLElement} */ (row.children[column]).dataset.key ?? "";
        const order = (/** @type {Element} */ a, /** @type {Element} */ b) =>
          key(a).localeCompare(key(b), "en", { numeric: true });
        const rows = [...body.children].sort((a, b) => isDescending ? order(b, a) : order(a, b));
        body.append(...rows);
      })
    );
  }

  Chart.defaults.font.family = "system-ui, sans-serif";
  if (data.contests.length > 0) chooseCurves();
  draw();
  const flames = data.profiles.map((profile) => flameGraph(profile, { make, time, count }));
  element("flames").append(...flames);
  makeSortable();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("(max-width: 54rem)").addEventListener("change", draw);
})();
