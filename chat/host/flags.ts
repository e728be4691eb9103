/**
 * The flags of the chat server.
 *
 * @module
 */

import type { Flag } from "../../engine/cli/flags.ts";
import { SLOW_POLICIES } from "./outbox.ts";

/** The flags of `chat/server.ts` in addition to those of all chat servers. */
export const CHAT_FLAGS: readonly Flag[] = [
  {
    name: "bus",
    kind: "string",
    value: "URL",
    default: "none",
    help: "share rooms with other servers through NATS, for instance nats://127.0.0.1:4222",
  },
  { name: "echo", kind: "boolean", help: "send a line back to its sender even if others hear it" },
  {
    name: "history",
    kind: "integer",
    value: "N",
    least: 0,
    most: 10_000,
    default: "20",
    help: "how many lines of a room to show to those who join, if half an outbox has room for them",
  },
  {
    name: "outbox",
    kind: "size",
    default: "256k",
    help: "how many bytes may wait for a user who reads slowly",
  },
  {
    name: "write-timeout",
    kind: "duration",
    default: "10s",
    help: "how long such a user may read nothing",
  },
  {
    name: "slow",
    kind: "choice",
    choices: SLOW_POLICIES,
    default: "disconnect",
    help: "what happens to such a user; drop: lines are dropped, the oldest first",
  },
  {
    name: "rate",
    kind: "rate",
    default: "20/s",
    help: "how many lines a user may send over a long time; more are read later",
  },
  {
    name: "burst",
    kind: "integer",
    value: "N",
    least: 1,
    most: 1_000_000_000,
    default: "40",
    help: "how many lines a user may send at once",
  },
  {
    name: "idle-timeout",
    kind: "duration",
    default: "10m",
    help: "how long a user may say nothing",
  },
  {
    name: "max-connections",
    kind: "integer",
    value: "N",
    least: 0,
    most: 1_000_000_000,
    default: "none",
    help: "how many connections there may be; more are refused",
  },
  {
    name: "max-per-host",
    kind: "integer",
    value: "N",
    least: 0,
    most: 1_000_000_000,
    default: "none",
    help: "how many of them may come from one address",
  },
];
