#pragma once
// SQLite's files with faults: its own VFS, and what a test refuses in front of it.

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <string>

namespace tailrace {

/// For one scope, all databases that are opened in it are written through it; they must be closed in it.
class FaultySqlite {
 public:
  FaultySqlite() {
    real_ = ::sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "faulty";
    vfs_.szOsFile = int(sizeof(Handle)) + real_->szOsFile;
    vfs_.xOpen = open;
    vfs_.pNext = nullptr;
    current_ = this;
    ::sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultySqlite() {
    ::sqlite3_vfs_unregister(&vfs_);
    ::sqlite3_vfs_register(real_, 1);
    current_ = nullptr;
  }
  FaultySqlite(const FaultySqlite&) = delete;
  FaultySqlite& operator=(const FaultySqlite&) = delete;

  /// What a write or a sync is answered instead of being done; 0: nothing.
  std::atomic<int> write_error{0}, sync_error{0};
  std::atomic<int> wal_syncs{0};

 private:
  struct Handle {
    sqlite3_file base;
    bool wal;
    sqlite3_io_methods methods;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static Handle* handle(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }

  template <auto Method, class... Arguments>
  static int pass(sqlite3_file* file, Arguments... arguments) {
    sqlite3_file* const real = handle(file)->real();
    return (real->pMethods->*Method)(real, arguments...);
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    if (const int error = current_->write_error) return error;
    sqlite3_file* const real = handle(file)->real();
    return real->pMethods->xWrite(real, bytes, size, offset);
  }
  static int sync(sqlite3_file* file, int flags) {
    if (const int error = current_->sync_error) return error;
    current_->wal_syncs += handle(file)->wal;
    sqlite3_file* const real = handle(file)->real();
    return real->pMethods->xSync(real, flags);
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    Handle* const h = handle(file);
    std::memset(h, 0, sizeof *h);
    sqlite3_vfs* const real = current_->real_;
    const int code = real->xOpen(real, name, h->real(), flags, flags_out);
    if (!h->real()->pMethods) return code;
    h->wal = (flags & SQLITE_OPEN_WAL) != 0;
    using M = sqlite3_io_methods;
    h->methods.iVersion = 1;  // no shared memory: it must not be asked for
    h->methods.xClose = pass<&M::xClose>;
    h->methods.xRead = pass<&M::xRead, void*, int, sqlite3_int64>;
    h->methods.xWrite = write;
    h->methods.xTruncate = pass<&M::xTruncate, sqlite3_int64>;
    h->methods.xSync = sync;
    h->methods.xFileSize = pass<&M::xFileSize, sqlite3_int64*>;
    h->methods.xLock = pass<&M::xLock, int>;
    h->methods.xUnlock = pass<&M::xUnlock, int>;
    h->methods.xCheckReservedLock = pass<&M::xCheckReservedLock, int*>;
    h->methods.xFileControl = pass<&M::xFileControl, int, void*>;
    h->methods.xSectorSize = pass<&M::xSectorSize>;
    h->methods.xDeviceCharacteristics = pass<&M::xDeviceCharacteristics>;
    h->base.pMethods = &h->methods;
    return code;
  }

  static inline FaultySqlite* current_ = nullptr;
  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
};

}  // namespace tailrace
