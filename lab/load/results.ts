/**
 * What a measurement has found: plain data, as `--json` writes it and every picture and table is
 * made from it. The names are those of the file.
 *
 * @module
 */

/** Which form the file has. Another number means that something has another meaning. */
export const SCHEMA = "handshake-bench/1";

/** How long something took, in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** The machine on which it was measured. */
export interface Machine {
  /** For instance `Linux 6.1.0 x86_64`. */
  readonly os: string;
  /** The processor as the system calls it. */
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  /** The runtime of the load, for instance `deno 2.9.6`. */
  readonly runtime: string;
}

/** The load that was asked for. */
export interface Load {
  /** The protocol that was spoken. */
  readonly protocol: string;
  readonly connections: number;
  /** How many requests a connection has under way at a time. */
  readonly pipeline: number;
  /** Requests a second that were due, of all connections together; `null` in the closed model. */
  readonly target_rate: number | null;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** How long a connection waits between an answer and its next request, in milliseconds. */
  readonly think_ms: number;
  /** Over how long the connections begin, in milliseconds. */
  readonly ramp_ms: number;
  /** The least and the most bytes of a request's payload. */
  readonly size: readonly [least: number, most: number];
  /** How long a request may take, in milliseconds. */
  readonly timeout_ms: number;
}

/** What the operating system says of the server's process over the run; Linux only. */
export interface ServerFigures {
  /** CPU time of all its threads, in seconds. */
  readonly cpu_s: number;
  /** Answers for each second of it. */
  readonly requests_per_cpu_s: number;
  /** Resident memory at the end, and the most of the run, in bytes. */
  readonly memory_bytes: number;
  readonly peak_memory_bytes: number;
  /** The most threads of the run. */
  readonly threads: number;
  readonly voluntary_switches: number;
  readonly involuntary_switches: number;
}

/** One second of a run. */
export interface Second {
  /** When it ends, in seconds from the beginning. */
  readonly at: number;
  /** Requests answered in it, for each second. */
  readonly rate: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly errors: number;
  /** CPU seconds and resident bytes of the server in it; `null` where they are not known. */
  readonly cpu_s: number | null;
  readonly memory_bytes: number | null;
}

/** One run. */
export interface Run {
  /** For instance `threadpool · deno`. Repeats of the same have the same name. */
  readonly name: string;
  /** What was compared, where a server was started for it. */
  readonly subject: {
    readonly mode: string;
    readonly runtime: string;
  } | null;
  /** Which repeat of the same it is, from 1. */
  readonly repeat: number;
  readonly load: Load;
  /** When it began: ISO 8601. */
  readonly started_at: string;
  /** How long requests were sent: without the time in which the last answers were waited for. */
  readonly duration_s: number;
  /** Requests answered rightly. */
  readonly requests: number;
  /** Of these, how many a second. */
  readonly rate: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  /**
   * The response time: from when a request was due; in the closed model from sending, or from
   * connecting where each request has a connection of its own.
   */
  readonly latency_us: Latency;
  /** The service time: from sending. */
  readonly service_us: Latency;
  /** How long connecting took; `null` where only a few connections were made. */
  readonly connect_us: Latency | null;
  /** How late the load itself was: from when it should have acted to when it did. */
  readonly lag_us: Latency;
  /**
   * Requests that failed, by kind: `refused`, `reset`, `closed`, `timeout`, `wrong reply`,
   * `no local port`, …; `unanswered` are those of an open model that were due and had no answer a
   * second after the end.
   */
  readonly errors: Readonly<Record<string, number>>;
  /**
   * In a closed model, the connections that had no answer at all: the first request of each, or
   * what must come before it, was under way to the end. The other figures know nothing of them.
   */
  readonly starved_connections: number;
  /** Whether the load, and not the server, set the limit. */
  readonly load_limited: boolean;
  readonly server: ServerFigures | null;
  readonly seconds: readonly Second[];
  /** The whole distributions: HdrHistogram V2, compressed, base64; values in microseconds. */
  readonly histogram: {
    readonly latency: string;
    readonly service: string;
  };
}

/** A measurement: one run, or many that are compared. */
export interface Report {
  readonly schema: typeof SCHEMA;
  readonly machine: Machine;
  /** The command line that made it. */
  readonly command: string;
  readonly runs: readonly Run[];
  /** What the numbers support, a sentence each. */
  readonly findings: readonly string[];
}
