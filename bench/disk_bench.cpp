// The durable log against the disk under it: raw writes, group commit, and a start from what was written.
//
//   bench_disk DIR [GB] [THREADS]      default 2 GB, 2 threads; DIR must not exist, and is removed
//
// Batches of 100 lines of 289 bytes. CPU is the whole process's, the copy into chunks included.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <random>

#include "channels/batch.h"
#include "channels/disk/group_commit.h"
#include "channels/disk/recovery.h"

namespace tailrace {
namespace {

constexpr uint64_t kGB = 1'000'000'000;

double seconds_since(Mono from) {
  return std::chrono::duration<double>(mono_now() - from).count();
}

struct Cpu {
  double user = 0, kernel = 0;
};

Cpu cpu_now() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return {of(usage.ru_utime), of(usage.ru_stime)};
}

struct Measure {
  const Mono from = mono_now();
  const Cpu cpu = cpu_now();
  void print(const std::string& what, uint64_t bytes, const std::string& more) const {
    const double s = seconds_since(from), gb = double(bytes) / double(kGB);
    const Cpu now = cpu_now();
    fmt::print("{:<24} {:7.0f} MB/s  CPU-s/GB {:5.2f} + {:5.2f} kernel {:7.2f} s  {}\n", what, gb * 1000 / s,
               (now.user - cpu.user) / gb, (now.kernel - cpu.kernel) / gb, s, more);
    std::fflush(stdout);
  }
};

SegmentHeader header_of(uint64_t segment) {
  std::random_device random;
  return {segment, {1}, {random(), random()}, wall_now(), kSegmentBytes};
}

/// Files of 64 MiB, allocated ahead, synced each `every` bytes: what dd would do.
void write_raw(const std::string& dir, uint64_t bytes, uint64_t every) {
  std::vector<std::byte> piece(1 << 20);
  std::mt19937_64 random(1);
  for (std::byte& b : piece) b = std::byte(random());
  const Measure measure;
  uint64_t syncs = 0;
  for (uint64_t done = 0; done < bytes; done += kSegmentBytes) {
    File file = File::create(dir + "/raw" + std::to_string(done)).value();
    file.allocate(kSegmentBytes).value();
    for (uint64_t at = 0; at < kSegmentBytes; at += piece.size()) {
      file.write(at, piece).value();
      file.start_writeback(at, piece.size());
      if ((at + piece.size()) % every == 0) file.sync().value(), ++syncs;
    }
  }
  measure.print("raw", bytes, fmt::format("{} syncs, one each {} MiB", syncs, every >> 20));
  for (const std::string& name : list_dir(dir).value()) unlink_file(dir + "/" + name).value();
}

/// Keeps two segments prepared and seals what is full, on a thread.
class Keeping {
 public:
  explicit Keeping(std::string dir) : dir_(std::move(dir)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Keeping() {
    thread_.request_stop();
    changed_.notify_all();
  }
  std::optional<PreparedSegment> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !prepared_.empty(); });
    PreparedSegment segment = std::move(prepared_.front());
    prepared_.pop_front();
    changed_.notify_all();
    return segment;
  }
  void seal(SegmentPtr segment) {
    const std::lock_guard lock(mutex_);
    full_.push_back(std::move(segment));
    changed_.notify_all();
  }
  SegmentSet segments;

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, stop, [&] { return prepared_.size() < 2 || !full_.empty(); });
      if (stop.stop_requested() && full_.empty()) return;
      if (prepared_.size() < 2) {
        lock.unlock();
        const SegmentHeader header = header_of(++number_);
        File file = prepare_segment(dir_, header).value();
        File to_read = File::open_to_read(file.path()).value();
        lock.lock();
        prepared_.push_back({header, std::move(file), std::move(to_read)});
      } else {
        const SegmentPtr s = std::move(full_.front());
        full_.pop_front();
        lock.unlock();
        File file = File::open_to_write(s->file.path()).value();
        seal_segment(file, s->header, s->entries_end, *s->growing, {0, 0, s->last_group, 0, s->mark},
                     wall_now())
            .value();
        segments.sealed(*s, StoredIndex::open(s->file, s->header.salts).value(), file.size().value());
        lock.lock();
      }
      changed_.notify_all();
    }
  }

  const std::string dir_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<PreparedSegment> prepared_;
  std::deque<SegmentPtr> full_;
  uint64_t number_ = 0;
  std::jthread thread_;
};

/// A channel that takes what it is given and forgets what was told.
class BenchLog final : public CommitLog {
 public:
  BenchLog(GroupCommit& commit, uint32_t index) : commit_(commit), channel_(std::make_shared<Channel>()) {
    channel_->index = index;
  }
  void append(const std::vector<std::byte>& entries, uint32_t records, AppendWaiter& waiter) {
    const std::lock_guard lock(mutex_);
    const ChunkRef chunk = Chunk::make(uint32_t(entries.size()), {number_});
    std::memcpy(chunk->data(), entries.data(), entries.size());
    pending_.push_back({{{chunk, 0, uint32_t(entries.size()), records, {number_}}}, ordinal_, &waiter});
    ordinal_ += records, number_ += records;
    if (!noted_) commit_.note(channel_, *this);
    noted_ = true;
  }
  std::vector<PendingBatch> take_pending() override {
    const std::lock_guard lock(mutex_);
    noted_ = false;
    return std::exchange(pending_, {});
  }
  void synced(uint64_t, uint64_t) override {}
  void failed() override { std::abort(); }

