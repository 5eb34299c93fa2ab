#include "cli/sink.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <random>
#include <thread>

#include "cli/api_client.h"
#include "cli/sequence_check.h"
#include "cli/simulator.h"
#include "cli/sink_protocol.h"

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

// Waits for what another thread will bring about; the bound only ends a broken test.
template <class F>
bool eventually(F&& true_now) {
  for (const auto end = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < end;) {
    if (true_now()) return true;
    std::this_thread::yield();
  }
  return false;
}

std::vector<std::string> frames_of(const std::string& stream, size_t chunk, bool& sound) {
  std::vector<std::string> out;
  FrameReader reader;
  sound = true;
  for (size_t at = 0; at < stream.size() && sound; at += chunk) {
    sound = reader.add(std::string_view(stream).substr(at, chunk),
                       [&](std::string_view frame) { out.emplace_back(frame); });
  }
  return out;
}

Simulator::Options numbered(double rate, std::chrono::milliseconds duration) {
  Simulator::Options options;
  options.model.rate = rate;
  options.numbered = 7;
  options.paced = false;
  options.duration = duration;
  return options;
}

}  // namespace

TEST_CASE("numbers are a set, however they come") {
  std::vector<uint64_t> numbers(2000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = i + 10;
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937(1));
  NumberSet set;
  for (const uint64_t n : numbers) CHECK(set.insert(n));
  for (const uint64_t n : numbers) CHECK_FALSE(set.insert(n));
  CHECK(set.size() == 2000);
  CHECK(set.lowest() == 10);
  CHECK(set.highest() == 2009);
  CHECK(set.ranges() == 1);
}

TEST_CASE("missing, repeated and reordered are counted per source") {
  SequenceCheck check;
  for (const char* text : {"a seq=0001-0000000000", "seq=5 not a number of ours", "b seq=0001-0000000002",
                           "c seq=7", "d seq=0001-0000000001 tail", "e seq=0001-0000000004\n",
                           "f seq=0001-0000000002", "g seq=9", "nothing", "xseq=1", "h seq=0001-x"}) {
    check.note(text);
  }
  const auto c = check.counts();
  CHECK(c.sources == 2);
  CHECK(c.unique == 6);     // 0 1 2 4 and 7 9
  CHECK(c.missing == 2);    // 3 and 8
  CHECK(c.repeated == 1);   // 2
  CHECK(c.reordered == 1);  // 1
  CHECK(c.unnumbered == 4);
}

TEST_CASE("syslog frames, counted and newline-framed, whatever the chunks") {
  const std::string stream = "5 hello11 two\nlines xline one\n\n3 abc12:00 is no count\n";
  for (size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    bool sound;
    CHECK(frames_of(stream, chunk, sound) ==
          std::vector<std::string>{"hello", "two\nlines x", "line one", "", "abc", "12:00 is no count"});
    CHECK(sound);
  }
  bool sound;
  frames_of("9999999 x", 100, sound);
  CHECK_FALSE(sound);
}

