#include "web/tail_filter.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/drains/made_record.h"

using namespace tailrace;

namespace {

TailFilterPtr parsed(const TailWishes& wishes) {
  ParsedTailFilter made = TailFilter::parse(wishes);
  REQUIRE_MESSAGE(made.error.empty(), made.error);
  return made.filter;
}

bool wants(const TailWishes& wishes, const MadeRecord& made) {
  const TailFilterPtr filter = parsed(wishes);
  return !filter || filter->wants(made.record());
}

std::string error_of(const TailWishes& wishes) {
  const ParsedTailFilter made = TailFilter::parse(wishes);
  CHECK((made.filter == nullptr || made.error.empty()));
  return made.error;
}

MadeRecord of(const char* app, const char* procid) {
  return MadeRecord("m", 13, "T", "host", app, procid);
}

const MadeRecord kLine{R"(at=error code=H12 path="/x" service=30000ms status=503)"
                       "\n",
                       158,
                       "T",
                       "host",
                       "heroku",
                       "router"};

}  // namespace

TEST_CASE("who wishes for nothing wants all") {
  CHECK(parsed({}) == nullptr);
  CHECK(parsed({.grep = {""}, .exclude = {"", ""}}) == nullptr);
  CHECK(parsed({.severity = "debug"}) == nullptr);
}

TEST_CASE("ps and source") {
  CHECK(wants({.ps = "web"}, of("app", "web")));
  CHECK(wants({.ps = "web"}, of("app", "web.1")));
  CHECK(wants({.ps = "web.1"}, of("app", "web.1")));
  CHECK_FALSE(wants({.ps = "web.1"}, of("app", "web.11")));
  CHECK_FALSE(wants({.ps = "web"}, of("app", "webhook.1")));
  CHECK_FALSE(wants({.ps = "web"}, of("app", "worker")));
  CHECK_FALSE(wants({.ps = "web"}, of("app", "we")));
  CHECK(wants({.source = "app"}, of("app", "web")));
  CHECK_FALSE(wants({.source = "app"}, of("app2", "web")));
  CHECK_FALSE(wants({.source = "app"}, of("App", "web")));
  CHECK_FALSE(wants({.ps = "web", .source = "app"}, of("heroku", "web.1")));
}

TEST_CASE("a severity: this one or worse, by name or number") {
  for (const char* warning : {"warning", "WARN", "4"})
    for (int severity = 0; severity < 8; ++severity)
      CHECK(wants({.severity = warning}, MadeRecord("m", 8 + severity)) == (severity <= 4));
  CHECK(wants({.severity = "0"}, MadeRecord("m", 0)));
  CHECK_FALSE(wants({.severity = "emerg"}, MadeRecord("m", 1)));
  for (const char* bad : {"8", "-1", "loud", "4.0", " "})
    CHECK(error_of({.severity = bad}).starts_with("severity: "));
}

TEST_CASE("grep and exclude ask the message alone, without one newline at its end") {
  CHECK(wants({.grep = {"H1[0-9]"}}, kLine));
  CHECK(wants({.grep = {"status=503$", "^at="}}, kLine));
  CHECK_FALSE(wants({.grep = {"status=503$", "nothing"}}, kLine));
  CHECK_FALSE(wants({.grep = {"heroku|router|host"}}, kLine));
  CHECK_FALSE(wants({.grep = {"h12"}}, kLine));
  CHECK(wants({.grep = {"(?i)h12"}}, kLine));
  CHECK(wants({.exclude = {"H13", "H14"}}, kLine));
  CHECK_FALSE(wants({.exclude = {"H13", "H12"}}, kLine));
  CHECK_FALSE(wants({.grep = {"status"}, .exclude = {"503$"}}, kLine));
  CHECK_FALSE(wants({.grep = {"x\\n$"}}, MadeRecord("x\n")));
  CHECK(wants({.grep = {"x\\n$"}}, MadeRecord("x\n\n")));
}

