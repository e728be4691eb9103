/**
 * A server that records itself while clients come: started, visited, ended, and its recording read.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { type ClientEvent, type Event, type Header, roundUs } from "../engine/recording/events.ts";
import { readRecording } from "../engine/recording/read_recording.ts";
import type { RuntimeCommand } from "../engine/process/runtimes.ts";
import type { ModeName } from "../modes/catalogue.ts";
import type { Visitor } from "./simulator/companies.ts";
import { type Life, livesOf } from "../engine/figures/life.ts";
import { type Seen, sendCompany } from "./tour/visits.ts";
import { LoadedServer } from "./loaded_server.ts";
import { addToRecording } from "./add_to_recording.ts";
import { modeCommand } from "./mode_command.ts";

/** What is visited, and by whom. */
export interface Visit {
  /** The mode of the server. */
  readonly mode: ModeName;
  /** The flags of the server, besides the port, the protocol and where to record. */
  readonly flags: readonly string[];
  /** Who comes. All of them speak `frame`. */
  readonly company: readonly Visitor[];
  /** After how many of them the server is told to close; absent if it is when all have gone. */
  readonly closesAfter?: number;
}

/** What became of a visit. */
export interface Visited {
  /** What the clients have seen, in the order in which they came. */
  readonly seen: readonly Seen[];
  /** What the server has recorded. */
  readonly header: Header;
  readonly events: readonly Event[];
  /** What became of the time of each client. */
  readonly lives: readonly Life[];
}

/**
 * Starts a server, uses it, ends it, and reads what it has recorded.
 *
 * @param plan the server
 * @param on the runtime of the server
 * @param file where the server records
 * @param signal ends the server, if it starts too slowly
 * @param use what is done with it
 * @throws {ServerStartError} if the server does not start to listen
 * @throws {Error} if it does not end in order, so that its recording is not whole
 */
export async function recordServer<Result>(
  { mode, flags }: Pick<Visit, "mode" | "flags">,
  on: RuntimeCommand,
  file: string,
  signal: AbortSignal,
  use: (server: LoadedServer) => Promise<Result>,
): Promise<Pick<Visited, "header" | "events"> & { readonly result: Result }> {
  const own = ["0", "--quiet", "--protocol", "frame", "--record", file];
  const server = await LoadedServer.start(modeCommand(mode, on, ...own, ...flags), signal);
  let result: Result;
  {
    await using used = server;
    result = await use(used);
  }
  const { header, events, isFinished } = readRecording(readFileSync(file, "utf8"), file);
  if (!isFinished) throw new Error(`${mode} has not recorded its end: ${server.whyEnded}`);
  return { result, header, events };
}

/**
 * Starts a server, sends it the clients, ends it, and reads what it has recorded.
 *
 * @param visit the server and the clients
 * @param on the runtime of the server
 * @param file where the server records
 * @param signal ends the server and the clients
 * @throws {ServerStartError} if the server does not start to listen
 * @throws {Error} if it does not end in order, so that its recording is not whole
 */
export async function visitServer(
  visit: Visit,
  on: RuntimeCommand,
  file: string,
  signal: AbortSignal,
): Promise<Visited> {
  const { result: seen } = await recordServer(
    visit,
    on,
    file,
    signal,
    (server) => {
      const { company, closesAfter: after } = visit;
      const closing = after === undefined ? undefined : { after, tell: () => server.tellToClose() };
      return sendCompany(company, server.address, signal, closing);
    },
  );
  // Whoever looks at the recording sees the clients by their own clocks, too.
  addToRecording(file, seen.flatMap(clientEvent));
  const { header, events } = readRecording(readFileSync(file, "utf8"), file);
  const visits = seen.map(({ peer, calledUs, answeredUs }) => ({
    peer,
    fromUs: roundUs(calledUs - header.began_us),
    toUs: roundUs(answeredUs - header.began_us),
  }));
  return { seen, header, events, lives: livesOf(events, visits) };
}

/** What a client tells. Of one that was refused there is nothing to tell: it has no connection. */
function clientEvent({ peer, calledUs, connectedUs, answeredUs }: Seen): readonly ClientEvent[] {
  return connectedUs === undefined
    ? []
    : [{ type: "client", at: calledUs, peer, connected: connectedUs, to: answeredUs }];
}
