#include "channels/disk/database_file.h"

#include <boost/system/errc.hpp>

#include "channels/disk/errc.h"
#include "channels/disk/io.h"

namespace tailrace {

bool is_missing(error_code error) {
  return error == boost::system::errc::no_such_file_or_directory;
}

Result<void> DatabaseFile::look() const {
  const auto file = File::open_to_read(path());
  if (!file) return file.error();
  const auto size = file->size();
  if (!size) return size.error();
  if (*size == 0) return make_error_code(DiskErrc::damaged);
  return {};
}

Result<void> DatabaseFile::make(const std::function<Result<void>(Database&)>& fill) const {
  remove_new();
  const auto made = [&]() -> Result<void> {
    {
      auto db = Database::open(new_path(), Database::Sync::full);
      if (!db) return db.error();
      if (const auto filled = fill(*db); !filled) return filled;
    }
    // Closing has moved everything from the WAL to the file, or there was no room for that.
    auto whole = Database::open_to_read(new_path());
    if (!whole) return whole.error();
    if (const auto checked = whole->check(); !checked) return checked;
    (void)unlink_file(path() + "-wal");  // of another database
    return rename_new();
  };
  const auto done = made();
  if (!done) remove_new();
  return done;
}

Result<void> DatabaseFile::set_aside() const {
  const std::string aside = dir_ + "/" + name_ + ".bad.db";
  const auto move = [](const std::string& from, const std::string& to) -> Result<void> {
    const auto moved = rename_file(from, to);
    if (!moved && !is_missing(moved.error())) return moved;
    return {};
  };
  if (const auto there = look(); there || !is_missing(there.error())) (void)unlink_file(aside + "-wal");
  // The database first: without its WAL it could pass for an older one.
  if (const auto moved = move(path(), aside); !moved) return moved;
  return move(path() + "-wal", aside + "-wal");
}

void DatabaseFile::remove_new() const {
  for (const char* end : {"", "-wal", "-journal"}) (void)unlink_file(new_path() + end);
}

Result<void> DatabaseFile::rename_new(const std::function<void()>& synced) const {
  {
    auto file = File::open_to_write(new_path());
    if (!file) return file.error();
    if (const auto done = file->sync(); !done) return done;
  }
  synced();
  if (const auto renamed = rename_file(new_path(), path()); !renamed) return renamed;
  return sync_dir(dir_);
}

std::string DatabaseFile::refusal(error_code why, uint64_t version) const {
  if (why == DiskErrc::newer_version)
    return path() + " was written by a newer version; this one reads version " + std::to_string(version);
  return "cannot use " + path() + ": " + why.message();
}

}  // namespace tailrace
