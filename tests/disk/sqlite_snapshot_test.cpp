#include "channels/disk/sqlite_snapshot.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <boost/system/errc.hpp>
#include <fstream>
#include <random>
#include <thread>

#include "channels/disk/errc.h"
#include "channels/disk/io.h"
#include "tests/disk/segment_fixture.h"
#include "tests/disk/temp_dir.h"

using namespace tailrace;

namespace {

/// A database as the data dir's are: WAL, locked by its one process.
struct Writer {
  explicit Writer(const std::string& path) {
    REQUIRE(::sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    run("PRAGMA locking_mode=EXCLUSIVE");
    run("PRAGMA journal_mode=WAL");
    run("CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v TEXT)");
  }
  ~Writer() { ::sqlite3_close(db); }
  void run(const std::string& sql) {
    char* error = nullptr;
    const int code = ::sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error);
    CHECK_MESSAGE(code == SQLITE_OK, std::string(error ? error : ""));
    ::sqlite3_free(error);
  }
  void put(int key, const std::string& value) {
    run("INSERT OR REPLACE INTO t VALUES(" + std::to_string(key) + ",'" + value + "')");
  }
  sqlite3* db = nullptr;
};

/// Up to the end, or to where the pages are no good.
std::string values(Database& snapshot, const char* sql = "SELECT k, v FROM t ORDER BY k") {
  std::string all;
  Statement rows(snapshot, sql);
  for (;;) {
    const auto step = rows.step();
    if (!step || *step == Statement::Step::done) return all;
    all += std::to_string(rows.integer(0)) + "=" + std::string(rows.text(1)) + " ";
  }
}

std::string values(const std::string& path) {
  auto snapshot = read_snapshot(path);
  REQUIRE(snapshot.has_value());
  CHECK(snapshot->check().has_value());
  return values(*snapshot);
}

std::vector<std::string> names(const TempDir& dir) {
  auto all = list_dir(dir.path()).value();
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("sqlite snapshot: what is committed, while the process that writes it holds its lock") {
  const TempDir dir;
  Writer writer(dir / "a.db");
  writer.put(1, "one");
  CHECK(values(dir / "a.db") == "1=one ");
  writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
  writer.put(2, "two");
  writer.run("BEGIN");
  writer.put(3, "not yet");
  const auto before = names(dir);
  CHECK(values(dir / "a.db") == "1=one 2=two ");
  CHECK(names(dir) == before);
  writer.run("COMMIT");
  CHECK(values(dir / "a.db") == "1=one 2=two 3=not yet ");
  writer.run("DELETE FROM t WHERE k < 3");
  writer.run("VACUUM");
  CHECK(values(dir / "a.db") == "3=not yet ");
}

TEST_CASE("sqlite snapshot: a database in one piece is read beside one that writes and checkpoints") {
  const TempDir dir;
  Writer writer(dir / "a.db");
  writer.run("PRAGMA wal_autocheckpoint=3");
  for (int i = 0; i < 50; ++i) writer.put(i, std::string(500, 'a'));
  std::atomic<bool> stop{false};
  std::jthread writing([&] {
    for (int i = 0; !stop; ++i) {
      // Two rows far apart that always agree.
      const std::string v(500, char('a' + i % 26));
      writer.run("UPDATE t SET v='" + v + "' WHERE k IN (0, 49)");
    }
  });
  for (int i = 0; i < 200; ++i) {
    auto snapshot = read_snapshot(dir / "a.db");
    if (!snapshot) {
      CHECK(snapshot.error() == boost::system::errc::device_or_resource_busy);
      continue;
    }
    REQUIRE(snapshot->check().has_value());
    const std::string both = values(*snapshot, "SELECT 0, v FROM t WHERE k IN (0, 49)");
    REQUIRE(both.size() == 2 * 503);
    REQUIRE(both.substr(0, 503) == both.substr(503));
  }
  stop = true;
}

TEST_CASE("sqlite snapshot: whatever the bytes are, an answer or an error") {
  const TempDir dir;
  {
    Writer writer(dir / "a.db");
    for (int i = 0; i < 40; ++i) writer.put(i, std::string(300, 'x'));
    writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < 40; ++i) writer.put(i, std::string(300, 'y'));
    for (const char* suffix : {"", "-wal"}) {
      const auto bytes = file_bytes(dir / ("a.db" + std::string(suffix)));
      File::create(dir / ("b.db" + std::string(suffix))).value().write(0, bytes).value();
    }
  }
  const auto database = file_bytes(dir / "b.db"), wal = file_bytes(dir / "b.db-wal");
  REQUIRE(wal.size() > 4096);
  const auto write = [&](const char* suffix, std::span<const std::byte> bytes) {
    File file = File::open_to_write(dir / ("b.db" + std::string(suffix))).value();
    file.truncate(bytes.size()).value();
    file.write(0, bytes).value();
  };
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    auto db = database, log = wal;
    auto& damaged = round % 2 ? db : log;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] ^= std::byte(1 + random() % 255);
    if (round % 5 == 0) damaged.resize(random() % damaged.size());
    write("", db), write("-wal", log);
    auto snapshot = read_snapshot(dir / "b.db");
    // In the WAL the checksums tell, so what is left is an earlier commit.
    if (round % 2 == 0) {
      REQUIRE(snapshot.has_value());
      REQUIRE(snapshot->check().has_value());
    }
    if (snapshot) values(*snapshot);
  }
  write("", std::as_bytes(std::span("no database", 11)));
  CHECK(read_snapshot(dir / "b.db").error() == DiskErrc::damaged);
  CHECK(read_snapshot(dir / "none.db").error() == boost::system::errc::no_such_file_or_directory);
}
