// The catalog's file: what was changed is there, whatever happens to it; or was refused.

#include "channels/disk/catalog_file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "channels/disk/crash_point.h"
#include "channels/disk/row_sum.h"
#include "channels/errc.h"
#include "tests/disk/catalog_fixture.h"
#include "tests/disk/faulty_sqlite.h"
#include "tests/disk/scoped_hook.h"
#include "tests/disk/temp_dir.h"
#include "tests/eventually.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

constexpr const char* kToken = "t.8f0c3a6e-98c4-4b51-8a87-000000000001";

/// Everything that a catalog can hold, and holes where something was.
void fill(MemoryCatalog& catalog) {
  REQUIRE(ok(catalog.add_channel("shop")));
  REQUIRE(ok(catalog.add_channel("gone")));
  REQUIRE(ok(catalog.add_channel(std::string("a\0b 'ü", 7))));
  REQUIRE(ok(catalog.add_token("1", "app", {.id = kToken, .strict = true})));
  REQUIRE(ok(catalog.add_token("1", "heroku", {})));
  REQUIRE(ok(catalog.add_token("2", "app", {})));
  REQUIRE(ok(catalog.add_token("3", "app", {})));
  REQUIRE(ok(catalog.add_drain("1", "https://example.com/a?b=c")));
  REQUIRE(ok(catalog.add_drain("2", "syslog://example.com:514")));
  REQUIRE(ok(catalog.add_drain("3", "")));
  REQUIRE(ok(catalog.add_drain("3", "https://example.com/removed")));
  REQUIRE(ok(catalog.set_drain_url("3", 3, "https://example.com/later", {.options = R"({"gzip":"1"})"})));
  REQUIRE(ok(catalog.set_drain_paused("3", 3, true)));
  REQUIRE(ok(catalog.remove_drain("3", 4)));
  REQUIRE(ok(catalog.replace_drain("1", 1, "https://example.com/a?b=c", {.options = R"({"zstd":true})"})));
  REQUIRE(ok(catalog.put_channel("3", {.name = "renamed", .tokens = {{"app", "web"}}})));
  REQUIRE(ok(catalog.put_channel("3", {.no_tail = true, .no_history = true, .tokens = {{"web"}}})));
  REQUIRE(ok(catalog.put_channel("3", {.no_tail = false})));
  REQUIRE(ok(catalog.remove_token("1", catalog.add_token("1", "late", {}).value()->id)));
  REQUIRE(ok(catalog.remove_channel("2")));
  REQUIRE(ok(catalog.add_credential(
      {.id = "reader", .name = "r", .permissions = {.read = {"1", "3"}}, .password_hash = {}}, "old")));
  REQUIRE(ok(catalog.remove_credential("reader")));
  REQUIRE(ok(catalog.add_credential(
      {.id = "reader", .name = "r", .permissions = {.read = {"3"}}, .password_hash = {}}, "secret")));
}

/// A dir with a filled catalog and its copy; `closed`: else its process was killed and the changes are in the
/// WAL.
std::string filled_dir(const TempDir& dir, bool closed) {
  std::string text;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  REQUIRE(in_child([&] {
            CatalogLife life(dir.path());
            fill(*life.catalog);
            const std::string all = to_text(*life.catalog);
            if (::write(pipe[1], all.data(), all.size()) != ssize_t(all.size())) return 2;
            if (closed) {
              life.file.reset();
              return 0;
            }
            // The copy of the last change is there before the process ends.
            const auto copied = [&] {
              auto copy = Database::open_to_read(dir / "catalog.copy.db");
              const auto rows = copy ? read_catalog(*copy) : Result<CatalogRows>(copy.error());
              const auto readers = rows ? rows->contents.credentials : std::vector<Credential>{};
              return !readers.empty() && readers[0].permissions.read.size() == 1;
            };
            ::_exit(eventually(copied) ? 0 : 3);
          }) == 0);
  ::close(pipe[1]);
  char buffer[4096];
  for (ssize_t n; (n = ::read(pipe[0], buffer, sizeof buffer)) > 0;) text.append(buffer, size_t(n));
  ::close(pipe[0]);
  return text;
}