 private:
  GroupCommit& commit_;
  const ChannelPtr channel_;
  std::mutex mutex_;
  std::vector<PendingBatch> pending_;
  uint64_t ordinal_ = 0, number_ = 1;
  bool noted_ = false;
};

struct Timed final : AppendWaiter {
  void appended(Result<Position> first) override {
    if (!first) std::abort();
    waited.push_back(seconds_since(since));  // on the teller alone, and read at the end
    busy.store(false, std::memory_order_release);
    busy.notify_one();
  }
  Mono since;
  std::atomic<bool> busy{false};
  std::vector<double> waited;
};

std::vector<std::byte> batch_of_100() {
  std::vector<std::byte> entries;
  for (int i = 0; i < 100; ++i) {
    NewRecord r;
    r.head = "2026-11-21T08:00:00.123456+00:00 host";
    r.time_size = 32;
    r.app = "heroku";
    r.ids = "router -";
    r.procid_size = 6;
    r.pri = 158;
    const std::string message(289 - 66, char('a' + i % 26));
    r.message = message;
    const size_t at = entries.size();
    entries.resize(at + entry_size(r.text_size()));
    write_entry(r, wall_now(), entries.data() + at);
  }
  return entries;
}

/// `window` batches of each thread are on their way at once; their number decides how big groups become.
void append(const std::string& dir, uint64_t bytes, size_t threads, size_t window, uint32_t channels) {
  Keeping keeping(dir);
  Room room(1u << 30);
  GroupCommit commit(
      {room, nullptr, true, wall_now},
      {keeping.segments, [&](bool) { return keeping.next(); }, [&](const SegmentPtr& s) { keeping.seal(s); }},
      {0, 0, 1, kMarkStep});
  commit.start().value();
  const std::vector<std::byte> entries = batch_of_100();
  std::vector<std::unique_ptr<BenchLog>> logs;
  for (uint32_t i = 0; i < channels; ++i) logs.push_back(std::make_unique<BenchLog>(commit, i));
  const uint64_t each = entries.size() + 100 * sizeof(EntryPrefix), batches = bytes / each / threads;
  std::vector<std::vector<Timed>> waiters(threads);
  for (auto& w : waiters) w = std::vector<Timed>(window);
  const Measure measure;
  {
    std::vector<std::jthread> appenders;
    for (size_t t = 0; t < threads; ++t)
      appenders.emplace_back([&, t] {
        for (uint64_t i = 0; i < batches; ++i) {
          Timed& waiter = waiters[t][i % window];
          waiter.busy.wait(true, std::memory_order_acquire);
          waiter.busy.store(true, std::memory_order_relaxed);
          waiter.since = mono_now();
          logs[(i * threads + t) % channels]->append(entries, 100, waiter);
        }
      });
  }
  commit.stop();
  std::vector<double> waited;
  for (auto& w : waiters)
    for (Timed& one : w) waited.insert(waited.end(), one.waited.begin(), one.waited.end());
  std::sort(waited.begin(), waited.end());
  const uint64_t groups = keeping.segments.all().back()->last_group;
  measure.print(fmt::format("append, {} in flight", threads * window), batches * threads * each,
                fmt::format("{:.2f} M records/s, {} groups, p50 {:.1f} ms, p99 {:.1f} ms",
                            double(batches * threads) / 1e4 / seconds_since(measure.from), groups,
                            waited[waited.size() / 2] * 1e3, waited[waited.size() * 99 / 100] * 1e3));
}

void start(const std::string& dir, const char* what, bool cold) {
  uint64_t bytes = 0;
  for (const std::string& name : list_dir(dir).value()) {
    const std::string path = dir + "/" + name;
    bytes += std::filesystem::file_size(path);
    if (!cold) continue;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
  RecoveryOptions options;
  options.segments_dir = dir;
  options.now = wall_now();
  SegmentSet segments;
  std::string error;
  const Measure measure;
  const Recovered found = recover(options, segments, error).value();
  measure.print(what, bytes,
                fmt::format("{} entries, {} scanned, {} missing", found.entries, found.unsealed.size(),
                            found.loss.missing_entries));
}

/// As if every index were damaged.
void cut_indexes(const std::string& dir) {
  for (const std::string& name : list_dir(dir).value()) {
    File file = File::open_to_write(dir + "/" + name).value();
    const uint64_t size = file.size().value();
    file.truncate(size - kEndBytes).value();
  }
}

int run(const std::string& dir, uint64_t bytes, size_t threads) {
  if (::mkdir(dir.c_str(), 0700) != 0) {
    fmt::print(stderr, "bench_disk: {}: {}\n", dir, std::strerror(errno));
    return 1;
  }
  const auto clear = [&] {
    for (const std::string& name : list_dir(dir).value()) unlink_file(dir + "/" + name).value();
  };
  for (const uint64_t every : {uint64_t{1} << 20, uint64_t{8} << 20, kSegmentBytes})
    write_raw(dir, bytes / kSegmentBytes * kSegmentBytes, every);
  for (const size_t window : {1, 16, 256}) {
    clear();
    append(dir, window == 1 ? bytes / 10 : bytes, threads, window, 1000);
  }
  start(dir, "start", false);
  start(dir, "start, cold", true);
  cut_indexes(dir);
  start(dir, "start, no index", true);
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace tailrace

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    fmt::print(stderr, "usage: bench_disk DIR [GB] [THREADS]\n");
    return argc < 2 ? 0 : 2;  // ./dev bench runs every program without arguments
  }
  const double gb = argc > 2 ? std::atof(argv[2]) : 2;
  return tailrace::run(argv[1], uint64_t(gb * 1e9), argc > 3 ? size_t(std::atoi(argv[3])) : 2);
}
