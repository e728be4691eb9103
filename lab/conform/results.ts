/**
 * What a check has found.
 *
 * @module
 */

/** How a case has ended. */
export type Verdict = "passed" | "failed" | "not strict" | "skipped";

/** The verdicts, in the order in which they are counted. */
export const VERDICTS: readonly Verdict[] = ["passed", "failed", "not strict", "skipped"];

/** What one case has found. */
export interface Finding {
  readonly verdict: Verdict;
  /** What is remarkable about it: a figure, a reason. One line. */
  readonly remark?: string | undefined;
  /** What the client has sent until then, escaped; `FIN` and `RST` are its own words. */
  readonly sent?: string;
  /** What the definition asks for. */
  readonly expected?: string;
  /** What came, escaped. */
  readonly received?: string;
}

/** A case and what it has found. */
export interface Result extends Finding {
  /** The name of the case: its section and what it checks. */
  readonly name: string;
  /** The section of the definition. */
  readonly section: string;
  /** How long it took, in seconds. */
  readonly seconds: number;
}

/** Everything that was found out about a server. */
export interface Report {
  /** The form of this report. */
  readonly schema: "handshake-conform/1";
  /** The protocol. */
  readonly protocol: string;
  /** The server: its address, or the command that started it. */
  readonly server: string;
  /** How many clients the server serves at once, as far as that was tried; `null` if it was not. */
  readonly clients_at_once: number | null;
  /** Whether it may be more: all who were tried at once were served. */
  readonly clients_may_be_more: boolean;
  readonly results: readonly Result[];
  /** How many cases have each verdict. */
  readonly counts: Readonly<Record<Verdict, number>>;
  /** How long all of it took, in seconds. */
  readonly seconds: number;
}

/**
 * Counts the verdicts.
 *
 * @param results the results
 */
export function countVerdicts(results: readonly Result[]): Record<Verdict, number> {
  const counts = { passed: 0, failed: 0, "not strict": 0, skipped: 0 };
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}
