#pragma once
// What stands in catalog.db (docs/disk-format.md section 5): its tables, their check, and one change of them.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channels/catalog_contents.h"
#include "channels/disk/sqlite.h"

namespace tailrace {

inline constexpr uint64_t kCatalogVersion = 3;

/// All of a catalog.
struct CatalogRows {
  uint64_t version = kCatalogVersion;               // of its tables; an older one waits for upgrade_catalog()
  std::optional<std::array<uint8_t, 16>> data_dir;  // none: not decided yet
  std::string password_key;                         // 32 bytes, secret
  uint64_t dedupe_seed = 0;
  CatalogContents contents;
  std::vector<std::pair<uint32_t, uint32_t>> gaps;  // indices (first, behind) that no channel of it ever had
  uint64_t changes = 0;                             // how many were made since its creation
  uint64_t sum = 0;
};

/// Into an empty database, with random keys.
Result<void> create_catalog(Database& db);

/// Tables of an older version become those of this one, with all that is in them; all of it, or nothing.
/// `rows` are those of `db`.
Result<void> upgrade_catalog(Database& db, CatalogRows& rows);

/// Reads and checks all of it: SQLite's integrity_check, and the sum, by which a bit that flipped in a URL or
/// a row that is an older one is found. errors: is_damage() says which; DiskErrc::newer_version.
Result<CatalogRows> read_catalog(Database& db);

/// One change: a transaction that keeps the sum of all rows with what it alters. The first failure is kept
/// and ends it; commit() says so.
class CatalogChange {
 public:
  CatalogChange(Database& db, const CatalogRows& before)
      : db_(db), transaction_(db), sum_(before.sum), changes_(before.changes) {
    note(transaction_.begun());
  }

  /// Runs `sql`. `rows`: a SELECT with one parameter, `key`, of the rows that `sql` adds, changes or removes.
  template <class Key, class... Values>
  void alter(const char* rows, const Key& key, const char* sql, const Values&... values) {
    toggle(rows, key);
    if (!failed_) note(db_.run(sql, values...));
    toggle(rows, key);
  }
  template <class Value>
  void set_meta(std::string_view key, const Value& value) {
    alter("SELECT 'meta', * FROM meta WHERE key = ?1", key, "INSERT OR REPLACE INTO meta VALUES(?1, ?2)", key,
          value);
  }

  /// Writes the new sum and count into `after`.
  Result<void> commit(CatalogRows& after);

 private:
  void note(const Result<void>& result) {
    if (!result && !failed_) failed_ = result.error();
  }
  template <class Key>
  void toggle(const char* rows, const Key& key) {
    if (failed_) return;
    Statement statement(db_, rows);
    statement.bind(1, key);
    toggle(statement);
  }
  void toggle(Statement& rows);

  Database& db_;
  Transaction transaction_;
  uint64_t sum_, changes_;
  error_code failed_;
};

}  // namespace tailrace
