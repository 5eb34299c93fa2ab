// ns per record of what drains do: frames, filters, compression and signatures alone; then whole drains over
// loopback to a reader that throws everything away, beside a loop that only writes the same bytes.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <charconv>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "channels/memory_catalog.h"
#include "channels/memory_store.h"
#include "drains/compress.h"
#include "drains/drain_set.h"
#include "drains/filter.h"
#include "drains/frames.h"
#include "drains/signature.h"
#include "tests/drains/made_record.h"

namespace tailrace {
namespace {

constexpr auto kTime = "2026-11-21T07:45:54.123456+00:00";
constexpr int kBatch = 100;

/// Lines as a busy app has them: two in three of the router, one of the app's own.
std::vector<std::string> lines(size_t count) {
  std::mt19937 random(5);
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    if (i % 3 == 0) {
      out.push_back(fmt::format("Completed 200 OK in {}ms (Views: {}.{}ms | ActiveRecord: {}.{}ms)",
                                below(900), below(99), below(9), below(99), below(9)));
      continue;
    }
    out.push_back(fmt::format(
        R"(at=info method=GET path="/items/{}?page={}" host=shop.example.com request_id={:08x}-{:04x}-{:04x}-{:04x} )"
        R"(fwd="203.0.113.{}" dyno=web.{} connect={}ms service={}ms status={} bytes={} protocol=https)",
        below(99999), below(9), random(), below(65536), below(65536), below(65536), below(254), below(8),
        below(3), below(900), below(50) ? 200 : 503, below(20000)));
  }
  return out;
}

std::vector<MadeRecord> records(size_t count) {
  std::vector<MadeRecord> out;
  for (const std::string& line : lines(count)) out.emplace_back(line, 158, kTime, "host", "heroku", "router");
  return out;
}

std::string body() {
  std::string out;
  for (const MadeRecord& made : records(4000)) {
    const size_t at = out.size();
    out.resize(at + LogplexFrames::size(made.record()));
    LogplexFrames::write(made.record(), out.data() + at);
  }
  return out;
}

void per_record(benchmark::State& state, size_t each) {
  state.SetItemsProcessed(state.iterations() * int64_t(each));
  state.counters["ns_per_record"] = benchmark::Counter(
      double(state.iterations()) * double(each), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// ---- parts -----------------------------------------------------------------------------------------------

template <class F>
void frames(benchmark::State& state, const F& encoder) {
  const std::vector<MadeRecord> all = records(1000);
  std::string out(1 << 20, '\0');
  for (auto _ : state) {
    char* at = out.data();
    for (const MadeRecord& made : all) at = encoder.write(made.record(), at);
    benchmark::DoNotOptimize(at);
    benchmark::ClobberMemory();
  }
  per_record(state, all.size());
}
void syslog_frames(benchmark::State& state) {
  frames(state, SyslogFrames("d.01234567-89ab-cdef-0123-456789abcdef"));
}
void logplex_frames(benchmark::State& state) {
  frames(state, LogplexFrames());
}
void rfc5424_frames(benchmark::State& state) {
  frames(state, Rfc5424Frames());
}
BENCHMARK(syslog_frames);
BENCHMARK(logplex_frames);
BENCHMARK(rfc5424_frames);

void filter(benchmark::State& state, const char* text) {
  const ParsedFilter parsed = parse_filter(text);
  if (!parsed.filter) return state.SkipWithError(parsed.error.c_str());
  const std::vector<MadeRecord> all = records(1000);
  for (auto _ : state) {
    size_t wanted = 0;
    for (const MadeRecord& made : all) wanted += parsed.filter->wants(made.record());
    benchmark::DoNotOptimize(wanted);
  }
  per_record(state, all.size());
}
BENCHMARK_CAPTURE(filter, severity, "@severity<=warning");
BENCHMARK_CAPTURE(filter, procid, "@procid=web");
BENCHMARK_CAPTURE(filter, text, "timeout");
BENCHMARK_CAPTURE(filter, number, "status>=500");
BENCHMARK_CAPTURE(filter, unit, "service>1s");
BENCHMARK_CAPTURE(filter, pair, "code=H12");
BENCHMARK_CAPTURE(filter, expression, "/H1[0-9]/");
BENCHMARK_CAPTURE(filter, expression_any_case, "/timeout|refused/i");
BENCHMARK_CAPTURE(filter, three, "@app=heroku status>=500 -path~^/health or Completed service>1s");

/// range(0): bytes of the body.
void packed(benchmark::State& state, DrainOptions::Encoding encoding) {
  std::string text;
  const std::string one = body();
  while (text.size() < size_t(state.range(0))) text += one;
  text.resize(size_t(state.range(0)));
  size_t size = 0;
  for (auto _ : state) {
    Compressor compressor(encoding, text.size());
    compressor.add(text);
    size = compressor.finish().size();
  }
  per_record(state, text.size() * 4000 / one.size());
  state.counters["ratio"] = double(text.size()) / double(size);
}
BENCHMARK_CAPTURE(packed, gzip, DrainOptions::Encoding::gzip)->Arg(100 << 10)->Arg(128 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(packed, zstd, DrainOptions::Encoding::zstd)->Arg(100 << 10)->Arg(128 << 10)->Arg(1 << 20);

void signature(benchmark::State& state) {
  std::string text = body();
  text.resize(size_t(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(
        webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id", 1700000000, text));
}
BENCHMARK(signature)->Arg(1000)->Arg(100 << 10);

// ---- whole drains ----------------------------------------------------------------------------------------

/// A far end that throws away what it reads and answers POSTs; one thread for all its connections' bytes.
class Discarder {
 public:
  explicit Discarder(bool http) : http_(http), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] {
      for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;)
        readers_.emplace_back([this, fd] { http_ ? answer(fd) : read(fd), ::close(fd); });
    });
  }
  ~Discarder() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (std::thread& reader : readers_) reader.join();
  }
  uint16_t port() const { return port_; }

 private:
  static void read(int fd) {
    std::vector<char> buffer(256 * 1024);
    while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
    }
  }
  static void answer(int fd) {
    std::string have;
    std::vector<char> buffer(256 * 1024);
    size_t body_left = 0;
    for (;;) {
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      have.append(buffer.data(), size_t(got));
      for (;;) {
        if (body_left) {
          const size_t skipped = std::min(body_left, have.size());
          have.erase(0, skipped);
          body_left -= skipped;
          if (body_left) break;
          constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
          if (::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) return;
        }
        const size_t end = have.find("\r\n\r\n");
        if (end == std::string::npos) break;
        const size_t length = have.find("Content-Length: ") + 16;
        std::from_chars(have.data() + length, have.data() + end, body_left);
        have.erase(0, end + 4);
      }
    }
  }

  const bool http_;
  const int listener_;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> readers_;
};

struct Cpu {
  double user = 0, kernel = 0;  // seconds
};
Cpu of_this_thread() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
  return {seconds(used.ru_utime), seconds(used.ru_stime)};
}

