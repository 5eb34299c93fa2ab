#include "drains/filter.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/drains/filter_twin.h"
#include "tests/drains/made_record.h"

using namespace tailrace;

namespace {

std::string error_of(std::string_view text) {
  const ParsedFilter parsed = parse_filter(text);
  CHECK(parsed.error.empty() == (parsed.filter != nullptr));
  return parsed.error;
}

bool wants(std::string_view filter, const MadeRecord& record) {
  const ParsedFilter parsed = parse_filter(filter);
  REQUIRE_MESSAGE(parsed.filter, parsed.error);
  return parsed.filter->wants(record.record());
}
bool wants(std::string_view filter, std::string_view message) {
  return wants(filter, MadeRecord{message});
}

constexpr auto kRouter =
    R"(at=error code=H12 desc="Request timeout" method=GET path="/api/x?status=200" host=shop.example.com )"
    R"(fwd="1.2.3.4" dyno=web.1 connect=1ms service=30000ms status=503 bytes=0 protocol=https)";

}  // namespace

TEST_CASE("texts") {
  CHECK(wants("timeout", kRouter));
  CHECK_FALSE(wants("Timeout", kRouter));
  CHECK(wants(R"("Request timeout")", kRouter));
  CHECK_FALSE(wants(R"("request timeout")", kRouter));
  CHECK(wants("timeout H12", kRouter));
  CHECK_FALSE(wants("timeout H13", kRouter));
  CHECK(wants("H13 or timeout", kRouter));
  CHECK(wants("H13 timeout or H14 or timeout H12", kRouter));
  CHECK_FALSE(wants("H13 timeout or H12 nothing", kRouter));
  CHECK(wants("-H13", kRouter));
  CHECK_FALSE(wants("-H12", kRouter));
  CHECK_FALSE(wants(R"(-"Request timeout")", kRouter));
  CHECK(wants(R"("say \"hi\" \\o/")", R"(they say "hi" \o/ there)"));
  CHECK(wants("\t a \r\n b ", "ba"));
  CHECK(wants(R"("or")", "x or y"));
  CHECK(wants("[a", "x[a]"));
  CHECK(wants("C:\\x", "at C:\\x"));
}

TEST_CASE("regular expressions") {
  CHECK(wants("/H1[0-9]/", kRouter));
  CHECK_FALSE(wants("/h1[0-9]/", kRouter));
  CHECK(wants("/h1[0-9]/i", kRouter));
  CHECK(wants("/^at=error .* protocol=https$/", kRouter));
  CHECK(wants("/https$/", std::string(kRouter) + "\n"));
  CHECK(wants(R"(/"\/api\/)"
              "/",
              kRouter));
  CHECK(wants("/[ö]{2}/", "zöö"));
  CHECK_FALSE(wants("-/./", "x"));
  CHECK_FALSE(wants("/a.b/",
                    "a\xff"
                    "b"));  // a byte that is no character
  CHECK(wants(R"(/a\Cb/)",
              "a\xff"
              "b"));
}

