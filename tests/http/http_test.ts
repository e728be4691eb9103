/**
 * HTTP without a network: which requests are answered how, however the network has cut them.
 *
 * @module
 */

import fc from "fast-check";
import { http, type HttpRequest, type Site } from "../../engine/http/http.ts";
import { isLocalName } from "../../engine/http/request.ts";
import { IdleTimeoutError, MessageTimeoutError } from "../../protocol.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";

const NOBODY = { waits() {}, answers() {}, streams() {} };

/** The requests that a site was asked. */
function siteOf(asked: HttpRequest[] = [], isLocal = false): Site {
  const answer = (request: HttpRequest) => {
    asked.push(request);
    const content = `${request.query}${new TextDecoder().decode(request.content)}`;
    return { fields: { "Content-Type": "text/plain" }, content: content || "yes" };
  };
  const resources: Readonly<Record<string, object>> = {
    "/": { GET: answer },
    "/form": { GET: answer, POST: answer },
    "/wrong": {
      GET() {
        throw new Error("oops");
      },
    },
  };
  return { isLocal, find: (path) => resources[path] };
}

/** The answers in what was written: their status lines, fields and contents. */
function answersIn(text: string): { status: number; fields: string; content: string }[] {
  const answers = [];
  while (text !== "") {
    const [, status = "", fields = ""] = /^HTTP\/1\.1 (\d{3}) [A-Z].*?\r\n(.*?)\r\n\r\n/s.exec(
      text,
    ) ?? [];
    assert(status !== "", `no answer: ${JSON.stringify(text)}`);
    const begin = text.indexOf("\r\n\r\n") + 4;
    const length = Number(/^Content-Length: (\d+)$/m.exec(fields)?.[1] ?? 0);
    answers.push({ status: Number(status), fields, content: text.slice(begin, begin + length) });
    text = text.slice(begin + length);
  }
  return answers;
}

/** The statuses that a client gets who sends this and then FIN. */
function statusesFor(text: string, site = siteOf()): number[] {
  return answersIn(hold(http(site, NOBODY), [text]).text).map(({ status }) => status);
}

test("a request is answered, and another may follow on the same connection", () => {
  const asked: HttpRequest[] = [];
  const talk = hold(http(siteOf(asked), NOBODY), [
    "GET /?a=1&b HTTP/1.1\r\nHost: Example.org:80\r\nX-Tag:  a\t\r\nx-tag: b\r\n\r\n",
    "POST /form HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5\r\n\r\nhello",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
  ]);
  const [first, second, third, ...more] = answersIn(talk.text);
  assertEquals([first?.content, second?.content, third?.content, more], [
    "a=1&b",
    "hello",
    "yes",
    [],
  ]);
  assertMatch(first?.fields ?? "", /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/m);
  assertStringIncludes(first?.fields ?? "", "Connection: keep-alive");
  // HTTP/1.0 closes unless it is asked not to.
  assertStringIncludes(third?.fields ?? "", "Connection: close");
  assertEquals(asked[0]?.fields.get("x-tag"), "a, b");
  assertEquals(asked.map(({ host }) => host), ["example.org", "[::1]", ""]);
});

test("pipelined requests are answered in order, however they are cut", () => {
  const text = "\r\nGET /?1 HTTP/1.1\r\nHost: a\r\n\r\n" +
    "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n" +
    "HEAD /?2 HTTP/1.1\r\nHost: a\r\n\r\n" +
    "GET http://b/?3 HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\nGET / HTTP/1.1\r\n\r\n";
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (lengths) => {
      const asked: HttpRequest[] = [];
      const talk = hold(http(siteOf(asked), NOBODY), cut(bytesOf(text), lengths));
      const statuses = [...talk.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      assertEquals(statuses, ["200", "200", "200", "200"]);
      assertEquals(asked.map(({ query }) => query), ["1", "", "2", "3"]);
      assertEquals(asked.map(({ host }) => host), ["a", "a", "a", "b"]);
      // HEAD tells the length of what it leaves out.
      assert(talk.text.includes("Content-Length: 1\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 200"));
    }),
    { numRuns: 60 },
  );
}, { pure: true });

/** A request line and what follows it, with a Host where that is not the point. */
function get(line: string, more = "Host: a\r\n"): string {
  return `${line}\r\n${more}\r\n`;
}

