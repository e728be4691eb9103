/**
 * The scenarios, in the order in which they are best played. Beside each lie a script that wins it
 * and one that loses it.
 *
 * @module
 */

import type { EndState, Look } from "./look.ts";
import { type Action, isIn, type Ledger, type Scenario, type Verdict } from "./scenario.ts";
import type { PacketKind } from "./wire.ts";

const WON: Verdict = { won: true };

function lost(why: string): Verdict {
  return { won: false, why };
}

const CLIENT_CLOSES: Action = {
  key: "c",
  label: "client closes",
  end: "client",
  action: "close",
};

const SERVER_CLOSES: Action = {
  key: "s",
  label: "server closes",
  end: "server",
  action: "close",
};

/** What the client sends where it sends something: a packet each. */
const THREE = ["one", "two", "three"] as const;

/** A fourth of the window that the server has in `no-room`. */
const QUARTER = "x".repeat(362);

/** Whether both ends have the connection open. */
function isOpen({ client, server }: Look): boolean {
  return isIn(client, "ESTABLISHED") && isIn(server, "ESTABLISHED");
}

/** Whether an end had the connection, and its kernel has nothing of it any more. */
function isGone({ state, wasThere }: EndState): boolean {
  return wasThere && state === "CLOSE";
}

/** What the end's kernel has sent again because its timer ended. */
function repeats({ row }: EndState): number {
  return row?.retransmissions ?? 0;
}

/** Why it is over when an end has given up or was reset; `undefined` if none has. */
function ended({ client, server }: Look): Verdict | undefined {
  if (client.failure !== undefined) return lost(`the client's program was told ${client.failure}`);
  if (server.failure !== undefined) return lost(`the server's program was told ${server.failure}`);
  return undefined;
}

/** Which of these kinds were not lost. */
function missing({ lostKinds }: Ledger, kinds: readonly PacketKind[]): PacketKind[] {
  return kinds.filter((kind) => !lostKinds.has(kind));
}

