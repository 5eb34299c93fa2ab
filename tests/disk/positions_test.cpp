// The drains' positions: what was stored is what is read, or nothing is.

#include "channels/disk/positions.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>

#include "channels/disk/crash_point.h"
#include "tests/disk/catalog_fixture.h"
#include "tests/disk/faulty_sqlite.h"
#include "tests/disk/temp_dir.h"
#include "tests/eventually.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

using Moved = std::vector<std::pair<uint64_t, Progress>>;
using Ends = std::vector<std::pair<uint32_t, Positions::ChannelEnd>>;

Progress progress_at(uint64_t number) {
  Progress p{{number}, number / 2, {number + 7}, {}};
  p.counts.delivered = number / 4;
  p.counts.filtered = 3;
  p.counts.dropped[size_t(DropReason::overflow)] = 5;
  p.counts.dropped[size_t(DropReason::damaged)] = number;
  return p;
}

std::string to_text(const std::map<uint64_t, Progress>& drains) {
  std::string text;
  for (const auto& [drain, p] : drains) {
    text += std::to_string(drain) + ": " + std::to_string(p.next.value) + " " + std::to_string(p.ordinal) +
            " " + std::to_string(p.frozen.value) + " " + std::to_string(p.counts.delivered) + " " +
            std::to_string(p.counts.filtered);
    for (const uint64_t n : p.counts.dropped) text += " " + std::to_string(n);
    text += "\n";
  }
  return text;
}

/// One start, and what its drains say when they are asked.
struct PositionsLife {
  explicit PositionsLife(const std::string& dir) {
    positions = Positions::open(
        dir,
        [this](Moved& out) {
          out = std::exchange(moved, {});
          ++asked;
        },
        error);
  }
  Positions* operator->() { return positions.get(); }

  Moved moved;
  std::atomic<int> asked{0};
  std::string error;
  std::unique_ptr<Positions> positions;
};

/// Three drains and a channel's end, closed.
std::string filled_dir(const TempDir& dir) {
  PositionsLife life(dir.path());
  REQUIRE(life.positions);
  life.moved = {{1, progress_at(1000)}, {2, progress_at(uint64_t{1} << 52)}, {900, progress_at(4)}};
  REQUIRE(ok(life->sync({{7, {50, {60}}}})));
  return to_text(life->drains());
}

}  // namespace

