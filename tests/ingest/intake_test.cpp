#include "ingest/intake.h"

#include <doctest/doctest.h>

#include "channels/memory_catalog.h"
#include "channels/memory_store.h"

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
    for (const Slice& slice : of->log->history(1000).slices)
      for (const Record record : slice) all.emplace_back(record.text());
    return all;
  }
  struct Flushed final : Intake::Done {
    void flushed(const Intake::Outcome& o) override { outcome = o, ++calls; }
    Intake::Outcome outcome;
    int calls = 0;
  };
  Intake::Outcome flush() {
    Flushed done;
    intake.flush(Protocol::http, kNow, {}, &done);
    CHECK(done.calls == 1);
    return done.outcome;
  }

  static constexpr Micros kNow = 1'700'000'000'000'000;
  prometheus::Registry registry;
  IngestStats stats{registry};
  MemoryStore store{{}};
  MemoryCatalog memory{store, 6};
  Catalog& catalog = memory;
  ChannelPtr channel, other_channel;
  TokenPtr app, heroku, other;
  Intake intake{catalog, stats};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "records go where their token says, under its name") {
  const std::string a = "<13>1 T h " + app->id + " web.1 - - one", b = "<13>1 T h " + other->id + " p - two",
                    c = "<158>1 T h " + heroku->id + " router - - three\n", d = "<13>1 T h nobody p - four",
                    e = "<13>1 T h t.00000000-0000-4000-8000-000000000000 p - five", f = "no syslog";
  for (const std::string* frame : {&a, &b, &c}) CHECK_FALSE(intake.take(*frame, nullptr, kNow));
  for (const std::string* frame : {&d, &e, &f})
    CHECK(intake.take(*frame, nullptr, kNow) == RejectReason::unknown_token);
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
  for (const std::string& frame : frames) CHECK_FALSE(intake.take(frame, app, kNow));
  CHECK(flush().accepted == 5);
  CHECK(texts(other_channel).empty());
  CHECK(texts(channel) ==
        std::vector<std::string>{"<13>1 T h heroku router - - as sent", "<13>1 T h heroku p - - named",
                                 "<13>1 T h app p - - foreign", "<13>1 T h app p - - invented",
                                 "<13>1 2023-11-14T22:13:20.000000+00:00 - app - - - 11 hello world"});
}

TEST_CASE_FIXTURE(Fixture, "a long message is split on a UTF-8 boundary and counts once") {
  const std::string whole = "<13>1 T h a p - - " + std::string(10'000, 'x');
  CHECK_FALSE(intake.take(whole, app, kNow));
  CHECK(flush().accepted == 1);
  CHECK(texts(channel).size() == 1);

  std::string message = std::string(9'999, 'a') + "\xe2\x82\xac" + std::string(10'000, 'b') + "\n";
  const std::string frame = "<13>1 T h a p - - " + message;
  CHECK_FALSE(intake.take(frame, app, kNow));
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
  CHECK_FALSE(intake.take(high, app, kNow));
  CHECK(flush().accepted == 1);
  CHECK(texts(channel).size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "a removed token is unknown at once, and removal does not hurt what was taken") {
  const std::string frame = "<13>1 T h " + app->id + " web.1 - - one";
  CHECK_FALSE(intake.take(frame, nullptr, kNow));
  const std::string name = app->name;
  app = heroku = nullptr;
  REQUIRE(catalog.remove_channel("1").has_value());
  CHECK(intake.take(frame, nullptr, kNow) == RejectReason::unknown_token);
  const Intake::Outcome outcome = flush();
  CHECK(outcome.accepted == 0);
  CHECK(outcome.rejected.total() == 2);
}
