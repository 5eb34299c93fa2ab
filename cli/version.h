#pragma once
// `tailrace version` and `tailrace help`.

#include <string>

namespace tailrace {

/// `tailrace 0.1.0 (7348789, Release)`; the commit only if git knew it at configure time.
std::string version_text();

int version_command(int argc, char** argv);
int help_command(int argc, char** argv);

}  // namespace tailrace
