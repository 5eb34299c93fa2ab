#pragma once
// `tailrace version`.

#include <string>

namespace tailrace {

/// `tailrace 0.1.0 (7348789, Release)`; the commit only if git knew it at configure time.
std::string version_text();
/// `7348789`; empty: git did not know it at configure time.
std::string version_commit();
/// `0.1.0`
std::string version_number();
/// `2026-11-21`: of the commit, else of the build.
std::string version_date();

int run_version(int argc, char** argv);

}  // namespace tailrace