/// A catalog of version 1 or 2, as its own program made it: one channel, a token, a drain and a reserved one.
void write_version(const std::string& path, int version) {
  auto db = Database::open(path, Database::Sync::full);
  REQUIRE(ok(db));
  const std::string
      number = std::to_string(version),
      script =
          R"(
  CREATE TABLE meta(key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE channels(idx INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
  CREATE TABLE gaps(first INTEGER PRIMARY KEY, behind INTEGER NOT NULL);
  CREATE TABLE tokens(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel INTEGER NOT NULL,
                      name TEXT NOT NULL, strict INTEGER NOT NULL);
  CREATE INDEX tokens_of ON tokens(channel);
  CREATE TABLE drains(id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, channel INTEGER NOT NULL,
                      url TEXT NOT NULL, start_number INTEGER NOT NULL, start_ordinal INTEGER NOT NULL)" +
          std::string(version == 1 ? ""
                                   : ", options TEXT NOT NULL DEFAULT '', "
                                     "paused INTEGER NOT NULL DEFAULT 0") +
          R"();
  CREATE INDEX drains_of ON drains(channel);
  CREATE TABLE credentials(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                           full_api INTEGER NOT NULL, any_channel INTEGER NOT NULL,
                           password_hash BLOB NOT NULL);
  CREATE TABLE readers(credential TEXT NOT NULL, channel TEXT NOT NULL,
                       PRIMARY KEY(credential, channel)) WITHOUT ROWID;
  PRAGMA user_version = )" +
          number + R"(;
  INSERT INTO meta VALUES('version', )" +
          number +
          R"(), ('password_key', zeroblob(32)), ('dedupe_seed', 77), ('next_index', 1), ('next_drain', 4),
    ('changes', 9);
  INSERT INTO channels VALUES(0, '1', 'shop');
  INSERT INTO tokens VALUES(1, 't.8f0c3a6e-98c4-4b51-8a87-000000000001', 0, 'app', 1);
  INSERT INTO drains(id, token, channel, url, start_number, start_ordinal)
    VALUES(2, 'd.8f0c', 0, 'https://example.com/a', 1001, 7), (3, 'd.8f0d', 0, '', 0, 0))";
  REQUIRE(ok(db->script(script.c_str())));
  uint64_t sum = 0;
  for (const char* table : {"meta", "channels", "tokens", "drains"}) {
    Statement rows(*db, ("SELECT '" + std::string(table) + "', * FROM " + table).c_str());
    while (rows.step().value() == Statement::Step::row) {
      RowSum one;
      for (int column = 0; column < rows.columns(); ++column)
        if (rows.is_integer(column))
          one.add(rows.integer(column));
        else
          one.add(rows.text(column));
      sum ^= one.value();
    }
  }
  REQUIRE(ok(db->run("INSERT INTO meta VALUES('sum', ?1)", sum)));
}

bool refused(const error_code& error) {
  return error == ChannelErrc::not_stored;
}

}  // namespace

