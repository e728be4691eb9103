/**
 * Runs `completion` where a filter forbids io_uring. Its environment says which system call fails, and
 * with which error.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { program } from "../../modes/completion.ts";
import { refuseCall } from "./refused_by_kernel.ts";

refuseCall(Number(runtime.variable("REFUSED_CALL")), Number(runtime.variable("REFUSED_WITH")));
(await program()).run();
