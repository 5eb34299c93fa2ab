#include "channels/disk/disk_store.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "channels/memory_catalog.h"
#include "tests/channels/filtered_reader.h"
#include "tests/disk/scoped_hook.h"
#include "tests/disk/store_fixture.h"
#include "tests/disk/temp_dir.h"
#include "tests/eventually.h"

using namespace tailrace;
using testing::eventually;

namespace {

struct Life {
  explicit Life(const std::string& dir, bool durable = true, uint64_t disk_bytes = uint64_t{1} << 30) {
    std::string error;
    DiskStore::Options options{.dir = dir, .durable = durable, .segment_bytes = 1 << 20};
    options.limits.log = {.history = 100, .bytes = 1u << 30};
    options.limits.disk_bytes = disk_bytes;
    store = DiskStore::open(std::move(options), error);
    REQUIRE_MESSAGE(store, error);
    catalog = std::make_unique<MemoryCatalog>(
        *store, MemoryCatalog::Options{6, store->password_key(), &store->journal()});
    catalog->restore(store->contents());
    store->start();
  }
  ~Life() { store->stop(); }
  std::unique_ptr<DiskStore> store;
  std::unique_ptr<MemoryCatalog> catalog;
};

int calls(CountingWaiter& waiter) {
  const std::lock_guard lock(waiter.mutex);
  return waiter.calls;
}

}  // namespace

TEST_CASE("disk_store: posts are known to the next start, and keys are hashed alike") {
  const TempDir dir;
  uint64_t seed = 0;
  {
    Life life(dir.path());
    seed = life.store->dedupe_seed();
    CountingWaiter waiter;
    life.store->remember({{1, 2, 3}, wall_now(), 7, "truncated=1"}, nullptr, waiter);
    REQUIRE(eventually([&] { return calls(waiter) == 1; }));
  }
  const Life life(dir.path());
  CHECK(life.store->dedupe_seed() == seed);
  REQUIRE(life.store->posts().size() == 1);
  CHECK(life.store->posts()[0].accepted == 7);
  CHECK(life.store->posts()[0].rejected == "truncated=1");
}

TEST_CASE("disk_store: with TAILRACE_ACK=memory nobody waits for a disk that fails") {
  const TempDir dir;
  Life life(dir.path(), /*durable=*/false);
  const ChannelPtr channel = life.catalog->add_channel("c").value();
  const ScopedHook hook(
      [&](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
  append_messages(channel, {"a"}, wall_now());  // told at once
  REQUIRE(eventually([&] { return !life.store->trouble().empty(); }));
  CHECK(life.store->has_room());
  CountingWaiter waiter;
  life.store->remember({{1}, wall_now(), 1, ""}, nullptr, waiter);
  CHECK(calls(waiter) == 1);
}

TEST_CASE("disk_store: a channel that was removed leaves its place to nobody") {
  const TempDir dir;
  uint32_t index = 0;
  {
    Life life(dir.path());
    const ChannelPtr channel = life.catalog->add_channel("gone").value();
    index = channel->index;
    CountingWaiter waiter;
    append_messages(channel, {"m"}, wall_now(), waiter);
    REQUIRE(eventually([&] { return calls(waiter) == 1; }));
    REQUIRE(life.catalog->remove_channel(channel->id).has_value());
  }
  Life life(dir.path());
  CHECK(life.catalog->channels().empty());
  const ChannelPtr next = life.catalog->add_channel("next").value();
  CHECK(next->index > index);
  CHECK(next->log->totals().accepted == 0);
}

TEST_CASE("disk_store: at the disk bound what was delivered goes before what somebody waits for") {
  const TempDir dir;
  constexpr uint64_t kBound = 24 << 20;
  Life life(dir.path(), true, kBound);
  const ChannelPtr read = life.catalog->add_channel("read").value();
  const ChannelPtr unread = life.catalog->add_channel("unread").value();
  Loop loop;
  Woken task;
  Cursor reader(Cursor::Kind::drain, loop.pass, task, 1), waiter(Cursor::Kind::drain, loop.pass, task, 2);
  reader.attach(*read->log);
  waiter.attach(*unread->log);
  const auto append = [](const ChannelPtr& channel) {
    CountingWaiter told;
    append_messages(channel, numbered(0, 100, 1000), wall_now(), told);
    REQUIRE(eventually([&] { return calls(told) == 1; }));
    return told.first.has_value();
  };
  for (int i = 0; i < 400; ++i) {  // 42 MB, of which 9 wait for somebody
    REQUIRE(eventually([&] { return life.store->has_room() && append(i % 5 == 0 ? unread : read); }));
    for (Read r = reader.read(1 << 20); r.slice.records; r = reader.read(1 << 20))
      reader.settle(r.slice.records, 0);
  }
  CHECK(waiter.ledger().dropped_total() == 0);
  CHECK(waiter.ledger().buffered == 8000);
  CHECK(reader.ledger().dropped_total() == 0);
  REQUIRE(eventually([&] { return life.store->status().bytes <= kBound; }));
}

TEST_CASE(
    "disk_store: at the disk bound a filtered drain's records are cleaned when it is known what they were") {
  const TempDir dir;
  constexpr uint64_t kBound = 16 << 20;
  Life life(dir.path(), true, kBound);
  const ChannelPtr channel = life.catalog->add_channel("c").value();
  FilteredReader reader(*channel->log, Place::at_end());  // reads nothing meanwhile
  int sent = 0;
  while (reader.cursor->ledger().dropped_total() < 1'000) {
    CountingWaiter told;
    append_messages(channel, numbered(sent, 500, 1000), wall_now(), told);
    REQUIRE(eventually([&] { return calls(told) == 1; }));
    if (told.first) sent += 500;  // else there is no room for a moment
    REQUIRE(reader.cursor->ledger().balanced());
  }
  REQUIRE(eventually([&] {
    while (reader.read(1 << 16));
    reader.settle(SIZE_MAX);
    return reader.cursor->ledger().buffered == 0;
  }));
  reader.check_closed(0, sent);
}
