/**
 * A mode that is nothing but the threads which compute for it, for `offload_test.ts`.
 *
 * @module
 */

import { onComputeThread } from "../../engine/server/offload/compute_thread.ts";

/** Its name. */
export const COMPUTE_MODE = "computing";

onComputeThread(COMPUTE_MODE);
