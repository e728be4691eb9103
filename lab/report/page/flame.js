/**
 * Draws flame graphs: each bar is a function, as wide as the time that was spent in it, and stands on
 * the one that has called it. It runs in a browser as it is, before the script of the page.
 *
 * @module
 */

// @ts-check
"use strict";

/** @typedef {import("../../load/results.ts").Profile} Profile */
/** @typedef {import("../../load/results.ts").FlameNode} Flame */
/**
 * @typedef {{
 *   make: (tag: string, attributes: Record<string, string>, ...children: (Node | string)[]) => HTMLElement,
 *   time: (us: number) => string,
 *   count: (value: number) => string,
 * }} FlameTools
 */
/** @typedef {(profile: Profile, tools: FlameTools) => HTMLElement} FlameGraph */
/** @typedef {{ flame: Flame, above: Placed | undefined, from: number, depth: number, bar: HTMLElement | undefined, children: Placed[] }} Placed */

(() => {
  /** The height of a bar, in pixels. */
  const ROW = 20;

  /** Bars that are narrower, as a share of the graph, are not drawn. */
  const NARROW = 0.001;

  /** What a function belongs to, which gives it its colour. */
  const KINDS = /** @type {const} */ ([
    ["protocol", "the protocol"],
    ["mode", "the mode"],
    ["engine", "the engine"],
    ["runtime", "the runtime"],
  ]);

  /** @param {Flame} flame */
  function kindOf({ where }) {
    if (/^engine\//.test(where)) return "engine";
    if (/^modes\//.test(where)) return "mode";
    return where === "" || /^(ext:|node:|bun:|internal[:/]|core\/)/.test(where) ||
        /^ext:|\.js$/.test(where) && /^(ext|core|node|internal|js|runtime|async|deno_)/.test(where)
      ? "runtime"
      : "protocol";
  }

  /** @param {Flame} flame @param {Placed | undefined} above @param {number} from @returns {Placed} */
  function place(flame, above, from) {
    /** @type {Placed} */
    const placed = {
      flame,
      above,
      from,
      depth: above === undefined ? 0 : above.depth + 1,
      bar: undefined,
      children: [],
    };
    let at = from;
    for (const child of flame.children) {
      placed.children.push(place(child, placed, at));
      at += child.ms;
    }
    return placed;
  }

  /** @param {Placed} placed @returns {number} */
  function deepest({ depth, children }) {
    return Math.max(depth, ...children.map(deepest));
  }

  /** @param {Profile} profile @param {FlameTools} tools */
  function graphOf(profile, { make, time, count }) {
    const root = place(profile.graph, undefined, 0);
    const reading = make("output", { class: "reading", "aria-live": "polite" });
    const reset = make("button", { type: "button", class: "reset" }, "show all");
    const graph = make("div", {
      class: "flame",
      role: "group",
      "aria-label": `Flame graph of ${profile.name}. The arrow keys go from bar to bar, Enter ` +
        "enlarges one, Escape shows all; the table below lists the functions.",
    });
    graph.style.height = `${(deepest(root) + 1) * ROW}px`;
    let zoomed = root;

    /** @param {Placed} placed */
    function words({ flame: { name, where, ms } }) {
      const share = `${count(100 * ms / Math.max(1e-9, profile.graph.ms))} %`;
      return `${name}${where === "" ? "" : ` · ${where}`}: ${time(ms * 1e3)}, ${share}`;
    }

    /** @param {Placed} placed */
    function barOf(placed) {
      const { flame } = placed;
      const bar = make("button", {
        type: "button",
        class: `bar ${placed === root ? "root" : kindOf(flame)}`,
        tabindex: placed === zoomed ? "0" : "-1",
        "aria-label": words(placed),
      }, flame.name);
      bar.addEventListener("mouseenter", () => reading.textContent = words(placed));
      bar.addEventListener("focus", () => reading.textContent = words(placed));
      bar.addEventListener("click", () => zoom(placed));
      bar.addEventListener("keydown", (event) => {
        const siblings = placed.above?.children.filter(({ bar }) => bar !== undefined) ?? [];
        const index = siblings.indexOf(placed);
        const to = /** @type {Record<string, Placed | undefined>} */ ({
          ArrowUp: placed.children.find(({ bar }) => bar !== undefined),
          ArrowDown: placed.above,
          ArrowLeft: siblings[index - 1],
          ArrowRight: siblings[index + 1],
        })[event.key];
        if (event.key === "Escape") zoom(root);
        else if (to?.bar === undefined) return;
        else to.bar.focus();
        event.preventDefault();
      });
      return bar;
    }

    /** Draws what is inside the enlarged bar, and all on which it stands. */
    function draw() {
      graph.replaceChildren();
      const { from, flame: { ms } } = zoomed;
      /** @type {(placed: Placed) => void} */
      const visit = (placed) => {
        const left = Math.max(from, placed.from);
        const right = Math.min(from + ms, placed.from + placed.flame.ms);
        const share = (right - left) / Math.max(1e-9, ms);
        placed.bar = undefined;
        if (share < NARROW) return placed.children.forEach(forget);
        const bar = placed.bar = barOf(placed);
        bar.style.left = `${100 * (left - from) / Math.max(1e-9, ms)}%`;
        bar.style.width = `${100 * share}%`;
        bar.style.bottom = `${placed.depth * ROW}px`;
        graph.append(bar);
        placed.children.forEach(visit);
      };
      visit(root);
      reset.hidden = zoomed === root;
    }

    /** @param {Placed} placed */
    function forget(placed) {
      placed.bar = undefined;
      placed.children.forEach(forget);
    }

    /** @param {Placed} placed */
    function zoom(placed) {
      zoomed = placed;
      draw();
      placed.bar?.focus();
    }

    graph.addEventListener("mouseleave", () => reading.textContent = "");
    reset.addEventListener("click", () => zoom(root));
    draw();
    return { reading, reset, graph };
  }

  /** @param {Profile} profile @param {FlameTools} tools */
  function table({ functions, ran_ms }, { make, time, count }) {
    const share = (/** @type {number} */ ms) => `${count(100 * ms / Math.max(1e-9, ran_ms))} %`;
    const heads = ["function", "where", "itself", "", "with what it calls", ""];
    const rows = functions.map(({ name, where, self_ms, total_ms }) => {
      const texts = [
        name,
        where === "" ? "the runtime" : where,
        share(self_ms),
        time(self_ms * 1e3),
        share(total_ms),
        time(total_ms * 1e3),
      ];
      return make("tr", {}, ...texts.map((text) => make("td", {}, text)));
    });
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    return make(
      "details",
      { class: "as-table" },
      make("summary", {}, "The functions as a table"),
      make(
        "div",
        { class: "scroll" },
        make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)),
      ),
    );
  }

  /** @type {FlameGraph} */
  function flameGraph(profile, tools) {
    const { make, time, count } = tools;
    const { name, threads, ran_ms, waited_ms, duration_s, rate } = profile;
    const { reading, reset, graph } = graphOf(profile, tools);
    const key = make("span", { class: "key" });
    for (const [kind, text] of KINDS) {
      const chip = make("span", { class: `chip ${kind}`, "aria-hidden": "true" });
      key.append(make("span", { class: "key" }, chip, text));
    }
    const whole = ran_ms + waited_ms;
    const waited = whole > 0 ? count(100 * waited_ms / whole) : "0";
    const note =
      `${threads === 1 ? "One thread" : `All ${threads} threads`} in a run of its own, ` +
      `which does not count (${time(duration_s * 1e6)}, ${count(rate)}/s): ${
        time(ran_ms * 1e3)
      } at ` +
      `work. The ${waited} % of their time that they waited are left out. A bar is as wide as the ` +
      "time spent in a function and in those above it, which it has called.";
    return make(
      "figure",
      { class: "card wide" },
      make(
        "figcaption",
        {},
        make("h2", {}, `What ${name} did`),
        key,
        make("p", { class: "note" }, note),
      ),
      make("p", { class: "strip-head" }, reading, reset),
      make("div", { class: "flame-scroll" }, graph),
      table(profile, tools),
    );
  }

  // @ts-ignore the script of the page takes it from here
  globalThis.flameGraph = flameGraph;
})();
