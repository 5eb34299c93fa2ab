// The store with a data dir as the process uses it: appends, a drain that catches up from disk, a start, and
// a hundred thousand quiet channels.
//
//   bench_store DIR [GB]      default 2 GB; DIR must not exist, and is removed
//
// Batches of 100 lines of 289 bytes. CPU is the whole process's.

#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/loops.h"
#include "channels/disk/disk_store.h"
#include "channels/memory_catalog.h"

namespace tailrace {
namespace {

double cpu_seconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

struct Measure {
  const Mono from = mono_now();
  const double cpu = cpu_seconds();
  double seconds() const { return std::chrono::duration<double>(mono_now() - from).count(); }
  void print(const char* what, uint64_t records, uint64_t bytes) const {
    fmt::print("{:<28} {:6.2f} s  {:7.0f} records/ms  {:6.0f} MB/s  {:5.2f} CPU-s/GB  {:5.2f} CPU-s/M\n",
               what, seconds(), double(records) / seconds() / 1e3, double(bytes) / 1e6 / seconds(),
               (cpu_seconds() - cpu) / double(bytes) * 1e9, (cpu_seconds() - cpu) / double(records) * 1e6);
    std::fflush(stdout);
  }
};

uint64_t resident() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0, pages = 0;
  file >> size >> pages;
  return pages * 4096;
}

size_t descriptors() {
  return size_t(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// Lets so many appends be out.
struct Window final : AppendWaiter {
  void appended(Result<Position> first) override {
    if (!first) failed.fetch_add(1);
    out.fetch_sub(1);
    out.notify_one();
  }
  void enter(int most) {
    for (int n = out.load(); n >= most; n = out.load()) out.wait(n);
    out.fetch_add(1);
  }
  void all() {
    for (int n = out.load(); n > 0; n = out.load()) out.wait(n);
  }
  std::atomic<int> out{0}, failed{0};
};

struct Woken final : Task {
  void run_task() override {}
};

NewRecord line(std::string_view message) {
  NewRecord r;
  r.head = "2026-11-21T00:00:00.000000+00:00 host";
  r.time_size = 32;
  r.app = "shop";
  r.ids = "web.1 -";
  r.procid_size = 5;
  r.message = message;
  return r;
}

void append(const ChannelPtr& channel, size_t records, Window& window, int most) {
  static const std::string message(289 - 62, 'x');
  BatchSet set;
  for (size_t i = 0; i < records; ++i) set.add(channel, line(message));
  window.enter(most);
  set.for_each(wall_now(), [&](Channel& c, const Batch& batch) { c.log->append(batch, window); });
}

struct Start {
  explicit Start(const std::string& dir, uint64_t disk_bytes) {
    std::string error;
    DiskStore::Options options{.dir = dir};
    options.limits.log.bytes = disk_bytes;
    options.limits.disk_bytes = disk_bytes * 2;
    store = DiskStore::open(std::move(options), error);
    if (!store) throw std::runtime_error(error);
    catalog = std::make_unique<MemoryCatalog>(
        *store, MemoryCatalog::Options{6, store->password_key(), &store->journal()});
    catalog->restore(store->contents());
    store->start();
  }
  ~Start() {
    store->stop();
    catalog.reset();
  }
  std::unique_ptr<DiskStore> store;
  std::unique_ptr<MemoryCatalog> catalog;
};

int run(const std::string& dir, uint64_t bytes) {
  const uint64_t batches = bytes / 28900;
  {
    Start start(dir, bytes * 2);
    const ChannelPtr channel = *start.catalog->add_channel("flood");
    Loop loop;
    const auto stays = asio::make_work_guard(loop.io);
    Woken task;
    Cursor cursor(Cursor::Kind::drain, loop.pass, task, 1);
    cursor.attach(*channel->log);
    {
      const Measure measure;
      Window window;
      std::vector<std::jthread> writers;
      for (int w = 0; w < 2; ++w)
        writers.emplace_back([&] {
          for (uint64_t i = 0; i < batches / 2; ++i) append(channel, 100, window, 256);
        });
      writers.clear();
      window.all();
      measure.print("append, durable", batches * 100, bytes);
      if (window.failed) fmt::print("{} appends were refused\n", window.failed.load());
    }
    const Measure measure;
    uint64_t records = 0;
    while (records < batches / 2 * 200) {
      const Read read = cursor.read(100'000);
      records += read.slice.records;
      if (read.slice.records) cursor.settle(read.slice.records, 0);
      if (!read.fetching || !cursor.park()) continue;
      loop.io.run_one();
    }
    measure.print("a drain catches up", records, bytes);
  }
  {
    const Measure measure;
    const Start start(dir, bytes * 2);
    fmt::print("{:<28} {:6.2f} s\n", "start", measure.seconds());
  }
  std::filesystem::remove_all(dir);
  Start start(dir, bytes * 2);
  MemoryCatalog unkept(*start.store, {6, {}, nullptr});  // a change of the kept one is an fsync each
  const uint64_t before = resident();
  std::vector<ChannelPtr> channels;
  for (int i = 0; i < 100'000; ++i) channels.push_back(*unkept.add_channel("quiet"));
  const uint64_t empty = resident();
  {
    const Measure measure;
    Window window;
    for (const ChannelPtr& channel : channels) append(channel, 1, window, 1000);
    window.all();
    measure.print("100,000 channels, a record", channels.size(), channels.size() * 289);
  }
  const uint64_t after = resident();
  const double idle = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(5));
  fmt::print(
      "100,000 quiet channels: {} bytes each, {} with one record; {} descriptors; idle {:.2f} % of a core\n",
      (empty - before) / channels.size(), (after - before) / channels.size(), descriptors(),
      (cpu_seconds() - idle) / 5 * 100);
  return 0;
}

}  // namespace
}  // namespace tailrace

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    fmt::print(stderr, "usage: bench_store DIR [GB]\n");
    return argc < 2 ? 0 : 2;  // ./dev bench runs every program without arguments
  }
  const int result = tailrace::run(argv[1], uint64_t((argc > 2 ? std::atof(argv[2]) : 2) * 1e9));
  std::filesystem::remove_all(argv[1]);
  return result;
}
