/**
 * Hosts and networks: addresses in one form, and CIDR.
 *
 * @module
 */

import * as fc from "fast-check";
import { contains, parseHost, parseNetwork } from "../../engine/net/networks.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";

const pure = { pure: true };

test("an address has one form, however it is written", () => {
  const same: readonly (readonly string[])[] = [
    ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:a01:203", "0:0:0:0:0:ffff:10.1.2.3"],
    ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1%eth0"],
    ["::", "0:0:0:0:0:0:0:0"],
  ];
  for (const forms of same) {
    const [first] = forms.map(parseHost);
    for (const form of forms) assertEquals(parseHost(form), first, form);
  }
  for (
    const none of ["", "name", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", "::g", "1::2::3"]
  ) {
    assertEquals(parseHost(none), undefined, none);
  }
}, pure);

test("a network contains the addresses with its prefix, and no others", () => {
  const inside = (network: string, address: string) =>
    contains(parseNetwork(network), parseHost(address) as Uint8Array);
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.0.0.1", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["192.168.1.128/25", "192.168.1.127", false],
    ["192.168.1.128/25", "192.168.1.200", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.2", false],
    ["0.0.0.0/0", "1.2.3.4", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "1.2.3.4", false],
    ["::/0", "fe80::1%eth0", true],
    ["2001:db8::/32", "2001:db8:ffff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
  ];
  for (const [network, address, expected] of cases) {
    assertEquals(inside(network, address), expected, `${address} in ${network}`);
  }
}, pure);

test("bits decide whether an address is in a network, for all networks and addresses", () => {
  const bitsOf = (host: Uint8Array) =>
    [...host].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(fc.property(address, address, fc.nat(128), (base, other, length) => {
    const host = parseHost(base) as Uint8Array;
    const prefix = Math.min(length, host.length * 8);
    const masked = host.map((byte, index) =>
      byte & (0xff00 >> Math.max(0, Math.min(8, prefix - index * 8)))
    );
    const network = { host: masked, prefix };
    const them = parseHost(other) as Uint8Array;
    const isSame = them.length === host.length &&
      bitsOf(them).slice(0, prefix) === bitsOf(host).slice(0, prefix);
    assertEquals(contains(network, them), isSame);
    assert(contains(network, host));
  }));
}, pure);

test("what is no network is refused with the reason", () => {
  const wrong: readonly (readonly [string, string])[] = [
    [
      "10.0.0.1/8",
      'expected no bits behind the prefix, as in 10.0.0.0/8, current value is "10.0.0.1/8"',
    ],
    ["2001:db8::1/32", "expected no bits behind the prefix"],
    ["::ffff:10.0.0.0/80", "expected no bits behind the prefix"],
    ["10.0.0.0/33", "expected a prefix of 0 to 32 bits"],
    ["10.0.0.0/-1", "expected a prefix of 0 to 32 bits"],
    ["10.0.0.0/", "expected a prefix of 0 to 32 bits"],
    ["::/129", "expected a prefix of 0 to 128 bits"],
    ["10.0.0.0/255.0.0.0", "expected a prefix of 0 to 32 bits"],
    ["localhost", "expected a numeric address and a prefix"],
    ["fe80::1%eth0/64", "expected a numeric address and a prefix"],
    ["10.0.0.0/8/8", "expected a numeric address and a prefix"],
    ["[::1]", "expected a numeric address and a prefix"],
    ["", "expected a numeric address and a prefix"],
  ];
  for (const [text, why] of wrong) assertThrows(() => parseNetwork(text), TypeError, why);
}, pure);
