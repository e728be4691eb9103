/**
 * What the page is made of beside its data: style, script, and the library that draws.
 *
 * They are imported as text, so that they are part of an executable too.
 *
 * @module
 */

// Not by the name of the package, which exports no file that a page could run as it is.
import library from "../../node_modules/chart.js/dist/chart.umd.min.js" with { type: "text" };
import script from "./page/page.js" with { type: "text" };
import style from "./page/page.css" with { type: "text" };

/** Chart.js, which makes `Chart` a global of the page. */
export const LIBRARY: string = library as unknown as string;

/** What draws the charts. */
export const SCRIPT: string = script as unknown as string;

/** How the page looks. */
export const STYLE: string = style as unknown as string;
