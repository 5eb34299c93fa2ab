#include "drains/frames.h"

#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

/// The one record that comes of these parts.
struct OneRecord {
  explicit OneRecord(const std::string& message, std::string_view sd = "-") {
    BatchSet set;
    NewRecord r;
    r.head = "2012-12-10T03:00:48.123456Z erlang";
    r.time_size = 27;
    r.app = "app";
    r.ids = "console.1 ID47";
    r.procid_size = 9;
    r.sd = sd;
    r.message = message;
    r.pri = 134;
    set.add(fixture.channel, r);
    Appended waiter;
    set.for_each(1, [&](Channel& c, const Batch& b) { c.log->append(b, waiter); });
    history = history_of(fixture.log(), 1);
  }
  Record record() const { return *history.slices.at(0).begin(); }

  LogFixture fixture;
  History history;
};

template <class Frames>
std::string written(const Frames& frames, const Record& record) {
  std::string out(frames.size(record), '?');
  CHECK(frames.write(record, out.data()) == out.data() + out.size());
  return out;
}

const std::string kToken = "d.8f1ad4b0-1f2a-4f0e-9b0a-1f2a3b4c5d6e";

}  // namespace

TEST_CASE("syslog: HOST is the drain's token, no MSGID, no structured data, a newline ensured and counted") {
  const SyslogFrames frames(kToken);
  for (const std::string message : {"hello one", "hello one\n"}) {
    const OneRecord one(message, "[a@1 b=\"c\"]");
    CHECK(written(frames, one.record()) ==
          "102 <134>1 2012-12-10T03:00:48.123456Z " + kToken + " app console.1 - - hello one\n");
  }
  const OneRecord empty("");
  const std::string frame = written(frames, empty.record());
  CHECK(frame == "93 <134>1 2012-12-10T03:00:48.123456Z " + kToken + " app console.1 - - \n");
}

TEST_CASE("logplex-1: HOST is host, no structured data, the message as it came") {
  CHECK(written(LogplexFrames(), OneRecord("hello one").record()) ==
        "65 <134>1 2012-12-10T03:00:48.123456Z host app console.1 - hello one");
  CHECK(written(LogplexFrames(), OneRecord("hello one\n").record()) ==
        "66 <134>1 2012-12-10T03:00:48.123456Z host app console.1 - hello one\n");
  const std::string bytes("a\0\xff\n\nb", 6);
  CHECK(written(LogplexFrames(), OneRecord(bytes).record()) ==
        "62 <134>1 2012-12-10T03:00:48.123456Z host app console.1 - " + bytes);
}

TEST_CASE("rfc5424: the whole record, as it was sent") {
  CHECK(written(Rfc5424Frames(), OneRecord("hello one\n", "[a@1 b=\"c\"]").record()) ==
        "83 <134>1 2012-12-10T03:00:48.123456Z erlang app console.1 ID47 [a@1 b=\"c\"] hello one\n");
  CHECK(written(Rfc5424Frames(), OneRecord("").record()) ==
        "63 <134>1 2012-12-10T03:00:48.123456Z erlang app console.1 ID47 - ");
}

TEST_CASE("which frames a drain's format means") {
  using Format = DrainOptions::Format;
  const OneRecord one("hello", "[a]");
  CHECK(written(Frames::syslog(Format::logplex, kToken), one.record()) ==
        written(SyslogFrames(kToken), one.record()));
  CHECK(written(Frames::body(Format::logplex), one.record()) == written(LogplexFrames(), one.record()));
  for (const Frames& frames : {Frames::syslog(Format::rfc5424, kToken), Frames::body(Format::rfc5424)}) {
    CHECK(written(frames, one.record()) == written(Rfc5424Frames(), one.record()));
    CHECK(frames.loss(2, 0, 1'000'000) == Rfc5424Frames::loss(2, 0, 1'000'000));
  }
}

TEST_CASE("a chunk's frames never outgrow the scratch: a frame is at most kMostOverhead above its entry") {
  const SyslogFrames frames(kToken);
  for (const size_t size : {0, 1, 9, 10, 1000, 9'999, 10'000}) {
    const OneRecord one(std::string(size, 'x'));
    CHECK(frames.size(one.record()) <= one.record().stride() + Frames::kMostOverhead);
    CHECK(Rfc5424Frames::size(one.record()) <= one.record().stride() + Frames::kMostOverhead);
  }
}

TEST_CASE("the drain's own L10 frames, as Logplex wrote them") {
  const Micros since = 1'700'000'000'000'000, now = since + 75'000'000;
  CHECK(LogplexFrames::loss(500, since, now) ==
        "144 <172>1 2023-11-14T22:14:35+00:00 host heroku logplex - Error L10 (output buffer overflow): 500 "
        "messages dropped "
        "since 2023-11-14T22:13:20+00:00.");
  CHECK(
      Rfc5424Frames::loss(500, since, now) ==
      "146 <172>1 2023-11-14T22:14:35+00:00 host heroku logplex - - Error L10 (output buffer overflow): 500 "
      "messages dropped since 2023-11-14T22:13:20+00:00.");
  const std::string syslog = SyslogFrames(kToken).loss(1, since, now);
  CHECK(syslog.ends_with("<172>1 2023-11-14T22:14:35+00:00 " + kToken +
                         " heroku logplex - - Error L10 (output buffer overflow): 1 messages dropped since "
                         "2023-11-14T22:13:20+00:00.\n"));
}

TEST_CASE("losses of a sender, each kind by itself, as log-shuttle told them") {
  const Micros since = 1'700'000'000'000'000, now = since + 75'000'000;
  Loss loss;
  loss.add(Loss::of(DropReason::refused, 2, since + 5, {7}));
  loss.add(Loss::of(DropReason::overflow, 30, since + 1'000'000, {3}));
  loss.add(Loss::of(DropReason::refused, 1, since + 2'000'000, {9}));
  loss.add(Loss::of(DropReason::overflow, 70, since, {1}));
  CHECK(loss.records == 103);
  CHECK(loss.since == since);
  CHECK(loss.first == Position{1});
  const Loss refused = loss.take_second_kind();
  CHECK(sender_loss("t.1", loss, now) ==
        "138 <172>1 2023-11-14T22:14:35.000000+00:00 heroku t.1 log-shuttle - - Error L12: 100 messages "
        "dropped "
        "since 2023-11-14T22:13:20.000000+00:00\n");
  CHECK(sender_loss("t.1", refused, now) ==
        "133 <172>1 2023-11-14T22:14:35.000000+00:00 heroku t.1 log-shuttle - - Error L13: 3 messages lost "
        "since "
        "2023-11-14T22:13:20.000005+00:00\n");
  CHECK(loss.take_second_kind().records == 0);
  CHECK(loss.records == 100);
  Loss alone = refused;
  CHECK(alone.take_second_kind().records == 0);
  CHECK(alone.records == 3);
}
