#pragma once
// `tailrace send`: lines on stdin become log records somewhere else.

namespace tailrace {

int run_send(int argc, char** argv);

}  // namespace tailrace