TEST_CASE("terms, as drains have them, beside the rest") {
  CHECK(wants({.filter = "status>=500 service>1s"}, kLine));
  CHECK_FALSE(wants({.filter = "status>=500 service<1s"}, kLine));
  CHECK(wants({.ps = "router",
               .source = "heroku",
               .severity = "info",
               .grep = {"H12"},
               .exclude = {"H13"},
               .filter = "@app=heroku"},
              kLine));
  CHECK_FALSE(wants({.severity = "warning", .filter = "status>=500"}, kLine));
}

TEST_CASE("what is wrong names its field") {
  CHECK(error_of({.grep = {"a", "("}}).starts_with("grep: missing ): ("));
  CHECK(error_of({.exclude = {"["}}).starts_with("exclude: "));
  CHECK(error_of({.filter = "status>="}) == "filter: status>=: a number is missing (at 9)");
  CHECK(error_of({.grep = {"\xff"}}) == "grep: takes UTF-8");
  CHECK(error_of({.grep = {"(?:a{50}){50}"}}).starts_with("grep: "));
}

TEST_CASE("bounds") {
  const std::string most(4096, 'x'), more(4097, 'x');
  CHECK(error_of({.ps = most}).empty());
  CHECK(error_of({.ps = more}).starts_with("ps: "));
  CHECK(error_of({.source = more}).starts_with("source: "));
  CHECK(error_of({.ps = most, .source = "x"}).starts_with("source: "));
  CHECK(error_of({.ps = most, .grep = {"x"}}).starts_with("grep: "));
  CHECK(error_of({.ps = most, .exclude = {"x"}}).starts_with("exclude: "));
  CHECK(error_of({.ps = most, .filter = "x"}).starts_with("filter: "));
  CHECK(error_of({.filter = std::string(2049, 'x')}).starts_with("filter: "));
  const std::vector<std::string> eight{"1", "2", "3", "4", "5", "6", "7", "8"};
  CHECK(error_of({.grep = eight, .filter = "/1/ /2/"}).empty());
  CHECK(error_of({.grep = eight, .exclude = {"9"}}).starts_with("exclude: "));
  std::vector<std::string> costly;  // each has its room, all together do not
  for (int i = 0; i < 8; ++i) costly.push_back("^(abcdefghijklmnopqrstuvwxyz){3" + std::to_string(i) + "}");
  CHECK(error_of({.grep = {costly[0]}}).empty());
  CHECK(error_of({.grep = costly}).starts_with("grep: "));
}

TEST_CASE("the same key for the same wishes, and for no others") {
  const auto key = [](const TailWishes& wishes) {
    const TailFilterPtr filter = parsed(wishes);
    return filter ? filter->key() : std::string();
  };
  CHECK(key({.severity = "4"}) == key({.severity = "WARN"}));
  CHECK(key({.grep = {"a", "b"}}) == key({.grep = {"b", "", "a", "b"}}));
  const TailWishes all[] = {{},
                            {.ps = "a"},
                            {.source = "a"},
                            {.severity = "1"},
                            {.severity = "2"},
                            {.grep = {"a"}},
                            {.grep = {"a", "b"}},
                            {.grep = {"ab"}},
                            {.grep = {"a"}, .exclude = {"b"}},
                            {.exclude = {"a"}},
                            {.exclude = {"a", "b"}},
                            {.filter = "a"},
                            {.ps = "a", .source = "b"},
                            {.ps = "as1:b"},
                            {.ps = "1:ag", .grep = {"1:a"}},
                            {.ps = "b", .source = "a"}};
  std::set<std::string> keys;
  for (const TailWishes& wishes : all) keys.insert(key(wishes));
  CHECK(keys.size() == std::size(all));
}

TEST_CASE("a filter's cost is told") {
  CHECK(parsed({.ps = "web"})->is_cheap());
  CHECK(parsed({.grep = {"a"}})->is_cheap());
  CHECK_FALSE(parsed({.grep = {"a", "b"}, .exclude = {"c"}})->is_cheap());
}
