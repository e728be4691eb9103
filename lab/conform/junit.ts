/**
 * What was found, in the form that test reports have in most CI systems: JUnit's XML.
 *
 * @module
 */

import type { Report, Result } from "./results.ts";

/**
 * Formats a report.
 *
 * @param report everything that was found
 * @returns the text of the file, with its last line end
 */
export function formatJunit({ protocol, server, results, counts, seconds }: Report): string {
  const attributes = {
    name: `conform ${protocol}`,
    tests: results.length,
    failures: counts.failed,
    skipped: counts.skipped,
    errors: 0,
    time: seconds,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite${write(attributes)}>`,
    `    <properties><property${write({ name: "server", value: server })}/></properties>`,
    ...results.map((result) => formatCase(protocol, result)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function formatCase(protocol: string, result: Result): string {
  const { verdict, section, name, remark = "", seconds } = result;
  const attributes = { classname: `${protocol}.${section}`, name, time: seconds };
  const said = (["sent", "expected", "received"] as const)
    .filter((part) => result[part] !== undefined)
    .map((part) => `${part}: ${result[part]}`).join("\n");
  const inner = verdict === "failed"
    ? `<failure${write({ message: remark })}>${escape(said)}</failure>`
    : verdict === "skipped"
    ? `<skipped${write({ message: remark })}/>`
    : remark === ""
    ? ""
    : `<system-out>${
      escape([`${verdict}: ${remark}`, said].filter(Boolean).join("\n"))
    }</system-out>`;
  return inner === ""
    ? `    <testcase${write(attributes)}/>`
    : `    <testcase${write(attributes)}>${inner}</testcase>`;
}

function write(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes).map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join("");
}

/** Escapes what XML takes for its own; control characters are not allowed in it at all. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    // deno-lint-ignore no-control-regex -- it is about control characters
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replaceAll("\n", "&#10;");
}
