#pragma once
// `tailrace help`: the list of commands, a command's help, and the manual page.

namespace tailrace {

int run_help(int argc, char** argv);

}  // namespace tailrace