const WRONG: readonly (readonly [why: string, request: string, status: number])[] = [
  ["no path like this", get("GET /nothing HTTP/1.1"), 404],
  ["a path of an object's own", get("GET /__proto__ HTTP/1.1"), 404],
  ["a method that is not answered here", get("POST / HTTP/1.1"), 405],
  ["a method that nobody knows", get("BREW / HTTP/1.1"), 501],
  ["a method in lower case", get("get / HTTP/1.1"), 501],
  ["options of the whole server", get("OPTIONS * HTTP/1.1"), 404],
  ["a mistake of the site", get("GET /wrong HTTP/1.1"), 500],
  ["no version", get("GET /"), 400],
  ["a version that is none", get("GET / HTTP/x"), 400],
  ["another protocol", get("GET / FTP/1.1"), 400],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["two spaces", get("GET  / HTTP/1.1"), 400],
  ["a space in the target", get("GET /a b HTTP/1.1"), 400],
  ["a target that is no path", get("GET a HTTP/1.1"), 400],
  ["a fragment", get("GET /#a HTTP/1.1"), 400],
  ["a tunnel", get("CONNECT a:443 HTTP/1.1"), 400],
  ["a line end without CR", "GET / HTTP/1.1\nHost: a\n\n", 400],
  ["a CR within a line", get("GET / HTTP/1.1", "Host: a\rb\r\n"), 400],
  ["a zero byte", get("GET /\0 HTTP/1.1"), 400],
  ["a byte that is no ASCII in the target", get("GET /\xff HTTP/1.1"), 400],
  ["a hello of TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400],
  ["an empty line too many", "\r\n\r\nGET / HTTP/1.1\r\n", 400],
  ["no Host", get("GET / HTTP/1.1", ""), 400],
  ["two Hosts", get("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"), 400],
  ["a Host that is none", get("GET / HTTP/1.1", "Host: a/b\r\n"), 400],
  ["a field without a colon", get("GET / HTTP/1.1", "Host: a\r\nX\r\n"), 400],
  ["a field without a name", get("GET / HTTP/1.1", "Host: a\r\n: x\r\n"), 400],
  ["a space before the colon", get("GET / HTTP/1.1", "Host : a\r\n"), 400],
  ["a folded line", get("GET / HTTP/1.1", "Host: a\r\nX: a\r\n b\r\n"), 400],
  [
    "two lengths",
    get("POST /form HTTP/1.1", "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n"),
    400,
  ],
  [
    "a length that is no number",
    get("POST /form HTTP/1.1", "Host: a\r\nContent-Length: +1\r\n"),
    400,
  ],
  [
    "a length and a coding",
    get("POST /form HTTP/1.1", "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    400,
  ],
  ["chunks", get("POST /form HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n"), 411],
  [
    "another coding",
    get("POST /form HTTP/1.1", "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"),
    501,
  ],
  ["too much content", get("POST /form HTTP/1.1", "Host: a\r\nContent-Length: 16385\r\n"), 413],
  ["an expectation", get("POST /form HTTP/1.1", "Host: a\r\nExpect: a miracle\r\n"), 417],
  ["a long request line", `GET /${"a".repeat(9_000)}`, 414],
  ["a long field", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}`, 431],
  ["many fields", get("GET / HTTP/1.1", `Host: a\r\n${"X: y\r\n".repeat(200)}`), 431],
];

for (const [why, request, status] of WRONG) {
  test(`${why} is answered with ${status}, however it is cut`, () => {
    // What is answered before all of it has come is answered early, and nothing follows.
    const keeps = status === 404 || status === 405 || request.startsWith("BREW") ||
      request.startsWith("get");
    for (const lengths of [[1 << 20], [1], [7, 3]]) {
      const talk = hold(http(siteOf(), NOBODY), cut(bytesOf(request), lengths));
      const answers = answersIn(talk.text);
      assertEquals(answers.map((answer) => answer.status), [status]);
      assertStringIncludes(
        answers[0]?.fields ?? "",
        `Connection: ${keeps ? "keep-alive" : "close"}`,
      );
    }
  }, { pure: true });
}

test("a method that is not answered says which are", () => {
  const [answer] = answersIn(hold(http(siteOf(), NOBODY), [get("PUT /form HTTP/1.1")]).text);
  assertStringIncludes(answer?.fields ?? "", "Allow: GET, HEAD, POST");
});

test("a mistake of the site is told to its server too", () => {
  const talk = hold(http(siteOf(), NOBODY), [get("GET /wrong HTTP/1.1")]);
  assertEquals((talk.error as Error).message, "oops");
});

test("content is asked for if its client waits for that", () => {
  const talk = new Talk(http(siteOf(), NOBODY));
  talk.answer(bytesOf(
    get("POST /form HTTP/1.1", "Host: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"),
  ));
  assertEquals(talk.text, "HTTP/1.1 100 Continue\r\n\r\n");
  talk.answer(bytesOf("hi"));
  assertMatch(talk.text, /hi$/);
});

test("a client that goes in the middle of a request, or says nothing for long, gets no answer", () => {
  for (const text of ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n"]) {
    assertEquals(statusesFor(text), []);
  }
  const silent = new Talk(http(siteOf(), NOBODY));
  silent.throw(new IdleTimeoutError(1));
  assertEquals([silent.over, silent.error, silent.text], [true, undefined, ""]);
});

test("a request that does not come to its end in time is answered with 408", () => {
  const slow = new Talk(http(siteOf(), NOBODY));
  slow.answer(bytesOf("GET / HT"));
  slow.throw(new MessageTimeoutError(1));
  assertEquals(answersIn(slow.text).map(({ status }) => status), [408]);
  assert(slow.over);
});

test("a local site is asked by an address or as localhost, and by no other name", () => {
  const asked = (host: string) =>
    statusesFor(get("GET / HTTP/1.1", `Host: ${host}\r\n`), siteOf([], true))[0];
  for (const host of ["127.0.0.1:90", "[::1]:90", "localhost", "a.localhost:1", "10.0.0.1"]) {
    assertEquals([host, asked(host)], [host, 200]);
  }
  for (const host of ["evil.example", "localhost.example", "127.0.0.1.example", "1.2.3"]) {
    assertEquals([host, asked(host)], [host, 421]);
    assert(!isLocalName(host));
  }
  // What stands in the target overrules the Host.
  assertEquals(
    statusesFor("GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n", siteOf([], true)),
    [421],
  );
});

test("whatever bytes come, there is an answer or none, and the connection ends", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom("GET / HTTP/1.1\r\n", "Host: a\r\n", "\r\n", "Content-Length: 3\r\n", "abc")
      .map(bytesOf),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 8 }), (pieces) => {
      const talk = hold(http(siteOf(), NOBODY), pieces);
      assert(talk.over);
      assertEquals(talk.error, undefined);
      answersIn(talk.text);
    }),
    { numRuns: 300 },
  );
}, { pure: true });
