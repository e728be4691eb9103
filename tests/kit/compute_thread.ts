/**
 * A mode that has only computing threads, for `offload_test.ts`.
 *
 * @module
 */

import { onComputeThread } from "../../engine/server/offload/compute_thread.ts";

/** Its name. */
export const COMPUTE_MODE = "computing";

onComputeThread(COMPUTE_MODE);
