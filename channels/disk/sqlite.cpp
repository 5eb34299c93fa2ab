#include "channels/disk/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/generic_category.hpp>
#include <cerrno>
#include <utility>

#include "channels/disk/errc.h"

namespace tailrace {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "sqlite"; }
  std::string message(int value) const override { return ::sqlite3_errstr(value); }
};

Result<void> result_of(int code) {
  if (code == SQLITE_OK) return {};
  return error_code(code, sqlite_category());
}

constexpr int kPagesPerStep = 256;  // of a copy: 1 MiB

/// SQLite makes a database with whatever the umask leaves of 0644.
error_code make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return {errno, boost::system::generic_category()};
  ::close(fd);
  return {};
}

/// `file:` address of a path, whatever characters are in it.
std::string address_of(const std::string& path) {
  std::string address = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      address += c;
    } else {
      address += '%';
      address += "0123456789ABCDEF"[uint8_t(c) >> 4];
      address += "0123456789ABCDEF"[uint8_t(c) & 15];
    }
  }
  return address;
}

/// Also what could not be opened has a handle that must be closed.
Result<void> open_handle(const std::string& name, int flags, sqlite3*& db) {
  if (const int code = ::sqlite3_open_v2(name.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr))
    return result_of(db ? ::sqlite3_extended_errcode(db) : code);
  ::sqlite3_extended_result_codes(db, 1);
  return result_of(
      ::sqlite3_exec(db, "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON", nullptr, nullptr, nullptr));
}

}  // namespace

const boost::system::error_category& sqlite_category() {
  static const Category category;
  return category;
}

bool is_damage(error_code error) {
  if (error == DiskErrc::damaged) return true;
  if (error.category() != sqlite_category()) return false;
  switch (error.value()) {
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
    case SQLITE_IOERR_CORRUPTFS:
      return true;
  }
  switch (error.value() & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // a table or a column that must be there is not
      return true;
  }
  return false;
}

// ---- Database --------------------------------------------------------------------------------------------

Result<Database> Database::open(const std::string& path, Sync sync) {
  if (const error_code failed = make_file(path)) return failed;
  Database database;
  if (const auto opened = open_handle(path, SQLITE_OPEN_READWRITE, database.db_); !opened)
    return opened.error();
  if (const auto done = database.script("PRAGMA locking_mode=EXCLUSIVE"); !done) return done.error();
  {
    Statement mode(database, "PRAGMA journal_mode=WAL");
    const auto step = mode.step();
    if (!step) return step.error();
    if (mode.text(0) != "wal") return error_code(SQLITE_CANTOPEN, sqlite_category());
  }
  if (const auto done = database.script("PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=4194304");
      !done)
    return done.error();
  if (const auto done = database.set_sync(sync); !done) return done.error();
  return database;
}

Result<Database> Database::open_to_read(const std::string& path) {
  Database database;
  const auto opened = open_handle(address_of(path) + "?mode=ro&immutable=1",
                                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, database.db_);
  if (!opened) return opened.error();
  return database;
}

Result<Database> Database::of_bytes(std::span<const std::byte> bytes) {
  Database database;
  if (const auto opened = open_handle(":memory:", SQLITE_OPEN_READWRITE, database.db_); !opened)
    return opened.error();
  ::sqlite3_db_config(database.db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(database.db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  auto* const copy = static_cast<unsigned char*>(::sqlite3_malloc64(std::max<size_t>(bytes.size(), 1)));
  if (!copy) return error_code(SQLITE_NOMEM, sqlite_category());
  std::ranges::copy(bytes, reinterpret_cast<std::byte*>(copy));
  const auto size = sqlite3_int64(bytes.size());
  // It frees the copy in any case.
  const auto taken = result_of(::sqlite3_deserialize(
      database.db_, "main", copy, size, size, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY));
  if (!taken) return taken.error();
  return database;
}

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  return *this;
}

Database::~Database() {
  ::sqlite3_close(db_);
}

Result<void> Database::script(const char* sql) {
  return result_of(::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr));
}

Result<void> Database::set_sync(Sync sync) {
  return script(sync == Sync::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

Result<void> Database::check() {
  Statement check(*this, "PRAGMA integrity_check(1)");
  const auto step = check.step();
  if (!step) return step.error();
  if (*step != Statement::Step::row || check.text(0) != "ok") return make_error_code(DiskErrc::damaged);
  return {};
}

Result<void> Database::copy_to(const std::string& path, const std::function<void()>& between) {
  if (const error_code failed = make_file(path)) return failed;
  Database copy;
  if (const auto opened = open_handle(path, SQLITE_OPEN_READWRITE, copy.db_); !opened) return opened;
  // Nobody believes it before it was checked and synced as a whole.
  if (const auto done = copy.script("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"); !done) return done;
  ::sqlite3_backup* const backup = ::sqlite3_backup_init(copy.db_, "main", db_, "main");
  if (!backup) return result_of(::sqlite3_extended_errcode(copy.db_));
  int code;
  while ((code = ::sqlite3_backup_step(backup, kPagesPerStep)) == SQLITE_OK) between();
  const int finished = ::sqlite3_backup_finish(backup);
  return result_of(code != SQLITE_DONE ? code : finished);
}

void Database::leave_as_is() {
  if (db_) ::sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

// ---- Statement -------------------------------------------------------------------------------------------

Statement::Statement(Database& db, const char* sql)
    : failed_(::sqlite3_prepare_v2(db.db_, sql, -1, &statement_, nullptr)) {}

Statement::~Statement() {
  ::sqlite3_finalize(statement_);
}

void Statement::bind(int parameter, uint64_t value) {
  const int code = ::sqlite3_bind_int64(statement_, parameter, int64_t(value));
  if (!failed_) failed_ = code;
}

void Statement::bind(int parameter, std::string_view text) {
  const int code = ::sqlite3_bind_text64(statement_, parameter, text.data() ? text.data() : "", text.size(),
                                         SQLITE_STATIC, SQLITE_UTF8);
  if (!failed_) failed_ = code;
}

void Statement::bind(int parameter, std::span<const std::byte> blob) {
  const int code = ::sqlite3_bind_blob64(statement_, parameter, blob.data(), blob.size(), SQLITE_STATIC);
  if (!failed_) failed_ = code;
}

Result<Statement::Step> Statement::step() {
  if (failed_) return error_code(failed_, sqlite_category());
  const int code = ::sqlite3_step(statement_);
  if (code == SQLITE_ROW) return Step::row;
  if (code == SQLITE_DONE) return Step::done;
  return error_code(code, sqlite_category());
}

void Statement::reset() {
  ::sqlite3_reset(statement_);
}

int Statement::columns() const {
  return ::sqlite3_column_count(statement_);
}

bool Statement::is_integer(int column) const {
  return ::sqlite3_column_type(statement_, column) == SQLITE_INTEGER;
}

uint64_t Statement::integer(int column) const {
  return uint64_t(::sqlite3_column_int64(statement_, column));
}

std::string_view Statement::text(int column) const {
  const void* const bytes = ::sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(bytes), size_t(::sqlite3_column_bytes(statement_, column))};
}

}  // namespace tailrace
