/**
 * Gets a server its listener: from whoever offers one, from the process that started this one, or
 * from the kernel.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { isUnix } from "../../net/address.ts";
import { describeSystemError } from "../../net/constants.ts";
import { checkListener, setInherited } from "../../net/inherited_listener.ts";
import { type OpenedListener, openListening, SocketFile } from "../../net/socket_file.ts";
import type { Sockets } from "../../net/sockets.ts";
import { type CheckedOptions, OptionError } from "../core/options.ts";
import type { Journal } from "../journal/journal.ts";
import { HeldListener } from "./held_listener.ts";
import { Newcomer } from "./newcomer.ts";
import { Offer } from "./offer.ts";
import { ownUser, privatePath } from "./private_path.ts";

/** What is needed to get a listener. */
export interface AcquireParts {
  /** The Berkeley calls. */
  readonly net: Sockets;
  /** Is told which listener it is, if that may surprise. */
  readonly journal: Journal;
  /** The numeric address to listen on, unless there is a listener already. */
  readonly address: Address;
  /** The server's options. */
  readonly checked: CheckedOptions;
  /** Opens a listener at the address. */
  open(): number;
}

/**
 * Gets a listener.
 *
 * @param parts what is needed
 * @throws {Error} that says why there is none
 */
export async function acquireListener(parts: AcquireParts): Promise<HeldListener> {
  const { net, journal, checked } = parts;
  const { takeover, asked: { beforeTakeover: before } } = checked;
  if (takeover === undefined) {
    return new HeldListener({ net, journal, ...openOrAdopt(parts), before });
  }
  const say = (why: string, cause: unknown) =>
    new Error(`Cannot take a listener over at ${takeover}: ${why}`, { cause });
  let path: string;
  const user = ownUser(net);
  try {
    path = privatePath(takeover, user);
  } catch (error) {
    throw say(describeSystemError(error), error);
  }
  for (let attempt = 0;; attempt++) {
    let newcomer: Newcomer | undefined;
    let offer: Offer | undefined;
    try {
      newcomer = await Newcomer.ask(net, path, user);
      if (newcomer === undefined) offer = new Offer(net, path, user);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown };
      // Somebody else who has just started was faster, and can be asked.
      if (code === "EADDRINUSE" && attempt < ATTEMPTS) continue;
      throw say(describeSystemError(error), error);
    }
    try {
      return newcomer === undefined
        ? new HeldListener({ net, journal, ...openOrAdopt(parts), offer, path, before })
        : takeOver(parts, newcomer, path, say);
    } catch (error) {
      newcomer?.close();
      offer?.close("it could not start");
      throw error;
    }
  }
}

/** How often somebody else may be faster. */
const ATTEMPTS = 8;

/** Opens a listener, or takes the one that this process has inherited. */
function openOrAdopt(
  parts: AcquireParts,
): OpenedListener & { readonly origin: "opened" | "inherited" } {
  const { net, address, checked: { fd }, open } = parts;
  if (fd === undefined) return { ...openListening(net, address, open), origin: "opened" };
  let found: Address;
  try {
    found = checkListener(net, fd);
  } catch (error) {
    throw new Error(`Cannot listen on descriptor ${fd}: ${describeSystemError(error)}`, {
      cause: error,
    });
  }
  return { listener: fd, address: adopt(parts, fd, found), origin: "inherited" };
}

/** Takes what another server has given. */
function takeOver(
  parts: AcquireParts,
  newcomer: Newcomer,
  path: string,
  say: (why: string, cause: unknown) => Error,
): HeldListener {
  const { net, journal } = parts;
  const { given: { sockets, origin, file }, descriptors } = newcomer;
  const find = (role: string) => descriptors[sockets.findIndex((name) => name === role)];
  const listener = find("listener");
  const datagrams = find("datagrams");
  try {
    if (listener === undefined) throw say(`process ${newcomer.pid} has given none`, undefined);
    let found: Address;
    try {
      found = checkListener(net, listener);
    } catch (error) {
      throw say(describeSystemError(error), error);
    }
    for (const fd of descriptors) if (fd !== listener && fd !== datagrams) net.close(fd);
    const { pid } = newcomer;
    const text = "takes {address} over from process {pid}";
    journal.log({ level: "info", text, properties: { address: formatAddress(found), pid } });
    const address = adopt(parts, listener, found);
    return new HeldListener({
      net,
      journal,
      listener,
      address,
      origin,
      file: file && new SocketFile(file.path, file.identity),
      datagrams,
      newcomer,
      path,
      before: parts.checked.asked.beforeTakeover,
    });
  } catch (error) {
    for (const fd of descriptors) net.close(fd);
    throw error;
  }
}

/** Makes a listener that is there already fit for this server. Returns where it listens. */
function adopt(
  { net, journal, checked, address: wanted }: AcquireParts,
  listener: number,
  address: Address,
): Address {
  const { keepAlive, logSyn, asked: { host, port } } = checked;
  if (logSyn && isUnix(address.hostname)) {
    throw new OptionError("Cannot use logSyn: a Unix domain socket has no SYN");
  }
  setInherited(net, listener, keepAlive);
  const isOther = (host !== undefined && address.hostname !== wanted.hostname) ||
    (port !== undefined && port !== 0 && port !== address.port);
  if (isOther) {
    const text = "serves {address}, where the listener is that it was given, and not {wanted}";
    const properties = { address: formatAddress(address), wanted: formatAddress(wanted) };
    journal.log({ level: "warning", text, properties });
  }
  return address;
}
