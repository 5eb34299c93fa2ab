import { describe, expect, it } from "vitest";
import type { Line } from "./buffer";
import { marked, rangesOf } from "./marks";
import { filterOf, hasExpressions, needlesOf, pairTerm, parseTerms, shownTerm, wants } from "./terms";

const line = (message: string, more: Partial<Line> = {}): Line => ({
  kind: "line", key: 1, seq: 1, time: "", app: "heroku", procid: "router", host: "h", severity: "info", facility: "user", message, ...more,
}); // prettier-ignore
const is = (filter: string, message: string, more?: Partial<Line>) => wants(parseTerms(filter), line(message, more));

describe("wants", () => {
  it("looks for texts in any case, all of them", () => {
    expect(is("TimeOut db", "a timeout of the DB")).toBe(true);
    expect(is("timeout db", "a timeout")).toBe(false);
    expect(is('"request timeout"', "Request Timeout")).toBe(true);
    expect(is('"request timeout"', "request  timeout")).toBe(false);
    expect(is("", "anything")).toBe(true);
  });
  it("excludes", () => {
    expect(is("-timeout", "fine")).toBe(true);
    expect(is("-timeout", "TIMEOUT")).toBe(false);
    expect(is('-"a b"', "x a b x")).toBe(false);
  });
  it("compares pairs as numbers with units, and as text", () => {
    expect(is("status>=500", "status=503")).toBe(true);
    expect(is("status>=500", "status=404")).toBe(false);
    expect(is("status>=500", "no such pair")).toBe(false);
    expect(is("service>1s", "service=1500ms")).toBe(true);
    expect(is("service>1s", "service=1500")).toBe(false);
    expect(is("service>1000", "service=1500ms")).toBe(true);
    expect(is("bytes<1kB", "bytes=1000B")).toBe(true);
    expect(is("dyno=web.1", "dyno=web.1")).toBe(true);
    expect(is("dyno=web.1", "dyno=web.10")).toBe(false);
    expect(is("code!=H12", "at=info")).toBe(true);
    expect(is("code!=H12", "code=H12")).toBe(false);
    expect(is("-status=200", "status=200")).toBe(false);
    expect(is('path="/a b"', 'path="/a b" x')).toBe(true);
  });
  it("sees pairs as the router does: outside quotes, the first", () => {
    expect(is("status=500", 'msg="status=500" status=200')).toBe(false);
    expect(is("status=500", "xstatus=500")).toBe(false);
    expect(is("status=500", "status=200 status=500")).toBe(false);
    expect(is("b=2", 'a="never closed b=2')).toBe(false);
  });
  it("knows fields", () => {
    expect(is("@app=heroku @procid=router", "x")).toBe(true);
    expect(is("@procid=web", "x", { procid: "web.1" })).toBe(true);
    expect(is("@procid=web", "x", { procid: "webhook.1" })).toBe(false);
    expect(is("@severity<=warning", "x", { severity: "err" })).toBe(true);
    expect(is("@severity<=warning", "x")).toBe(false);
  });
  it("takes one list or the other", () => {
    expect(is("a b or c", "c")).toBe(true);
    expect(is("a b or c", "a")).toBe(false);
  });
  it("lets pass what is not finished, or is an expression", () => {
    for (const text of ["status>=", "-", '"', "/a", "@severity<", "/x[0-9]/", "path~^/api", "-/x.*/", "a or"]) expect(is(text, "a /a")).toBe(true);
    expect(hasExpressions(parseTerms("/x[0-9]/ a"))).toBe(true);
    expect(hasExpressions(parseTerms("/x/i a"))).toBe(false);
  });
});

describe("filterOf", () => {
  it("makes texts expressions of any case, and keeps the rest", () => {
    expect(filterOf(parseTerms('time.out -"a b" status>=500'))).toBe("/time\\.out/i -/a b/i status>=500");
    expect(filterOf(parseTerms("a or b"))).toBe("/a/i or /b/i");
    expect(filterOf(parseTerms("/x[1]/ path~^/a"))).toBe("/x[1]/ path~^/a");
  });
  it("is the same again", () => {
    const once = filterOf(parseTerms('a/b -"say \\"hi\\"" x'));
    expect(filterOf(parseTerms(once))).toBe(once);
    expect(needlesOf(parseTerms(once))).toEqual(["a/b", "x"]);
    expect(parseTerms(once).flat().map(shownTerm)).toEqual(['"a/b"', '-"say "hi""', '"x"']);
  });
});

it("pairTerm quotes where it must", () => {
  expect(pairTerm("a", "b")).toBe("a=b");
  expect(pairTerm("a", "b c")).toBe('a="b c"');
  expect(pairTerm("a", "")).toBe('a=""');
});

describe("marks", () => {
  it("joins what overlaps", () => {
    expect(rangesOf("abcabd", ["ab", "bc"])).toEqual([[0, 5]]);
    expect(rangesOf("AAAA", ["aa"])).toEqual([[0, 4]]);
    expect(rangesOf("x", [""])).toEqual([]);
  });
  it("cuts pieces across styles, and loses nothing", () => {
    const pieces = [{ text: "foo b", style: { bold: true } }, { text: "ar baz" }];
    const cut = marked(pieces, ["bar"]);
    expect(cut).toEqual([
      { text: "foo ", style: { bold: true } },
      { text: "b", style: { bold: true }, marked: true },
      { text: "ar", marked: true },
      { text: " baz" },
    ]);
    expect(cut.map((piece) => piece.text).join("")).toBe("foo bar baz");
  });
});
