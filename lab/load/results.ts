/**
 * The result of a measurement as plain data. `--json` writes it, and every picture and table is
 * made from it. The names are those in the file.
 *
 * @module
 */

/**
 * The version of the file's form. A different number means that something has a different meaning.
 */
export const SCHEMA = "handshake-bench/1";

/** A percentile of a distribution, in microseconds. It is `null` if there were too few durations. */
export interface Percentile {
  /** For instance 99.9. */
  readonly percentile: number;
  readonly us: number | null;
  /** The interval that holds it in 95 of 100 cases, if the durations are independent. */
  readonly low_us: number | null;
  readonly high_us: number | null;
}

/**
 * A distribution of durations, in microseconds. A percentile p is `null` if there were fewer than
 * 10 / (1 - p) durations, and the maximum and the mean are `null` if there were none.
 */
export interface Latency {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** The percentiles that are shown: the four above, or those that were asked for. */
  readonly percentiles: readonly Percentile[];
}

/** The machine that the measurement ran on. */
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

/** A part of a rate that changes: it goes evenly from one value to another. */
export interface LoadPart {
  /** Requests a second, at its beginning and at its end. */
  readonly from: number;
  readonly to: number;
  /** How long it lasts, in seconds. */
  readonly seconds: number;
}

/** The load that was asked for. */
export interface Load {
  /** The protocol that was spoken. */
  readonly protocol: string;
  readonly connections: number;
  /** How many requests a connection has under way at a time. */
  readonly pipeline: number;
  /**
   * Requests due in each second, over all connections together; `null` in the closed model. The mean
   * of a rate that changes.
   */
  readonly target_rate: number | null;
  /** The parts of a rate that changes; `null` if it is constant. */
  readonly rate_parts: readonly LoadPart[] | null;
  /** How the requests of an open model follow each other: `even`, `poisson` or `burst:N`. */
  readonly arrivals: string;
  /** The seed of payloads and random arrivals; `null` if it is not known. */
  readonly seed: number | null;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** How long a connection waits between an answer and its next request, in milliseconds. */
  readonly think_ms: number;
  /** The time over which the connections begin, in milliseconds. */
  readonly ramp_ms: number;
  /** The least and the most bytes of a request's payload. */
  readonly size: readonly [least: number, most: number];
  /** How long a request may take, in milliseconds. */
  readonly timeout_ms: number;
  /** The addresses that the connections came from, as they were given, if they were. */
  readonly source?: string;
  /** What was sent in place of a protocol's requests. */
  readonly send?: SentLoad;
}

/** Requests that are plain bytes, and what an answer is. Bytes are written with escapes. */
export interface SentLoad {
  /** The request; of a long one, its beginning and `...`. */
  readonly request: string;
  /** The SHA-256 of the whole request, in hexadecimal digits. */
  readonly request_sha256: string;
  /** What an answer ends with; `null` if something else ends it. */
  readonly until: string | null;
  /** How many bytes an answer has; `null` if something else ends it. */
  readonly bytes: number | null;
  /** The whole answer; `null` if any is right. */
  readonly expect: string | null;
  /** What ends the greeting of a server that speaks first; `null` if it does not. */
  readonly greeting_until: string | null;
  /** The most bytes that an answer may have. */
  readonly max_answer: number;
}

/** What the operating system reports about the server's process over the run; Linux only. */
export interface ServerFigures {
  /** The CPU time of all its threads, in seconds. */
  readonly cpu_s: number;
  /** Answers for each second of CPU time; `null` if there was less than the system can count. */
  readonly requests_per_cpu_s: number | null;
  /**
   * Resident memory at the end of the run, and the most during it, in bytes; `null` if the process
   * had ended by then.
   */
  readonly memory_bytes: number | null;
  readonly peak_memory_bytes: number;
  /** The most threads during the run. */
  readonly threads: number;
  /** The context switches of all threads, also of those that ended during the run. */
  readonly voluntary_switches: number;
  readonly involuntary_switches: number;
  /** Whether the process ended during the run. */
  readonly ended: boolean;
}

/** One second of a run. The last fraction of a second belongs to the second before it. */
export interface Second {
  /** When it ends, in seconds from the beginning of the run. */
  readonly at: number;
  /** Requests answered in it, per second. */
  readonly rate: number;
  /** The percentiles of its responses; `null` if there were too few. */
  readonly p50_us: number | null;
  readonly p99_us: number | null;
  readonly errors: number;
  /** The server's CPU seconds and resident bytes in this second; `null` if they are not known. */
  readonly cpu_s: number | null;
  readonly memory_bytes: number | null;
  /**
   * All its response times: HdrHistogram V2, compressed, in base64; values in microseconds. `null` in a
   * file of an older bench, and while the run goes on.
   */
  readonly histogram: string | null;
}