TEST_CASE("positions: what was stored is read again, and the greatest number in it (D9)") {
  const TempDir dir;
  {
    PositionsLife life(dir.path());
    REQUIRE(life.positions);
    CHECK(life->drains().empty());
    CHECK(life->warning().empty());
    CHECK_FALSE(exists(dir / "positions.db"));
  }
  const std::string before = filled_dir(dir);
  PositionsLife life(dir.path());
  REQUIRE(life.positions);
  CHECK(to_text(life->drains()) == before);
  REQUIRE(life->channels().size() == 1);
  CHECK(life->channels().at(7).ordinal == 50);
  CHECK(life->channels().at(7).next == Position{60});
  CHECK(life->highest() == Position{(uint64_t{1} << 52) + 7});
  struct stat status;
  REQUIRE(::stat((dir / "positions.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("positions: the thread stores what moved, and it outlives the process") {
  const TempDir dir;
  CHECK(in_child([&]() -> int {
          PositionsLife life(dir.path());
          life.moved = {{1, progress_at(1000)}};
          life->start();
          // It asks again only when what it was told the first time is stored.
          ::_exit(eventually([&] { return life.asked >= 2; }) ? 0 : 1);
        }) == 0);
  PositionsLife life(dir.path());
  CHECK(to_text(life->drains()) == to_text({{1, progress_at(1000)}}));
}

TEST_CASE("positions: a process that ends right behind a commit left all of it") {
  for (const int times : {1, 3}) {
    const TempDir dir;
    CHECK(in_child([&] {
            ::setenv("TAILRACE_CRASHPOINT", ("positions.committed:" + std::to_string(times)).c_str(), 1);
            arm_crash_point();
            PositionsLife life(dir.path());
            for (uint64_t n = 1; n < 10; ++n) {
              life.moved = {{1, progress_at(1000 * n)}, {n + 1, progress_at(n)}};
              (void)life->sync({});
            }
            return 0;
          }) == 137);
    PositionsLife life(dir.path());
    CHECK(life->warning().empty());
    CHECK(life->drains().size() == size_t(times) + 1);
    CHECK(life->drains().at(1).next.value == uint64_t(times) * 1000);
  }
}

TEST_CASE("positions: a commit that fails is kept and tried again (D10)") {
  for (const int error : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
    CAPTURE(error);
    const TempDir dir;
    FaultySqlite sqlite;
    for (const bool fresh : {true, false}) {
      CAPTURE(fresh);
      PositionsLife life(dir.path());
      REQUIRE(life.positions);
      (error == SQLITE_IOERR_FSYNC ? sqlite.sync_error : sqlite.write_error) = error;
      life.moved = {{1, progress_at(fresh ? 10 : 20)}, {2, progress_at(30)}};
      CHECK_FALSE(ok(life->sync({{7, {50, {60}}}})));
      life.moved = {{2, progress_at(40)}};
      CHECK_FALSE(ok(life->sync({})));
      sqlite.sync_error = sqlite.write_error = 0;
      CHECK(ok(life->sync({})));
      life.positions.reset();
      PositionsLife next(dir.path());
      CHECK(to_text(next->drains()) == to_text({{1, progress_at(fresh ? 10 : 20)}, {2, progress_at(40)}}));
      CHECK(next->channels().size() == 1);
    }
  }
}

TEST_CASE(
    "positions: sync() is on disk, also what was stored without one before; the thread's commits wait for "
    "none") {
  const TempDir dir;
  filled_dir(dir);
  FaultySqlite sqlite;
  PositionsLife life(dir.path());
  REQUIRE(ok(life->sync({})));
  const int syncs = sqlite.wal_syncs;
  life.moved = {{1, progress_at(1)}};
  life->start();
  REQUIRE(eventually([&] { return life.asked >= 4; }));
  CHECK(sqlite.wal_syncs == syncs);
  REQUIRE(ok(life->sync({})));  // nothing moved
  CHECK(sqlite.wal_syncs > syncs);
}

TEST_CASE("positions: a full disk at the start, with and without a file") {
  for (const bool there : {true, false}) {
    CAPTURE(there);
    const TempDir dir;
    const std::string before = there ? filled_dir(dir) : "";
    CHECK(in_child([&] {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit full{0, RLIM_INFINITY}, roomy{RLIM_INFINITY, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &full);
            PositionsLife life(dir.path());
            if (!life.positions || !life->warning().empty()) return 1;
            if (to_text(life->drains()) != before) return 2;
            life.moved = {{5, progress_at(500)}};
            if (life->sync({})) return 3;
            ::setrlimit(RLIMIT_FSIZE, &roomy);
            return life->sync({}) ? 0 : 4;
          }) == 0);
    PositionsLife life(dir.path());
    CHECK(life->drains().size() == (there ? 4u : 1u));
    CHECK(life->drains().at(5).ordinal == 250);
  }
}

TEST_CASE("positions: whatever bit flips, a start has what was stored or nothing, and says so (D12)") {
  const TempDir dir, work;
  const std::string before = filled_dir(dir), bytes = bytes_of(dir / "positions.db");
  int lost = 0;
  for (size_t at = 0; at < bytes.size(); at += at < 100 || at % 4096 > 3700 ? 1 : 23) {
    CAPTURE(at);
    copy_dir(dir.path(), work / "d");
    std::string damaged = bytes;
    damaged[at] = char(damaged[at] ^ (1 << (at % 8)));
    write_bytes(work / "d/positions.db", damaged);
    PositionsLife life(work / "d");
    REQUIRE_MESSAGE(life.positions, life.error);
    if (life->warning().empty()) {
      REQUIRE(to_text(life->drains()) == before);
      REQUIRE(life->channels().at(7).ordinal == 50);
      continue;
    }
    ++lost;
    REQUIRE(life->drains().empty());
    REQUIRE(life->channels().empty());
    REQUIRE(life->highest() == Position{});
    REQUIRE(bytes_of(work / "d/positions.bad.db") == damaged);
    life.moved = {{1, progress_at(1)}};
    REQUIRE(ok(life->sync({})));
  }
  CHECK(lost > 300);
}

TEST_CASE("positions: cut, empty or foreign files are set aside; one that is gone is no damage") {
  for (const std::string how : {"cut", "empty", "foreign", "removed"}) {
    CAPTURE(how);
    const TempDir dir;
    filled_dir(dir);
    const std::string db = dir / "positions.db", bytes = bytes_of(db);
    if (how == "cut") write_bytes(db, bytes.substr(0, 5000));
    if (how == "empty") write_bytes(db, "");
    if (how == "foreign") write_bytes(db, std::string(5000, 'x'));
    if (how == "removed") std::filesystem::remove(db);
    {
      PositionsLife life(dir.path());
      REQUIRE_MESSAGE(life.positions, life.error);
      CHECK(life->drains().empty());
      CHECK(life->warning().empty() == (how == "removed"));
      life.moved = {{1, progress_at(70)}};
      REQUIRE(ok(life->sync({})));
    }
    PositionsLife life(dir.path());
    CHECK(life->warning().empty());
    CHECK(to_text(life->drains()) == to_text({{1, progress_at(70)}}));
  }
}

TEST_CASE("positions: damage that is met while running costs nothing: all of it is written anew") {
  const TempDir dir;
  filled_dir(dir);
  FaultySqlite sqlite;
  {
    PositionsLife life(dir.path());
    for (uint64_t drain = 3; drain < 200; ++drain) life.moved.push_back({drain, progress_at(drain)});
    sqlite.write_error = SQLITE_IOERR_CORRUPTFS;
    CHECK_FALSE(ok(life->sync({})));
    sqlite.write_error = 0;
    REQUIRE(ok(life->sync({})));
  }
  CHECK(exists(dir / "positions.bad.db"));
  PositionsLife life(dir.path());
  CHECK(life->warning().empty());
  CHECK(life->drains().size() == 200);
  CHECK(life->drains().at(1).next == Position{1000});
  CHECK(life->drains().at(900).next == Position{4});
  CHECK(life->channels().at(7).ordinal == 50);
}

TEST_CASE("positions: a newer version is refused by name; a flipped version is damage") {
  const TempDir dir;
  filled_dir(dir);
  {
    auto db = Database::open(dir / "positions.db", Database::Sync::full);
    REQUIRE(ok(db->script("PRAGMA user_version = 2; UPDATE meta SET value = 2 WHERE key = 'version'")));
  }
  {
    PositionsLife life(dir.path());
    CHECK_FALSE(life.positions);
    CHECK(life.error == dir / "positions.db" + " was written by a newer version; this one reads version 1");
  }
  {
    auto db = Database::open(dir / "positions.db", Database::Sync::full);
    REQUIRE(ok(db->script("UPDATE meta SET value = 1 WHERE key = 'version'")));
  }
  PositionsLife life(dir.path());
  REQUIRE(life.positions);
  CHECK_FALSE(life->warning().empty());
}

TEST_CASE("positions: drains and channels that are gone leave nothing behind") {
  const TempDir dir;
  filled_dir(dir);
  {
    PositionsLife life(dir.path());
    life->keep_only({1, 5}, [](uint32_t channel) { return channel == 7; });
    CHECK(life->drains().size() == 1);
    CHECK(life->channels().empty());
    CHECK(life->highest() == Position{(uint64_t{1} << 52) + 7});  // numbers that were used stay used
    REQUIRE(ok(life->sync({})));
  }
  PositionsLife life(dir.path());
  CHECK(to_text(life->drains()) == to_text({{1, progress_at(1000)}}));
  CHECK(life->channels().empty());
}

TEST_CASE("positions: the WAL stays small however often a drain moves") {
  const TempDir dir;
  PositionsLife life(dir.path());
  for (uint64_t n = 1; n < 3000; ++n) {
    life.moved = {{n % 50, progress_at(n)}};
    REQUIRE(ok(life->sync({})));
  }
  CHECK(std::filesystem::file_size(dir / "positions.db-wal") < 5u << 20);
}
