#pragma once
// SQLite as the data dir uses it: one connection, prepared statements, failures as values.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tailrace {

/// SQLite's extended result codes. Texts say nothing of what a database holds.
const boost::system::error_category& sqlite_category();

/// Whether the file itself is bad, as opposed to a full disk, a lock or a lack of rights.
bool is_damage(error_code error);

/// One thread at a time; each database has one owner that sees to it.
class Database {
 public:
  enum class Sync : uint8_t {
    normal,  // a commit survives the process
    full     // and a power cut
  };
  /// Made empty if it is not there, with mode 0600. Locking mode exclusive before journal mode WAL, so that
  /// it opens on a full disk too, and no other program does. The WAL stays within a few MiB unless one
  /// transaction is larger.
  static Result<Database> open(const std::string& path, Sync sync);
  /// One that nobody writes, read as it lies there: no lock, and no file of SQLite's beside it.
  static Result<Database> open_to_read(const std::string& path);
  /// A copy of these bytes, in memory and not to be changed. They need not be sound.
  static Result<Database> of_bytes(std::span<const std::byte> bytes);

  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();
  explicit operator bool() const { return db_ != nullptr; }

  /// Any number of statements, without parameters.
  Result<void> script(const char* sql);
  /// One statement, to its end.
  template <class... Values>
  Result<void> run(const char* sql, const Values&... values);
  Result<void> set_sync(Sync sync);
  /// `integrity_check` says ok; else DiskErrc::damaged.
  Result<void> check();
  /// What is committed, into a new file at `path`; not synced. In steps: `between` is called after each, and
  /// may let others use this database; what they commit is in the copy.
  Result<void> copy_to(const std::string& path, const std::function<void()>& between);
  /// Leaves the file and its WAL as they are when it is closed, for whoever looks into a damaged one.
  void leave_as_is();

 private:
  friend class Statement;
  sqlite3* db_ = nullptr;
};

/// Prepared once, run often; gone before its database. Texts and blobs that are bound must live until step()
/// said done or reset().
class Statement {
 public:
  Statement(Database& db, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Parameters count from 1. Numbers keep their 64 bits.
  void bind(int parameter, uint64_t value);
  void bind(int parameter, std::string_view text);
  void bind(int parameter, std::span<const std::byte> blob);

  enum class Step : uint8_t { row, done };
  Result<Step> step();
  /// Ready for another run; what was bound stays.
  void reset();

  // ---- of the row; columns count from 0 ----
  int columns() const;
  bool is_integer(int column) const;
  uint64_t integer(int column) const;
  std::string_view text(int column) const;  // also a blob's bytes; until the next step

 private:
  sqlite3_stmt* statement_ = nullptr;
  int failed_;  // of preparing or binding, told by step()
};

/// From BEGIN to commit(); rolled back without it.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db), begun_(db.script("BEGIN IMMEDIATE")) {}
  ~Transaction() {
    if (begun_ && !over_) (void)db_.script("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Result<void> begun() const { return begun_; }
  /// Nothing is stored if it fails.
  Result<void> commit() {
    const auto done = db_.script("COMMIT");
    over_ = bool(done);
    return done;
  }

 private:
  Database& db_;
  const Result<void> begun_;
  bool over_ = false;
};

template <class... Values>
Result<void> Database::run(const char* sql, const Values&... values) {
  Statement statement(*this, sql);
  int parameter = 0;
  (statement.bind(++parameter, values), ...);
  for (;;) {
    const auto step = statement.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) return {};
  }
}

}  // namespace tailrace
