/**
 * The parts of the page besides its data: its style, its script and the library that draws.
 *
 * They are imported as text, so that an executable contains them too.
 *
 * @module
 */

// These are paths because the package's own name exports no file that a page could run as it is.
import library from "../../node_modules/chart.js/dist/chart.umd.min.js" with { type: "text" };
import flame from "./page/flame.js" with { type: "text" };
import heat from "./page/heat.js" with { type: "text" };
import script from "./page/page.js" with { type: "text" };
import style from "./page/page.css" with { type: "text" };

/** Chart.js, which defines the page's global `Chart`. */
export const LIBRARY: string = library as unknown as string;

/** The script that draws the charts. */
export const SCRIPT: string = [heat, flame, script].join("\n");

/** The style sheet of the page. */
export const STYLE: string = style as unknown as string;
