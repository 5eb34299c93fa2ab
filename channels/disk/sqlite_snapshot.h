#pragma once
// A SQLite database as its files are now, also while a process has it open.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "channels/disk/sqlite.h"

namespace tailrace {

/// What is committed, from the database and its WAL, in memory: read with plain reads, without a lock, and
/// without the `-shm` and `-journal` files that SQLite would make. errors: no such file, the disk's; damaged:
/// no database; busy: it was written too often to be read. Its pages are not checked yet.
Result<Database> read_snapshot(const std::string& path);

/// Lays what `wal` has committed over `database` (https://sqlite.org/fileformat2.html section 4): the frames
/// up to the last commit whose salts and running checksums fit. Bytes that are no WAL change nothing.
void apply_wal(std::span<const std::byte> wal, std::vector<std::byte>& database);

}  // namespace tailrace
