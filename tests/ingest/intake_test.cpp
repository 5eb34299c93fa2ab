#include "ingest/intake.h"

#include <doctest/doctest.h>

#include "channels/memory_catalog.h"
#include "channels/memory_store.h"
#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

struct Fixture {
  Fixture() {
    channel = *catalog.add_channel("shop");
    other_channel = *catalog.add_channel("other");
    app = *catalog.add_token("1", "app");
    heroku = *catalog.add_token("1", "heroku");
    other = *catalog.add_token("2", "app2");
  }
  std::vector<std::string> texts(const ChannelPtr& of) {
    std::vector<std::string> all;
    for (const Slice& slice : history_of(*of->log, 1000).slices)
      for (const Record record : slice) all.emplace_back(record.text());
    return all;
  }
  struct Flushed final : Intake::Done {
    void refused() override { ++refusals; }
    void flushed(const Intake::Outcome& o) override { outcome = o, ++calls; }
    Intake::Outcome outcome;
    int calls = 0, refusals = 0;
  };
  Intake::Outcome flush() {
    const auto done = std::make_shared<Flushed>();
    const Intake::Outcome hoped = intake.flush(Protocol::http, kNow, {}, done);
    CHECK(done->calls == 1);
    CHECK((done->refusals == 0) == (hoped.accepted == done->outcome.accepted));
    CHECK(hoped.accepted + hoped.rejected.total() == done->outcome.accepted + done->outcome.rejected.total());
    return done->outcome;
  }

  static constexpr Micros kNow = 1'700'000'000'000'000;
  prometheus::Registry registry;
  IngestStats stats{registry};
  MemoryStore store{{}};
  MemoryCatalog memory{store, {.drains_per_channel = 6}};
  Catalog& catalog = memory;
  ChannelPtr channel, other_channel;
  TokenPtr app, heroku, other;
  Quota quota;
  Intake intake{catalog, stats, quota};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "records go where their token says, under its name") {
  const std::string a = "<13>1 T h " + app->id + " web.1 - - one", b = "<13>1 T h " + other->id + " p - two",
                    c = "<158>1 T h " + heroku->id + " router - - three\n", d = "<13>1 T h nobody p - four",
                    e = "<13>1 T h t.00000000-0000-4000-8000-000000000000 p - five", f = "no syslog";
  for (const std::string* frame : {&a, &b, &c}) CHECK_FALSE(intake.take(*frame, Source{nullptr, kNow}));
  for (const std::string* frame : {&d, &e, &f})
    CHECK(intake.take(*frame, Source{nullptr, kNow}) == RejectReason::unknown_token);
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == 3);
  CHECK(outcome.rejected.total() == 3);
  CHECK(texts(channel) ==
        std::vector<std::string>{"<13>1 T h app web.1 - - one", "<158>1 T h heroku router - - three\n"});
  CHECK(texts(other_channel) == std::vector<std::string>{"<13>1 T h app2 p - - two"});
}

TEST_CASE_FIXTURE(Fixture,
                  "with a token of its own, everything goes to that channel and no id passes through") {
  const std::string frames[] = {
      "<13>1 T h heroku router - - as sent", "<13>1 T h " + heroku->id + " p - - named",
      "<13>1 T h " + other->id + " p - - foreign",
      "<13>1 T h t.00000000-0000-4000-8000-000000000000 p - - invented", "11 hello world"};
  for (const std::string& frame : frames) CHECK_FALSE(intake.take(frame, Source{app, kNow}));
  CHECK(flush().accepted == 5);
  CHECK(texts(other_channel).empty());
  CHECK(texts(channel) ==
        std::vector<std::string>{"<13>1 T h heroku router - - as sent", "<13>1 T h heroku p - - named",
                                 "<13>1 T h app p - - foreign", "<13>1 T h app p - - invented",
                                 "<13>1 2023-11-14T22:13:20.000000+00:00 - app - - - 11 hello world"});
}

TEST_CASE_FIXTURE(Fixture, "a token's id as MSGID, as from Docker's syslog driver, does not pass through") {
  const std::string from_docker = "<30>1 T h " + app->id + " 4711 " + app->id + " - hello";
  CHECK_FALSE(intake.take(from_docker, Source{nullptr, kNow}));
  CHECK_FALSE(intake.take(from_docker, Source{heroku, kNow}));
  CHECK(flush().accepted == 2);
  CHECK(texts(channel) == std::vector<std::string>(2, "<30>1 T h app 4711 - - hello"));
}

