/**
 * The bus, which joins several chat servers into one. This is its interface; NATS is one engine
 * behind it.
 *
 * A server tells the others what its own users do, and hears what their users do. Names are claimed
 * here, so that two servers cannot grant the same one. Everything is plain data.
 *
 * @module
 */

/** A user as the other servers know them. */
export interface Presence {
  /** The user's name. */
  readonly name: string;
  /** The room that the user is in. */
  readonly room: string;
  /** When the user took the name, in milliseconds since 1970: the older claim keeps it. */
  readonly since: number;
}

/** What a server tells all others. */
export type BusEvent =
  /** A user has come. */
  | { readonly kind: "enter"; readonly user: Presence }
  /** A user has left. The reason is given if it was not the user's own wish. */
  | { readonly kind: "leave"; readonly name: string; readonly reason?: string }
  /** A user has moved to another room. */
  | { readonly kind: "move"; readonly name: string; readonly room: string }
  /** A user has taken another name. */
  | {
    readonly kind: "rename";
    readonly name: string;
    readonly to: string;
    readonly since: number;
  }
  /** A user has said something in a room, or has done something there if it is an `action`. */
  | {
    readonly kind: "say";
    readonly name: string;
    readonly room: string;
    readonly text: string;
    readonly action: boolean;
  }
  /** An operator has said something to all rooms. */
  | { readonly kind: "announce"; readonly text: string };

/** What a server tells one other server. */
export type BusMessage =
  /** A user has said something to one of your users in private. */
  | {
    readonly kind: "whisper";
    readonly from: string;
    readonly to: string;
    readonly text: string;
  }
  /** The user to whom one of your users has whispered is no longer here. */
  | { readonly kind: "unheard"; readonly from: string; readonly to: string }
  /** An operator wants one of your users to leave. */
  | { readonly kind: "kick"; readonly name: string; readonly reason: string };

/** What a server hears from the bus, and what the bus asks it. Nothing here may throw. */
export interface BusListener {
  /** The users who are on this server now. */
  roster(): readonly Presence[];
  /** All users of another server. They replace those who were thought to be there. */
  onRoster(server: string, users: readonly Presence[]): void;
  /** Another server has been silent for so long that its users count as gone. */
  onServerGone(server: string): void;
  /**
   * Something has happened on another server. The events of one server come once and in order. Talk
   * may come before the roster that shows the speaker. After a split, two servers may have users of
   * the same name for a moment.
   */
  onEvent(server: string, event: BusEvent): void;
  /** Another server has a message for this one alone. */
  onMessage(server: string, message: BusMessage): void;
  /**
   * The link to the other servers has changed. If it is lost, so are the other servers: nothing is
   * known of their users any more. If it is restored, their rosters follow. What was said in the
   * meantime is lost.
   */
  onLink(isLinked: boolean): void;
  /**
   * A user of this server must give up their name, because a user of another server turned out to
   * have the older claim after a split. The name counts as given back.
   */
  onNameLost(name: string): void;
}

/** Shares the time of a server between its users and what comes from other servers. */
export interface Pace {
  /** Takes a part of this turn; returns whether so many bytes can be heard now. */
  take(bytes: number): boolean;
  /** Waits for a turn; resolves with false if nothing more is to be heard. */
  pass(bytes: number): Promise<boolean>;
}

/** The link of one server to the others. */
export interface Bus extends AsyncDisposable {
  /** The name under which this server is known to the others. */
  readonly server: string;
  /** Whether there can be no other servers. */
  readonly isAlone: boolean;
  /** Whether the other servers can be reached now. */
  readonly isLinked: boolean;
  /**
   * The state of the bus for people to read, without secrets: first what it is, for instance
   * `nats://127.0.0.1:4222`, then how it is doing.
   */
  readonly details: readonly string[];
  /**
   * Begins to send and to receive. Called once, before all else; fails if the bus is unusable.
   *
   * @param listener hears the other servers
   * @param pace says when it hears them; without it, at once
   */
  start(listener: BusListener, pace?: Pace): Promise<void>;
  /** Tells all other servers, if there is a link. */
  publish(event: BusEvent): void;
  /** Tells one other server, if there is a link. */
  send(server: string, message: BusMessage): void;
  /**
   * Claims a name for a user of this server who is not in the roster under that name yet. Without a
   * link every name is granted, and put to the test once the link is restored. So it is if there is
   * a link but no answer within a moment.
   *
   * @param name a valid name that no other user of this server has
   * @param since when the claim begins, in milliseconds since 1970
   * @returns whether the user can have the name
   */
  claim(name: string, since: number): Promise<boolean>;
  /** Gives a name back. Its spelling may differ in case from the one that was claimed. */
  release(name: string): void;
  /** Tells the others that this server's users are gone, and ends the link. May be called twice. */
  close(): Promise<void>;
}
