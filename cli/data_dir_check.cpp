#include "cli/data_dir_check.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "channels/disk/catalog_tables.h"
#include "channels/disk/errc.h"
#include "channels/disk/lock_file.h"
#include "channels/disk/sqlite_snapshot.h"

namespace tailrace {
namespace {

namespace fs = std::filesystem;

/// The directory itself, or the nearest above it that is there.
fs::path nearest_existing(const std::string& dir) {
  std::error_code none;
  fs::path path = fs::absolute(dir, none);
  while (!fs::exists(path, none) && path.has_parent_path() && path != path.parent_path())
    path = path.parent_path();
  return path;
}

void check_owner(const std::string& name, const struct stat& about, Findings& out) {
  if (about.st_uid != ::geteuid())
    out.warnings.push_back(name + "belongs to uid " + std::to_string(about.st_uid) + ", this is uid " +
                           std::to_string(::geteuid()));
  if (about.st_mode & 077)
    out.warnings.push_back(name + "others may look into it: records are nobody else's, chmod 700");
}

void check_contents(const std::string& name, const std::string& dir, Findings& out) {
  std::error_code failed;
  bool empty = true, known = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, failed)) {
    const std::string file = entry.path().filename();
    empty = empty && file == "lost+found";
    known = known || file == "segments" || file == "catalog.db" || file == "catalog.copy.db";
  }
  if (failed) return out.problems.push_back(name + failed.message());
  if (!empty && !known) out.warnings.push_back(name + "holds other things, and no data dir of ours");
  const std::string catalog = dir + "/catalog.db";
  if (!fs::exists(catalog, failed)) return;
  auto database = read_snapshot(catalog);
  const error_code wrong = database ? [&] {
    const auto rows = read_catalog(*database);
    return rows ? error_code() : rows.error();
  }()
                                    : database.error();
  if (wrong == DiskErrc::newer_version)
    out.problems.push_back(name + "was written by a newer version; this one reads version " +
                           std::to_string(kCatalogVersion));
  else if (wrong)
    out.warnings.push_back(name + "catalog.db: " + wrong.message() + " (see tailrace inspect " + dir + ")");
}

void check_room(const Settings& settings, const fs::path& place, Findings& out) {
  struct statvfs about{};
  if (::statvfs(place.c_str(), &about) != 0) return;
  uint64_t used = 0;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(settings.data_dir + "/segments", failed))
    used += entry.file_size(failed);
  const uint64_t room = uint64_t{about.f_bavail} * about.f_frsize + used;
  if (room < settings.disk_bytes)
    out.warnings.push_back("TAILRACE_DISK_BYTES=" + settings.limits.at("TAILRACE_DISK_BYTES") +
                           ": the file system has room for " + std::to_string(room >> 20) + "M");
}

}  // namespace

void check_data_dir(const Settings& settings, Findings& out) {
  const std::string& dir = settings.data_dir;
  if (dir.empty()) return;
  const std::string name = "TAILRACE_DATA_DIR=" + dir + ": ";
  const fs::path place = nearest_existing(dir);
  struct stat about{};
  if (::stat(place.c_str(), &about) != 0) return out.problems.push_back(name + std::strerror(errno));
  const bool there = ::access(dir.c_str(), F_OK) == 0;
  if (!S_ISDIR(about.st_mode)) return out.problems.push_back(name + place.string() + " is no directory");
  if (::access(place.c_str(), R_OK | W_OK | X_OK) != 0)
    return out.problems.push_back(name + (there ? "" : place.string() + ": ") + std::strerror(errno));
  if (there) {
    check_owner(name, about, out);
    check_contents(name, dir, out);
    if (const std::string holder = LockFile::holder(dir); !holder.empty())
      out.warnings.push_back(name + "in use by " + holder);
  }
  check_room(settings, place, out);
}

}  // namespace tailrace
