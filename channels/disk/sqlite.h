#pragma once
// SQLite as the data dir uses it: one connection, prepared statements, failures as values.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tailrace {

const boost::system::error_category& sqlite_category();

/// One thread at a time; each database has one owner that sees to it.
class Database {
 public:
  enum class Sync : uint8_t { normal, full };
  /// Locking mode exclusive before the journal mode, so that it opens on a full disk too. Mode 0600.
  static Result<Database> open(const std::string& path, Sync sync);
  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  Result<void> run(const char* sql);
  Result<void> set_sync(Sync sync);
  /// `integrity_check` says ok.
  Result<void> check();
  /// A copy of what is committed now, synced.
  Result<void> copy_to(const std::string& path);

 private:
  friend class Statement;
  sqlite3* db_ = nullptr;
};

/// Prepared once, run often. Texts and blobs that are bound must live until step() said done or reset().
class Statement {
 public:
  Statement(Database& db, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int parameter, uint64_t value);
  void bind(int parameter, std::string_view text);
  void bind_blob(int parameter, std::span<const std::byte> bytes);
  /// True: a row; false: done.
  Result<bool> step();
  void reset();
  uint64_t integer(int column) const;
  std::string_view text(int column) const;  // until the next step

 private:
  sqlite3_stmt* statement_ = nullptr;
  error_code prepared_;
};

}  // namespace tailrace