/** How a server recovered from a spike of its load. See `recovery.ts` for the rule. */
export interface Recovery {
  /** When the rate rose, and when it had fallen again, in seconds from the beginning. */
  readonly from_s: number;
  readonly to_s: number;
  /** The percentile of response times that was judged by; `null` if there were too few requests. */
  readonly percentile: number | null;
  /** Its value before the spike, in microseconds; `null` if it is not known. */
  readonly before_us: number | null;
  /** How long after the spike it was again within that value, in seconds; `null` if it never was. */
  readonly recovered_s: number | null;
  /** How long it was watched after the spike, in seconds. */
  readonly watched_s: number;
}

/** One run. */
export interface Run {
  /** For instance `threadpool · deno`. Repeats of the same run have the same name. */
  readonly name: string;
  /** What was compared, if the bench started the server. */
  readonly subject: {
    readonly mode: string;
    readonly runtime: string;
  } | null;
  /** Which repeat of the same run this is, from 1. */
  readonly repeat: number;
  readonly load: Load;
  /** When it began: ISO 8601. */
  readonly started_at: string;
  /** How long requests were sent, without the time spent waiting for the last answers. */
  readonly duration_s: number;
  /** Whether the run was ended before its time. Then its figures are those of the beginning. */
  readonly interrupted: boolean;
  /** Which condition of `--abort-on` has ended it, with what was measured; `null` if none has. */
  readonly aborted: string | null;
  /** Requests with a correct answer. */
  readonly requests: number;
  /** Requests that were due; `null` in the closed model. */
  readonly due: number | null;
  /**
   * Requests with a correct answer, per second. In an open model it is never more than the target:
   * each request stands for the time until the next one is due.
   */
  readonly rate: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  /**
   * The response time: from when a request was due. In the closed model it counts from sending, or
   * from connecting if each request has a connection of its own.
   */
  readonly latency_us: Latency;
  /** The service time: from sending. */
  readonly service_us: Latency;
  /** How long connecting took; `null` if only a few connections were made. */
  readonly connect_us: Latency | null;
  /** The lag of the load itself: from when it should have acted to when it did. */
  readonly lag_us: Latency;
  /**
   * Requests that failed, by kind: `refused`, `reset`, `closed`, `timeout`, `wrong reply`,
   * `surplus` (more came than was asked for), `too long`, `no local port`, …; in an open model, `unanswered` requests were due and had no answer within
   * the timeout after the end.
   */
  readonly errors: Readonly<Record<string, number>>;
  /**
   * In a closed model, the connections that had no answer at all: their first request, or what must
   * precede it, was under way until the end. The other figures do not include them.
   */
  readonly starved_connections: number;
  /** Whether the load set the limit, and not the server. */
  readonly load_limited: boolean;
  readonly server: ServerFigures | null;
  readonly seconds: readonly Second[];
  /** How the server recovered from each spike; empty where the rate is constant. */
  readonly recoveries: readonly Recovery[];
  /** The whole distributions: HdrHistogram V2, compressed, in base64; values in microseconds. */
  readonly histogram: {
    readonly latency: string;
    readonly service: string;
    readonly connect: string | null;
    readonly lag: string | null;
  };
}

/** Something that should have been measured and was not. */
export interface Missing {
  /** What was to be compared. */
  readonly name: string;
  readonly load: Load;
  /** The repeats that are missing. */
  readonly repeats: readonly number[];
  /** The reason, for people to read. */
  readonly why: string;
  /** Whether somebody waits for it: a threshold on it has failed. */
  readonly wanted: boolean;
}

/** A function of a server in its profile, and for how long it ran, in milliseconds. */
export interface ProfiledFunction {
  readonly name: string;
  /** Its module, for instance `engine/net/sockets.ts`; empty for what is the runtime's own. */
  readonly where: string;
  /** Without and with the functions that it has called. */
  readonly self_ms: number;
  readonly total_ms: number;
}

/** A function in a stack, with those that it has called: the longest first. */
export interface FlameNode {
  readonly name: string;
  readonly where: string;
  readonly ms: number;
  /** Those with less than a thousandth of all the time are left out. */
  readonly children: readonly FlameNode[];
}

