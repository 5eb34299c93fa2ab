#include "channels/disk/auth_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "channels/disk/database_file.h"
#include "channels/disk/io.h"

namespace tailrace {
namespace {

constexpr size_t kMostBytes = 1024;

Result<std::string> text_of(const std::string& path) {
  const auto file = File::open_to_read(path);
  if (!file) return file.error();
  std::string text(kMostBytes, '\0');
  const auto size = file->read(0, std::as_writable_bytes(std::span(text)));
  if (!size) return size.error();
  text.resize(*size);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

bool is_credential(std::string_view text) {
  const size_t colon = text.find(':');
  const bool plain = std::ranges::all_of(text, [](char c) { return uint8_t(c) >= ' ' && c != 0x7f; });
  return plain && colon != text.npos && colon > 0 && colon + 1 < text.size() && text.size() < kMostBytes;
}

Result<void> write_new(const std::string& dir, const std::string& text) {
  const std::string made = dir + "/auth.new";
  (void)unlink_file(made);
  const auto write = [&]() -> Result<void> {
    auto file = File::create(made);
    if (!file) return file.error();
    if (const auto done = file->write(0, std::as_bytes(std::span(text))); !done) return done;
    if (const auto done = file->sync(); !done) return done;
    if (const auto done = rename_file(made, dir + "/auth"); !done) return done;
    return sync_dir(dir);
  };
  const auto done = write();
  if (!done) (void)unlink_file(made);
  return done;
}

}  // namespace

std::optional<KeptAuth> keep_auth(const std::string& dir, std::string& error) {
  const std::string path = dir + "/auth";
  KeptAuth kept;
  const auto text = text_of(path);
  if (text && is_credential(*text)) {
    kept.auth = *text;
    struct stat status;
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
      kept.warning = path + " can be read by others; it should have mode 0600";
    return kept;
  }
  if (!text && !is_missing(text.error())) {
    error = "cannot read " + path + ": " + text.error().message();
    return std::nullopt;
  }
  kept.auth = "admin:" + random_hex(16);
  kept.generated = true;
  if (text) {
    (void)rename_file(path, path + ".bad");
    kept.warning = path + " held no user:password; it is kept as auth.bad, and a new one was generated";
  }
  if (const auto stored = write_new(dir, kept.auth + "\n"); !stored)
    kept.warning = "the generated credential is good for this run only: cannot store " + path + ": " +
                   stored.error().message();
  return kept;
}

}  // namespace tailrace