TEST_CASE("catalog file: what was changed is there after a restart, whether it was closed or killed") {
  for (const bool closed : {true, false}) {
    CAPTURE(closed);
    const TempDir dir;
    const std::string before = filled_dir(dir, closed);
    CHECK(before.find(kToken) != before.npos);
    CatalogLife life(dir.path());
    REQUIRE_MESSAGE(life.file, life.error);
    CHECK(to_text(*life.catalog) == before);
    CHECK_FALSE(life.loaded.from_copy);
    CHECK(life.loaded.warning.empty());
    const auto reader = life->authenticate("reader", "secret");
    REQUIRE(reader);
    CHECK(reader->read == std::vector<std::string>{"3"});
    CHECK_FALSE(life->authenticate("reader", "old"));
    for (const char* name : {"catalog.db", "catalog.copy.db"}) {
      struct stat status;
      REQUIRE(::stat((dir / name).c_str(), &status) == 0);
      CHECK((status.st_mode & 0777) == 0600);
      CHECK(bytes_of(dir / name).find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("catalog file: keys and the dir's id stay the same; an admin is not stored") {
  const TempDir dir;
  CatalogFile::Loaded first;
  {
    CatalogLife life(dir.path());
    first = life.loaded;
    CHECK_FALSE(first.data_dir);
    CHECK(first.password_key.size() == 32);
    CHECK(first.dedupe_seed != 0);
    REQUIRE(ok(life.file->set_data_dir({1, 2, 3})));
    const Credential root{.id = "root", .name = "", .permissions = {}, .password_hash = {}};
    REQUIRE(ok(life->add_credential(root, "x")));
    life->set_admin("root", "secret");
    CHECK(life->authenticate("root", "secret"));
    CHECK_FALSE(life->authenticate("root", "wrong"));
    CHECK(life->add_credential(root, "y").error() == ChannelErrc::exists);
    CHECK(life->authenticate("root", "secret"));  // the one of this start goes first
    CHECK_FALSE(life->authenticate("root", "x"));
  }
  CatalogLife life(dir.path());
  CHECK(life.loaded.data_dir == std::array<uint8_t, 16>{1, 2, 3});
  CHECK(life.loaded.password_key == first.password_key);
  CHECK(life.loaded.dedupe_seed == first.dedupe_seed);
  CHECK_FALSE(life->authenticate("root", "secret"));
  const auto root = life->authenticate("root", "x");
  REQUIRE(root);
  CHECK_FALSE(root->full_api);
}

TEST_CASE("catalog file: no index and no id is used twice, and what was removed is known as that") {
  const TempDir dir;
  {
    CatalogLife life(dir.path());
    fill(*life.catalog);
    REQUIRE(ok(life->remove_channel("3")));
    CHECK(life.file->was_removed(2));
  }
  {
    CatalogLife life(dir.path());
    CHECK_FALSE(life.file->was_removed(0));
    CHECK(life.file->was_removed(1));
    CHECK(life.file->was_removed(2));
    CHECK_FALSE(life.file->was_removed(3));  // not given yet
    const ChannelPtr channel = life->add_channel("new").value();
    CHECK(channel->index == 3);
    CHECK(channel->id == "4");
    CHECK(life->add_drain("4", "https://example.com/").value().id == 5);
  }
  {
    // Segments hold records of channels that this catalog never had.
    CatalogLife life(dir.path(), 10);
    CHECK(life->add_channel("beyond").value()->index == 10);
    CHECK_FALSE(life.file->was_removed(7));
  }
  CatalogLife life(dir.path());
  CHECK_FALSE(life.file->was_removed(4));
  CHECK_FALSE(life.file->was_removed(9));
  CHECK_FALSE(life.file->was_removed(10));
  CHECK(life.file->was_removed(1));
  CHECK(life->add_channel("next").value()->index == 11);
}

TEST_CASE("catalog file: a chosen id may come back, a number may not; indices are new in both cases") {
  const TempDir dir;
  std::string before;
  {
    CatalogLife life(dir.path());
    for (const char* number : {"1", "007", "", "18446744073709551616"})
      CHECK(life->put_channel(number, {}).error() == ChannelErrc::is_counted);
    const auto first =
        life->put_channel("app-1", {.name = "shop", .tokens = {{"app", "app", "heroku"}}}).value();
    CHECK(first.created);
    CHECK(life->tokens(*first.channel).size() == 2);
    CHECK(life->add_channel("counted").value()->id == "2");
    REQUIRE(ok(life->remove_channel("app-1")));
    REQUIRE(ok(life->remove_channel("2")));
    CHECK(life->put_channel("2", {}).error() == ChannelErrc::is_counted);
    const auto second = life->put_channel("app-1", {.tokens = {{"app"}}}).value();
    CHECK(second.created);
    CHECK(second.channel->index == 2);
    CHECK_FALSE(life->put_channel("app-1", {.no_tail = true}).value().created);
    CHECK(life->tokens(*second.channel).size() == 1);
    before = to_text(*life.catalog);
  }
  CatalogLife life(dir.path());
  CHECK(to_text(*life.catalog) == before);
  CHECK(life.file->was_removed(0));
  CHECK(life.file->was_removed(1));
  CHECK_FALSE(life.file->was_removed(2));
  CHECK(life->channel("app-1")->no_tail);
  CHECK(life->add_channel("").value()->id == "4");
}

TEST_CASE("catalog: whoever looked up a token that is gone is told to look again") {
  const TempDir dir;
  CatalogLife life(dir.path());
  const auto channel = life->put_channel("app-1", {.tokens = {{"a", "b"}}}).value().channel;
  const auto goes = [&](const std::string& id, auto&& change) {
    const uint64_t epoch = life->token_epoch();
    REQUIRE(life->token(id));
    change();
    CHECK_FALSE(life->token(id));
    CHECK(life->token_epoch() > epoch);
  };
  const std::string a = life->tokens(*channel)[0]->id, b = life->tokens(*channel)[1]->id;
  CHECK(life->remove_token("none", a).error() == ChannelErrc::not_found);
  CHECK(life->remove_token("app-1", "a").error() == ChannelErrc::not_found);
  goes(a, [&] { REQUIRE(ok(life->remove_token("app-1", a))); });
  goes(b, [&] { REQUIRE(ok(life->put_channel("app-1", {.tokens = {{"c"}}}))); });
  const uint64_t epoch = life->token_epoch();
  REQUIRE(ok(life->put_channel("app-1", {.tokens = {{"c", "d"}}})));
  CHECK(life->token_epoch() == epoch);  // nothing that was found before is wrong
}

TEST_CASE("catalog file: a process that ends at each named step, and the start behind it") {
  for (const char* name : {"catalog.committed", "catalog.copy_synced", "catalog.copy_renamed"})
    for (const int times : {1, 2, 7}) {
      CAPTURE(std::string(name));
      CAPTURE(times);
      const TempDir dir;
      int pipe[2];
      REQUIRE(::pipe(pipe) == 0);
      const int code = in_child([&] {
        ::setenv("TAILRACE_CRASHPOINT", (std::string(name) + ":" + std::to_string(times)).c_str(), 1);
        arm_crash_point();
        CatalogLife life(dir.path());
        if (!life.file) return 2;
        // Copies are coalesced: changes go on until enough were made.
        const auto cut_off = [&] { return !life->add_channel("shop") || ::write(pipe[1], "+", 1) != 1; };
        return eventually(cut_off) ? 3 : 4;
      });
      CHECK(code == 137);
      ::close(pipe[1]);
      size_t acknowledged = 0;
      for (char byte; ::read(pipe[0], &byte, 1) == 1;) ++acknowledged;
      ::close(pipe[0]);

      size_t there = 0;
      {
        CatalogLife life(dir.path());
        REQUIRE_MESSAGE(life.file, life.error);
        CHECK(life.loaded.warning.empty());
        there = life->channels().size();
        CHECK(there >= acknowledged);
        CHECK(there <= acknowledged + 1);
      }
      CHECK_FALSE(exists(dir / "catalog.copy.new"));
      // Closing brought the copy up to date, whatever the crash had left of it.
      std::filesystem::remove(dir / "catalog.db");
      CatalogLife life(dir.path());
      REQUIRE_MESSAGE(life.file, life.error);
      CHECK(life.loaded.from_copy);
      CHECK(life->channels().size() == there);
    }
}

TEST_CASE("catalog file: a missing, empty, cut, foreign or older one is replaced by the copy (D12)") {
  for (const bool closed : {true, false})
    for (const std::string how : {"removed", "empty", "cut", "foreign", "no wal", "older"}) {
      CAPTURE(closed);
      CAPTURE(how);
      const TempDir dir;
      std::string older;
      {
        CatalogLife life(dir.path());
        REQUIRE(life.file);
      }
      older = bytes_of(dir / "catalog.db");
      const std::string before = filled_dir(dir, closed);
      const std::string db = dir / "catalog.db", bytes = bytes_of(db);
      if (how == "removed") std::filesystem::remove(db);
      if (how == "empty") write_bytes(db, "");
      if (how == "cut") write_bytes(db, bytes.substr(0, closed ? bytes.size() / 2 : 1000));
      if (how == "foreign") write_bytes(db, "this is no database, but a text that somebody has put here\n");
      if (how == "no wal" || how == "older") std::filesystem::remove(db + "-wal");
      if (how == "older") write_bytes(db, older);
      const bool lost = how != "no wal" || !closed;
      {
        CatalogLife life(dir.path());
        REQUIRE_MESSAGE(life.file, life.error);
        CHECK(to_text(*life.catalog) == before);
        CHECK(life.loaded.from_copy == lost);
        CHECK(life.loaded.warning.empty() == !lost);
        CHECK(exists(dir / "catalog.bad.db") == (lost && how != "removed"));
        if (!lost) continue;
        // Nobody knows what a newer one had: neither a channel's index nor a drain's id is given again.
        CHECK(life.file->was_removed(1));
        CHECK_FALSE(life.file->was_removed(3));
        CHECK_FALSE(life.file->was_removed(900));
        const ChannelPtr channel = life->add_channel("new").value();
        CHECK(channel->index > 1000);
        CHECK(life->add_drain(channel->id, "").value().id > 1000);
      }
      CatalogLife life(dir.path());
      CHECK_FALSE(life.loaded.from_copy);
      CHECK(life.file->was_removed(1));
      CHECK_FALSE(life.file->was_removed(900));
      CHECK(life->channels().size() == 3);
    }
}

TEST_CASE("catalog file: both gone, or both damaged, is a new one and a warning, not a refusal (D12)") {
  for (const bool removed : {true, false}) {
    CAPTURE(removed);
    const TempDir dir;
    filled_dir(dir, true);
    for (const char* name : {"catalog.db", "catalog.copy.db"}) {
      if (removed)
        std::filesystem::remove(dir / name);
      else
        write_bytes(dir / name, "damaged");
    }
    CatalogLife life(dir.path());
    REQUIRE_MESSAGE(life.file, life.error);
    CHECK(life->channels().empty());
    CHECK_FALSE(life.loaded.data_dir);
    CHECK(life.loaded.warning.empty() == removed);  // nothing tells it from a first start
    CHECK(exists(dir / "catalog.bad.db") == !removed);
    CHECK(exists(dir / "catalog.copy.bad.db") == !removed);
  }
}

TEST_CASE("catalog file: whatever bit flips in it, a start finds what was there (D12)") {
  for (const bool closed : {true, false}) {
    CAPTURE(closed);
    const TempDir dir, work;
    const std::string before = filled_dir(dir, closed);
    const std::string name = closed ? "catalog.db" : "catalog.db-wal", bytes = bytes_of(dir / name);
    REQUIRE(bytes.size() > 30'000);
    uint64_t copies = 0;
    for (size_t at = 0; at < bytes.size(); at += at < 100 ? 1 : 131) {
      CAPTURE(at);
      copy_dir(dir.path(), work / "d");
      std::string damaged = bytes;
      damaged[at] = char(damaged[at] ^ (1 << (at % 8)));
      write_bytes(work / ("d/" + name), damaged);
      CatalogLife life(work / "d");
      REQUIRE_MESSAGE(life.file, life.error);
      REQUIRE(to_text(*life.catalog) == before);
      copies += life.loaded.from_copy;
    }
    CHECK(copies > 20);
  }
}

TEST_CASE("catalog file: a flipped bit in a cell, which SQLite does not look at, is found") {
  const TempDir dir;
  const std::string before = filled_dir(dir, true);
  std::string bytes = bytes_of(dir / "catalog.db");
  const size_t at = bytes.find("https://example.com/a?b=c");
  REQUIRE(at != bytes.npos);
  bytes[at + 8] = 'f';  // a drain's records would go to a stranger
  write_bytes(dir / "catalog.db", bytes);
  {
    auto db = Database::open_to_read(dir / "catalog.db");
    REQUIRE(ok(db));
    CHECK(ok(db->check()));
  }
  CatalogLife life(dir.path());
  CHECK(to_text(*life.catalog) == before);
  CHECK(life.loaded.from_copy);
}

TEST_CASE("catalog file: a newer version is refused by name and left as it is; a flipped version is not") {
  const TempDir dir;
  const std::string before = filled_dir(dir, true);
  {
    auto db = Database::open(dir / "catalog.db", Database::Sync::full);
    REQUIRE(ok(db->script("PRAGMA user_version = 4")));
  }
  {
    CatalogLife life(dir.path());
    REQUIRE(life.file);
    CHECK(to_text(*life.catalog) == before);
    CHECK(life.loaded.from_copy);
  }
  {
    auto db = Database::open(dir / "catalog.db", Database::Sync::full);
    REQUIRE(db->script("PRAGMA user_version = 4; UPDATE meta SET value = 4 WHERE key = 'version'"));
  }
  const std::string bytes = bytes_of(dir / "catalog.db"), copy = bytes_of(dir / "catalog.copy.db");
  CatalogLife life(dir.path());
  CHECK_FALSE(life.file);
  CHECK(life.error == dir / "catalog.db" + " was written by a newer version; this one reads version 3");
  CHECK(bytes_of(dir / "catalog.db") == bytes);
  CHECK(bytes_of(dir / "catalog.copy.db") == copy);
}

TEST_CASE("catalog file: one of an older version is brought to this one, with all that is in it") {
  for (const auto& [version, full] : {std::pair(1, false), {1, true}, {2, false}, {2, true}}) {
    CAPTURE(version);
    CAPTURE(full);
    const TempDir dir;
    write_version(dir / "catalog.db", version);
    const std::string channel = "0 1 'shop'\n", token = std::string("  ") + kToken + " 'app' strict\n";
    const std::string first = "  2 d.8f0c https://example.com/a 1001 7 ", second = "  3 d.8f0d  0 0 ";
    {
      FaultySqlite sqlite;
      if (full) sqlite.write_error = SQLITE_FULL;
      CatalogLife life(dir.path());
      REQUIRE_MESSAGE(life.file, life.error);
      CHECK(life.loaded.warning.empty());
      CHECK_FALSE(life.loaded.from_copy);
      CHECK(life.loaded.dedupe_seed == 77);
      CHECK(to_text(*life.catalog) == channel + token + first + "\n" + second + "\n");
      if (full) CHECK(refused(life->set_drain_paused("1", 2, true).error()));
      if (full) CHECK(refused(life->put_channel("1", {.no_tail = true}).error()));
      CHECK_FALSE(life->channel("1")->no_tail);
      sqlite.write_error = 0;
      REQUIRE(ok(life->put_channel("1", {.no_tail = true})));
      REQUIRE(ok(life->set_drain_paused("1", 2, true)));
      REQUIRE(ok(life->set_drain_url("1", 3, "https://example.com/b", {.options = R"({"zstd":true})"})));
    }
    for (const char* name : {"catalog.db", "catalog.copy.db"}) {
      auto db = Database::open_to_read(dir / name);
      REQUIRE(ok(db));
      const auto rows = read_catalog(*db);
      REQUIRE(ok(rows));
      CHECK(rows->version == 3);
    }
    CatalogLife life(dir.path());
    REQUIRE_MESSAGE(life.file, life.error);
    const std::string found = to_text(*life.catalog);
    CHECK(found.starts_with("0 1 'shop' no_tail\n" + token + first + " paused\n"));
    CHECK(found.ends_with("{\"zstd\":true}\n"));
  }
}

TEST_CASE("catalog file: what cannot be stored is refused, changes nothing, and works again afterwards") {
  for (const bool sync : {false, true}) {
    CAPTURE(sync);
    const TempDir dir;
    FaultySqlite sqlite;
    std::string before;
    {
      CatalogLife life(dir.path());
      fill(*life.catalog);
      before = to_text(*life.catalog);
      const uint64_t epoch = life->token_epoch();
      (sync ? sqlite.sync_error : sqlite.write_error) = sync ? SQLITE_IOERR_FSYNC : SQLITE_FULL;
      CHECK(refused(life->add_channel("x").error()));
      CHECK(refused(life->remove_channel("1").error()));
      CHECK(refused(life->add_token("1", "x", {}).error()));
      CHECK(refused(life->remove_token("1", kToken).error()));
      CHECK(refused(life->put_channel("app-1", {.tokens = {{"app"}}}).error()));
      CHECK(refused(life->put_channel("1", {.name = "x", .no_tail = true, .tokens = {{"x"}}}).error()));
      CHECK(refused(life->replace_drain("1", 1, "https://example.com/x").error()));
      CHECK(refused(life->remove_credential("reader").error()));
      CHECK(refused(life->add_drain("1", "https://example.com/x").error()));
      CHECK(refused(life->remove_drain("1", 1).error()));
      CHECK(refused(
          life->add_credential({.id = "more", .name = "", .permissions = {}, .password_hash = {}}, "x")
              .error()));
      CHECK(life->authenticate("reader", "secret"));
      CHECK(to_text(*life.catalog) == before);
      CHECK(life->token_epoch() == epoch);
      CHECK_FALSE(life.file->was_removed(0));
      sqlite.sync_error = sqlite.write_error = 0;
      CHECK(to_text(*life.catalog) == before);
      const ChannelPtr channel = life->add_channel("again").value();
      CHECK(channel->index == 3);
      CHECK(life->add_drain("1", "https://example.com/x").value().id == 5);
      before = to_text(*life.catalog);
    }
    CHECK(found_in(dir.path()) == before);
  }
}

TEST_CASE("catalog file: each change is synced before it is told") {
  const TempDir dir;
  FaultySqlite sqlite;
  CatalogLife life(dir.path());
  for (int i = 0; i < 20; ++i) {
    const int syncs = sqlite.wal_syncs;
    REQUIRE(ok(life->add_channel("shop")));
    CHECK(sqlite.wal_syncs > syncs);
  }
}

TEST_CASE("catalog file: a start on a full disk, also from the copy; changes work when there is room") {
  for (const std::string how : {"closed", "killed", "damaged", "empty"}) {
    CAPTURE(how);
    const TempDir dir;
    const std::string before = filled_dir(dir, how != "killed");
    const bool lost = how == "damaged" || how == "empty";
    if (lost) write_bytes(dir / "catalog.db", how == "empty" ? "" : how);
    CHECK(in_child([&] {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit full{0, RLIM_INFINITY}, roomy{RLIM_INFINITY, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &full);
            CatalogLife life(dir.path());
            if (!life.file) return 1;
            if (to_text(*life.catalog) != before) return 2;
            if (!refused(life->add_channel("x").error())) return 3;
            ::setrlimit(RLIMIT_FSIZE, &roomy);
            const auto channel = life->add_channel("x");
            if (!channel || ((*channel)->index > 1000) != lost) return 4;
            if (life.file->was_removed(500) || !life.file->was_removed(1)) return 5;
            return 0;
          }) == 0);
    CatalogLife life(dir.path());
    REQUIRE(life.file);
    CHECK(life->channels().size() == 3);
    CHECK_FALSE(life.file->was_removed(500));
  }
}

TEST_CASE("catalog file: changes during a copy share the next one") {
  const TempDir dir;
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false, go = false;
  int copies = 0;
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    if (!step.path.ends_with("catalog.copy.new")) return 0;
    std::unique_lock lock(mutex);
    if (step.kind == IoStep::Kind::rename) ++copies;
    if (step.kind != IoStep::Kind::sync) return 0;
    held = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go; });
    return 0;
  });
  std::string before;
  {
    CatalogLife life(dir.path());
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return held; });
    }
    for (int i = 0; i < 300; ++i) REQUIRE(ok(life->add_channel("shop " + std::to_string(i))));
    before = to_text(*life.catalog);
    const std::lock_guard lock(mutex);
    go = true;
    changed.notify_all();
  }
  CHECK(copies == 2);
  std::filesystem::remove(dir / "catalog.db");
  CHECK(found_in(dir.path()) == before);
}

