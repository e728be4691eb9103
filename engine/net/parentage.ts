/**
 * Whether this process is the child of a server, which has started it to serve connections.
 *
 * The last arguments of its command line say so. So a protocol that starts programs itself passes
 * nothing on to them.
 *
 * @module
 */

/** What the arguments begin with. */
const FLAG = "--child-of";

/** How a child knows its parent. */
export interface Parentage {
  /** The name of the mode whose work it does. */
  readonly mode: string;
  /** The number of the parent's process. */
  readonly parent: number;
  /** The path of the Unix domain socket at which the parent waits for it. */
  readonly path: string;
}

/**
 * The last arguments for a child.
 *
 * @param parentage what it has to know
 */
export function argumentsOfChild({ mode, parent, path }: Parentage): string[] {
  return [FLAG, mode, `${parent}`, path];
}

/**
 * Reads whose child a process is.
 *
 * @param args the arguments of its command line
 * @returns `undefined` if a user, or another program, has started it
 */
export function readParentage(args: readonly string[]): Parentage | undefined {
  const [flag, mode, parent, path] = args.slice(-4);
  if (flag !== FLAG || path === undefined) return undefined;
  return { mode: mode as string, parent: Number(parent), path };
}
