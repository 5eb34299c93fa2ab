#include "channels/disk/sqlite_snapshot.h"

#include <algorithm>
#include <array>
#include <boost/system/errc.hpp>
#include <cstring>

#include "channels/disk/errc.h"
#include "channels/disk/io.h"

namespace tailrace {
namespace {

constexpr size_t kWalHeader = 32, kFrameHeader = 24;
constexpr int kAttempts = 50;

uint32_t big_endian(const std::byte* at) {
  return uint32_t(at[0]) << 24 | uint32_t(at[1]) << 16 | uint32_t(at[2]) << 8 | uint32_t(at[3]);
}

/// SQLite's running checksum over words of the byte order that the WAL's magic names.
struct WalSum {
  uint32_t a = 0, b = 0;
  bool big = false;

  void add(std::span<const std::byte> bytes) {
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      a += word(&bytes[i]) + b;
      b += word(&bytes[i + 4]) + a;
    }
  }
  uint32_t word(const std::byte* at) const {
    const uint32_t value = big_endian(at);
    return big ? value : __builtin_bswap32(value);
  }
  bool is(const std::byte* at) const { return a == big_endian(at) && b == big_endian(at + 4); }
};

Result<std::vector<std::byte>> read_file(const std::string& path) {
  const auto file = File::open_to_read(path);
  if (!file) return file.error();
  const auto size = file->size();
  if (!size) return size.error();
  std::vector<std::byte> bytes(*size);
  const auto got = file->read(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

/// A WAL that is not there is empty.
Result<std::vector<std::byte>> read_wal(const std::string& path) {
  auto wal = read_file(path + "-wal");
  if (!wal && wal.error() == boost::system::errc::no_such_file_or_directory) return std::vector<std::byte>{};
  return wal;
}

/// The header changes with each generation of the WAL.
bool same_generation(std::span<const std::byte> a, std::span<const std::byte> b) {
  const auto head = [](auto bytes) { return bytes.first(std::min(bytes.size(), kWalHeader)); };
  return std::ranges::equal(head(a), head(b));
}

/// Both files as they were at one moment. Pages that a checkpoint writes into the database meanwhile stand in
/// the WAL too, until its next generation begins.
Result<std::vector<std::byte>> read_both(const std::string& path) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = read_wal(path);
    auto database = read_file(path);
    const auto wal = read_wal(path);
    if (!database) return database.error();
    if (!before || !wal) return before ? wal.error() : before.error();
    if (!same_generation(*before, *wal)) continue;
    apply_wal(*wal, *database);
    return database;
  }
  return boost::system::errc::make_error_code(boost::system::errc::device_or_resource_busy);
}

}  // namespace

void apply_wal(std::span<const std::byte> wal, std::vector<std::byte>& database) {
  if (wal.size() < kWalHeader) return;
  const uint32_t magic = big_endian(wal.data()), page = big_endian(&wal[8]);
  if ((magic & ~1u) != 0x377f0682 || page < 512 || page > 65536 || (page & (page - 1)) != 0) return;
  WalSum sum{.big = (magic & 1) != 0};
  sum.add(wal.first(24));
  if (!sum.is(&wal[24])) return;

  std::vector<std::pair<uint32_t, size_t>> changed;  // pages since the last commit, and where they lie
  for (size_t at = kWalHeader; at + kFrameHeader + page <= wal.size(); at += kFrameHeader + page) {
    const std::byte* const frame = &wal[at];
    if (std::memcmp(frame + 8, &wal[16], 8) != 0) return;
    sum.add(wal.subspan(at, 8));
    sum.add(wal.subspan(at + kFrameHeader, page));
    if (!sum.is(frame + 16)) return;
    const uint32_t number = big_endian(frame), pages = big_endian(frame + 4);
    if (number == 0) return;
    changed.emplace_back(number, at + kFrameHeader);
    if (pages == 0) continue;
    // A commit says how many pages the database has. More than it and its WAL can hold is no such number.
    if (pages > database.size() / page + wal.size() / page + 1) return;
    database.resize(size_t{pages} * page);
    for (const auto& [n, from] : changed)
      if (n <= pages) std::memcpy(&database[size_t{n - 1} * page], &wal[from], page);
    changed.clear();
  }
}

Result<Database> read_snapshot(const std::string& path) {
  auto bytes = read_both(path);
  if (!bytes) return bytes.error();
  if (bytes->size() < 100 || std::memcmp(bytes->data(), "SQLite format 3", 16) != 0)
    return make_error_code(DiskErrc::damaged);
  (*bytes)[18] = (*bytes)[19] = std::byte{1};  // no WAL: it is in the bytes already
  return Database::of_bytes(*bytes);
}

}  // namespace tailrace
