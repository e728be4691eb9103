/**
 * How the insides of the elements look. The colours are those of the page around them.
 *
 * @module
 */

/** What the elements have in common. */
export const BOX_STYLE = `
:host {
  display: block;
  margin: 1.5rem 0;
  color: var(--vp-c-text-1, CanvasText);
}
:host([hidden]), [hidden] {
  display: none !important;
}
*, ::before, ::after {
  box-sizing: border-box;
}
.box {
  padding: 1rem 1.25rem;
  border: 1px solid var(--vp-c-divider, GrayText);
  border-radius: 8px;
  background: var(--vp-c-bg-soft, Canvas);
}
h3 {
  margin: 0 0 0.75rem;
  font-size: 1rem;
  line-height: 1.5;
}
p {
  margin: 0.75rem 0;
}
button, select {
  font: inherit;
  color: inherit;
  padding: 0.4rem 0.9rem;
  border: 1px solid var(--vp-c-text-2, GrayText);
  border-radius: 6px;
  background: var(--vp-c-bg, Canvas);
}
button {
  cursor: pointer;
}
button:hover {
  border-color: var(--vp-c-brand-1, Highlight);
}
:focus-visible {
  outline: 2px solid var(--vp-c-brand-1, Highlight);
  outline-offset: 2px;
}
table {
  border-collapse: collapse;
  font-size: 0.875rem;
}
th, td {
  padding: 0.25rem 0.75rem;
  text-align: right;
  border-bottom: 1px solid var(--vp-c-divider, GrayText);
}
th:first-child, td:first-child {
  text-align: left;
}
code {
  font-family: var(--vp-font-family-mono, monospace);
  font-size: 0.875rem;
  overflow-wrap: anywhere;
}
`;
