/**
 * Runs `observe` as on a system that has no netlink.
 *
 * @module
 */

import { program } from "../../lab/observe.ts";
import { refuseFamily } from "./refused_by_kernel.ts";

const AF_NETLINK = 16;

refuseFamily(AF_NETLINK);
program().run();
