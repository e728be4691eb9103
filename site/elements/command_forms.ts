/**
 * The commands of the pages as readers of each kind type them: with Deno, with Bun, or with the
 * executable, which has most of the scripts in it. The texts have them as one types them with Deno.
 *
 * @module
 */

/** How commands are typed. */
export const FORMS = ["deno", "bun", "executable"] as const;

/** One of {@linkcode FORMS}. */
export type Form = typeof FORMS[number];

/** What each form is called on a page. */
export const FORM_NAMES: Readonly<Record<Form, string>> = {
  deno: "Deno",
  bun: "Bun",
  executable: "the executable",
};

/** How a script is run in the texts. */
const SCRIPT = /\bdeno run -A (\S+?\.ts)\b/g;

/**
 * A command in another form.
 *
 * @param command the command as the texts have it; other text stays as it is
 * @param form the form
 */
export function inForm(command: string, form: Form): string {
  if (form === "deno" || !command.includes("deno")) return command;
  if (form === "bun") {
    return command.replaceAll(SCRIPT, "bun $1").replaceAll("--runtimes deno", "--runtimes bun");
  }
  // A line of which a part is not in the executable would need the sources all the same.
  const scripts = [...command.matchAll(SCRIPT)].map(([, script = ""]) => script);
  if (!scripts.every((script) => commandOf(script) !== undefined)) return command;
  return command
    .replaceAll(SCRIPT, (_, script: string) => `handshake ${commandOf(script)}`)
    .replaceAll(" --runtimes deno", "");
}

/**
 * Whether readers who have the executable type a command with it.
 *
 * @param command the command as the texts have it
 */
export function isInExecutable(command: string): boolean {
  return inForm(command, "executable") !== command;
}

/** What a page says of a command that the executable has not. */
export const NEEDS_SOURCES = "The executable has no such command: it needs the sources.";

/**
 * Whether a command can only be typed by somebody who has the sources.
 *
 * @param command the command as the texts have it
 * @param form the form in which it is wanted
 */
export function needsSources(command: string, form: Form): boolean {
  return form === "executable" && command.match(SCRIPT) !== null && !isInExecutable(command);
}

/**
 * The name under which the executable has a script.
 *
 * @param script its path in the project
 * @returns `undefined` if it is not in there
 */
export function commandOf(script: string): string | undefined {
  if (script in OTHERS) return OTHERS[script];
  return /^(?:modes|lab)\/(\w+)\.ts$/.exec(script)?.[1];
}

/** Scripts whose names are not those of their commands, or that are no commands. */
const OTHERS: Readonly<Record<string, string | undefined>> = {
  "client.ts": "client",
  "chat/server.ts": "chat",
  "chat/client.ts": "chat-client",
  "chat/v1_once.ts": "chat-v1",
  "chat/v2_echo.ts": "chat-v2",
  "chat/v3_operator.ts": "chat-v3",
  "lab/chat_load.ts": undefined,
};
