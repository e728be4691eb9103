/**
 * What joins several chat servers into one: the interface behind which NATS is an engine.
 *
 * A server tells the others what its own users do, and hears what theirs do. Names are claimed
 * here, so that two servers cannot grant the same one. Everything is plain data.
 *
 * @module
 */

/** A user as the other servers know her. */
export interface Presence {
  /** Her name. */
  readonly name: string;
  /** The room in which she is. */
  readonly room: string;
  /** When she took her name, in milliseconds since 1970: the older claim keeps it. */
  readonly since: number;
}

/** What a server tells all others. */
export type BusEvent =
  /** A user has come. */
  | { readonly kind: "enter"; readonly user: Presence }
  /** A user has left, and why if it was not her own wish. */
  | { readonly kind: "leave"; readonly name: string; readonly reason?: string }
  /** A user has gone to another room. */
  | { readonly kind: "move"; readonly name: string; readonly room: string }
  /** A user has another name. */
  | {
    readonly kind: "rename";
    readonly name: string;
    readonly to: string;
    readonly since: number;
  }
  /** A user has said something in a room; or, as an `action`, does something. */
  | {
    readonly kind: "say";
    readonly name: string;
    readonly room: string;
    readonly text: string;
    readonly action: boolean;
  }
  /** An operator has said something to all rooms. */
  | { readonly kind: "announce"; readonly text: string };

/** What a server tells one other. */
export type BusMessage =
  /** A user has said something to one of yours alone. */
  | {
    readonly kind: "whisper";
    readonly from: string;
    readonly to: string;
    readonly text: string;
  }
  /** The user to whom one of yours has whispered is not here any more. */
  | { readonly kind: "unheard"; readonly from: string; readonly to: string }
  /** An operator wants one of your users to go. */
  | { readonly kind: "kick"; readonly name: string; readonly reason: string };

/** What a server wants to hear, and is asked. Nothing here may throw. */
export interface BusListener {
  /** Who is on this server now. */
  roster(): readonly Presence[];
  /** All who are on another server, instead of whoever was thought to be there. */
  onRoster(server: string, users: readonly Presence[]): void;
  /** Another server was not heard of for so long that its users count as gone. */
  onServerGone(server: string): void;
  /**
   * Something has happened on another server; events of one server come once and in order. What is
   * said may come before the roster that shows who says it. After a split, two servers may have
   * users of the same name for a moment.
   */
  onEvent(server: string, event: BusEvent): void;
  /** Another server has something for this one alone. */
  onMessage(server: string, message: BusMessage): void;
  /**
   * The link to the other servers was lost, and they with it: nothing is known of their users any
   * more. Or it is there again, and their rosters follow. What was said meanwhile is lost.
   */
  onLink(isLinked: boolean): void;
  /**
   * A user of this server must give up her name: after a split another has the older claim. It
   * counts as given back.
   */
  onNameLost(name: string): void;
}

/** The link of one server to the others. */
export interface Bus extends AsyncDisposable {
  /** The name under which this server is known to the others. */
  readonly server: string;
  /** Whether there can be no others. */
  readonly isAlone: boolean;
  /** Whether the others can be reached now. */
  readonly isLinked: boolean;
  /**
   * What a person wants to know of it now, without secrets: first what it is, for instance
   * `nats://127.0.0.1:4222`, then how it goes.
   */
  readonly details: readonly string[];
  /** Begins to tell and to hear. Called once, before all else; fails if the bus is not to be used. */
  start(listener: BusListener): Promise<void>;
  /** Tells all others, if the link is there. */
  publish(event: BusEvent): void;
  /** Tells one other, if the link is there. */
  send(server: string, message: BusMessage): void;
  /**
   * Takes a name for a user of this server, who is not in the roster under it yet. Without a link
   * every name is granted, and put to the test when the link is there again.
   *
   * @param name a valid name that no other user of this server has
   * @param since when she wants it from, in milliseconds since 1970
   * @returns whether she can have it
   */
  claim(name: string, since: number): Promise<boolean>;
  /** Gives a name back, in whatever spelling it was claimed. */
  release(name: string): void;
  /** Tells the others that this server's users are gone, and ends the link. May be called again. */
  close(): Promise<void>;
}
