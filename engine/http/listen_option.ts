/**
 * Where a server of HTTP listens, as people write it: a port, with a host in front if others than
 * this machine may ask.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import type { Address } from "../../protocols/effects.ts";
import { defineOption, type Option, type OptionDetails, OptionError } from "../cli/options.ts";
import { isUnix } from "../net/address.ts";

/** Where it listens if no host is named. */
const LOOPBACK = "127.0.0.1";

/**
 * Makes an option that says where to listen: `PORT`, `:PORT`, `HOST:PORT` or `[IPV6]:PORT`. Without a
 * host, only programs of this machine can ask.
 *
 * @param option its name in the library
 * @param details its help
 */
export function listenOption(
  option: string,
  details: OptionDetails<string | number>,
): Option<Address, string | number> {
  const own = { kind: "string", value: "[HOST:]PORT" } as const;
  return defineOption(option, own, details, (given) => {
    const text = String(given);
    const [, bracketed, plain, digits = ""] =
      /^(?:(?:\[([^[\]]+)\]|([^[\]:]*)):)?(\d{1,5})$/.exec(text) ?? [];
    const host = bracketed ?? plain ?? "";
    const port = Number(digits);
    if (digits !== "" && port <= 65_535 && !isUnix(host)) {
      return { hostname: host === "" ? LOOPBACK : host, port };
    }
    throw new OptionError(
      `Cannot use ${option}: expected [HOST:]PORT, with an IPv6 address in brackets, current value is "${
        escapeText(text)
      }"`,
    );
  });
}