TEST_CASE_FIXTURE(Fixture, "a token's id in a field that is not for it does not pass through") {
  const std::string id = heroku->id;
  const std::string frames[] = {"<30>1 T " + id + " a " + id + " " + id + " - m",
                                "<30>1 T " + id + " a p m - m", "<30>1 T h a " + id + " m - m",
                                "<30>1 T h a p " + id + " - m"};
  for (const std::string& frame : frames) CHECK_FALSE(intake.take(frame, Source{app, kNow}));
  const std::string json =
      R"({"message":"m","host":")" + id + R"(","procid":")" + id + R"(","msgid":")" + id + "\"}";
  CHECK_FALSE(intake.take_json(json, Source{app, kNow}));
  CHECK(flush().accepted == 5);
  CHECK(texts(channel) == std::vector<std::string>{"<30>1 T - a - - - m", "<30>1 T - a p m - m",
                                                   "<30>1 T h a - m - m", "<30>1 T h a p - - m",
                                                   "<13>1 2023-11-14T22:13:20.000000+00:00 - app - - - m"});
}

TEST_CASE_FIXTURE(Fixture, "what is discarded is neither appended nor counted") {
  CHECK_FALSE(intake.take("<13>1 T h a p - - gone", Source{app, kNow}));
  CHECK(intake.take("no syslog", Source{nullptr, kNow}) == RejectReason::unknown_token);
  intake.discard();
  CHECK_FALSE(intake.take("<13>1 T h a p - - kept", Source{app, kNow}));
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == 1);
  CHECK(outcome.rejected.total() == 0);
  CHECK(texts(channel).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a strict token always shows its own name") {
  const TokenPtr strict = *catalog.add_token("1", "web", {.id = {}, .strict = true});
  const std::string frames[] = {"<13>1 T h heroku router - - as sent",
                                "<13>1 T h " + heroku->id + " p - - another's id",
                                "<13>1 T h " + strict->id + " p - - its own id",
                                "<13>1 T h x p - [" + heroku->id + "@32473] another's in data"};
  for (const std::string& frame : frames) CHECK_FALSE(intake.take(frame, Source{strict, kNow}));
  CHECK_FALSE(intake.take(frames[2], Source{nullptr, kNow}));
  CHECK(flush().accepted == 5);
  for (const std::string& text : texts(channel)) CHECK(text.starts_with("<13>1 T h web "));
}

TEST_CASE_FIXTURE(Fixture, "a token in STRUCTURED-DATA says whose it is, and does not pass through") {
  const std::string known = app->id, unknown = "t.00000000-0000-4000-8000-000000000000";
  const std::string frames[] = {
      "<13>1 T h nginx 7 - [tailrace@32473 token=\"" + known + "\"] one",
      "<13>1 T h nginx 7 - [" + known + "@32473 a=\"b\"][meta x=\"1\"] two",
      "<13>1 T h nginx 7 - [meta x=\"1\"][tailrace@32473 a=\"b\" token=\"" + known + "\"] three",
      "<13>1 T h " + unknown + " 7 - [tailrace@32473 token=\"" + known + "\"] four"};
  for (const std::string& frame : frames) CHECK_FALSE(intake.take(frame, Source{nullptr, kNow}));
  const std::string nobody = "<13>1 T h nginx 7 - [tailrace@32473 token=\"" + unknown + "\"] five";
  CHECK(intake.take(nobody, Source{nullptr, kNow}) == RejectReason::unknown_token);
  CHECK_FALSE(intake.take(nobody, Source{app, kNow}));
  CHECK(flush().accepted == 5);
  CHECK(texts(channel) ==
        std::vector<std::string>{"<13>1 T h nginx 7 - - one", "<13>1 T h nginx 7 - [meta x=\"1\"] two",
                                 "<13>1 T h nginx 7 - [meta x=\"1\"][tailrace@32473 a=\"b\"] three",
                                 "<13>1 T h app 7 - - four", "<13>1 T h nginx 7 - - five"});
}

TEST_CASE_FIXTURE(Fixture, "BSD syslog becomes RFC 5424, by a token as its tag or by the listener's") {
  const std::string tagged = "<34>Nov 14 22:13:19 mymachine " + app->id + "[7]: one",
                    plain = "<34>Nov 14 22:13:19 su: two";
  CHECK_FALSE(intake.take(tagged, Source{nullptr, kNow}));
  CHECK_FALSE(intake.take(plain, Source{app, kNow}));
  CHECK(intake.take(plain, Source{nullptr, kNow}) == RejectReason::unknown_token);
  CHECK(flush().accepted == 2);
  CHECK(texts(channel) == std::vector<std::string>{"<34>1 2023-11-14T22:13:19+00:00 mymachine app 7 - - one",
                                                   "<34>1 2023-11-14T22:13:19+00:00 - su - - - two"});
}

