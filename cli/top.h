#pragma once
// `tailrace top`: channels and drains, as they go.

namespace tailrace {

int run_top(int argc, char** argv);

}  // namespace tailrace
