#include "metrics/rollup/rollup_keeper.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <random>

#include "channels/disk/errc.h"
#include "metrics/rollup/disk_rollups.h"
#include "metrics/rollup/memory_rollups.h"
#include "tests/disk/disk_log_fixture.h"
#include "tests/metrics/exact_values.h"

using namespace tailrace;

namespace {

const SeriesName kName(SeriesKey{SeriesKind::measure, "a", "", ""});

/// Counts numbers: a record's message is one, and its arrival its line's time.
class Numbers final : public RollupSource {
 public:
  void live(uint32_t channel, Position first, const std::vector<std::string>& messages, Micros at) {
    const std::lock_guard lock(mutex_);
    for (const std::string& message : messages) count(channel, std::stod(message), at, first), ++first.value;
  }
  /// Everything that nobody took is gone.
  void lose() {
    const std::lock_guard lock(mutex_);
    windows_.clear();
  }

  OpenRoom& room() override { return room_; }
  std::vector<uint32_t> channels_counted() override {
    const std::lock_guard lock(mutex_);
    std::vector<uint32_t> all;
    for (const auto& [channel, windows] : windows_) all.push_back(channel);
    return all;
  }
  RollupDelta take(uint32_t channel) override {
    const std::lock_guard lock(mutex_);
    RollupDelta delta;
    if (const auto found = windows_.find(channel); found != windows_.end())
      delta.add(found->second.take(), [](SeriesId) { return kName; });
    return delta;
  }
  void replay(const Channel& channel, std::span<const Slice> slices) override {
    const std::lock_guard lock(mutex_);
    for (const Slice& slice : slices) {
      Position at = slice.first;
      for (const Record record : slice) {
        count(channel.index, std::stod(std::string(record.message())), record.arrival(), at);
        ++at.value;
        ++replayed_;
      }
    }
  }
  uint64_t replayed() const {
    const std::lock_guard lock(mutex_);
    return replayed_;
  }

 private:
  void count(uint32_t channel, double value, Micros at, Position position) {
    OpenWindows& windows = windows_.try_emplace(channel, &room_).first->second;
    if (OpenWindow* window = windows.at(at, at)) window->add(first_own_series, value, {at, position});
    windows.cover(position, {position.value + 1});
  }

  OpenRoom room_{64u << 20};
  mutable std::mutex mutex_;
  std::map<uint32_t, OpenWindows> windows_;
  uint64_t replayed_ = 0;
};

/// A store that can be made to refuse.
struct Refusing final : RollupStore {
  explicit Refusing(std::unique_ptr<RollupStore> its_store) : store(std::move(its_store)) {}
  Result<void> merge(const RollupBatch& batch) override {
    ++merges;
    if (refuses) return make_error_code(DiskErrc::too_big);
    return store->merge(batch);
  }
  Result<Counted> counted(uint32_t channel) override { return store->counted(channel); }
  Result<std::vector<uint32_t>> channels() override { return store->channels(); }
  Result<Answer> read(uint32_t channel, Micros from, Micros to, const SeriesFilter& filter) override {
    return store->read(channel, from, to, filter);
  }
  Result<void> compact(Micros now) override { return store->compact(now); }
  Result<void> forget(uint32_t channel) override { return store->forget(channel); }
  uint64_t bytes() const override { return store->bytes(); }
  void set_limit(uint64_t bytes) override { store->set_limit(bytes); }

