/**
 * The built site as what an HTTP server has: its files, by their paths.
 *
 * @module
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { Site } from "../engine/http/http.ts";
import type { HttpReply } from "../engine/http/reply.ts";

/** The folder that the site is built into. */
export const BUILT = new URL("dist/", import.meta.url);

/** The page that stands for all that is not there. */
const NOTHING = "404.html";

/** What the files are, by their endings. Each ending of the built site is here. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".jsonl": "application/jsonl; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/**
 * The files of a folder, by their paths in it.
 *
 * @param folder the folder, with a slash at its end
 */
export function filesOf(folder: URL): readonly string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.map((name) => name.replaceAll("\\", "/"))
    .filter((name) => statSync(new URL(name, folder)).isFile()).sort();
}

/**
 * A site of the files of a folder. Only files that are there now are ever read. A path that ends with
 * a slash is the `index.html` there.
 *
 * @param folder where the site was built, with a slash at its end
 */
export function builtSite(folder: URL = BUILT): Site {
  const files = new Set(filesOf(folder));
  const reply = (file: string, status = 200): HttpReply => ({
    status,
    fields: {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Cache-Control": "no-cache",
    },
    content: readFileSync(new URL(file, folder)),
  });
  return {
    find(path) {
      const file = path.slice(1).replace(/(^|\/)$/, "$1index.html");
      const found = [file, `${file}.html`].find((file) => files.has(file));
      if (found !== undefined) return { GET: () => reply(found) };
      return files.has(NOTHING) ? { GET: () => reply(NOTHING, 404) } : undefined;
    },
  };
}
