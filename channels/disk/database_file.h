#pragma once
// A database of the data dir as a file: found, made whole, set aside.

#include <functional>
#include <string>

#include "channels/disk/sqlite.h"

namespace tailrace {

/// Database NAME of `dir`: NAME.db, with what SQLite lays beside it. Its owner holds the dir's lock.
class DatabaseFile {
 public:
  DatabaseFile(std::string dir, std::string name) : dir_(std::move(dir)), name_(std::move(name)) {}

  std::string path() const { return dir_ + "/" + name_ + ".db"; }
  const std::string& dir() const { return dir_; }

  /// errors: is_missing() if there is none; DiskErrc::damaged if it is empty, which SQLite would take for
  /// new.
  Result<void> look() const;

  /// Filled and closed under another name, checked, synced, renamed: a crash leaves all of it or nothing.
  /// Only where there is none.
  Result<void> make(const std::function<Result<void>(Database&)>& fill) const;

  /// Moves it, with its WAL, to NAME.bad.db, over what is there. Nothing to do if there is none.
  Result<void> set_aside() const;

  /// Under NAME.new, and what a crash left of that.
  std::string new_path() const { return dir_ + "/" + name_ + ".new"; }
  void remove_new() const;
  /// What is written there is synced and takes the place of NAME.db. `synced`: called in between.
  Result<void> rename_new(const std::function<void()>& synced = [] {}) const;

  /// One line for people.
  std::string refusal(error_code why, uint64_t version) const;

 private:
  std::string dir_, name_;
};

bool is_missing(error_code error);

}  // namespace tailrace