struct Ignored final : AppendWaiter {
  void appended(Result<Position> first) override { benchmark::DoNotOptimize(first); }
};

/// One loop with drains of one channel, to which this thread appends.
class Node {
 public:
  Node(const std::string& kind, const std::string& options, int64_t drains) {
    catalog_.watch(&drains_);
    channel_ = *catalog_.add_channel("bench");
    loops_.start();
    for (int64_t i = 0; i < drains; ++i) {
      far_ends_.push_back(std::make_unique<Discarder>(kind == "http"));
      const std::string url = fmt::format("{}://127.0.0.1:{}", kind, far_ends_.back()->port());
      entries_.push_back(*catalog_.add_drain("1", url, {.options = options}));
    }
    NewRecord record;
    record.head = "2026-11-21T07:45:54.123456+00:00 host";
    record.time_size = 32;
    record.app = "heroku";
    record.ids = "router -";
    record.procid_size = 6;
    record.pri = 158;
    for (const std::string& line : lines_) record.message = line, batch_.add(channel_, record);
  }
  ~Node() {
    drains_.stop();
    loops_.stop();
  }

  /// Appends so many records, a batch at a time, and waits until all drains have delivered them; no drain
  /// lags by more than `lag`. Gives what the loop's thread took.
  Cpu send(uint64_t count, uint64_t lag) {
    const Cpu before = of_loop();
    for (uint64_t sent = 0; sent < count; sent += kBatch) {
      batch_.for_each(wall_now(), [&](Channel& c, const Batch& batch) { c.log->append(batch, ignored_); });
      wait_until_at_most(lag);
    }
    wait_until_at_most(0);
    const Cpu after = of_loop();
    return {after.user - before.user, after.kernel - before.kernel};
  }

