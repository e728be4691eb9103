/**
 * What the custom elements share: building elements without markup, style sheets that a strict
 * policy allows, and names for connections.
 *
 * @module
 */

/**
 * The class of elements. Outside a browser there is none, and the modules can be loaded all the
 * same, for instance by a site that is built.
 */
export const ElementBase: typeof HTMLElement = globalThis.HTMLElement ??
  (class {} as unknown as typeof HTMLElement);

/** What an element is made of. */
export interface Parts {
  readonly class?: string;
  /** Its text. It is never read as markup. */
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly Node[];
}

/**
 * Makes an element.
 *
 * @param tag its name
 * @param parts what it is made of
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  parts: Parts = {},
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (parts.class !== undefined) element.className = parts.class;
  if (parts.text !== undefined) element.textContent = parts.text;
  for (const [name, value] of Object.entries(parts.attributes ?? {})) {
    element.setAttribute(name, value);
  }
  element.append(...parts.children ?? []);
  return element;
}

/** Writes text into an element, if it has another one. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const sheets = new Map<string, CSSStyleSheet>();

/**
 * Gives a shadow root style sheets. They are made by script: a policy that asks for nonces forbids
 * `<style>` there.
 *
 * @param root the shadow root or the document
 * @param texts the style sheets
 */
export function adoptStyles(root: DocumentOrShadowRoot, ...texts: readonly string[]): void {
  root.adoptedStyleSheets = texts.map((text) => {
    const known = sheets.get(text);
    if (known !== undefined) return known;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
    return sheet;
  });
}

/**
 * Defines an element, where there are any.
 *
 * @param name the name of its tag
 * @param type its class
 */
export function define(name: string, type: CustomElementConstructor): void {
  if (globalThis.customElements === undefined || customElements.get(name) !== undefined) return;
  customElements.define(name, type);
}

/** The names that an attribute such as `long prime|echo|small prime` gives, in order. */
export function namesIn(attribute: string | null): readonly string[] {
  return (attribute ?? "").split("|").map((name) => name.trim()).filter((name) => name !== "");
}

/** Whether the reader wants less motion. */
export function wantsLessMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
