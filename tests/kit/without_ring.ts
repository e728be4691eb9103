/**
 * Runs `completion` where a filter forbids io_uring. Its environment says which system call fails, and
 * with which error.
 *
 * @module
 */

import { environment } from "../../engine/net/environment.ts";
import { program } from "../../modes/completion.ts";
import { refuseCall } from "./refused_by_kernel.ts";

refuseCall(Number(environment("REFUSED_CALL")), Number(environment("REFUSED_WITH")));
(await program()).run();