/** What a server did in a run of its own, which does not count: the profiles of all its threads. */
export interface Profile {
  readonly name: string;
  readonly subject: Run["subject"];
  readonly load: Load;
  /** How long that run was, and its rate. The profile itself costs time. */
  readonly duration_s: number;
  readonly rate: number;
  readonly threads: number;
  /** How long the threads have run, and how long they have waited, which is left out. */
  readonly ran_ms: number;
  readonly waited_ms: number;
  /** The functions that ran longest themselves. */
  readonly functions: readonly ProfiledFunction[];
  /** The stacks, from the outermost functions. */
  readonly graph: FlameNode;
}

/** For how long a busy thread was not run. */
export interface Noise {
  /** How long it was watched, in milliseconds. */
  readonly spun_ms: number;
  /** The longest gap, in microseconds. */
  readonly longest_us: number;
  /** The share of the time that lay in gaps of more than 20 µs. */
  readonly lost_share: number;
}

/** What a server that answers at once has reached, which no server can beat. */
export interface NullRun {
  /** The load that was asked for. */
  readonly load: Load;
  /** What the null server spoke: `echo` where it does not know the protocol of the load. */
  readonly protocol: string | null;
  /** How many connections it had: at most a thousand. */
  readonly connections: number;
  readonly rate: number | null;
  readonly latency_us: Latency | null;
  /** Why there is no such run; `null` if there is. */
  readonly why: string | null;
}

/** What the machine could do at best, before anything was measured. */
export interface Floor {
  readonly noise: Noise;
  /** One for each load. */
  readonly nulls: readonly NullRun[];
}

/** One of the measurements that `bench merge` has added up. */
export interface Part {
  readonly file: string;
  readonly machine: Machine;
  readonly command: string;
  readonly started_at: string;
  /** The SHA-256 of what tells each of its runs from all others, so that none counts twice. */
  readonly digests?: readonly string[];
}

/** One step of a series of runs at different rates. */
export interface RateStep {
  /** The rate that was asked for, in requests a second. */
  readonly rate: number;
  /** Its run: an index of `runs`. */
  readonly run: number;
  /** What it was for: `step` in a series that was asked for, the others in a search. */
  readonly phase: "step" | "doubling" | "halving" | "confirming";
  /**
   * Whether it met the target of a search; in a series, whether at least 98 % of what was due was
   * answered in time. A step that the load limited is no pass.
   */
  readonly verdict: "passed" | "failed" | "load limited" | "silent" | "interrupted";
  /** Why it is no pass; `null` if it is one. */
  readonly why: string | null;
  /** The share of what was due that was answered in time. */
  readonly reached: number;
}

/** What a search has found. */
export interface FoundRate {
  /** The targets, as the user wrote them. */
  readonly targets: readonly string[];
  /** How it ended; see `rate_search.ts`. */
  readonly end: "found" | "every rate" | "never" | "not confirmed" | "silent" | "interrupted";
  /** The highest rate that met the target; confirmed if it was `found`, or with `every rate`. */
  readonly rate: number | null;
  /** The standard deviation of the answers a second in the confirming runs, as a share. */
  readonly spread: number | null;
  /** The lowest rate above it that did not pass, and why; `null` if there was none. */
  readonly next: { readonly rate: number; readonly why: string } | null;
}

/** Runs at different rates: a series that was asked for, or the search for the highest rate. */
export interface RateStudy {
  /** In the order of measuring. */
  readonly steps: readonly RateStep[];
  /** What a search has found; `null` in a series. */
  readonly found: FoundRate | null;
  /** Where the knee of a series is; `null` in a search. See `knee.ts` for the rule. */
  readonly knee: {
    /** `null` if it was not reached. */
    readonly rate: number | null;
    /** The first rate of which less than 98 % was answered in time; `null` if there was none. */
    readonly overloaded: number | null;
  } | null;
  /** Whether a signal has ended it early. */
  readonly interrupted: boolean;
  /** The result in sentences. */
  readonly conclusion: readonly string[];
}

/** A measurement: one run, or many runs that are compared. */
export interface Report {
  readonly schema: typeof SCHEMA;
  readonly machine: Machine;
  /** What it could do at best; `null` if that was not measured. */
  readonly floor: Floor | null;
  /** The command line that made this report. */
  readonly command: string;
  readonly runs: readonly Run[];
  /** What was not measured although it should have been. */
  readonly missing: readonly Missing[];
  /** What the servers did, if `--profile` has asked for it. */
  readonly profiles: readonly Profile[];
  /** What was added up, if this is the sum of what several machines have measured. */
  readonly parts: readonly Part[];
  /** What the others were compared with, if the user has said so; else the best. */
  readonly reference?: string;
  /** Runs at different rates that belong together; `null` if they do not. */
  readonly rate_study: RateStudy | null;
  /** What the numbers support, one sentence each. */
  readonly findings: readonly string[];
}
