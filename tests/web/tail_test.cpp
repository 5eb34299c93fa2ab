// What a reader sees, without sockets: an exchange that keeps what is written.

#include "web/tail.h"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <sstream>
#include <thread>

#include "base/ids.h"
#include "tests/channels/log_fixture.h"
#include "tests/channels/slow_log.h"
#include "tests/eventually.h"
#include "web/json_body.h"
#include "web/sessions.h"
#include "web/tail_text.h"

using namespace tailrace;

namespace {

class FakeExchange final : public HttpExchange {
 public:
  explicit FakeExchange(Loop& loop) : loop_(loop) {}
  Loop& loop() override { return loop_; }
  asio::awaitable<void> respond(HttpResponse) override { co_return; }
  asio::awaitable<bool> begin_stream(int, HttpFields) override { co_return true; }
  asio::awaitable<bool> write(std::string_view bytes) override {
    written += bytes;
    if (during_write) during_write();
    co_return true;
  }
  size_t unsent() const override { return not_acknowledged; }
  void break_off() override {}
  void on_gone(std::function<void()> g) override { gone = std::move(g); }

  std::string written;
  size_t not_acknowledged = 0;
  std::function<void()> gone, during_write;

 private:
  Loop& loop_;
};

TailFilterPtr ps(const std::string& type) {
  return TailFilter::parse({.ps = type}).filter;
}
TailFilterPtr source(const std::string& app) {
  return TailFilter::parse({.source = app}).filter;
}

struct TailFixture : LogFixture {
  using LogFixture::LogFixture;

  void add(const std::string& app, const std::string& procid, const std::string& message) {
    BatchSet set;
    NewRecord r;
    const std::string ids = procid + " -";
    r.head = "T host";
    r.time_size = 1;
    r.app = app;
    r.ids = ids;
    r.procid_size = uint16_t(procid.size());
    r.message = message;
    set.add(channel, r);
    Appended waiter;
    set.for_each(1, [&](Channel& c, const Batch& b) { c.log->append(b, waiter); });
  }

  static asio::awaitable<void> serve(FakeExchange& exchange, const TailQuery& query, TailServices services,
                                     TailForm form = TailForm::text,
                                     std::unique_ptr<Cursor>* place = nullptr) {
    Tail tail(exchange, query, form, services);
    const bool follows = co_await tail.run_history();
    if (follows) co_await tail.follow();
    if (place) *place = tail.place();
    exchange.gone = nullptr;  // as a server does when the handler ends
  }

  /// The numbers that a reader got who came while another thread appended `app[PROCID]: N`, N from 0 to
  /// `total` - 1, every third of them by web.1, the others by worker.1.
  std::vector<int> read_while_appending(TailQuery query, int total) {
    query.channel = channel;
    std::atomic<int> added{0};
    std::atomic<bool> came{false};  // the second half follows the reader, however long he takes
    std::thread appender([&] {
      for (; added < total; ++added) {
        if (added == total / 2) came.wait(false);
        add("app", added % 3 ? "worker.1" : "web.1", std::to_string(added));
      }
    });
    CHECK(testing::eventually([&] { return added > total / 4; }));
    FakeExchange exchange(loop);
    asio::co_spawn(loop.io, serve(exchange, query, {counters, renderings}), asio::detached);
    const std::string last = "]: " + std::to_string((total - 1) / 3 * 3) + "\n";
    CHECK(testing::eventually([&] {
      loop.io.restart();
      loop.io.poll();
      came = true;
      came.notify_one();
      return query.follow ? exchange.written.find(last) != std::string::npos : !exchange.gone;
    }));
    appender.join();
    if (exchange.gone) exchange.gone();
    loop.io.restart();
    loop.io.poll();
    std::vector<int> numbers;
    for (size_t at = 0; (at = exchange.written.find("]: ", at)) != std::string::npos; at += 3)
      numbers.push_back(std::stoi(exchange.written.substr(at + 3, 10)));
    return numbers;
  }

  /// What the reader got once everything has come to rest.
  std::string read(TailQuery query, const std::function<void()>& meanwhile = {}) {
    query.channel = channel;
    FakeExchange exchange(loop);
    asio::co_spawn(loop.io, serve(exchange, query, {counters, renderings}), asio::detached);
    loop.io.restart();
    loop.io.poll();
    if (meanwhile) {
      meanwhile();
      loop.io.restart();
      loop.io.poll();
    }
    if (exchange.gone) exchange.gone();
    loop.io.restart();
    loop.io.poll();
    return exchange.written;
  }