/** The scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "handshake",
    title: "open a connection",
    goal: "Both ends are ESTABLISHED.",
    hints: [
      "The client has sent its SYN. Nothing happens until you let it arrive.",
      "Press the space bar three times: SYN, SYN-ACK, ACK.",
    ],
    moral: "Three packets: each side has told the other where its numbers begin, and each knows " +
      "that the other has heard it (RFC 9293 section 3.5).",
    begins: "connecting",
    actions: [],
    least: 3,
    judge: (look) => isOpen(look) ? WON : ended(look),
    win: `
      deliver SYN
      until server SYN_RECV
      deliver SYN-ACK
      until client ESTABLISHED
      deliver ACK
      until server ESTABLISHED
    `,
    lose: `
      deliver SYN
      deliver SYN-ACK
      # The third packet never comes, so the server does not know that the client has heard it.
      lose ACK
      expect server SYN_RECV
    `,
  },
  {
    name: "losses",
    title: "open it although packets are lost",
    goal: "Both ends are ESTABLISHED, though you have lost a SYN, a SYN-ACK, an ACK.",
    hints: [
      "Nobody is told that a packet was lost. A timer ends, and a kernel sends its packet again.",
      "Lose the first SYN, and wait a second for the next one.",
      "Then lose the first SYN-ACK and, once the client is ESTABLISHED, its first ACK. " +
      "Whatever comes next, deliver it.",
    ],
    moral:
      "A lost SYN or SYN-ACK is sent again by the timer of its sender. A lost ACK has no timer: " +
      "it comes again because the server, still in SYN_RECV, sends its SYN-ACK again.",
    begins: "connecting",
    actions: [],
    least: 7,
    judge: (look, ledger) => {
      if (!isOpen(look)) return ended(look);
      const kept = missing(ledger, ["SYN", "SYN-ACK", "ACK"]);
      return kept.length === 0
        ? WON
        : lost(`it is open, and you have lost no ${kept.join(", no ")}`);
    },
    win: `
      lose SYN            # the client's timer ends after a second
      deliver SYN
      lose SYN-ACK        # the server's timer ends after a second
      deliver SYN-ACK
      until client ESTABLISHED
      lose ACK            # no timer: the server's SYN-ACK must come again
      deliver SYN-ACK
      deliver ACK
      until server ESTABLISHED
    `,
    lose: `
      lose SYN
      deliver SYN
      deliver SYN-ACK
      deliver ACK
      until server ESTABLISHED
    `,
  },
  {
    name: "half-open",
    title: "the lost third packet",
    goal: "Client ESTABLISHED, server in SYN_RECV: it has sent its SYN-ACK again.",
    hints: [
      "The server waits for the third packet.",
      "Deliver the SYN and the SYN-ACK, lose the ACK, and wait a second.",
    ],
    moral:
      "The client's program may send already, and the server's program has not even been given " +
      "the connection: accept(2) returns it after the third packet. That is why there are three.",
    begins: "connecting",
    actions: [],
    least: 3,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "ESTABLISHED") && isIn(server, "SYN_RECV") && repeats(server) > 0) {
        return WON;
      }
      return isOpen(look)
        ? lost("the ACK has arrived, and the server is ESTABLISHED")
        : ended(look);
    },
    win: `
      deliver SYN
      deliver SYN-ACK
      expect client ESTABLISHED
      expect server SYN_RECV
      lose ACK
      wait 2s             # the server's timer ends after a second
    `,
    lose: `
      deliver SYN
      deliver SYN-ACK
      deliver ACK
      until server ESTABLISHED
    `,
  },
  {
    name: "double",
    title: "a duplicate does no harm",
    goal: "Both ends are ESTABLISHED, though the SYN-ACK has arrived twice.",
    hints: ["Deliver the SYN, double the SYN-ACK, and deliver what comes."],
    moral:
      "The second SYN-ACK has numbers that the client has already: it answers with an ACK that " +
      "says so, and nothing changes (RFC 9293 section 3.10.7.4).",
    begins: "connecting",
    actions: [],
    least: 3,
    judge: (look, { doubledKinds }) => {
      if (!isOpen(look)) return ended(look);
      return doubledKinds.has("SYN-ACK")
        ? WON
        : lost("it is open, and the SYN-ACK has arrived only once");
    },
    win: `
      deliver SYN
      double SYN-ACK
      expect client ESTABLISHED
      deliver ACK
      until server ESTABLISHED
    `,
    lose: `
      deliver SYN
      deliver SYN-ACK
      deliver ACK
      until server ESTABLISHED
    `,
  },
  {
    name: "give-up",
    title: "make the client give up",
    goal: "The client's kernel has given up: its program is told ETIMEDOUT.",
    hints: [
      "A client that hears nothing sends its SYN again, here only once (TCP_SYNCNT is 1).",
      "Lose both SYNs and wait: the second silence lasts two seconds.",
    ],
    moral:
      "Nobody has refused: nothing has come at all. That takes long, because each silence is " +
      "twice as long as the one before. With the system's own settings it is about two minutes.",
    begins: "connecting",
    synRetries: 1,
    actions: [],
    least: 2,
    judge: (look) => {
      const { client } = look;
      if (isGone(client) && client.failure === "ETIMEDOUT") return WON;
      return isIn(client, "ESTABLISHED")
        ? lost("a SYN-ACK has arrived, and the client is ESTABLISHED")
        : ended(look);
    },
    win: `
      lose SYN
      lose SYN            # sent again after a second
      until client CLOSE  # and given up after two more
    `,
    lose: `
      lose SYN
      deliver SYN
      deliver SYN-ACK
      until client ESTABLISHED
    `,
  },
  {
    name: "ghost",
    title: "a connection that only the client has",
    goal: "Client ESTABLISHED, and the server's kernel has forgotten the connection.",
    hints: [
      "The server forgets a client whose third packet never comes: here after one more SYN-ACK.",
      "Deliver the SYN and the SYN-ACK, and lose everything that comes afterwards, for 3 seconds.",
    ],
    moral:
      "The client will notice when it sends something: the server knows no such connection, and " +
      "answers with a RST.",
    begins: "connecting",
    synAckRetries: 1,
    actions: [],
    least: 4,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "ESTABLISHED") && isGone(server)) return WON;
      return isOpen(look) ? lost("an ACK has arrived, and the server is ESTABLISHED") : ended(look);
    },
    win: `
      deliver SYN
      deliver SYN-ACK
      lose ACK
      lose SYN-ACK        # sent again after a second
      until server CLOSE  # and forgotten after two more
      expect client ESTABLISHED
    `,
    lose: `
      deliver SYN
      deliver SYN-ACK
      lose ACK
      deliver SYN-ACK     # the client answers with another ACK
      deliver ACK
      until server ESTABLISHED
    `,
  },
  {
    name: "crossing",
    title: "both connect to each other",
    goal: "Both ends are in SYN_RECV at the same time.",
    hints: [
      "Nobody listens here: both have sent a SYN, and both are in SYN_SENT.",
      "Let the two SYNs cross: deliver both before anything else.",
    ],
    moral: "Each has a SYN of the other and no answer to its own: SYN_RECV on both sides. Two " +
      "SYN-ACKs more, and it is one connection (RFC 9293 section 3.5, figure 7).",
    begins: "crossing",
    actions: [],
    least: 2,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "SYN_RECV") && isIn(server, "SYN_RECV")) return WON;
      return isIn(client, "ESTABLISHED") || isIn(server, "ESTABLISHED")
        ? lost("one of them has got an answer to its own SYN, and is ESTABLISHED")
        : ended(look);
    },
    win: `
      deliver SYN
      deliver SYN
    `,
    lose: `
      deliver SYN
      lose SYN
      deliver SYN-ACK
    `,
  },
  {
    name: "lost-data",
    title: "lost data comes again",
    goal: "The server has what the client sent, though you have lost it once.",
    hints: [
      "Let the client send (x), and lose what comes.",
      "Its timer ends after about a second. Deliver the copy and the ACK for it.",
    ],
    moral: "The client keeps what it has sent until it is acknowledged. It was told of no loss: " +
      "only the ACK was missing.",
    begins: "open",
    actions: [{
      key: "x",
      label: "client sends",
      end: "client",
      action: "send",
      texts: ["hello"],
    }],
    least: 3,
    judge: (look, { lostKinds }) => {
      const { client, server } = look;
      const sent = client.row?.info;
      if (sent?.unacked !== 0 || (server.row?.info?.bytes_received ?? 0) === 0) return ended(look);
      return (sent.total_retrans ?? 0) > 0 && lostKinds.has("DATA")
        ? WON
        : lost("it has arrived and is acknowledged, and was not lost before");
    },
    win: `
      client send hello
      lose DATA
      deliver DATA        # sent again after a second
      deliver ACK
      wait 1s
    `,
    lose: `
      client send hello
      deliver DATA
      deliver ACK
      wait 1s
    `,
  },
  {
    name: "reorder",
    title: "later bytes come first",
    goal: "The client's kernel knows that later bytes came before earlier ones.",
    hints: [
      "Let the client send (x): three packets. Deliver another one than the first.",
      "Put the first packet behind the others (o), deliver the next one, and the ACK that it causes.",
    ],
    moral:
      "The server keeps the later bytes and asks for the missing ones: its ACK has a SACK block " +
      "that names what it has (RFC 2018), so that only the hole is sent again.",
    begins: "open",
    actions: [{
      key: "x",
      label: "client sends 3",
      end: "client",
      action: "send",
      texts: THREE,
    }],
    least: 2,
    judge: (look) => {
      const { client } = look;
      const info = client.row?.info;
      if ((info?.sacked ?? 0) > 0) return WON;
      // The SYN counts as one byte.
      const all = THREE.join("").length + 1;
      return info?.unacked === 0 && (info.bytes_acked ?? 0) >= all
        ? lost("all bytes are acknowledged, and none has overtaken another")
        : ended(look);
    },
    win: `
      client send one
      client send two
      client send three
      reorder
      deliver DATA
      deliver ACK
      wait 1s
    `,
    lose: `
      client send one
      client send two
      client send three
      run 1ms
      wait 1s
    `,
  },
  {
    name: "no-room",
    title: "a receiver without room",
    goal: "The client may send nothing more, and its kernel asks whether there is room.",
    hints: [
      "The server's program does not read, so what arrives stays in its kernel's buffer.",
      "Let the client send (x), and deliver all of it: look at win in the server's ACKs.",
    ],
    moral:
      "A window that is used up stops the sender. The packet that opens it again could be lost, and then " +
      "both would wait for ever: so the sender probes (RFC 9293 section 3.8.6.1).",
    begins: "open",
    receiveBuffer: 2304,
    serverReads: false,
    actions: [{
      key: "x",
      label: "client sends 6",
      end: "client",
      action: "send",
      texts: Array(6).fill(QUARTER),
    }],
    least: 6,
    judge: (look) => look.client.row?.timer === "probe" ? WON : ended(look),
    win: `
      run 1ms
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      wait 3s
    `,
    lose: `
      server read         # what is read leaves room
      run 1ms
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      client send ${QUARTER}
      wait 1s
    `,
  },
  {
    name: "lost-fin",
    title: "close it although a FIN is lost",
    goal: "Client in TIME_WAIT, server CLOSE, though you have lost a FIN.",
    hints: [
      "Let the client close (c), lose its FIN, and wait: its kernel sends it again.",
      "Then let the server close too (s), and deliver everything.",
    ],
    moral:
      "A FIN takes a sequence number like a byte of data, so it is acknowledged and sent again " +
      "like one. Each side closes its own direction: four steps.",
    begins: "open",
    actions: [CLIENT_CLOSES, SERVER_CLOSES],
    least: 5,
    judge: (look, { lostKinds }) => {
      const { client, server } = look;
      if (isIn(client, "TIME_WAIT") && isGone(server)) {
        return lostKinds.has("FIN") ? WON : lost("it is closed, and no FIN was lost");
      }
      if (isIn(server, "TIME_WAIT")) return lost("the server has closed first, and has TIME_WAIT");
      return ended(look);
    },
    win: `
      client close
      lose FIN
      deliver FIN         # sent again by the client's timer
      until server CLOSE_WAIT
      deliver ACK
      server close
      deliver FIN
      until client TIME_WAIT
      deliver ACK
      until server CLOSE
    `,
    lose: `
      client close
      deliver FIN
      until server CLOSE_WAIT
      deliver ACK
      server close
      deliver FIN
      until client TIME_WAIT
      deliver ACK
      until server CLOSE
    `,
  },
  {
    name: "last-ack",
    title: "why TIME_WAIT waits",
    goal: "Client in TIME_WAIT, server in LAST_ACK: it has sent its FIN again.",
    hints: [
      "The last ACK of a connection has nobody who would miss it but the one whose FIN it answers.",
      "Let both close (c, then s), deliver all but the client's last ACK, lose that, and wait.",
    ],
    moral:
      "The server's FIN comes again, and somebody must still be there to answer it: TIME_WAIT (RFC " +
      "9293 section 3.6.1). In Linux it lasts 60 seconds, which no setting shortens.",
    begins: "open",
    actions: [CLIENT_CLOSES, SERVER_CLOSES],
    least: 4,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "TIME_WAIT") && isIn(server, "LAST_ACK") && repeats(server) > 0) return WON;
      if (isGone(server)) {
        return lost(
          isIn(client, "TIME_WAIT")
            ? "the last ACK has arrived, and the server is done"
            : "the server has given up the connection",
        );
      }
      return isIn(server, "TIME_WAIT")
        ? lost("the server has closed first, and has TIME_WAIT")
        : ended(look);
    },
    win: `
      client close
      deliver FIN
      until server CLOSE_WAIT
      deliver ACK
      server close
      deliver FIN
      until client TIME_WAIT
      lose ACK
      wait 3s             # the server's timer ends
    `,
    lose: `
      client close
      deliver FIN
      until server CLOSE_WAIT
      deliver ACK
      server close
      deliver FIN
      deliver ACK
      until server CLOSE
    `,
  },
  {
    name: "closing",
    title: "both close at once",
    goal: "Both ends are in CLOSING at the same time.",
    hints: [
      "CLOSING is: I have sent a FIN, I have got one, and mine is not acknowledged.",
      "Let both close (c, s) before any FIN arrives. Then deliver the two FINs and nothing else.",
    ],
    moral: "The two FINs have crossed on the wire. When the two ACKs arrive, both ends go to " +
      "TIME_WAIT (RFC 9293 section 3.6, figure 13).",
    begins: "open",
    actions: [CLIENT_CLOSES, SERVER_CLOSES],
    least: 2,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "CLOSING") && isIn(server, "CLOSING")) return WON;
      for (const [name, end] of [["client", client], ["server", server]] as const) {
        if (isIn(end, "CLOSE_WAIT")) return lost(`the ${name} had not closed when the FIN arrived`);
        if (isIn(end, "FIN_WAIT2", "TIME_WAIT")) {
          return lost(`the ${name}'s FIN is acknowledged, and it is in ${end.state}`);
        }
      }
      return ended(look);
    },
    win: `
      client close
      server close
      deliver FIN
      deliver FIN
      wait 1s
    `,
    lose: `
      client close
      deliver FIN
      until server CLOSE_WAIT
    `,
  },
  {
    name: "time-wait",
    title: "TIME_WAIT on both sides",
    goal: "Both ends are in TIME_WAIT.",
    hints: [
      "Who sends the first FIN gets TIME_WAIT. Make both be the first.",
      "Let both close (c, s) before any FIN arrives, and then deliver everything.",
    ],
    moral: "Whose FIN leaves before the other's has come counts as the first one: here both.",
    begins: "open",
    actions: [CLIENT_CLOSES, SERVER_CLOSES],
    least: 4,
    judge: (look) => {
      const { client, server } = look;
      if (isIn(client, "TIME_WAIT") && isIn(server, "TIME_WAIT")) return WON;
      for (const [name, end] of [["client", client], ["server", server]] as const) {
        if (isIn(end, "CLOSE_WAIT", "LAST_ACK")) {
          return lost(`the ${name} had not closed when the FIN arrived`);
        }
      }
      return ended(look);
    },
    win: `
      client close
      server close
      run 1ms
      until client TIME_WAIT
      until server TIME_WAIT
    `,
    lose: `
      server close
      deliver FIN
      until client CLOSE_WAIT
    `,
  },
];

/** The scenario to begin with. */
export const FIRST_SCENARIO: Scenario = SCENARIOS[0] as Scenario;

/**
 * Finds a scenario.
 *
 * @param name its name
 */
export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}

/**
 * The scenario after another one.
 *
 * @param name the name of that one
 * @returns `undefined` after the last one
 */
export function nextScenario(name: string): Scenario | undefined {
  return SCENARIOS[SCENARIOS.findIndex((scenario) => scenario.name === name) + 1];
}
