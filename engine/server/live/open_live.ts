/**
 * `--live`: its options, and the same for programs that use the library.
 *
 * @module
 */

import { escapeText } from "../../../protocols/text.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { Flag } from "../../cli/flags.ts";
import { type Option, OptionError } from "../../cli/options.ts";
import { listenOption } from "../../http/listen_option.ts";
import { isLocalhost, isLoopback } from "../../net/address.ts";
import type { LivePage } from "../trace/live_feed.ts";

const ANYWHERE = listenOption("live", {
  shown: "nowhere",
  help: "show threads, queues and connections as they are, on a page for browsers of this machine",
});

/** Where the page is. */
export const LIVE: Option<Address, string | number> = {
  ...ANYWHERE,
  read(given) {
    const address = ANYWHERE.read(given);
    const { hostname } = address;
    if (isLoopback(hostname) || isLocalhost(hostname)) return address;
    throw new OptionError(
      `Cannot use live: expected a host of this machine only, as 127.0.0.1, current value is "${
        escapeText(String(given))
      }"`,
    );
  },
};

/** Whether the page has no buttons. */
export const LIVE_VIEW_ONLY: Flag = {
  name: "live-view-only",
  kind: "boolean",
  help: "in --live: the page has no buttons that send clients or end a worker",
};

/** The flags of the page, in the order of the help. */
export const LIVE_FLAGS: readonly Flag[] = [LIVE, LIVE_VIEW_ONLY];

/** How to show a server. */
export interface LiveOptions {
  /**
   * Where to listen: a port, or `HOST:PORT`, whose host is this machine; 0 picks a free port.
   *
   * @default {0}
   */
  readonly live?: string | number;
  /**
   * Whether the page only shows, and has no buttons that send clients or end a worker.
   *
   * @default {false}
   */
  readonly liveViewOnly?: boolean;
  /** Is told, in words, of what goes wrong meanwhile. By default nobody is. */
  readonly onError?: (message: string) => void;
}

/**
 * Opens a page that shows a server: give it to `serve` as `live`. A thread of its own answers, also
 * while the server's loop is stuck. Nothing is collected before somebody reads.
 *
 * @param options where to listen
 * @throws {OptionError} if that is no address of this machine to listen on
 * @throws {Error} if it cannot be listened on, or if no thread can be started
 */
export async function openLive(
  { live = 0, liveViewOnly = false, onError }: LiveOptions = {},
): Promise<LivePage> {
  const { LiveServer } = await import("./live_server.ts");
  const address = LIVE.read(live);
  const more = onError !== undefined && { onError };
  return await LiveServer.start({ address, viewOnly: liveViewOnly, ...more });
}
