/**
 * Metrics as text, in the two forms that programs which collect metrics read: OpenMetrics 1.0, and
 * the older text format of Prometheus (version 0.0.4). Pure.
 *
 * @module
 */

/** One value of a metric, with the labels that tell it from the others. */
export interface Sample {
  /** What its name has behind the name of a histogram: `_bucket`, `_count` or `_sum`. */
  readonly suffix?: string;
  /** The labels by name. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** The value. */
  readonly value: number;
}

/** A metric: several values of one meaning. */
export interface Metric {
  /** The name, without the `_total` of a counter and the `_info` of an info. */
  readonly name: string;
  /**
   * A counter only grows; a gauge goes up and down; an info is about what does not change; a histogram
   * counts values up to each bound.
   */
  readonly type: "counter" | "gauge" | "info" | "histogram";
  /** The unit, if it has one. The name ends with it then. */
  readonly unit?: "seconds" | "bytes";
  /** What it is, in one sentence. */
  readonly help: string;
  /** The values. Without any, the metric is left out. */
  readonly samples: readonly Sample[];
}

/** A form of the text. */
export type Format = "openmetrics" | "prometheus";

/** The content types of the forms. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** What the names of the samples have behind the name of the metric. */
const SUFFIXES: Readonly<Record<Metric["type"], string>> = {
  counter: "_total",
  gauge: "",
  info: "_info",
  histogram: "",
};

/**
 * Writes metrics.
 *
 * @param metrics the metrics
 * @param format the form
 */
export function formatMetrics(metrics: readonly Metric[], format: Format): string {
  const isOpen = format === "openmetrics";
  const lines: string[] = [];
  for (const { name, type, unit, help, samples } of metrics) {
    if (samples.length === 0) continue;
    const sampled = name + SUFFIXES[type];
    // Prometheus knows no infos, and takes a counter by the name of its samples.
    const family = isOpen ? name : sampled;
    lines.push(`# TYPE ${family} ${isOpen || type !== "info" ? type : "gauge"}`);
    if (isOpen && unit !== undefined) lines.push(`# UNIT ${family} ${unit}`);
    lines.push(`# HELP ${family} ${isOpen ? escapeLabel(help) : escapeHelp(help)}`);
    for (const { labels = {}, value, suffix = "" } of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
      lines.push(`${sampled}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
    }
  }
  if (isOpen) lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** One entry of an `Accept` field. */
interface Accepted {
  readonly type: string;
  readonly quality: number;
}

/**
 * Chooses the form that a client wants most (RFC 9110, section 12.5.1). A client that does not care
 * gets OpenMetrics, and so does one that wants neither: it may be able to read it all the same.
 *
 * @param accept the `Accept` field; absent if there is none
 */
export function chooseFormat(accept = "*/*"): Format {
  const accepted = accept.split(",").map(parseAccepted);
  const open = qualityOf(accepted, "application/openmetrics-text");
  const text = qualityOf(accepted, "text/plain");
  // Browsers save a type that they do not know, and show text.
  const isBrowser = accepted.some(({ type }) => type === "text/html");
  return text > open || (isBrowser && text === open) ? "prometheus" : "openmetrics";
}

function parseAccepted(entry: string): Accepted {
  const [type = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const quality = given === undefined ? 1 : Number(given);
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** How much a type is wanted: what is said of it most precisely counts. */
function qualityOf(accepted: readonly Accepted[], type: string): number {
  const wanted = [type, `${type.split("/")[0]}/*`, "*/*"];
  for (const name of wanted) {
    const found = accepted.filter((entry) => entry.type === name);
    if (found.length > 0) return Math.max(...found.map(({ quality }) => quality));
  }
  return 0;
}
