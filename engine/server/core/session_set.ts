/**
 * The conversations of one event loop: it starts them, counts them and cuts them.
 *
 * @module
 */

import type { ProtocolDefinition, ProtocolSettings } from "../../../protocols/catalogue.ts";
import { beginConversation } from "../../drivers/conversation.ts";
import type { Deadlines } from "../../drivers/deadlines.ts";
import type { Elsewhere } from "../../drivers/elsewhere.ts";
import { limitsIn, type LingerLimits } from "../../drivers/limits.ts";
import { LingerSet } from "../../drivers/linger.ts";
import { Session, type SessionOptions, type TurnMarks } from "../../drivers/session.ts";
import { SendQueueLooks } from "../../drivers/send_queue_looks.ts";
import { WriteWatch } from "../../drivers/write_watch.ts";
import type { Connection } from "../../net/transport.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { LazyContext } from "./context.ts";
import type { Door } from "./door.ts";
import { Refusals } from "./refusals.ts";
import { CutError, type Observation, type Observer } from "./observer.ts";
import type { CheckedOptions } from "./options.ts";
import type { Arrival, Reception } from "./reception.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";

/**
 * A conversation of a server. What belongs to it is in fields, not in a closure: ten thousand idle ones
 * take less memory.
 */
class ServedSession extends Session<void> {
  context!: LazyContext;
  observation!: Observation;
  set!: SessionSet;

  protected override parting(): void {
    this.set.parts(this.context);
  }
}

/** Where a loop notes whose turn it is, and with whom its conversations are. */
export interface TurnNotes extends TurnMarks {
  /** A conversation begins. @returns its number */
  add(peer: string): number;
}

/** The conversations under way on this thread. */
export class SessionSet {
  /**
   * Called whenever a connection ends, before its peer can see that. Who counts connections counts it
   * no more: the peer may come again as soon as it sees the end.
   */
  onParting: (() => void) | undefined;
  /** Called after that, when its conversation is over. */
  onOver: (() => void) | undefined;
  /**
   * Called with the host for which this thread works; with `undefined` if there are several at a
   * time. Somebody may want to know who was there when the thread dies.
   */
  onHost: ((hostname: string | undefined) => void) | undefined;
  #host: string | undefined;
  readonly #protocol: ProtocolDefinition;
  readonly #settings: ProtocolSettings;
  readonly #limits: SessionOptions;
  #turns: TurnNotes | undefined;
  readonly #lingering: LingerSet;
  readonly #observer: Observer;
  readonly #door: Door | undefined;
  readonly #refusals: Refusals;
  readonly #sessions = new Set<Session<void>>();
  /** Receives those who come through a proxy. */
  readonly #reception: Reception | undefined;
  /** Whether there is a trace, for which sockets are asked since when they are open. */
  readonly #isRecorded: boolean;
  #cutting = false;

  /**
   * @param options the server's options
   * @param observer this thread's observer
   * @param deadlines keeps the time limits
   * @param offload does the CPU work; without it, this thread does
   * @param track this thread's track, if a trace is written
   * @param limits how long connections linger, and how many
   * @param door says who may come in; without it, anybody may
   * @param reception receives those who come through a proxy, if the door expects them
   */
  constructor(
    { protocol, settings }: Pick<CheckedOptions, "protocol" | "settings">,
    observer: Observer,
    deadlines: Deadlines,
    offload: Elsewhere | undefined,
    track: WatchingTrack | undefined,
    limits: LingerLimits | (() => LingerLimits),
    door?: Door,
    reception?: Reception,
  ) {
    this.#isRecorded = track !== undefined;
    this.#door = door;
    this.#reception = reception;
    this.#refusals = new Refusals(deadlines);
    const { writeTimeoutMs = 0 } = settings;
    this.#protocol = protocol;
    this.#settings = settings.protocolSettings;
    this.#observer = observer;
    const find = typeof limits === "function" ? limits : () => limits;
    const queues = new SendQueueLooks(deadlines, writeTimeoutMs);
    this.#lingering = new LingerSet(deadlines, () => ({ ...find(), writeTimeoutMs }), queues);
    this.#limits = {
      ...limitsIn(settings),
      deadlines,
      writeWatch: writeTimeoutMs > 0
        ? new WriteWatch(deadlines, writeTimeoutMs, this.#sessions, queues)
        : undefined,
      lingerer: this.#lingering,
      offload: offload && track ? track.watchOffload(offload) : offload,
      tasks: track === undefined ? protocol.tasks : track.watchTasks(protocol.tasks),
      hasSlicedTasks: protocol.hasSlicedTasks,
      onReport: observer.onReport,
      turns: undefined,
    };
  }

  /**
   * Notes from now on whose turn it is.
   *
   * @param turns where; `undefined` if nobody watches this loop
   */
  noteTurns(turns: TurnNotes | undefined): void {
    this.#turns = turns;
    this.#limits.turns = turns;
  }

