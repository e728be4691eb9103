/**
 * A protocol for tests that says with whom it talks: each line comes back behind its peer's address.
 *
 * @module
 */

import {
  type Context,
  encodeLine,
  escapeBytes,
  formatAddress,
  Input,
  type Protocol,
  readLine,
  write,
} from "../../../protocol.ts";

export const readTimeoutMs = 400;

export default function* whose({ peer }: Context): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    yield* write(encodeLine(`${formatAddress(peer)} ${escapeBytes(line)}`));
  }
}

export function refusal(why: string): string {
  return `NO ${why}`;
}