TEST_CASE("catalog file: a copy that fails leaves the one before, and the next start makes it") {
  const TempDir dir;
  const std::string before = filled_dir(dir, true);
  const std::string copy = bytes_of(dir / "catalog.copy.db");
  {
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      return step.path.ends_with("catalog.copy.new") && step.kind == IoStep::Kind::sync ? EIO : 0;
    });
    CatalogLife life(dir.path());
    REQUIRE(ok(life->add_channel("more")));
  }
  CHECK(bytes_of(dir / "catalog.copy.db") == copy);
  CHECK_FALSE(exists(dir / "catalog.copy.new"));
  std::string after;
  {
    CatalogLife life(dir.path());
    after = to_text(*life.catalog);
    CHECK(after.size() > before.size());
  }
  std::filesystem::remove(dir / "catalog.db");
  CHECK(found_in(dir.path()) == after);
}

TEST_CASE("catalog file: its WAL stays small, and a copy holds what changed while it was made") {
  const TempDir dir;
  std::string before;
  {
    CatalogLife life(dir.path());
    for (int i = 0; i < 3000; ++i) REQUIRE(ok(life->add_channel(std::string(500, 'x'))));
    CHECK(std::filesystem::file_size(dir / "catalog.db-wal") < 5u << 20);
    before = to_text(*life.catalog);
  }
  CHECK(found_in(dir.path()) == before);
  std::filesystem::remove(dir / "catalog.db");
  CHECK(found_in(dir.path()) == before);
}
