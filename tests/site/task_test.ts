/**
 * `deno task site` before it builds anything.
 *
 * @module
 */

import { createServer } from "node:net";
import { once } from "node:events";
import { assertEquals, assertStringIncludes, test } from "../kit/harness.ts";
import { commandOf, Program } from "../kit/server_process.ts";

const SCRIPT = "scripts/site.ts";

test("the site says what is wrong with its command line, or its port, and builds nothing", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const tried: readonly (readonly [flags: string[], code: number, says: string])[] = [
    [["--build", "--dev"], 2, "exclude each other"],
    [["--build", "--port", "1"], 2, "serves nothing"],
    [["--prot", "1"], 2, "--port"],
    [["--port", String(port)], 1, `127.0.0.1:${port}`],
  ];
  try {
    await Promise.all(tried.map(async ([flags, code, says]) => {
      await using program = new Program(commandOf(SCRIPT, flags));
      const ending = await program.end(20_000);
      assertEquals([ending.code, ending.stdout], [code, ""], ending.stderr);
      assertStringIncludes(ending.stderr, says);
    }));
  } finally {
    other.close();
  }
});