  OwnCounters counters;
  Renderings renderings;
};

}  // namespace

TEST_CASE("a line: the sender's time, one newline") {
  TailFixture f;
  f.add("app", "web.1", "no newline");
  f.add("heroku", "router", "one newline\n");
  CHECK(f.read({}) == "T app[web.1]: no newline\nT heroku[router]: one newline\n");
}

TEST_CASE("exactly num, counted after the filters; ps matches a type or one of its processes") {
  TailFixture f;
  for (int i = 0; i < 300; ++i) {
    f.add("app", i % 3 ? "webhook.1" : i % 2 ? "web" : "web.2", std::to_string(i));
    f.add("heroku", "router", std::to_string(i));
  }
  CHECK(f.read({.num = 2, .filter = ps("web")}) == "T app[web.2]: 294\nT app[web]: 297\n");
  CHECK(f.read({.num = 1, .filter = source("heroku")}) == "T heroku[router]: 299\n");
  CHECK(f.read({.num = 5, .filter = ps("we")}).empty());
  CHECK(f.read({.num = 0}).empty());
  const std::string all =
      f.read({.num = 1'000'000, .filter = TailFilter::parse({.ps = "web", .source = "app"}).filter});
  CHECK(std::count(all.begin(), all.end(), '\n') == 100);
}

TEST_CASE("history, then what follows, without a hole; notices come through every filter") {
  TailFixture f;
  f.add("app", "web.1", "old");
  f.log().add_notice("before");
  f.add("app", "web.1", "newest");
  const std::string text = f.read({.num = 2, .follow = true, .filter = ps("web")}, [&] {
    f.add("app", "web.1", "live");
    f.add("app", "worker.1", "hidden");
    f.log().add_notice("NOW heroku[logplex]: drain 'd.1' failing since T: x");
    f.add("app", "web.2", "after");
  });
  CHECK(text ==
        "T app[web.1]: old\nbefore\nT app[web.1]: newest\nT app[web.1]: live\n"
        "NOW heroku[logplex]: drain 'd.1' failing since T: x\nT app[web.2]: after\n");
}

TEST_CASE("a reader who comes while records do gets exactly num of history, and no hole behind it") {
  for (const bool follow : {false, true})
    for (const bool filtered : {false, true})
      for (const uint64_t num : {0, 1, 10, 400, 100'000}) {
        CAPTURE(follow);
        CAPTURE(filtered);
        CAPTURE(num);
        TailFixture f({.history = 1500, .bytes = 64u << 20});
        const int total = 30'000, step = filtered ? 3 : 1;
        const std::vector<int> numbers = f.read_while_appending(
            {.num = num, .follow = follow, .filter = filtered ? ps("web") : nullptr}, total);
        for (size_t i = 1; i < numbers.size(); ++i) REQUIRE(numbers[i] == numbers[i - 1] + step);
        const uint64_t most = filtered ? 500 : 1500;  // of what the channel keeps for readers
        if (follow)
          CHECK(numbers.size() >= std::min(num, most));
        else
          CHECK(numbers.size() == std::min(num, most));
      }
}

TEST_CASE("what comes while the history is written comes behind it, once") {
  for (const bool filtered : {false, true}) {
    TailFixture f({.history = 4000, .bytes = 64u << 20});
    int made = 0;
    const auto add = [&](int records) {
      for (int i = 0; i < records; ++i, ++made)
        f.add("app", made % 2 ? "worker.1" : "web.1", std::to_string(made) + std::string(300, 'x'));
    };
    add(4000);
    FakeExchange exchange(f.loop);
    int writes = 0;
    exchange.during_write = [&] {
      if (++writes > 20) return;
      add(100);
      f.log().add_notice("! " + std::to_string(made));  // before that record
    };
    TailQuery query{
        .channel = f.channel, .num = 1900, .follow = true, .filter = filtered ? ps("web") : nullptr};
    asio::co_spawn(f.loop.io, TailFixture::serve(exchange, query, {f.counters, f.renderings}),
                   asio::detached);
    f.loop.io.poll();
    exchange.gone();
    f.loop.io.poll();
    CHECK(writes > 20);

    const int step = filtered ? 2 : 1;
    int next = 4000 - 1900 * step, notices = 0;
    std::istringstream lines(exchange.written);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("! ")) {
        CHECK(line == "! " + std::to_string(4000 + 100 * ++notices));
        CHECK(next == std::stoi(line.substr(2)));
      } else {
        REQUIRE(std::stoi(line.substr(line.find(": ") + 2)) == next);
        next += step;
      }
    }
    CHECK(notices == 20);
    CHECK(next == made);
  }
}