TEST_CASE("HTTP requests: lengths, chunks, pipelines, nonsense") {
  const std::string stream =
      "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Type: application/logplex-1\r\n\r\nhello"
      "POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
      "GET /c HTTP/1.1\r\nConnection: close\r\n\r\n";
  for (size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    RequestReader reader;
    std::vector<SinkRequest> got;
    for (size_t at = 0; at < stream.size(); at += chunk) {
      reader.add(std::string_view(stream).substr(at, chunk));
      while (auto request = reader.next()) got.push_back(*request);
    }
    REQUIRE(got.size() == 3);
    CHECK(got[0].body == "hello");
    CHECK(got[0].content_type == "application/logplex-1");
    CHECK(got[1].body == "abcde");
    CHECK(got[1].keep_alive);
    CHECK(got[2].target == "/c");
    CHECK_FALSE(got[2].keep_alive);
    CHECK(reader.idle());
  }
  for (const char* bad :
       {"nonsense\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "POST / HTTP/2\r\n\r\n"}) {
    RequestReader reader;
    reader.add(bad);
    CHECK_FALSE(reader.next());
    CHECK(reader.broken());
  }
}

TEST_CASE("syslog: the simulator's lines arrive whole, once, in order") {
  Sink sink({.protocol = Sink::Protocol::syslog});
  REQUIRE(sink.start());
  Simulator simulator(numbered(200, 20s), syslog_outlet("127.0.0.1", sink.port()));
  simulator.start();
  REQUIRE(simulator.wait_finished(20s));
  simulator.stop();
  const auto sent = simulator.counts();
  CHECK(sent.failed == 0);
  CHECK(sent.lines == sent.sent);
  CHECK(sent.lines > 3000);
  CHECK(eventually([&] { return sink.received() == sent.sent; }));
  const SinkCounts got = sink.counts();
  CHECK(got.unique == sent.sent);
  CHECK(got.missing + got.repeated + got.reordered + got.unnumbered + got.malformed == 0);
}

TEST_CASE("a past goes out at once, whole and in order, and then the present follows") {
  Sink sink({.protocol = Sink::Protocol::syslog});
  REQUIRE(sink.start());
  Simulator::Options options = numbered(200, 60s);
  options.paced = true;
  options.duration.reset();
  options.began_ago = 60'000'000;
  Simulator simulator(std::move(options), syslog_outlet("127.0.0.1", sink.port()));
  simulator.start();
  REQUIRE(simulator.wait_caught_up(20s));
  const uint64_t past = simulator.counts().lines;
  CHECK(past > 15'000);  // two lines a request
  CHECK(eventually([&] { return simulator.counts().lines > past; }));
  simulator.stop();
  const auto sent = simulator.counts();
  CHECK(sent.failed == 0);
  CHECK(eventually([&] { return sink.received() == sent.sent; }));
  CHECK(sink.counts().unique == sent.lines);
  CHECK(sink.missing() + sink.counts().reordered == 0);
}

TEST_CASE("HTTP: a sink that answers 503 for a while costs nothing") {
  Sink sink({.protocol = Sink::Protocol::http});
  REQUIRE(sink.start());
  sink.set_mode({.mode = SinkBehaviour::status, .code = 503});
  Simulator simulator(numbered(200, 10s),
                      http_outlet("http://127.0.0.1:" + std::to_string(sink.port()) + "/logs", {}));
  simulator.start();
  CHECK(eventually([&] { return sink.counts().turned_away >= 1; }));
  CHECK(sink.received() == 0);
  sink.set_mode(SinkBehaviour::ok);
  REQUIRE(simulator.wait_finished(20s));
  simulator.stop();
  const auto sent = simulator.counts();
  CHECK(sent.failed == 0);
  CHECK(eventually([&] { return sink.received() == sent.sent; }));  // it counts what it has answered
  CHECK(sink.counts().unique == sent.sent);
  CHECK(sink.missing() == 0);
}

TEST_CASE("refuse: what was sent is read, connects fail, and later they work") {
  namespace asio = boost::asio;
  using asio::ip::tcp;
  Sink sink({.protocol = Sink::Protocol::syslog});
  REQUIRE(sink.start());
  asio::io_context io;
  const tcp::endpoint there(asio::ip::make_address("127.0.0.1"), sink.port());
  tcp::socket first(io);
  first.connect(there);
  asio::write(first, asio::buffer(std::string("5 hello")));
  CHECK(eventually([&] { return sink.received() == 1; }));
  sink.set_mode(SinkBehaviour::refuse);

  char byte;
  boost::system::error_code failed;
  asio::read(first, asio::buffer(&byte, 1), failed);
  CHECK(failed == asio::error::eof);
  asio::write(first, asio::buffer(std::string("6 on its way")), failed);
  CHECK(eventually([&] { return sink.received() == 2; }));
  tcp::socket second(io);
  second.connect(there, failed);
  CHECK(failed == asio::error::connection_refused);

  sink.set_mode(SinkBehaviour::ok);
  tcp::socket third(io);
  CHECK(eventually([&] {
    boost::system::error_code no;
    third.close(no);
    third.connect(there, no);
    return !no;
  }));
  asio::write(third, asio::buffer(std::string("5 again")));
  CHECK(eventually([&] { return sink.received() == 3; }));
}

TEST_CASE("hang: connects work, answers do not come, until they do") {
  Sink sink({.protocol = Sink::Protocol::http});
  REQUIRE(sink.start());
  const std::string url = "http://127.0.0.1:" + std::to_string(sink.port());
  sink.set_mode(SinkBehaviour::hang);
  ApiClient hasty({.url = url, .auth = {}, .deadline = 200ms});
  CHECK(hasty.post("/logs", "5 hello", "application/logplex-1").error().exit_code == exit_unreachable);
  CHECK(sink.received() == 0);
  sink.set_mode(SinkBehaviour::ok);
  ApiClient patient({.url = url, .auth = {}});
  CHECK(patient.post("/logs", "5 hello5 world", "application/logplex-1").has_value());
  CHECK(eventually([&] { return sink.received() >= 2; }));
  sink.set_mode(SinkBehaviour::close);
  CHECK(patient.post("/logs", "5 hello", "application/logplex-1").has_error());
}

TEST_CASE("a far end that nobody listens at: everything is counted as failed") {
  uint16_t port = 0;
  {
    Sink gone({.protocol = Sink::Protocol::syslog});
    REQUIRE(gone.start());
    port = gone.port();
  }
  auto options = numbered(100, 1s);
  options.paced = true;
  Simulator simulator(std::move(options), syslog_outlet("127.0.0.1", port));
  simulator.start();
  CHECK(eventually([&] { return simulator.counts().lines > 0; }));
  simulator.stop();
  const auto counts = simulator.counts();
  CHECK(counts.sent == 0);
  CHECK(counts.failed == counts.lines);
  CHECK(counts.trouble == "connect: Connection refused");
}

TEST_CASE("a frame's own time") {
  const auto at = [](const char* time) {
    return frame_time("<190>1 " + std::string(time) + " host app web.1 - - x");
  };
  const Micros whole = 1'767'323'045'000'000;  // 2026-01-02T03:04:05Z
  CHECK(at("2026-01-02T03:04:05Z") == whole);
  CHECK(at("2026-01-02T03:04:05.678901+00:00") == whole + 678'901);
  CHECK(at("2026-01-02T03:04:05.5Z") == whole + 500'000);
  CHECK(at("2026-01-02T03:04:05.123456789Z") == whole + 123'456);
  CHECK(at("2026-01-02T05:34:05+02:30") == whole);
  CHECK(at("2026-01-01T22:04:05.25-05:00") == whole + 250'000);
  for (const char* none :
       {"-", "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05+01:00x", "2026-01-02 03:04:05Z"}) {
    CAPTURE(none);
    CHECK_FALSE(at(none));
  }
  CHECK_FALSE(frame_time("nonsense"));
}

TEST_CASE("bodies are counted as they were before compression") {
  SinkRequest request;
  request.body = "5 hello";
  CHECK(decoded_body(request) == "5 hello");
  request.content_encoding = "gzip";
  CHECK_FALSE(decoded_body(request));
  const unsigned char gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                0x33, 0x55, 0xc8, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
  request.body.assign(reinterpret_cast<const char*>(gzip), sizeof gzip);
  CHECK_FALSE(decoded_body(request));  // cut off
  request.content_encoding = "br";
  CHECK_FALSE(decoded_body(request));
}
