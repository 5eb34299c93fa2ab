#include "channels/disk/catalog_tables.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/ids.h"
#include "channels/disk/errc.h"
#include "channels/disk/row_sum.h"

namespace tailrace {
namespace {

constexpr const char* kTables = R"(
  CREATE TABLE meta(key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE channels(idx INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                        no_tail INTEGER NOT NULL DEFAULT 0, no_history INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE gaps(first INTEGER PRIMARY KEY, behind INTEGER NOT NULL);
  CREATE TABLE tokens(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel INTEGER NOT NULL,
                      name TEXT NOT NULL, strict INTEGER NOT NULL);
  CREATE INDEX tokens_of ON tokens(channel);
  CREATE TABLE drains(id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, channel INTEGER NOT NULL,
                      url TEXT NOT NULL, start_number INTEGER NOT NULL, start_ordinal INTEGER NOT NULL,
                      options TEXT NOT NULL DEFAULT '', paused INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX drains_of ON drains(channel);
  CREATE TABLE credentials(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                           full_api INTEGER NOT NULL, any_channel INTEGER NOT NULL,
                           password_hash BLOB NOT NULL);
  CREATE TABLE readers(credential TEXT NOT NULL, channel TEXT NOT NULL,
                       PRIMARY KEY(credential, channel)) WITHOUT ROWID;
  PRAGMA user_version = 3)";

constexpr const char* kAllRows[] = {
    "SELECT 'meta', * FROM meta WHERE key <> 'sum'",
    "SELECT 'channels', * FROM channels",
    "SELECT 'gaps', * FROM gaps",
    "SELECT 'tokens', * FROM tokens",
    "SELECT 'drains', * FROM drains",
    "SELECT 'credentials', * FROM credentials",
    "SELECT 'readers', * FROM readers",
};

/// XOR of a hash of each row: what was added is taken out by the same row.
Result<uint64_t> sum_of(Statement& rows) {
  uint64_t sum = 0;
  RowSum one;
  for (;;) {
    const auto step = rows.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) return sum;
    one.clear();
    for (int column = 0; column < rows.columns(); ++column) {
      if (rows.is_integer(column))
        one.add(rows.integer(column));
      else
        one.add(rows.text(column));
    }
    sum ^= one.value();
  }
}

/// Calls `use` with each row.
template <class F>
Result<void> for_each_row(Database& db, const char* sql, F&& use) {
  Statement rows(db, sql);
  for (;;) {
    const auto step = rows.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) return {};
    use(rows);
  }
}

struct Meta {
  std::map<std::string, uint64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> blobs;

