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

  /** Ten colours that most people can tell apart, on white and on black. */
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
    /** @type {"latency" | "service"} */
    clock: "latency",
    isLogarithmic: true,
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
  const cores = (value) => `${value.toFixed(2)} cores`;

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
    return /** @type {string} */ (COLOURS[colour % COLOURS.length]);
  }

  /** @returns {Contest} */
  function contest() {
    return /** @type {Contest} */ (data.contests[chosen.contest]);
  }

  /** The entries that are shown. */
  function entries() {
    return contest().entries.filter(({ name }) => !chosen.hidden.has(name));
  }

  /**
   * Adds a chart to the page.
   *
   * @param {string} title
   * @param {string} note
   * @param {{ height: number, isWide?: boolean, choice?: HTMLElement }} options
   * @param {Configuration} configuration
   */
  function chart(title, note, { height, isWide = false, choice }, configuration) {
    const canvas = /** @type {HTMLCanvasElement} */ (
      make("canvas", { role: "img", "aria-label": `${title}. ${note}` })
    );
    const plot = make("div", { class: "plot" }, canvas);
    plot.style.minHeight = `${height}px`;
    const caption = make("figcaption", {}, make("h2", {}, title));
    if (choice !== undefined) caption.append(choice);
    if (note !== "") caption.append(make("p", { class: "note" }, note));
    element("charts").append(
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
      backgroundColor: rows.map(({ entry }) => colourOf(entry) + (entry.isDashed ? "70" : "e0")),
      borderColor: rows.map(({ entry }) => colourOf(entry)),
      borderWidth: 1.5,
      borderRadius: 4,
      maxBarThickness: 26,
    };
    chart(title, note, { height: 56 + rows.length * 30, isWide }, {
      type: "bar",
      data: { labels, datasets: [points, means] },
      options: options({
        indexAxis: "y",
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
      plugins: target === null ? [] : [line("x", target, `due ${format(target)}`)],
    });
  }

  /**
   * Names beside the bars, shortened if there is little room.
   *
   * @param {readonly string[]} labels
   */
  function named(labels) {
    const most = matchMedia("(max-width: 54rem)").matches ? 18 : 36;
    return {
      autoSkip: false,
      color: themed("text"),
      callback: (/** @type {string | number} */ _, /** @type {number} */ index) => {
        const name = [...(labels[index] ?? "")];
        return name.length > most ? `${name.slice(0, most - 1).join("")}…` : name.join("");
      },
    };
  }

  /**
   * A dashed line across a chart: the rate that was asked for.
   *
   * @param {"x" | "y"} scale
   * @param {number} value
   * @param {string} text
   * @returns {import("chart.js").Plugin}
   */
  function line(scale, value, text) {
    return {
      id: "line",
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
        const [x, y] = scale === "x" ? [at - 5, top + 12] : [right - 5, beside];
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
   *   choice?: HTMLElement, target?: number | null
   * }} how
   */
  function lines(title, note, pointsOf, format, how) {
    const { x, logarithmic = false, where, height = 260, target = null, ...place } = how;
    const datasets = entries().map((entry) => ({
      label: entry.name,
      data: pointsOf(entry),
      borderColor: colourOf(entry),
      backgroundColor: colourOf(entry),
      borderDash: entry.isDashed ? [6, 4] : [],
      borderWidth: 2,
      pointRadius: 0,
      pointHoverRadius: 4,
      pointHitRadius: 8,
    })).filter(({ data }) => data.some(({ y }) => y !== null));
    if (datasets.length === 0) return;
    // A single point makes no line.
    for (const dataset of datasets) if (dataset.data.length === 1) dataset.pointRadius = 3;
    const scale = logarithmic ? LOGARITHMIC : { beginAtZero: true };
    chart(title, note, { height, ...place }, {
      type: "line",
      data: { datasets },
      options: options({
        interaction: { mode: "index", axis: "x", intersect: false },
        scales: {
          x,
          y: axis({ ...scale, ...(target === null ? {} : { suggestedMax: target }) }, format),
        },
        plugins: {
          tooltip: {
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
        maxTicksLimit: 8,
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
        scale.ticks = NAMED.filter((oneIn) => oneIn <= scale.max && (oneIn >= least || oneIn === 1))
          .map((value) => ({ value }));
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

  function drawCharts() {
    const { targetRate } = contest();
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
      target: targetRate,
    });
    lines("p99 over time", usual, over(({ p99_us }) => (p99_us ?? 0) > 0 ? p99_us : null), time, {
      ...options,
      logarithmic: chosen.isLogarithmic,
    });
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

  function drawChoices() {
    const contests = data.contests.length < 2
      ? []
      : data.contests.map(({ title }, index) =>
        toggle(index === chosen.contest, () => chosen.contest = index, title)
      );
    element("contests").replaceChildren(...contests);
    element("legend").replaceChildren(
      ...contest().entries.map((entry) => {
        const { name, isDashed } = entry;
        const swatch = make("span", { class: isDashed ? "swatch dashed" : "swatch" });
        swatch.style.setProperty("--colour", colourOf(entry));
        return toggle(
          !chosen.hidden.has(name),
          () => {
            if (!chosen.hidden.delete(name)) chosen.hidden.add(name);
          },
          swatch,
          name,
        );
      }),
    );
  }

  function draw() {
    if (data.contests.length === 0) return;
    const { scrollY } = globalThis;
    for (const chart of drawn) chart.destroy();
    drawn = [];
    element("pictures").hidden = false;
    element("charts").replaceChildren();
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
  draw();
  makeSortable();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("(max-width: 54rem)").addEventListener("change", draw);
})();
