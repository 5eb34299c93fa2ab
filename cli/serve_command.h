#pragma once
// The command lines of `serve` and `demo`: flags and environment become Settings.

namespace tailrace {

int serve_command(int argc, char** argv);
int demo_command(int argc, char** argv);

}  // namespace tailrace