 private:
  Cpu of_loop() {
    std::promise<Cpu> promise;
    boost::asio::post(loops_[0].io, [&] { promise.set_value(of_this_thread()); });
    return promise.get_future().get();
  }
  void wait_until_at_most(uint64_t lag) {
    for (const DrainEntry& entry : entries_)
      while (drains_.account(entry)->ledger.buffered > lag)
        std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  std::vector<std::unique_ptr<Discarder>> far_ends_;  // end last
  std::vector<std::string> lines_ = lines(kBatch);
  MemoryStore store_{{.limits = {.bytes = 1u << 30}, .budget = 2u << 30}};
  MemoryCatalog catalog_{store_, {.drains_per_channel = 100}};
  ChannelPtr channel_;
  EventLoops loops_{1};
  Connector connector_{loops_, {.policy = *AddressPolicy::parse("127.0.0.0/8", ""), .name_servers = {}}};
  ClientTls tls_;
  DrainSet drains_{loops_, {connector_, tls_}};
  std::vector<DrainEntry> entries_;
  BatchSet batch_;
  Ignored ignored_;
};

/// range(0): drains; range(1): how many records they may lag: 100 makes them send each batch by itself. The
/// kernel counts its part in ticks: a run must be long.
void drain(benchmark::State& state, const char* kind, const char* options) {
  const uint64_t each = state.range(1) == 100 ? 1'500'000 : 10'000'000;
  Node node(kind, options, state.range(0));
  node.send(20'000, uint64_t(state.range(1)));
  Cpu all;
  uint64_t count = 0;
  for (auto _ : state) {
    const Cpu took = node.send(each, uint64_t(state.range(1)));
    all.user += took.user, all.kernel += took.kernel;
    count += each;
    state.SetIterationTime(took.user + took.kernel);
  }
  const auto drained = double(count) * double(state.range(0));
  state.counters["own_ns"] = all.user * 1e9 / drained;
  state.counters["kernel_ns"] = all.kernel * 1e9 / drained;
}
BENCHMARK_CAPTURE(drain, syslog, "syslog", "")
    ->ArgNames({"drains", "lag"})
    ->ArgsProduct({{1, 2, 6}, {100, 10'000}})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(drain, http, "http", "")
    ->ArgNames({"drains", "lag"})
    ->ArgsProduct({{1, 2}, {100, 10'000}})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(drain, http_gzip, "http", R"({"gzip":true})")
    ->ArgNames({"drains", "lag"})
    ->Args({1, 10'000})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(drain, syslog_filter, "syslog", R"({"filter":"status>=500"})")
    ->ArgNames({"drains", "lag"})
    ->Args({1, 10'000})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

/// The kernel's part alone: the same bytes in writes of range(0).
void write_alone(benchmark::State& state) {
  Discarder far_end(false);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(far_end.port());
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return state.SkipWithError("connect");
  std::string text = body();
  const double per_byte = 4000 / double(text.size());
  text.resize(size_t(state.range(0)));
  const Cpu before = of_this_thread();
  double written = 0;
  for (auto _ : state) {
    for (size_t at = 0; at < text.size();) {
      const ssize_t n = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n < 0) return state.SkipWithError("send");
      at += size_t(n);
    }
    written += double(text.size());
  }
  const Cpu after = of_this_thread();
  state.counters["own_ns"] = (after.user - before.user) * 1e9 / (written * per_byte);
  state.counters["kernel_ns"] = (after.kernel - before.kernel) * 1e9 / (written * per_byte);
  ::close(fd);
}
BENCHMARK(write_alone)->Arg(16 << 10)->Arg(64 << 10);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