TEST_CASE_FIXTURE(Fixture, "a JSON line is a record of its token; app counts only as a token's id") {
  const std::string lines[] = {
      R"({"message":"one"})",
      R"({"message":"two\n","time":"2023-11-14T01:02:03Z","procid":"web.1","severity":"err","host":"h","msgid":"m","app":"x"})",
      R"({"message":"three","app":")" + heroku->id + "\"}"};
  for (const std::string& line : lines) CHECK_FALSE(intake.take_json(line, Source{app, kNow}));
  CHECK_FALSE(intake.take_json(lines[2], Source{nullptr, kNow}));
  CHECK(intake.take_json(lines[1], Source{nullptr, kNow}) == RejectReason::unknown_token);
  CHECK(intake.take_json("{}", Source{app, kNow}) == RejectReason::malformed);
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == 4);
  CHECK(outcome.rejected.total() == 2);
  CHECK(texts(channel) ==
        std::vector<std::string>{"<13>1 2023-11-14T22:13:20.000000+00:00 - app - - - one",
                                 "<11>1 2023-11-14T01:02:03Z h app web.1 m - two\n",
                                 "<13>1 2023-11-14T22:13:20.000000+00:00 - heroku - - - three",
                                 "<13>1 2023-11-14T22:13:20.000000+00:00 - heroku - - - three"});
}

TEST_CASE_FIXTURE(Fixture, "the quota judges a stream's records one by one, and its channel is told") {
  quota.set_rate(10);
  const std::string frame = "<13>1 T h a p - - x";
  int taken = 0;
  for (int i = 0; i < 30; ++i) taken += !intake.take(frame, Source{app, kNow});
  CHECK(taken < 30);
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == uint64_t(taken));
  CHECK(outcome.rejected.of(RejectReason::quota) == uint64_t(30 - taken));
  quota.tell(mono_now());
  const auto notices = history_of(*channel->log, 10).notices;
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].find(" tailrace[ingest]: " + std::to_string(30 - taken) + " records over") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "the quota judges a POST as a whole, channel by channel") {
  quota.set_rate(10);  // the first one owes a minute and a half
  const std::string here = "<13>1 T h " + app->id + " p - - x", there = "<13>1 T h " + other->id + " p - - x";
  const Source source{nullptr, kNow};
  const auto post = [&](int n) {
    Tally tally;
    for (int i = 0; i < n; ++i) intake.count(here, false, source, tally);
    intake.count(there, false, source, tally);
    const auto wait = tally.judge(quota);
    for (int i = 0; i < n; ++i) intake.take(here, Source{nullptr, kNow, &tally});
    intake.take(there, Source{nullptr, kNow, &tally});
    CHECK((wait.count() > 0) == tally.refuses(channel));
    CHECK_FALSE(tally.refuses(other_channel));
    return flush();
  };
  CHECK(post(900).accepted == 901);
  const Intake::Outcome outcome = post(900);
  CHECK(outcome.accepted == 1);
  CHECK(outcome.rejected.of(RejectReason::quota) == 900);
}

TEST_CASE_FIXTURE(Fixture, "a long message is split on a UTF-8 boundary and counts once") {
  const std::string whole = "<13>1 T h a p - - " + std::string(10'000, 'x');
  CHECK_FALSE(intake.take(whole, Source{app, kNow}));
  CHECK(flush().accepted == 1);
  CHECK(texts(channel).size() == 1);

  std::string message = std::string(9'999, 'a') + "\xe2\x82\xac" + std::string(10'000, 'b') + "\n";
  const std::string frame = "<13>1 T h a p - - " + message;
  CHECK_FALSE(intake.take(frame, Source{app, kNow}));
  CHECK(flush().accepted == 1);
  std::string joined;
  const auto all = texts(channel);
  REQUIRE(all.size() == 4);
  for (size_t i = 1; i < all.size(); ++i) joined += all[i].substr(18);
  CHECK(joined == message);
  CHECK(all[1].size() == 18 + 9'999);
  CHECK(all[2].size() == 18 + 10'000);

  // No UTF-8 at all: cut where it is.
  const std::string high(20'000, '\x80');
  CHECK_FALSE(intake.take(high, Source{app, kNow}));
  CHECK(flush().accepted == 1);
  CHECK(texts(channel).size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "a removed token is unknown at once, and removal does not hurt what was taken") {
  const std::string frame = "<13>1 T h " + app->id + " web.1 - - one";
  CHECK_FALSE(intake.take(frame, Source{nullptr, kNow}));
  const std::string name = app->name;
  app = heroku = nullptr;
  REQUIRE(catalog.remove_channel("1").has_value());
  CHECK(intake.take(frame, Source{nullptr, kNow}) == RejectReason::unknown_token);
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == 0);
  CHECK(outcome.rejected.total() == 2);
}