TEST_CASE("pairs as text") {
  CHECK(wants("code=H12", kRouter));
  CHECK_FALSE(wants("code=H1", kRouter));
  CHECK_FALSE(wants("code!=H12", kRouter));
  CHECK(wants("code!=H13", kRouter));
  CHECK(wants("none!=x", kRouter));
  CHECK_FALSE(wants("none=x", kRouter));
  CHECK_FALSE(wants("none~x", kRouter));
  CHECK(wants("-none=x", kRouter));
  CHECK(wants(R"(desc="Request timeout")", kRouter));
  CHECK(wants("path~^/api", kRouter));
  CHECK(wants(R"(path~"api/x\?s")", kRouter));
  CHECK_FALSE(wants("path~^api", kRouter));
  CHECK(wants("status=503", kRouter));  // not the one in quotes
  CHECK_FALSE(wants("status=200", kRouter));
  CHECK(wants("a=", "a= b=1"));
  CHECK_FALSE(wants("a=", "b=1"));
  CHECK_FALSE(wants("service=30s", kRouter));  // as text
  CHECK(wants("url=http://x?a=b", "url=http://x?a=b"));
  CHECK(wants(R"(t=a"b)", R"(t=a"b)"));
  CHECK(wants(R"(t="a \"b\"")", R"(t="a \"b\"")"));
}

TEST_CASE("pairs as numbers") {
  CHECK(wants("status>=500", kRouter));
  CHECK(wants("status>502.5", kRouter));
  CHECK_FALSE(wants("status>503", kRouter));
  CHECK(wants("status<=503", kRouter));
  CHECK_FALSE(wants("status<503", kRouter));
  CHECK_FALSE(wants("none<1", kRouter));
  CHECK_FALSE(wants("code>0", kRouter));
  CHECK(wants("service>29.9s", kRouter));
  CHECK(wants("service>=0.5m service<=0.5m", kRouter));
  CHECK(wants("service>1s", "service=1500ms"));
  CHECK(wants("service>1000", "service=1500ms"));     // a term without a unit sees the number alone
  CHECK_FALSE(wants("service>1ms", "service=1500"));  // one with a unit wants it
  CHECK_FALSE(wants("service>1B", "service=1500ms"));
  CHECK(wants("size>1kB size<1.1KB size>=1025B", "size=1025B"));
  CHECK(wants("m>=512MB m<=0.5GB", "m=512MB"));
  CHECK(wants("t<=4350us t>=4.35ms", "t=4.35ms"));
  CHECK(wants("d<-1 d>-1.6", "d=-1.5"));
  CHECK(wants("x>=1e3", "x=1000"));
  CHECK(wants(R"(x>"5")", R"(x="6")"));
  CHECK_FALSE(wants("x>0", "x=1,234"));
  CHECK_FALSE(wants("x>0", "x=1.2.3s"));
  CHECK_FALSE(wants("x>0", "x=inf"));
}

TEST_CASE("fields") {
  const MadeRecord record{"m", 11 * 8 + 4, "2026-11-21T01:02:03Z", "box", "heroku", "web.12", "id7"};
  for (const char* held :
       {"@app=heroku", "@app!=app", "@app~^her", "@procid=web", "@procid=web.12", "@procid!=web.1",
        "@procid~12$", "@host=box", "@msgid=id7", "@severity=warning", "@severity<=warning",
        "@severity<notice", "@severity>err", "@severity>=4", "@severity!=ERROR", "@facility=ftp",
        "@facility!=kern", "-@app=app", "@facility=11"})
    CHECK_MESSAGE(wants(held, record), held);
  for (const char* not_held : {"@app=her", "@app!=heroku", "@procid=we", "@procid!=web", "@procid=web.1",
                               "@severity<warning", "@severity>info", "@facility=user", "-@app=heroku"})
    CHECK_FALSE_MESSAGE(wants(not_held, record), not_held);
}

TEST_CASE("what is wrong with a filter, and where") {
  CHECK(error_of("status>=") == "filter: status>=: a number is missing (at 9)");
  CHECK(error_of("a status>=x b") == "filter: status>=x: a number is missing (at 11)");
  CHECK(error_of("a or") == "filter: a term is missing (at 5)");
  CHECK(error_of(" ") == "filter: a term is missing (at 2)");
  CHECK(error_of("or a") == "filter: or: a term is missing before it (at 1)");
  CHECK(error_of("a or or b") == "filter: or: a term is missing before it (at 6)");
  CHECK(error_of("a -") == "filter: -: a term is missing behind - (at 4)");
  CHECK(error_of("--a") == "filter: --a: a term is missing behind - (at 2)");
  CHECK(error_of("\"abc") == "filter: \"abc: the quote is not closed (at 1)");
  CHECK(error_of("a \"\"") == "filter: \"\": a text is missing (at 4)");
  CHECK(error_of("\"a\"b") == "filter: \"a\"b: a blank is missing behind it (at 4)");
  CHECK(error_of("a\"b") == "filter: a\"b: a quote stands within a word (at 2)");
  CHECK(error_of("x=\"a") == "filter: x=\"a: the quote is not closed (at 3)");
  CHECK(error_of("/a") == "filter: /a: the / that ends it is missing (at 1)");
  CHECK(error_of("//") == "filter: //: an expression is missing (at 2)");
  CHECK(error_of("/api/v1") ==
        "filter: /api/v1: behind / stands i or a blank; a text with / stands in quotes (at 6)");
  CHECK(error_of("a /(/") == "filter: /(/: missing ): ( (at 3)");
  CHECK(error_of("p~[") == "filter: p~[: missing ]: [ (at 1)");
  CHECK(error_of("p~") == "filter: p~: an expression is missing (at 3)");
  CHECK(error_of("=5") == "filter: =5: a name is missing (at 1)");
  CHECK(error_of("a!~b") == "filter: a!~b: != is the only operator with ! (at 2)");
  CHECK(error_of("@app") == "filter: @app: an operator is missing (at 5)");
  CHECK(error_of("@up=1") ==
        "filter: @up=1: a record has app, procid, severity, facility, host and msgid (at 1)");
  CHECK(error_of("@app>a") == "filter: @app>a: it takes = != ~ (at 6)");
  CHECK(error_of("@severity~a") == "filter: @severity~a: a severity takes = != < <= > >= (at 11)");
  CHECK(error_of("@facility>1") == "filter: @facility>1: a facility takes = != (at 11)");
  CHECK(error_of("@severity<=bad") == "filter: @severity<=bad: a severity is missing (at 12)");
  CHECK(error_of("@facility=bad") == "filter: @facility=bad: a facility is missing (at 11)");
  CHECK(error_of("a and b").starts_with("filter: and: between terms stands"));
  CHECK(error_of("(a or b)").starts_with("filter: (a: terms are not grouped"));
  CHECK(error_of("\xff") == "filter: takes UTF-8");
  CHECK(error_of(std::string(2049, 'a')) == "filter: takes 2K at most");
  CHECK(error_of(std::string(1024, 'a')).empty());
  CHECK(error_of(std::string(1025, 'a')).ends_with(": texts of 1K together at most (at 1)"));
  CHECK(error_of("/a{" + std::string(2039, ' ') + "b}/").empty());
  std::string many = "a";
  for (int i = 1; i < 32; ++i) many += i % 7 ? " a" : " or a";
  CHECK(error_of(many).empty());
  CHECK(error_of(many + " b").ends_with("32 terms at most (at " + std::to_string(many.size() + 2) + ")"));
}

TEST_CASE("expressions that would cost too much are refused") {
  CHECK(error_of("/(x{100}){100}/").starts_with("filter: "));
  CHECK(error_of("/a{900}/").empty());
  CHECK(error_of("a /x[a-z]{300}y/") == "filter: /x[a-z]{300}y/: it is too complex (at 3)");
  CHECK(error_of(R"(/\pL/)") == R"(filter: /\pL/: \p is not taken here (at 1))");
  std::string many = "/a/";
  for (int i = 1; i < 8; ++i) many += " b~a";
  CHECK(error_of(many).empty());
  CHECK(error_of(many + " /c/") == "filter: /c/: 8 expressions at most (at 33)");
}

TEST_CASE("a filter agrees with its twin") {
  std::mt19937 random(7);
  size_t held = 0;
  constexpr int kRounds = 200'000;
  for (int i = 0; i < kRounds; ++i) {
    const TwinCase a_case = twin_case(random);
    const ParsedFilter parsed = parse_filter(a_case.text());
    CAPTURE(a_case.text());
    CAPTURE(a_case.message);
    REQUIRE(parsed.error == "");
    const MadeRecord record{a_case.message, a_case.pri, "2026-11-21T01:02:03Z", "box", a_case.app,
                            a_case.procid,  "-"};
    const bool wanted = parsed.filter->wants(record.record());
    REQUIRE(wanted == twin_wants(a_case));
    held += wanted;
  }
  CHECK(held > kRounds / 10);
  CHECK(held < kRounds * 9 / 10);
}
