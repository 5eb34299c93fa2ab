#pragma once
// A catalog with its file, one start after the other, and what it answers as one text.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "channels/disk/catalog_file.h"
#include "channels/memory_catalog.h"
#include "channels/memory_store.h"

namespace tailrace {

/// One start.
struct CatalogLife {
  explicit CatalogLife(const std::string& dir, uint32_t first_free_index = 0) {
    file = CatalogFile::open(dir, error);
    if (!file) return;
    loaded = file->load();
    catalog.emplace(store,
                    MemoryCatalog::Options{
                        .drains_per_channel = 6, .password_key = loaded.password_key, .journal = file.get()});
    CatalogContents contents = loaded.contents;
    contents.first_free_index = first_free_index;
    catalog->restore(std::move(contents));
  }
  MemoryCatalog* operator->() { return &*catalog; }

  std::string error;
  std::unique_ptr<CatalogFile> file;
  CatalogFile::Loaded loaded;
  MemoryStore store{{}};
  std::optional<MemoryCatalog> catalog;
};

inline std::string to_text(const Catalog& catalog) {
  std::string text;
  for (const ChannelPtr& channel : catalog.channels()) {
    text += std::to_string(channel->index) + " " + channel->id + " '" + channel->name() + "'" +
            (channel->no_tail ? " no_tail" : "") + (channel->no_history ? " no_history" : "") + "\n";
    for (const TokenPtr& token : catalog.tokens(*channel))
      text += "  " + token->id + " '" + token->name + "' " + (token->strict ? "strict" : "") + "\n";
    for (const DrainEntry& drain : catalog.drains(*channel))
      text += "  " + std::to_string(drain.id) + " " + drain.token + " " + drain.url + " " +
              std::to_string(drain.start.next.value) + " " + std::to_string(drain.start.ordinal) + " " +
              drain.options + (drain.paused ? " paused" : "") + "\n";
  }
  return text;
}

/// What a start finds.
inline std::string found_in(const std::string& dir) {
  CatalogLife life(dir);
  return life.file ? to_text(*life.catalog) : "error: " + life.error;
}

template <class T>
bool ok(const Result<T>& result) {
  return result.has_value();
}

/// `f` in a process of its own, which ends without closing anything; its exit code.
inline int in_child(const std::function<int()>& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = f();
    } catch (...) {
    }
    ::_exit(code);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

inline void copy_dir(const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  fs::remove_all(to);
  fs::copy(from, to);
}

}  // namespace tailrace
