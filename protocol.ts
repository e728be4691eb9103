/**
 * The protocols, and the words to write one: pure, without a runtime and without I/O.
 *
 * @example A protocol of your own
 * ```ts
 * import { Input, type Protocol, readLine, write } from "./protocol.ts";
 *
 * export default function* shout(): Protocol {
 *   const input = new Input();
 *   for (;;) {
 *     const line = yield* readLine(input, { limit: 1024 });
 *     if (line === null) return;
 *     const text = new TextDecoder().decode(line).toUpperCase();
 *     yield* write(new TextEncoder().encode(text + "\n"));
 *   }
 * }
 * ```
 *
 * @module
 */

export * from "./protocols/effects.ts";
export * from "./protocols/errors.ts";
export * from "./protocols/input.ts";
export * from "./protocols/text.ts";
export * from "./protocols/address.ts";
export {
  formatHello,
  hello,
  HELLO_LIMIT,
  helloClient,
  type HelloOptions,
  parseHello,
  successor,
} from "./protocols/hello.ts";
export * from "./protocols/frame.ts";
export * from "./protocols/prime.ts";
export * from "./protocols/echo.ts";
export * from "./protocols/print.ts";
export * from "./protocols/catalogue.ts";
export * from "./protocols/conformance.ts";
export * from "./protocols/load.ts";