  uint64_t number(std::string_view key) const {
    const auto found = numbers.find(key);
    return found == numbers.end() ? 0 : found->second;
  }
  std::string blob(std::string_view key) const {
    const auto found = blobs.find(key);
    return found == blobs.end() ? "" : found->second;
  }
};

Result<Meta> read_meta(Database& db) {
  Meta meta;
  const auto read = for_each_row(db, "SELECT key, value FROM meta", [&](const Statement& row) {
    std::string key(row.text(0));
    if (row.is_integer(1))
      meta.numbers[std::move(key)] = row.integer(1);
    else
      meta.blobs[std::move(key)] = row.text(1);
  });
  if (!read) return read.error();
  return meta;
}

/// The version stands in two places, so that a flipped bit in one does not refuse a start.
Result<void> check_version(Database& db, const Meta& meta) {
  uint64_t version = 0;
  const auto read = for_each_row(db, "PRAGMA user_version",
                                 [&](const Statement& row) { version = uint32_t(row.integer(0)); });
  if (!read) return read;
  if (version != meta.number("version")) return make_error_code(DiskErrc::damaged);
  if (version > kCatalogVersion) return make_error_code(DiskErrc::newer_version);
  if (version == 0) return make_error_code(DiskErrc::damaged);
  return {};
}

Result<void> check_sum(Database& db, uint64_t expected) {
  uint64_t sum = 0;
  for (const char* sql : kAllRows) {
    Statement rows(db, sql);
    const auto part = sum_of(rows);
    if (!part) return part.error();
    sum ^= *part;
  }
  if (sum != expected) return make_error_code(DiskErrc::damaged);
  return {};
}

Result<void> read_contents(Database& db, CatalogRows& all) {
  CatalogContents& into = all.contents;
  const auto channels = for_each_row(
      db,
      all.version < 3 ? "SELECT idx, id, name, 0, 0 FROM channels ORDER BY idx"
                      : "SELECT idx, id, name, no_tail, no_history FROM channels ORDER BY idx",
      [&](const Statement& row) {
        into.channels.push_back({std::string(row.text(1)), std::string(row.text(2)), uint32_t(row.integer(0)),
                                 row.integer(3) != 0, row.integer(4) != 0});
      });
  if (!channels) return channels;
  const auto gaps =
      for_each_row(db, "SELECT first, behind FROM gaps ORDER BY first", [&](const Statement& row) {
        all.gaps.emplace_back(uint32_t(row.integer(0)), uint32_t(row.integer(1)));
      });
  if (!gaps) return gaps;
  const auto tokens =
      for_each_row(db, "SELECT id, name, channel, strict FROM tokens ORDER BY n", [&](const Statement& row) {
        into.tokens.push_back({std::string(row.text(0)), std::string(row.text(1)), uint32_t(row.integer(2)),
                               row.integer(3) != 0});
      });
  if (!tokens) return tokens;
  const bool first_version = all.version == 1;  // without options, and none is paused
  const auto drains = for_each_row(
      db,
      first_version
          ? "SELECT id, token, channel, url, start_number, start_ordinal, '', 0 FROM drains ORDER BY id"
          : "SELECT id, token, channel, url, start_number, start_ordinal, options, paused FROM drains "
            "ORDER BY id",
      [&](const Statement& row) {
        CatalogContents::StoredDrain drain{
            row.integer(0), std::string(row.text(1)), std::string(row.text(3)), uint32_t(row.integer(2)), {}};
        drain.start.next = {row.integer(4)};
        drain.start.ordinal = row.integer(5);
        drain.options = row.text(6);
        drain.paused = Micros(row.integer(7));
        into.drains.push_back(std::move(drain));
      });
  if (!drains) return drains;
  const auto credentials =
      for_each_row(db, "SELECT id, name, full_api, any_channel, password_hash FROM credentials ORDER BY n",
                   [&](const Statement& row) {
                     into.credentials.push_back({std::string(row.text(0)),
                                                 std::string(row.text(1)),
                                                 {row.integer(2) != 0, row.integer(3) != 0, {}},
                                                 std::string(row.text(4))});
                   });
  if (!credentials) return credentials;
  return for_each_row(db, "SELECT credential, channel FROM readers", [&](const Statement& row) {
    const auto found = std::ranges::find(into.credentials, row.text(0), &Credential::id);
    if (found != into.credentials.end()) found->permissions.read.emplace_back(row.text(1));
  });
}

/// What MemoryCatalog::restore relies on.
bool consistent(const CatalogContents& contents) {
  std::set<uint32_t> indices;
  for (const auto& channel : contents.channels) indices.insert(channel.index);
  const auto known = [&](const auto& of) { return indices.contains(of.channel); };
  return (indices.empty() || *indices.rbegin() < contents.next_index) &&
         std::ranges::all_of(contents.tokens, known) && std::ranges::all_of(contents.drains, known);
}

}  // namespace

Result<void> create_catalog(Database& db) {
  {
    Transaction transaction(db);
    if (!transaction.begun()) return transaction.begun();
    if (const auto made = db.script(kTables); !made) return made;
    if (const auto made = db.script("INSERT INTO meta VALUES('sum', 0)"); !made) return made;
    if (const auto made = transaction.commit(); !made) return made;
  }
  const auto random = [](size_t words) {
    std::vector<uint64_t> bits(words);
    for (uint64_t& word : bits) word = random_bits();
    return bits;
  };
  const std::vector<uint64_t> key = random(4);
  CatalogRows rows;
  CatalogChange change(db, rows);
  change.set_meta("version", kCatalogVersion);
  change.set_meta("password_key", std::as_bytes(std::span(key)));
  change.set_meta("dedupe_seed", random_bits());
  change.set_meta("next_index", uint64_t{0});
  change.set_meta("next_drain", uint64_t{1});
  return change.commit(rows);
}

Result<void> upgrade_catalog(Database& db, CatalogRows& rows) {
  if (rows.version == kCatalogVersion) return {};
  CatalogChange change(db, rows);
  constexpr const char* all_drains = "SELECT 'drains', * FROM drains WHERE ?1";
  constexpr const char* all_channels = "SELECT 'channels', * FROM channels WHERE ?1";
  constexpr uint64_t all = 1, none = 0;
  if (rows.version == 1) {
    change.alter(all_drains, all, "ALTER TABLE drains ADD COLUMN options TEXT NOT NULL DEFAULT ''");
    change.alter(all_drains, all, "ALTER TABLE drains ADD COLUMN paused INTEGER NOT NULL DEFAULT 0");
  }
  change.alter(all_channels, all, "ALTER TABLE channels ADD COLUMN no_tail INTEGER NOT NULL DEFAULT 0");
  change.alter(all_channels, all, "ALTER TABLE channels ADD COLUMN no_history INTEGER NOT NULL DEFAULT 0");
  change.alter(all_channels, none, "PRAGMA user_version = 3");
  change.set_meta("version", kCatalogVersion);
  const auto done = change.commit(rows);
  if (done) rows.version = kCatalogVersion;
  return done;
}

Result<CatalogRows> read_catalog(Database& db) {
  const auto meta = read_meta(db);
  if (!meta) return meta.error();
  for (const auto& checked : {check_version(db, *meta), db.check(), check_sum(db, meta->number("sum"))})
    if (!checked) return checked.error();

  CatalogRows rows;
  rows.version = meta->number("version");
  const std::string data_dir = meta->blob("data_dir");
  if (data_dir.size() == 16) std::memcpy(rows.data_dir.emplace().data(), data_dir.data(), 16);
  rows.password_key = meta->blob("password_key");
  rows.dedupe_seed = meta->number("dedupe_seed");
  rows.changes = meta->number("changes");
  rows.sum = meta->number("sum");
  rows.contents.next_index = uint32_t(meta->number("next_index"));
  rows.contents.next_drain = meta->number("next_drain");
  if (const auto read = read_contents(db, rows); !read) return read.error();
  if (!consistent(rows.contents) || rows.password_key.size() != 32) return make_error_code(DiskErrc::damaged);
  return rows;
}

void CatalogChange::toggle(Statement& rows) {
  const auto sum = sum_of(rows);
  if (!sum)
    failed_ = sum.error();
  else
    sum_ ^= *sum;
}

Result<void> CatalogChange::commit(CatalogRows& after) {
  set_meta("changes", changes_ + 1);
  if (!failed_) note(db_.run("UPDATE meta SET value = ?1 WHERE key = 'sum'", sum_));
  if (!failed_) note(transaction_.commit());
  if (failed_) return failed_;
  after.sum = sum_;
  after.changes = changes_ + 1;
  return {};
}

}  // namespace tailrace
