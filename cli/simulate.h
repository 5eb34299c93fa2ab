#pragma once
// `tailrace simulate`: the lines of a router fleet, to stdout or to a Tailrace.

namespace tailrace {

int run_simulate(int argc, char** argv);

}  // namespace tailrace
