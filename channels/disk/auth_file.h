#pragma once
// The admin credential that was generated, as the data dir keeps it.

#include <optional>
#include <string>

namespace tailrace {

struct KeptAuth {
  std::string auth;        // `user:password`
  bool generated = false;  // by this call: to be shown once
  std::string warning;     // for people, without the password; empty: nothing is wrong
};

/// Reads DIR/auth, or makes it with `admin:<32 hex digits>`, mode 0600: whole and synced, or not there. One
/// that holds no `user:password` is kept as auth.bad and made anew; one that cannot be stored, as on a full
/// disk, is good for this run, and the warning says so. None: it is there and cannot be read; `error`: one
/// line for people. Only with the dir's lock.
std::optional<KeptAuth> keep_auth(const std::string& dir, std::string& error);

}  // namespace tailrace
