/**
 * `--metrics`: its option, and the same for programs that use the library.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { VERSION } from "../../cli/build_info.ts";
import type { Option } from "../../cli/options.ts";
import { listenOption } from "../../http/listen_option.ts";
import { runtime } from "../../net/runtime.ts";
import type { Server } from "../core/server.ts";
import type { About } from "./server_metrics.ts";

/** Where metrics are told. */
export const METRICS: Option<Address, string | number> = listenOption("metrics", {
  shown: "nowhere",
  help: "tell metrics (OpenMetrics) at /metrics, and whether to come at /healthz, over HTTP",
});

/** How to tell metrics. */
export interface MetricsOptions {
  /**
   * Where to listen: a port, or `HOST:PORT` if others than this machine may ask; 0 picks a free port.
   *
   * @default {0}
   */
  readonly metrics?: string | number;
  /** Is told, in words, of what goes wrong meanwhile. By default nobody is. */
  readonly onError?: (message: string) => void;
}

/** Where metrics are told. */
export interface Metrics extends AsyncDisposable {
  /** The address that it listens on. */
  readonly address: Address;
  /** The same as a URL, without a path. */
  readonly url: string;
  /** Ends it. The end of the server does too. It may be called again. */
  close(): Promise<void>;
}

/**
 * Tells the metrics of a server over HTTP, at `/metrics`, and at `/healthz` whether it takes
 * connections. A thread of its own answers, also while the server's loop is stuck, until the server
 * has closed.
 *
 * @param server the server. It tells how late its loops are only if it was given `statsEvery`
 * @param options where to listen
 * @throws {OptionError} if that is no address to listen on
 * @throws {Error} if it cannot be listened on, or if no thread can be started
 */
export async function exposeMetrics(
  server: Pick<Server, "mode" | "protocol" | "statistics" | "closed">,
  { metrics = 0, onError }: MetricsOptions = {},
): Promise<Metrics> {
  const { MetricsServer } = await import("./metrics_server.ts");
  const address = METRICS.read(metrics);
  const told = await MetricsServer.start({ address, ...(onError !== undefined && { onError }) });
  told.tell(server.statistics, aboutOf(server));
  // It never keeps a program running whose server has ended.
  void server.closed.then(() => told.close());
  return told;
}

/** What does not change while a server runs, for its metrics. */
export function aboutOf({ mode, protocol }: Pick<Server, "mode" | "protocol">): About {
  return {
    version: VERSION,
    mode,
    protocol,
    runtime: runtime.name,
    runtime_version: runtime.version,
  };
}
