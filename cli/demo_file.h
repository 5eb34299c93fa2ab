#pragma once
// How the commands find a demo that runs on this machine: a file of its user's, mode 0600.

#include <optional>
#include <string>

#include "base/result.h"

namespace tailrace {

struct DemoFile {
  std::string url;   // the admin listener's
  std::string auth;  // `user:password`
  int pid = 0;
};

/// `$XDG_RUNTIME_DIR/tailrace-demo.json`, else `/tmp/tailrace-demo-UID.json`.
std::string demo_file_path();

/// Replaces the file whole, mode 0600 from its first byte on; never follows a link that somebody left there.
Result<void> write_demo_file(const DemoFile& demo, const std::string& path = demo_file_path());

/// None unless the file is ours, a plain file of mode 0600, well formed, and its process lives.
std::optional<DemoFile> read_demo_file(const std::string& path = demo_file_path());

/// Removes the file if it is that process's; no error if there is none.
void remove_demo_file(int pid, const std::string& path = demo_file_path());

}  // namespace tailrace