TEST_CASE("a reader that is too slow is told in place how many it missed") {
  TailFixture f({.history = 10, .bytes = 128 * 1024});
  int sent = 0;
  const std::string text = f.read({.num = 0, .follow = true}, [&] {
    for (; sent < 3000; ++sent) f.add("app", "web.1", std::string(200, 'x'));
  });
  const size_t at = text.find(" tailrace[tail]: Error L11 (Tail buffer overflow): ");
  REQUIRE(at != text.npos);
  const auto skipped = std::stoi(text.substr(text.find("): ", at) + 3));
  CHECK(std::count(text.begin(), text.end(), '\n') - 1 + skipped == sent);
}

TEST_CASE("positions: each record's number, a heartbeat behind the history, notices without one") {
  TailFixture f;
  f.add("app", "web.1", "one");
  f.log().add_notice("NOW heroku[logplex]: a notice");
  f.add("app", "worker.1", "two");
  const auto shown = [&](TailForm form, TailQuery query) {
    query.channel = f.channel;
    FakeExchange exchange(f.loop);
    std::unique_ptr<Cursor> place;
    asio::co_spawn(f.loop.io, TailFixture::serve(exchange, query, {f.counters, f.renderings}, form, &place),
                   asio::detached);
    f.loop.io.restart();
    f.loop.io.poll();
    if (exchange.gone) exchange.gone();
    f.loop.io.restart();
    f.loop.io.poll();
    CHECK((place != nullptr) == query.follow);
    return exchange.written;
  };
  CHECK(shown(TailForm::lines, {}) ==
        "1000 18\nT app[web.1]: one\n- 30\nNOW heroku[logplex]: a notice\n1001 21\nT app[worker.1]: "
        "two\n1001 0\n");
  CHECK(shown(TailForm::lines, {.follow = true, .filter = ps("web")}) ==
        "1000 18\nT app[web.1]: one\n- 30\nNOW heroku[logplex]: a notice\n1001 0\n");
  CHECK(shown(TailForm::lines, {.num = 0}) == "1001 0\n");
  CHECK(shown(TailForm::lines, {.num = std::nullopt, .after = Position{1000}}) ==
        "1001 21\nT app[worker.1]: two\n1001 0\n");
  CHECK(shown(TailForm::lines, {.num = 1, .after = Position{0}}) ==
        "1001 21\nT app[worker.1]: two\n1001 0\n");
  CHECK(shown(TailForm::lines, {.num = 0, .after = Position{0}}) == "1001 0\n");
  const std::string events = shown(TailForm::events, {.num = 1});
  CHECK(events.starts_with("id: 1001\ndata: {\"seq\":1001,"));
  CHECK(events.ends_with("}\n\nid: 1001\n\n"));
  const std::string anew = shown(TailForm::text, {.after = Position{5}});
  CHECK(anew.find(" tailrace[tail]: Error L11 (Tail buffer overflow): 0 records skipped since ") !=
        anew.npos);
  CHECK(anew.find(" tailrace[tail]: This log was begun anew; ") != anew.npos);
  CHECK(anew.ends_with("T app[worker.1]: two\n"));
}

TEST_CASE("a channel that may not be followed says so behind its history; one without history has none") {
  TailFixture f;
  f.add("app", "web.1", "one");
  f.channel->no_tail = true;
  const std::string text = f.read({.follow = true});
  CHECK(text.starts_with("T app[web.1]: one\n2"));
  CHECK(text.ends_with(
      " tailrace[tail]: Error L20 (Tail sessions forbidden): this channel may not be followed.\n"));
  CHECK(f.read({}) == "T app[web.1]: one\n");
  f.channel->no_tail = false;
  f.channel->no_history = true;
  CHECK(f.read({.follow = true}, [&] { f.add("app", "web.1", "two"); }) == "T app[web.1]: two\n");
  CHECK(f.read({.after = Position{0}, .born = Position{1001}}) == "T app[web.1]: two\n");
  CHECK(f.read({.after = Position{1001}, .born = Position{1001}}).empty());
}

