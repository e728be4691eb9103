/**
 * How the C library is found, why it may be missing, and the errors of its calls.
 *
 * @module
 */

import { CONSTANTS } from "../../engine/net/constants.ts";
import { library, openLibrary, whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { errorName, SocketError, SocketsUnavailableError } from "../../engine/net/socket_error.ts";
import { sockets } from "../../engine/net/sockets.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
  test,
} from "../kit/harness.ts";

const here = { skip: whyNoSockets() };

/** Whether the numbers of this system are known. */
const known = {
  skip: runtime.os in CONSTANTS ? undefined : `the errors of ${runtime.os} have no names here`,
};

/** The error of opening the library of another system. It has a reason and a cause. */
function failureOf(os: string, arch: string): SocketsUnavailableError {
  const error = openLibrary(os, arch);
  assertInstanceOf(error, SocketsUnavailableError);
  assertEquals(error.message, `Cannot use Berkeley sockets: ${error.reason}`);
  return error;
}

test("the library is opened once, and the sockets are made once", () => {
  assert(library() === library());
  assert(sockets() === sockets());
  assertEquals(sockets().constants, CONSTANTS[runtime.os]);
}, here);

test("asking for sockets throws the reason where there are none", () => {
  for (const ask of [library, sockets]) {
    assertEquals(assertThrows(ask, SocketsUnavailableError).reason, whyNoSockets());
  }
}, { skip: whyNoSockets() === undefined ? "there are sockets here" : undefined });

test("a system whose numbers are unknown has no sockets, and the reason names it", () => {
  for (const [os, arch] of [["plan9", "x86_64"], ["linux", "riscv64"]] as const) {
    const error = failureOf(os, arch);
    assertEquals([error.reason, error.cause], [`${os} on ${arch} is not supported`, undefined]);
  }
});

test("a missing library is a reason that names it, with the loader's errors", () => {
  const [other, names] = runtime.os === "darwin"
    ? ["linux", ["libc.so.6", `libc.musl-${runtime.arch}.so.1`, "libc.so"]] as const
    : ["darwin", ["libSystem.B.dylib"]] as const;
  const error = failureOf(other, runtime.arch);
  assertEquals(error.reason, `cannot open ${names.join(" or ")}`);
  assertInstanceOf(error.cause, AggregateError);
  assertEquals(error.cause.errors.length, names.length);
  names.forEach((name, at) =>
    assertStringIncludes(String((error.cause as AggregateError).errors[at]), name)
  );
}, here);

test(
  "without the permission for foreign functions there is no library",
  () => {
    assertEquals(
      failureOf("linux", "x86_64").reason,
      "no permission for foreign functions (--allow-ffi)",
    );
  },
  { pure: true, skip: runtime.name === "deno" ? undefined : "Bun has no permissions" },
);

test("every error number that a system knows has its name, and others show the number", () => {
  const { errno } = CONSTANTS[runtime.os]!;
  for (const [name, number] of Object.entries(errno)) assertEquals(errorName(number), name);
  assertEquals([errorName(0), errorName(4095)], ["errno 0", "errno 4095"]);
}, known);

test("a SocketError names the call, its object and the reason", () => {
  const { ECONNREFUSED, EPROTO } = CONSTANTS[runtime.os]!.errno;
  const told = (error: SocketError) => [error.message, error.code, error.errno, error.syscall];
  assertEquals(told(new SocketError("connect", ECONNREFUSED, "to 127.0.0.1:80")), [
    "Cannot connect to 127.0.0.1:80: connection refused (ECONNREFUSED)",
    "ECONNREFUSED",
    ECONNREFUSED,
    "connect",
  ]);
  // An error with a name but no text, and one with neither.
  assertEquals(told(new SocketError("accept", EPROTO)), [
    "Cannot accept: system error (EPROTO)",
    "EPROTO",
    EPROTO,
    "accept",
  ]);
  assertEquals(told(new SocketError("recv", 4095)), [
    "Cannot recv: system error (errno 4095)",
    "errno 4095",
    4095,
    "recv",
  ]);
  assertEquals(new SocketError("recv", 4095).name, "SocketError");
}, known);

test("every error has a number of its own on each system", () => {
  for (const { errno } of Object.values(CONSTANTS)) {
    const numbers = Object.values(errno);
    assertEquals(new Set(numbers).size, numbers.length);
    assert(numbers.every((number) => number > 0));
  }
});
