/**
 * What browsers draw of recordings: `<model-figure>` and `<client-timeline>`.
 *
 * Loading this module defines both elements. Outside a browser it defines nothing.
 *
 * @module
 */

export { ClientTimeline } from "./client_timeline.ts";
export { COLOUR_STYLE, type Look, lookOf, type Meaning, MEANINGS, type Shape } from "./colours.ts";
export { type Doing as ClientDoing, type Life, livesOf, type Visit, visitsOf } from "./life.ts";
export { type Line, type ReadLines, readLines } from "./lines.ts";
export { ModelFigure } from "./model_figure.ts";
export { type Dot, Scene, type ThreadView, type View } from "./scene.ts";
