/**
 * One look at both ends, as their kernel tells it by netlink. What the wire has carried does not
 * count here: only this decides whether a scenario is won.
 *
 * @module
 */

import { SockDiag, type SocketRow } from "../../../engine/kernel/sock_diag.ts";
import type { TcpState } from "../../../engine/kernel/tcp_states.ts";
import type { Address } from "../../../protocols/effects.ts";

/** An end, at one moment. */
export interface EndState {
  /**
   * Its state. `LISTEN` is a server without a connection, and `CLOSE` an end that has none any more
   * or not yet.
   */
  readonly state: TcpState;
  /** What the kernel says about the connection; absent if it has none. */
  readonly row?: SocketRow;
  /** Whether the kernel has ever had this end's part of the connection. */
  readonly wasThere: boolean;
  /** The error that its program was told, for instance `ETIMEDOUT`. */
  readonly failure?: string;
}

/** Both ends, at one moment. */
export interface Look {
  /** The end that has connected. */
  readonly client: EndState;
  /** The end that listens. */
  readonly server: EndState;
}

/** Where the ends are, and what their programs know. */
export interface LookTarget {
  /** The client's own address; `undefined` before it connects. */
  readonly client: Address | undefined;
  /** The address that the client connects to. */
  readonly target: Address;
  /** The server's own address. */
  readonly server: Address;
  /** Whether the server listens; if not, it connects too. */
  readonly listens: boolean;
  /** The errors that the programs were told. */
  readonly failures: { readonly client?: string | undefined; readonly server?: string | undefined };
}

/** Looks again and again. */
export class Looker implements Disposable {
  readonly #diag = new SockDiag();
  #clientWas = false;
  #serverWas = false;

  /**
   * Takes a look.
   *
   * @param target where to
   */
  look({ client, target, server, listens, failures }: LookTarget): Look {
    const clientRow = client && this.#diag.find(client, target);
    // The server sees the client at the other address of the wire.
    const serverRow = client &&
      this.#diag.find(server, { hostname: target.hostname, port: client.port });
    this.#clientWas ||= clientRow !== undefined;
    this.#serverWas ||= serverRow !== undefined;
    return {
      client: stateOf(clientRow, this.#clientWas, "CLOSE", failures.client),
      server: stateOf(
        serverRow,
        this.#serverWas,
        this.#serverWas || !listens ? "CLOSE" : "LISTEN",
        failures.server,
      ),
    };
  }

  /** Gives its descriptor back. */
  [Symbol.dispose](): void {
    this.#diag[Symbol.dispose]();
  }
}

function stateOf(
  row: SocketRow | undefined,
  wasThere: boolean,
  without: TcpState,
  failure: string | undefined,
): EndState {
  return {
    state: row?.state ?? without,
    wasThere,
    ...(row !== undefined && { row }),
    ...(failure !== undefined && { failure }),
  };
}
