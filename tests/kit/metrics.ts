/**
 * Those who collect metrics: what they ask, and how they read the answer.
 *
 * @module
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { runtime } from "../../engine/net/runtime.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals } from "./harness.ts";
import { Peer } from "./peer.ts";
import { Program, type ServerProcess, whyNoProgram } from "./server_process.ts";

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly head: string;
  readonly content: string;
}

/** Asks for a path, on a connection of its own. */
export async function get(at: Address, path: string, ...fields: string[]): Promise<Answered> {
  await using peer = await Peer.connect(at);
  const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...fields];
  await peer.send(`${lines.join("\r\n")}\r\n\r\n`);
  const text = await peer.rest();
  const [head = "", content = ""] = text.split(/\r\n\r\n(.*)/s);
  return { status: Number(head.split(" ")[1]), head, content };
}

/** Where a server tells its metrics, as its first line says. */
export function metricsOf({ greeting }: Pick<ServerProcess, "greeting">): Address {
  const [, bracketed, plain, port] =
    / · metrics at http:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d+)\/metrics · /.exec(greeting) ?? [];
  assert(port !== undefined, greeting);
  return { hostname: (bracketed ?? plain) as string, port: Number(port) };
}

/** The values of the samples, by their names with labels. */
export async function scrape(at: Address): Promise<Map<string, number>> {
  const { status, content } = await get(at, "/metrics");
  assertEquals(status, 200);
  const lines = content.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

/** Python's, by the team of Prometheus: the strict parser of OpenMetrics. */
const CLIENT = "/usr/lib/python3/dist-packages/prometheus_client";

/** Why the parsers cannot be used. */
export const whyNoParsers: string | undefined = whyNoProgram("promtool") ??
  (existsSync(CLIENT) || (process.env.CI !== undefined && runtime.os === "linux")
    ? undefined
    : "python3-prometheus-client is not installed");

const PARSE = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = list(parse(sys.stdin.read()))
print(json.dumps({family.name: [family.type, family.unit, len(family.samples)] for family in families}))
`;

/** Parses OpenMetrics. @returns type, unit and number of samples of each family */
export async function parseOpenMetrics(
  text: string,
): Promise<Record<string, [type: string, unit: string, samples: number]>> {
  await using parser = new Program(["/usr/bin/python3", "-c", PARSE], { input: text });
  const { code, stdout, stderr } = await parser.end();
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** Has the older text format checked, and whether the names are good. */
export async function checkMetrics(text: string): Promise<void> {
  await using checker = new Program(["promtool", "check", "metrics"], { input: text });
  const { code, stdout, stderr } = await checker.end();
  assertEquals([code, stdout, stderr], [0, "", ""]);
}
