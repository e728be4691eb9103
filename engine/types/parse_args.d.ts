/** The part of `@std/cli/parse-args` that is used here. */
export function parseArgs(
  args: readonly string[],
  options: {
    readonly string?: readonly string[];
    readonly boolean?: readonly string[];
    readonly collect?: readonly string[];
    readonly alias?: Readonly<Record<string, string>>;
    readonly unknown?: (argument: string, key?: string, value?: unknown) => boolean;
  },
): { readonly _: string[]; readonly [name: string]: unknown };