  /**
   * Asks whether a connection may come in. If not, it is refused, and closed.
   *
   * @param connection the connection
   * @param hasRoom see {@linkcode Door.enter}
   */
  letIn(connection: Connection, hasRoom: () => boolean): boolean {
    const door = this.#door;
    if (door === undefined || !door.asks) return hasRoom();
    const why = door.enter(connection.remoteAddress, hasRoom);
    if (why !== undefined) this.#refusals.refuse(connection, door.lineFor(why));
    return why === undefined;
  }

  /**
   * The same, where a gate counts the connections.
   *
   * @param connection the connection
   * @param gate the gate
   * @param isCounted whether the gate counts the connection already
   */
  admit(
    connection: Connection,
    gate: { tryEnter(): boolean; leave(): void },
    isCounted: boolean,
  ): boolean {
    const isIn = this.letIn(connection, () => isCounted || gate.tryEnter());
    if (!isIn && isCounted) gate.leave();
    return isIn;
  }

  /** Whether a connection for which there is no room is refused. If not, it waits. */
  get refusesOverflow(): boolean {
    return this.#door?.refusesOverflow === true;
  }

  /** How many conversations are under way, or wait for the header of a proxy. */
  get size(): number {
    return this.#sessions.size + (this.#reception?.size ?? 0);
  }

  /** Whether no conversation is under way and no connection lingers. */
  get isEmpty(): boolean {
    return this.size === 0 && this.#lingering.size === 0 && this.#refusals.size === 0;
  }

  /** Hurries the connections that linger, because the server closes. */
  hasten(): void {
    this.#lingering.hasten();
    this.#refusals.hasten();
  }

  /** Resolves when no connection lingers. */
  async lingered(): Promise<void> {
    await Promise.all([this.#lingering.empty(), this.#refusals.lingered()]);
  }

  /**
   * Serves a connection beside all the others.
   *
   * @param connection the connection; it is closed when its conversation is over, or when it has
   * lingered
   */
  serve(connection: Connection): void {
    const reception = this.#reception;
    if (reception === undefined) return this.#converse(connection, connection);
    reception.receive(connection, {
      onIn: (arrival) => this.#converse(connection, arrival.client, arrival),
      onRefused: (why) => {
        this.onParting?.();
        this.#refusals.refuse(connection, this.#door?.lineFor(why));
        this.onOver?.();
      },
      onParting: () => this.onParting?.(),
      onOver: () => this.onOver?.(),
    });
  }

  /**
   * Begins a conversation.
   *
   * @param connection the connection
   * @param client knows whom it is with
   * @param arrival how it has come, if it has come through a proxy
   */
  #converse(
    connection: Connection,
    client: { readonly remoteAddress: Address },
    arrival?: Arrival,
  ): void {
    if (this.onHost !== undefined) this.#noteHost(client);
    const context = new LazyContext(client);
    const observation = this.#isRecorded
      ? this.#observer.begin(context, "", { ...arrival, fd: connection.fd })
      : this.#observer.begin(context, "", arrival);
    const begun = beginConversation(this.#protocol, context, this.#settings);
    const conversation = arrival === undefined ? begun : arrival.precede(begun);
    const watched = observation.watch(connection);
    const session = new ServedSession(watched, conversation, this.#limits, this.#onDone);
    session.context = context;
    session.observation = observation;
    session.set = this;
    if (this.#turns !== undefined) session.turn = this.#turns.add(formatAddress(context.peer));
    this.#sessions.add(session);
    observation.enter();
    session.start(arrival?.client);
    observation.leave();
    if (this.#cutting) session.cut(new CutError());
  }

  #noteHost(client: { readonly remoteAddress: Address }): void {
    const isFirst = this.#sessions.size === 0;
    if (!isFirst && this.#host === undefined) return;
    const { hostname } = client.remoteAddress;
    if (hostname === this.#host) return;
    this.#host = isFirst ? hostname : undefined;
    this.onHost?.(this.#host);
  }

  readonly #onDone = (error: unknown, _result: unknown, session: Session<void>): void => {
    this.#sessions.delete(session);
    const { context, observation } = session as ServedSession;
    const thrown = context.end();
    observation.over(error ?? thrown, session.wasEmpty);
    this.onOver?.();
  };

  /**
   * A connection ends, and its peer cannot see that yet. Its session says so.
   *
   * @param context knows the peer
   */
  parts(context: { readonly peer: Address }): void {
    if (this.#door?.counts === true) this.#door.leave(context.peer);
    this.onParting?.();
  }

  /** Cuts all conversations, and those that begin later. It also closes all that linger. */
  cutAll(): void {
    this.#lingering.close();
    this.#refusals.close();
    this.#cutting = true;
    this.#reception?.cutAll();
    for (const session of this.#sessions) session.cut(new CutError());
  }
}
