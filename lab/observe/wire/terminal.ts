import type { Scenario } from "./scenario.ts";
export function whyNoScreen(): string | undefined {
  return "This is no terminal";
}
export function playOnScreen(_o: unknown): Promise<number> {
  throw new Error("x");
}
export type X = Scenario;
