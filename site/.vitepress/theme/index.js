/**
 * VitePress's own theme without its web fonts, and the elements of the pages.
 *
 * @module
 */

import Theme from "vitepress/theme-without-fonts";
import "./style.css";

export default {
  extends: Theme,
  enhanceApp() {
    // Pages are drawn without a browser too, and then there are no elements.
    if (!import.meta.env.SSR) import("../../elements/index.ts");
  },
};
