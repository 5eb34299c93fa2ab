#pragma once
// A directory of one test's own, gone at its end.

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace tailrace {

class TempDir {
 public:
  TempDir() {
    std::string path = (std::filesystem::temp_directory_path() / "tailrace-test-XXXXXX").string();
    if (!::mkdtemp(path.data())) throw std::filesystem::filesystem_error("mkdtemp", path, {});
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace tailrace
