#pragma once
// `tailrace inspect DIR`: what lies in a data dir, and whether all of it is there.

namespace tailrace {

int run_inspect(int argc, char** argv);

}  // namespace tailrace
