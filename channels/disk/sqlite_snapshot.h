#pragma once
// A SQLite database as its files are now, also while a process has it open.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tailrace {

/// What is committed, from the database and its WAL, in memory: read with plain reads, without a lock, and
/// without the `-shm` and `-journal` files that SQLite would make. One thread.
class SqliteSnapshot {
 public:
  /// errors: no such file, the disk's; damaged: no database, or one that fails its check; busy: it was
  /// written too often to be read.
  static Result<SqliteSnapshot> read(const std::string& path);

  /// One row of an answer; valid during the call.
  class Row {
   public:
    explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
    uint64_t integer(int column) const;
    std::string_view bytes(int column) const;

   private:
    sqlite3_stmt* statement_;
  };
  /// errors: damaged, a table or column that is not there included.
  Result<void> query(const char* sql, const std::function<void(const Row&)>& use) const;

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, Close> db_;
};

/// Lays what `wal` has committed over `database` (https://sqlite.org/fileformat2.html section 4): the frames
/// up to the last commit whose salts and running checksums fit. Bytes that are no WAL change nothing.
void apply_wal(std::span<const std::byte> wal, std::vector<std::byte>& database);

}  // namespace tailrace
