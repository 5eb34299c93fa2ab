#pragma once
// A directory of one test's own, gone at its end. In memory where there is room, as most tests are not about
// the disk and sync often; TMPDIR says where else.

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace tailrace {

class TempDir {
 public:
  TempDir() {
    std::string path = (base() / "tailrace-test-XXXXXX").string();
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
  static std::filesystem::path base() {
    std::error_code none;
    const bool roomy = std::filesystem::space("/dev/shm", none).available > (512u << 20) && !none;
    return roomy && !::getenv("TMPDIR") ? "/dev/shm" : std::filesystem::temp_directory_path();
  }

  std::string path_;
};

}  // namespace tailrace