TEST_CASE("what the reader's system has not acknowledged is kept for him") {
  TailFixture f({.history = 1, .bytes = 4u << 20});
  FakeExchange exchange(f.loop);
  const TailQuery query{.channel = f.channel, .num = 0, .follow = true};
  std::unique_ptr<Cursor> place;
  asio::co_spawn(f.loop.io,
                 TailFixture::serve(exchange, query, {f.counters, f.renderings}, TailForm::lines, &place),
                 asio::detached);
  const auto run = [&] {
    f.loop.io.restart();
    f.loop.io.poll();
  };
  run();
  const auto add = [&](int records) {
    for (int i = 0; i < records; ++i) f.add("app", "web.1", std::string(1000, 'x'));
    run();
  };
  exchange.not_acknowledged = 200'000;
  add(500);
  add(100);
  exchange.gone();
  run();
  REQUIRE(place);
  for (int i = 0; i < 20; ++i) add(100);
  TailQuery back{.channel = f.channel, .num = std::nullopt, .after = Position{1000 + 400}};
  CHECK(f.read(back).find("L11") == std::string::npos);
  place = nullptr;
  add(200);
  CHECK(f.read(back).find("L11") != std::string::npos);
}

TEST_CASE("what must be kept while history is chosen is bounded, and what that takes is told") {
  TailFixture f({.history = 100'000, .bytes = 1u << 30});
  for (int i = 0; i < 9'000; ++i) f.add("app", "web.1", std::to_string(i) + std::string(9'000, 'x'));
  const std::string text = f.read({.num = 8'000, .after = Position{1000}});
  const size_t at = text.find("Error L11 (Tail buffer overflow): ");
  REQUIRE(at < 100);
  const auto skipped = std::stoi(text.substr(at + 34));
  CHECK(skipped > 4'000);
  CHECK(std::count(text.begin(), text.end(), '\n') - 1 + skipped == 8'000);
  CHECK(f.read({.num = 100, .after = Position{1000}}).find("L11") == std::string::npos);
}

TEST_CASE("what a filter left out since the reader received something is kept behind that") {
  TailFixture f({.history = 1, .bytes = 16u << 20});
  FakeExchange exchange(f.loop);
  const TailQuery query{.channel = f.channel, .num = 0, .follow = true, .filter = ps("web")};
  std::unique_ptr<Cursor> place;
  asio::co_spawn(f.loop.io,
                 TailFixture::serve(exchange, query, {f.counters, f.renderings}, TailForm::lines, &place),
                 asio::detached);
  const auto add = [&](const char* procid, int records) {
    for (int i = 0; i < records; ++i) f.add("app", procid, std::string(500, 'x'));
    f.loop.io.restart();
    f.loop.io.poll();
  };
  add("web.1", 3);
  for (int i = 0; i < 50; ++i) add("worker.1", 100);
  exchange.gone();
  add("worker.1", 1);
  REQUIRE(place);
  for (int i = 0; i < 50; ++i) add("worker.1", 100);
  const std::string back = f.read({.num = std::nullopt, .after = Position{1000}, .filter = ps("web")});
  CHECK(std::count(back.begin(), back.end(), '\n') == 2);
  CHECK(back.find("L11") == std::string::npos);
}

TEST_CASE("sessions keep a place for an hour, and give it up when its reader has come back") {
  LogFixture f({.history = 1, .bytes = 1u << 20});
  Sessions sessions;
  const auto id = sessions.create({.channel = f.channel, .follow = true});
  REQUIRE(id.has_value());
  Woken task;
  const auto leave = [&] {
    auto reading = sessions.open(*id);
    REQUIRE(reading.has_value());
    Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
    tail.attach(f.log());
    auto place = std::make_unique<Cursor>();
    place->keep_place(tail);
    reading->leave_place(std::move(place));
  };
  const auto kept = [&] {  // of 1000 records that come now
    const uint64_t before = f.log().end().ordinal;
    for (int i = 0; i < 10; ++i) f.append(numbered(0, 100, 500));
    return f.log().end().ordinal - std::max(before, f.log().since(0).value().ordinal);
  };
  CHECK(kept() < 900);
  leave();
  CHECK(kept() == 1000);
  sessions.sweep(mono_now() + std::chrono::minutes(50));
  sessions.open(*id)->came_back();
  CHECK(kept() < 900);
  leave();
  CHECK(kept() == 1000);
  sessions.sweep(mono_now() + std::chrono::minutes(70));
  CHECK_FALSE(sessions.open(*id).has_value());
  CHECK(kept() < 900);
}

TEST_CASE("sessions live five minutes from their making, or from when the last reader left") {
  LogFixture f;
  Sessions sessions;
  const Mono start = mono_now();
  TailQuery query;
  query.channel = f.channel;
  const auto id = sessions.create(query, start);
  REQUIRE(id.has_value());
  CHECK(id->size() == 36);
  CHECK_FALSE(sessions.open("nope", start).has_value());
  CHECK(sessions.open(*id, start + std::chrono::minutes(4)).has_value());
  CHECK_FALSE(sessions.open(*id, start + std::chrono::minutes(15)).has_value());
  f.channel->removed = true;
  CHECK_FALSE(sessions.open(*id, start).has_value());
}

TEST_CASE("JSON of strangers is judged, never thrown") {
  CHECK(json_object("")->empty());
  for (const std::string bad : {"[]", "1", "{", "{\"a\":}", "\xff", "nul", "{\"a\":1e999}"})
    CHECK_FALSE(json_object(bad));
  CHECK_FALSE(json_object(std::string(100'000, '[')));
  CHECK_FALSE(json_object("{\"a\":" + std::string(100'000, '[')));
  bool wrong = false;
  CHECK(text_field(*json_object("{\"a\":\"x\",\"b\":7}"), "a", wrong) == "x");
  CHECK(text_field(*json_object("{\"a\":\"x\",\"b\":7}"), "b", wrong) == "7");
  CHECK_FALSE(text_field(*json_object("{\"a\":null}"), "a", wrong));
  CHECK_FALSE(wrong);
  for (const char* value : {"-1", "1.5", "true", "[]", "{}"}) {
    wrong = false;
    CHECK_FALSE(text_field(*json_object(std::string("{\"a\":") + value + "}"), "a", wrong));
    CHECK(wrong);
  }
  CHECK(is_token_id("t.01234567-89ab-4def-8123-456789abcdef"));
  for (const char* bad : {"", "t.", "t.01234567-89AB-4def-8123-456789abcdef",
                          "d.01234567-89ab-4def-8123-456789abcdef", "t.01234567+89ab-4def-8123-456789abcdef"})
    CHECK_FALSE(is_token_id(bad));
}

TEST_CASE("history on disk: a session does not end while a read is out, and gives exactly num") {
  for (const bool follow : {false, true})
    for (const bool filtered : {false, true}) {
      CAPTURE(follow);
      CAPTURE(filtered);
      testing::SlowDisk disk(1'000);
      TailFixture f;
      f.channel->log = std::make_unique<testing::SlowLog>(disk, *f.channel, Position{1000}, f.pressure);
      for (int i = 0; i < 3000; ++i) f.add("app", i % 3 ? "worker.1" : "web.1", std::to_string(i));
      f.log().add_notice("a notice");
      disk.hold(2);
      FakeExchange exchange(f.loop);
      const TailQuery query{
          .channel = f.channel, .num = 500, .follow = follow, .filter = filtered ? ps("web") : nullptr};
      asio::co_spawn(f.loop.io, TailFixture::serve(exchange, query, {f.counters, f.renderings}),
                     asio::detached);
      const auto run = [&](auto&& until) {
        return testing::eventually([&] {
          f.loop.io.restart();
          f.loop.io.poll();
          return until();
        });
      };
      REQUIRE(run([&] { return disk.holds_somebody(); }));
      CHECK(exchange.gone);  // it goes on
      CHECK(exchange.written.find("a notice") == std::string::npos);
      disk.release();
      CHECK(run([&] { return exchange.written.find("a notice") != std::string::npos; }));
      CHECK(std::count(exchange.written.begin(), exchange.written.end(), '\n') == 501);
      CHECK(exchange.written.ends_with(filtered ? "web.1]: 2997\na notice\n" : "]: 2999\na notice\n"));
      if (!follow) CHECK(run([&] { return !exchange.gone; }));
      if (follow) {
        f.add("app", "web.1", "live");
        CHECK(run([&] { return exchange.written.ends_with("a notice\nT app[web.1]: live\n"); }));
        exchange.gone();
        CHECK(run([&] { return !exchange.gone; }));
      }
      disk.stop();
    }
}