  std::unique_ptr<RollupStore> store;
  std::atomic<bool> refuses{false};
  std::atomic<int> merges{0};
};

constexpr auto kNever = std::chrono::milliseconds(1 << 30);
Micros now() {
  return kTestTime;
}

ExactValues exact_of(const std::vector<double>& values) {
  ExactValues exact;
  for (const double v : values) exact.values.push_back(v);
  return exact;
}

/// All of a channel's values, whenever they came: but for the last, which is the log's to say.
void check_values(RollupKeeper& keeper, uint32_t channel, const std::vector<double>& values) {
  const auto answer = keeper.read(channel, 0, kTestTime + kMinute);
  REQUIRE(answer.has_value());
  Cell all;
  for (const auto& [span, cells] : answer->windows)
    for (const auto& [name, cell] : cells) all.merge(cell);
  ExactValues exact = exact_of(values);
  exact.last = all.last();
  check_same(all, exact);
}

std::vector<std::string> some_numbers(std::mt19937_64& random, std::vector<double>& into) {
  std::vector<std::string> messages(1 + random() % 200);
  for (std::string& message : messages) {
    into.push_back(static_cast<double>(random() % 100'000) / 8);
    message = std::to_string(into.back());
  }
  return messages;
}

}  // namespace

TEST_CASE("keeper: over many starts and kills each record counts once") {
  std::mt19937_64 random(1);
  for (const int interval : {1, 1 << 30}) {
    SimpleKeeper segments;
    TempDir dir;
    std::map<uint32_t, std::vector<double>> values;
    for (int start = 0; start < 12; ++start) {
      DiskLogs logs(segments);
      REQUIRE(logs.started);
      std::vector<ChannelPtr> channels;
      for (const uint32_t index : {0u, 1u, 2u}) channels.push_back(logs.open(index));
      Numbers numbers;
      Refusing store(disk_rollups(dir.path(), 1u << 30, {now}));
      {
        RollupKeeper keeper(numbers, store, {std::chrono::milliseconds(interval), 64u << 20, now});
        // Some die before they read a log: the records of the next start are covered behind a hole.
        keeper.start(channels, start % 5 != 2);
        for (int batch = 0; batch < 12; ++batch) {
          const ChannelPtr& channel = channels[random() % 3];
          const auto messages = some_numbers(random, values[channel->index]);
          const Micros at = kTestTime - static_cast<Micros>(random() % static_cast<uint64_t>(30 * kMinute));
          const auto first = DiskLogs::append(channel, messages, at);
          REQUIRE(first.has_value());
          numbers.live(channel->index, *first, messages, at);
          if (random() % 8 == 0) REQUIRE(keeper.merge_now());
          if (random() % 8 == 0) (void)keeper.read(channel->index, 0, kTestTime);
        }
        if (start % 3 == 1 || start == 11)
          REQUIRE(testing::eventually([&] { return keeper.replaying() == 0; }));
        if (start % 3 == 1 && start % 5 != 2)
          for (const ChannelPtr& channel : channels)
            check_values(keeper, channel->index, values[channel->index]);
        CHECK(keeper.unread() == 0);
        if (start == 11) break;
        // A kill: what is not stored by now is gone. Some starts end well.
        if (start % 4 != 0) {
          store.refuses = true;
          keeper.stop_thread();
          numbers.lose();
        }
      }
    }
    DiskLogs logs(segments);
    std::vector<ChannelPtr> channels;
    for (const uint32_t index : {0u, 1u, 2u}) channels.push_back(logs.open(index));
    Numbers numbers;
    const auto store = disk_rollups(dir.path(), 1u << 30, {now});
    RollupKeeper keeper(numbers, *store, {kNever, 64u << 20, now});
    keeper.start(channels, true);
    REQUIRE(testing::eventually([&] { return keeper.replaying() == 0; }));
    CHECK(numbers.replayed() == 0);  // the start before ended well
    for (const ChannelPtr& channel : channels) {
      check_values(keeper, channel->index, values[channel->index]);
      REQUIRE(keeper.merge_now());
      CHECK(store->counted(channel->index)->covered.ranges().size() == 1);  // every hole has closed
    }
  }
}

TEST_CASE("keeper: a store that is made anew is filled from the log, in pieces, as far as that goes") {
  SimpleKeeper segments;
  std::vector<double> values;
  std::mt19937_64 random(2);
  {
    DiskLogs logs(segments);
    const ChannelPtr channel = logs.open(0);
    for (int batch = 0; batch < 300; ++batch)
      REQUIRE(DiskLogs::append(channel, some_numbers(random, values)).has_value());
  }
  DiskLogs logs(segments);
  constexpr uint64_t gone = 1000;
  const ChannelPtr channel = logs.open(0, DropReason::disk, gone);
  Numbers numbers;
  TempDir dir;
  const auto store = disk_rollups(dir.path(), 1u << 30, {now});
  RollupKeeper keeper(numbers, *store, {kNever, 64u << 20, now});
  keeper.start({channel}, true);
  const auto before = keeper.read(0, 0, kTestTime);
  REQUIRE(testing::eventually([&] { return keeper.replaying() == 0; }));
  check_values(keeper, 0, {values.begin() + gone, values.end()});
  CHECK(keeper.unread() == gone);
  CHECK(numbers.replayed() == values.size() - gone);
}

TEST_CASE("keeper: what cannot be stored is part of the answer, and is stored later") {
  Numbers numbers;
  Refusing store(memory_rollups(1u << 30, {now}));
  RollupKeeper keeper(numbers, store, {kNever, 64u << 20, now});
  keeper.start({}, false);
  std::vector<double> values;
  store.refuses = true;
  for (int round = 0; round < 5; ++round) {
    values.push_back(round);
    numbers.live(3, {static_cast<uint64_t>(100 + round)}, {std::to_string(round)}, kTestTime);
    CHECK_FALSE(keeper.merge_now());
    check_values(keeper, 3, values);
  }
  CHECK(store.store->read(3, 0, kTestTime + 1)->windows.empty());
  store.refuses = false;
  REQUIRE(keeper.merge_now());
  check_values(keeper, 3, values);
  CHECK(store.store->read(3, 0, kTestTime + 1)->windows.size() == 1);
  CHECK(store.counted(3)->covered.holds({104}));
  REQUIRE(keeper.merge_now());  // nothing is merged twice
  check_values(keeper, 3, values);
}

// A channel that is past a bound of 20,000 bytes and one that is not. Gives the next position.
static uint64_t more_than_may_wait(Numbers& numbers) {
  uint64_t position = 1;
  for (int minute = 0; minute < 100; ++minute)
    numbers.live(1, {position++}, {"1"}, kTestTime - minute * kMinute);
  numbers.live(2, {position++}, {"2"}, kTestTime);
  return position;
}

TEST_CASE("keeper: what waits for the store is bounded, and given up with its positions") {
  Numbers numbers;
  Refusing store(memory_rollups(1u << 30, {now}));
  store.refuses = true;
  RollupKeeper keeper(numbers, store, {kNever, 20'000, now});
  keeper.start({}, false);
  uint64_t position = more_than_may_wait(numbers);
  CHECK_FALSE(keeper.merge_now());
  store.refuses = false;
  numbers.live(1, {position++}, {"3"}, kTestTime);
  REQUIRE(keeper.merge_now());
  check_values(keeper, 1, {3});
  check_values(keeper, 2, {2});
  CHECK_FALSE(store.counted(1)->covered.holds({50}));  // so the next start reads it again
  CHECK(store.counted(1)->covered.holds({position - 1}));
}

TEST_CASE("keeper: a channel that was removed leaves nothing, now or at the next start") {
  Numbers numbers;
  TempDir dir;
  Refusing store(disk_rollups(dir.path(), 1u << 30, {now}));
  for (const uint32_t left : {0u, 1u}) {
    RollupKeeper keeper(numbers, store, {kNever, 64u << 20, now});
    keeper.start({}, false);
    CHECK(store.channels()->empty());
    for (const uint32_t channel : {5u, 6u}) numbers.live(channel, {1}, {"1"}, kTestTime);
    REQUIRE(keeper.merge_now());
    for (const uint32_t channel : {5u, 6u}) numbers.live(channel, {2}, {"1"}, kTestTime);
    (void)keeper.read(5, 0, kTestTime);
    keeper.forget(5);
    check_values(keeper, 5, {});
    check_values(keeper, 6, {1, 1});
    CHECK(*store.channels() == std::vector<uint32_t>{6});
    CAPTURE(left);
  }
}

TEST_CASE("keeper: is woken when open windows take too much") {
  Numbers numbers;
  numbers.room().set_limit(50'000);
  const auto store = memory_rollups(1u << 30, {now});
  RollupKeeper keeper(numbers, *store, {kNever, 64u << 20, now});
  keeper.start({}, false);
  uint64_t position = 1;
  for (uint32_t channel = 0; channel < 500; ++channel) numbers.live(channel, {position++}, {"1"}, kTestTime);
  CHECK(testing::eventually([&] { return store->channels()->size() > 0 && numbers.room().used() < 50'000; }));
  check_values(keeper, 7, {1});
}

TEST_CASE(
    "keeper: while nothing can be stored each channel is taken, and stored later in some transactions") {
  Numbers numbers;
  Refusing store(memory_rollups(1u << 30, {now}));
  store.refuses = true;
  RollupKeeper keeper(numbers, store, {kNever, 64u << 20, now});
  keeper.start({}, false);
  constexpr uint32_t channels = 5000;
  uint64_t position = 1;
  for (int round = 1; round <= 2; ++round) {
    for (uint32_t channel = 0; channel < channels; ++channel)
      numbers.live(channel, {position++}, {"1"}, kTestTime);
    CHECK_FALSE(keeper.merge_now());
    CHECK(numbers.room().used() == 0);
    CHECK(store.merges == round);
  }
  store.refuses = false;
  REQUIRE(keeper.merge_now());
  CHECK(store.merges > 4);
  CHECK(store.store->channels()->size() == channels);
  for (const uint32_t channel : {0u, 300u, channels - 1}) check_values(keeper, channel, {1, 1});
}

TEST_CASE("keeper: what was counted is neither read again nor missed when it is gone, what was not is told") {
  SimpleKeeper segments;
  TempDir dir;
  const std::vector<std::string> some(500, "1");
  {
    DiskLogs logs(segments);
    const ChannelPtr other = logs.open(1);  // so that the channel's own numbers begin in the middle
    REQUIRE(DiskLogs::append(other, some).has_value());
    const ChannelPtr channel = logs.open(0);
    Numbers numbers;
    const auto store = disk_rollups(dir.path(), 1u << 30, {now});
    RollupKeeper keeper(numbers, *store, {kNever, 64u << 20, now});
    keeper.start({}, true);
    const auto first = DiskLogs::append(channel, some);
    REQUIRE(first.has_value());
    CHECK(first->value > 1);
    numbers.live(0, *first, some, kTestTime);
    keeper.stop();
  }
  // A clean stop, and most of the log is gone since; then a kill with 500 that nobody counted, 300 of which
  // go.
  for (const uint64_t gone : {400u, 800u}) {
    DiskLogs logs(segments);
    const ChannelPtr channel = logs.open(0, DropReason::disk, gone);
    Numbers numbers;
    const auto store = disk_rollups(dir.path(), 1u << 30, {now});
    RollupKeeper keeper(numbers, *store, {kNever, 64u << 20, now});
    keeper.start({channel}, true);
    REQUIRE(testing::eventually([&] { return keeper.replaying() == 0; }));
    const auto answer = keeper.read(0, 0, kTestTime + kMinute);
    REQUIRE(answer.has_value());
    if (gone == 400) {
      CHECK(numbers.replayed() == 0);
      CHECK(keeper.unread() == 0);
      CHECK(answer->whole_from[0] == kTestTime);  // the store's making
      REQUIRE(DiskLogs::append(channel, some).has_value());
    } else {
      CHECK(numbers.replayed() == 200);
      CHECK(keeper.unread() == 300);
      check_values(keeper, 0, std::vector<double>(700, 1));
    }
  }
}

TEST_CASE("keeper: an answer says from when on it is whole, once something was given up") {
  Numbers numbers;
  std::atomic<Micros> clock = kTestTime;
  const auto now = [&] { return clock.load(); };
  Refusing store(memory_rollups(1u << 30, {now}));
  store.refuses = true;
  RollupKeeper keeper(numbers, store, {kNever, 20'000, now});
  keeper.start({}, false);
  more_than_may_wait(numbers);
  clock += kMinute;
  CHECK_FALSE(keeper.merge_now());
  for (const bool stored : {false, true}) {
    store.refuses = !stored;
    CHECK(bool(keeper.merge_now()) == stored);
    for (const size_t kind : {0u, 1u, 2u}) {
      CHECK(keeper.read(1, 0, clock)->whole_from[kind] == clock);
      CHECK(keeper.read(2, 0, clock)->whole_from[kind] == kTestTime);
    }
  }
  CHECK(keeper.given_up() == 100);
}
