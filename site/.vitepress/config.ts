/**
 * How the site is built.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ELEMENTS, PLAYING } from "../elements/names.ts";
import { CHAPTERS } from "../pages.ts";
import { clientNamesOf, recordingOf } from "../recordings.ts";

/**
 * Nothing is fetched from elsewhere: a browser refuses it. VitePress has scripts inside its pages, and
 * the task of `frame` is WebAssembly.
 */
const POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; " +
  "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'";

/** The address of a page, without its ending. */
function linkOf(file: string): string {
  return `/${file.replace(/(?:index)?\.md$/, "")}`;
}

/**
 * A text names a recording by its file alone. On the site it lies in a folder, and the figure is told
 * what its clients are called.
 */
function findRecordings(html: string): string {
  const tags = new RegExp(`(<(${PLAYING.join("|")})\\b[^>]*?)\\ssrc="([\\w-]+)\\.jsonl"`, "g");
  return html.replace(tags, (_, before: string, element: string, name: string) => {
    const recording = recordingOf(name);
    const names = (recording === undefined ? [] : clientNamesOf(recording)).join("|");
    const attribute = element === "yours-and-ours" ? "data-names" : "names";
    // Vue would set the property of that name, which takes no text.
    return `${before} src="/recordings/${name}.jsonl" :${attribute}.attr="'${names}'"`;
  });
}

export default {
  title: "Handshake",
  description: "See how servers work: every picture is a recording of a real one",
  lang: "en",
  outDir: "./dist",
  cacheDir: "./.vitepress/cache",
  cleanUrls: false,
  metaChunk: false,
  // A link that leads nowhere ends the build.
  ignoreDeadLinks: false,
  head: [
    ["meta", { "http-equiv": "Content-Security-Policy", content: POLICY }],
    ["link", { rel: "icon", href: "data:," }],
  ],
  themeConfig: {
    search: {
      provider: "local",
      // A letter may be wrong in a word of six or more, and two in one of seventeen. The default is one
      // for five letters: it finds "connection" for "congestion", and "still" for "stall", so whoever
      // asks for what is not here is shown something else.
      options: { miniSearch: { searchOptions: { fuzzy: 0.09 } } },
    },
    outline: { level: 2 },
    sidebar: CHAPTERS.map(({ title, pages }) => ({
      text: title,
      items: pages.map(({ title, file }) => ({ text: title, link: linkOf(file) })),
    })),
    docFooter: { prev: "Before", next: "Next" },
  },
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config(md: MarkdownIt): void {
      for (const rule of ["html_block", "html_inline"]) {
        const draw = md.renderer.rules[rule];
        md.renderer.rules[rule] = (tokens, index, ...rest) => {
          const html = draw?.(tokens, index, ...rest) ?? tokens[index]?.content ?? "";
          return findRecordings(html);
        };
      }
      // Below its title each page lets readers choose how they type commands.
      const close = md.renderer.rules["heading_close"];
      md.renderer.rules["heading_close"] = (tokens, index, options, env, renderer) => {
        const html = close?.(tokens, index, options, env, renderer) ??
          renderer.renderToken(tokens, index, options);
        return tokens[index]?.tag === "h1" ? `${html}<command-switch></command-switch>` : html;
      };
    },
  },
  vite: {
    build: { target: "es2022" },
    // What the elements import lies in the folder above, and an author's server must find it.
    server: { fs: { allow: [fileURLToPath(new URL("../..", import.meta.url))] } },
  },
  vue: {
    template: { compilerOptions: { isCustomElement: (tag: string) => ELEMENTS.includes(tag) } },
  },
};

/** The part of markdown-it that is needed here. */
interface MarkdownIt {
  readonly renderer: { readonly rules: Record<string, Rule | undefined> };
}

/** Draws a token. */
type Rule = (
  tokens: Tokens,
  index: number,
  options: unknown,
  env: unknown,
  renderer: { renderToken(tokens: Tokens, index: number, options: unknown): string },
) => string;

/** What a text consists of. */
type Tokens = readonly { readonly content: string; readonly tag: string }[];
